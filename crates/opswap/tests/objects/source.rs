//! Small objects, compiled from C as a user would write it; without the kernel's header, so that it takes milliseconds.

use opswap::Source;

/// What every object here begins with: the kernel's types as far as they are needed, and the macros of libbpf.
const PRELUDE: &str = r#"
typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32; typedef unsigned long long __u64;
typedef int __s32; typedef long long __s64;
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))
#define __weak __attribute__((weak))
#define __noinline __attribute__((noinline))
#define CORE __attribute__((preserve_access_index))
static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
struct sock { int unused; };
struct tcp_congestion_ops {
    __u32 (*ssthresh)(struct sock *sk);
    void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
    __u32 (*undo_cwnd)(struct sock *sk);
    void (*set_state)(struct sock *sk, __u8 state);
    __u32 flags; char name[16]; void *owner;
};
char _license[] SEC("license") = "GPL";
"#;

/// The three programs that a table must have, and macros that make one of them.
const PROGRAMS: &str = r#"
SEC("struct_ops") __u32 ss(__u64 *ctx) { return 10; }
SEC("struct_ops") __u32 un(__u64 *ctx) { return 10; }
SEC("struct_ops") void ca(__u64 *ctx) { }
#define TABLE(var, text) SEC(".struct_ops.link") struct tcp_congestion_ops var = { .ssthresh = (void *)ss, .undo_cwnd = (void *)un, \
    .cong_avoid = (void *)ca, .name = text }
#define TABLE_WITH(var, text, program) SEC(".struct_ops.link") struct tcp_congestion_ops var = { .ssthresh = (void *)ss, \
    .undo_cwnd = (void *)un, .cong_avoid = (void *)ca, .set_state = (void *)program, .name = text }
"#;

/// Whether there is a compiler; if not, says so.
pub(crate) fn clang_or_skip(purpose: &str) -> bool {
    let found = opswap::find_clang().is_ok();
    assert!(
        found || std::env::var("OPSWAP_REQUIRE_LINUX").as_deref() != Ok("1"),
        "a test cannot run ({purpose}): there is no clang"
    );
    if !found {
        eprintln!("SKIPPED, not tested ({purpose}): there is no clang.");
    }
    found
}

/// An object with the three usual programs and what `text` adds.
pub(crate) fn table(name: &str, text: &str) -> Source {
    object(name, &format!("{PROGRAMS}{text}"))
}

/// An object of `text` alone.
pub(crate) fn object(name: &str, text: &str) -> Source {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(format!("{name}.bpf.c"));
    std::fs::write(&path, format!("{PRELUDE}{text}\n")).expect("a file of ours");
    let mut source =
        Source::find(path.to_str().expect("a path in UTF-8")).unwrap_or_else(|error| panic!("{name}: {error}"));
    source.word = format!("{name}.bpf.o").into();
    source
}
