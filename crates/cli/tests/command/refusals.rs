//! What clang refuses comes with help, whichever clang says it, and is a rejection.

use crate::common::{Ran, opswap};
use std::process::{Command, Stdio};

/// A source, flags, and what the help says.
const CASES: &[(&str, &str, &[&str], &str)] = &[
    (
        "floating point",
        "int f(int *p) { float x = *p; *p = x * 1.5f; return 0; }",
        &[],
        "BPF has no floating point",
    ),
    (
        "double",
        "int f(int *p) { double x = *p; *p = x / 3; return 0; }",
        &[],
        "BPF has no floating point",
    ),
    (
        "signed division",
        "int f(int *p) { return p[0] / p[1]; }",
        &[],
        "-mcpu=v4",
    ),
    (
        "signed remainder",
        "long f(long *p) { return p[0] % p[1]; }",
        &[],
        "-mcpu=v4",
    ),
    (
        "wide integers",
        "int f(long *p) { __int128 x = p[0]; return x * p[1] / p[2]; }",
        &[],
        "128-bit",
    ),
    (
        "printf",
        "int f(int *p) { printf(\"%d\", *p); return 0; }",
        &[],
        "bpf_printk",
    ),
    (
        "a function of nobody",
        "int f(int *p) { return foo(p); }",
        &[],
        "foo() is declared nowhere",
    ),
    (
        "a helper without its header",
        "int f(int *p) { return bpf_ktime_get_ns(); }",
        &[],
        "<bpf/bpf_helpers.h>",
    ),
    (
        "a large stack",
        "void (*const g)(void *) = (void *)1; int f(int *p) { char b[1024]; for (int i = 0; i < 1024; i++) b[i] = p[i]; g(b); return b[*p]; }",
        &[],
        "512 bytes",
    ),
    (
        "a stack of unknown size",
        "int f(long *p) { char x[p[0]]; x[p[1]] = 1; return x[p[2]]; }",
        &[],
        "known when it is compiled",
    ),
    (
        "variable arguments",
        "static __attribute__((noinline)) int h(int n, ...) { __builtin_va_list a; __builtin_va_start(a, n); return __builtin_va_arg(a, int); } \
         int f(int *p) { return h(1, *p); }",
        &[],
        "no variable arguments",
    ),
    (
        "six arguments",
        "static __attribute__((noinline)) int h(int *a, int b, int c, int d, int e, int g) { return *a + b * c - d * e + g; } \
         int f(int *p) { return h(p, p[1], p[2], p[3], p[4], p[5]); }",
        &[],
        "five arguments",
    ),
    (
        "a structure returned",
        "struct s { long a, b, c; }; static __attribute__((noinline)) struct s h(long *a) { struct s x = {a[0], a[1], a[2]}; return x; } \
         int f(long *p) { return h(p).b; }",
        &[],
        "returns one number",
    ),
    (
        "memcpy of unknown size",
        "int f(char *p) { __builtin_memcpy(p, p + 100, *p); return 0; }",
        &[],
        "no memcpy()",
    ),
    (
        "a small atomic",
        "int f(char *p) { return __sync_fetch_and_add(p, 1); }",
        &[],
        "4 or 8 bytes",
    ),
    (
        "a computed goto",
        "int f(int *p) { static void *t[] = {&&a, &&b}; goto *t[*p & 1]; a: return 1; b: return 2; }",
        &[],
        "no jumps to addresses",
    ),
    (
        "thread-local",
        "_Thread_local int x; int f(void) { return x; }",
        &[],
        "PERCPU_ARRAY",
    ),
    (
        "assembly",
        "int f(long *p) { asm volatile(\"movl %eax, %ebx\"); return 0; }",
        &[],
        "another machine",
    ),
    (
        "a type without its header",
        "int f(__u32 *p) { return 0; }",
        &[],
        "\"vmlinux.h\"",
    ),
    (
        "SEC without its header",
        "SEC(\"struct_ops\") int f(int *p) { return 0; }",
        &[],
        "<bpf/bpf_helpers.h>",
    ),
    (
        "no member",
        "struct tcp_sock { int a; }; int f(struct tcp_sock *p) { return p->snd_cwnd; }",
        &[],
        "no `snd_cwnd`",
    ),
    ("the C library", "#include <stdio.h>", &["-nostdlibinc"], "no C library"),
    (
        "the kernel's headers",
        "#include <linux/bpf.h>",
        &["-nostdlibinc"],
        "linux-libc-dev",
    ),
    (
        "the C library after vmlinux.h",
        "#include \"vmlinux.h\"\n#include <stdio.h>",
        &[],
        "<stdio.h> does not go together with vmlinux.h",
    ),
    (
        "vmlinux.h after the kernel's headers",
        "#include <linux/bpf.h>\n#include \"vmlinux.h\"",
        &[],
        "vmlinux.h has all types of <linux/",
    ),
    ("a header of the kernel", "#include <net/tcp.h>", &[], "\"vmlinux.h\""),
    ("a header of nobody", "#include \"mine.h\"", &[], "-I FOLDER"),
];

/// Compilers that are installed.
pub(crate) fn clangs() -> Vec<String> {
    let there = |name: &String| {
        let mut command = Command::new(name);
        let quiet = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    (14..=24)
        .map(|version| format!("clang-{version}"))
        .filter(there)
        .collect()
}

#[test]
fn every_refusal_comes_with_help() {
    let clangs = clangs();
    if clangs.is_empty() {
        return eprintln!("NOT CHECKED: what clang refuses, because there is no clang");
    }
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("x.bpf.c");
    let source = source.to_str().unwrap();
    for (name, text, flags, help) in CASES {
        std::fs::write(source, format!("{text}\n")).unwrap();
        for clang in &clangs {
            let words = [&["build", source, "--"], *flags].concat();
            let mut command = opswap(&words);
            let ran: Ran = command.env("OPSWAP_CLANG", clang).output().unwrap().into();
            assert_eq!(ran.code, 3, "{name}, {clang}: {ran:?}");
            let helped = ran
                .err
                .lines()
                .any(|line| line.starts_with("  help: ") && line.contains(help));
            assert!(helped, "{name}, {clang}: {}", ran.err);
            for noise in ["Stack dump", "PLEASE submit", "/opswap-"] {
                assert!(!ran.err.contains(noise), "{name}, {clang}: {}", ran.err);
            }
        }
    }
    assert!(
        !std::path::Path::new(source).with_extension("o").exists(),
        "nothing is left"
    );
}

/// What the help for signed division says is so.
#[test]
fn version_4_divides_signed_numbers() {
    let Some(clang) = clangs().into_iter().rfind(|name| name.as_str() >= "clang-18") else {
        return eprintln!("NOT CHECKED: signed division, because there is no clang 18 or later");
    };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("x.bpf.c");
    std::fs::write(&source, "int f(int *p) { return p[0] / p[1]; }\n").unwrap();
    let mut command = opswap(&["build", source.to_str().unwrap(), "--", "-mcpu=v4"]);
    let ran: Ran = command.env("OPSWAP_CLANG", clang).output().unwrap().into();
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// A compiler that crashes is told from a source that is wrong.
#[test]
fn a_crash_of_the_compiler_is_its_own_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (source, clang) = (folder.path().join("x.bpf.c"), folder.path().join("clang-0"));
    std::fs::write(&source, "int x;\n").unwrap();
    let script = "#!/bin/sh\n[ \"$1\" = -print-targets ] && echo '  bpf - BPF' && exit 0\n\
        echo 'Stack dump:' >&2\necho \"4. Running pass 'Selection' on function '@my_init'\" >&2\nexit 70\n";
    std::fs::write(&clang, script).unwrap();
    let made = Command::new("chmod").arg("+x").arg(&clang).status().unwrap();
    assert!(made.success());
    let mut command = opswap(&["build", source.to_str().unwrap()]);
    let ran: Ran = command.env("OPSWAP_CLANG", &clang).output().unwrap().into();
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in ["clang-0 itself broke off", "`my_init`", "a newer clang"] {
        assert!(ran.err.contains(said), "{said}: {ran:?}");
    }
}
