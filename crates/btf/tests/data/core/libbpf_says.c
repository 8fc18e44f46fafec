// What libbpf does with the CO-RE relocations of an object, one line an instruction. Used by prepare.sh; needs root.
// usage: libbpf_says LOCAL.o TARGET.o
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int wanted(const char *line)
{
	static const char *const words[] = { "patched insn", "substituting insn", "ambiguity", "can't be satisfied",
					     "can't be applied", "accesses field incorrectly", "unexpected insn", "too big" };
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(line, words[i]))
			return 1;
	return 0;
}

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[4096];
	int len = vsnprintf(line, sizeof(line), format, args);
	if (strstr(line, "relo #") || strstr(line, "relo at") || strstr(line, "relo "))
		if (wanted(line))
			fputs(line, stdout);
	return len;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = argc > 2 ? argv[2] : NULL);
	libbpf_set_print(print);
	for (int index = 0;; index++) {
		struct bpf_object *object = bpf_object__open_file(argv[1], &opts);
		struct bpf_program *prog, *chosen = NULL;
		int at = 0;
		bpf_object__for_each_program(prog, object) {
			bpf_program__set_autoload(prog, at == index);
			if (at++ == index)
				chosen = prog;
		}
		if (chosen)
			// That the verifier may refuse it afterwards does not matter.
			bpf_object__load(object);
		bpf_object__close(object);
		if (!chosen)
			return 0;
	}
}
