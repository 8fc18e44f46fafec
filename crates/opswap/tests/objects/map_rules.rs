//! Maps that break a rule of their type: the kernel's number stays, and the rule and what to write instead are said.

use crate::kernels;
use crate::source::{clang_or_skip, table};
use opswap::{Verdict, check_source};

const NO_TYPE: &str = "this kernel has no maps of this type";

/// The definition's members, what Linux breaks, and what the embedded kernel does; with its errno.
const CASES: &[(&str, &str, &str, &str)] = &[
    (
        "__uint(type, 1); __type(key, __u32); __type(value, __u32);",
        "EINVAL",
        "max_entries is 0",
        "max_entries is 0",
    ),
    (
        "__uint(type, 1); __type(value, __u32); __uint(max_entries, 1);",
        "EINVAL",
        "its keys have no size",
        "its keys have no size",
    ),
    (
        "__uint(type, 1); __type(key, __u32); __uint(max_entries, 1);",
        "EINVAL",
        "its values have no size",
        "its values have no size",
    ),
    (
        "__uint(type, 2); __type(key, __u64); __type(value, __u32); __uint(max_entries, 1);",
        "EINVAL",
        "keys of this type of map are indices of 4 bytes",
        "keys of this type of map are indices of 4 bytes",
    ),
    (
        "__uint(type, 2); __type(key, __u32); __type(value, __u32); __uint(max_entries, 1); __uint(map_flags, 1);",
        "EINVAL",
        "cannot have the flag BPF_F_NO_PREALLOC",
        "cannot have the flag BPF_F_NO_PREALLOC",
    ),
    (
        "__uint(type, 6); __type(key, __u32); __type(value, __u32); __uint(max_entries, 1); __uint(map_flags, 4);",
        "EINVAL",
        "cannot be put on one node",
        "cannot be put on one node",
    ),
    (
        "__uint(type, 1); __type(key, __u32); __type(value, __u32); __uint(max_entries, 1); __uint(map_flags, 1024);",
        "EINVAL",
        "only an array can be mapped",
        "only an array can be mapped",
    ),
    (
        "__uint(type, 1); __type(key, __u32); __type(value, __u32); __uint(max_entries, 1); __uint(map_extra, 1);",
        "EINVAL",
        "map_extra has no meaning",
        "map_extra has no meaning",
    ),
    (
        "__uint(type, 6); __type(key, __u32); __uint(value_size, 40000); __uint(max_entries, 1);",
        "E2BIG",
        "may have 32 KiB",
        "may have 32 KiB",
    ),
    (
        "__uint(type, 1); __type(key, __u32); __uint(value_size, 5000000); __uint(max_entries, 1);",
        "E2BIG",
        "may have 4 MiB together",
        "may have 4 MiB together",
    ),
    (
        "__uint(type, 24); __type(key, int); __type(value, __u32); __uint(map_flags, 1); __uint(max_entries, 1);",
        "EINVAL",
        "has no max_entries",
        "has no max_entries",
    ),
    (
        "__uint(type, 24); __type(key, int); __type(value, __u32);",
        "EINVAL",
        "must have the flag BPF_F_NO_PREALLOC",
        "must have the flag BPF_F_NO_PREALLOC",
    ),
    (
        "__uint(type, 24); __uint(key_size, 4); __uint(value_size, 4); __uint(map_flags, 1);",
        "EINVAL",
        "must have the type int for its key",
        "must have the type int for its key",
    ),
    (
        "__uint(type, 24); __type(key, int); __uint(map_flags, 1); struct { char c[70000]; } *value;",
        "E2BIG",
        "little less than 64 KiB",
        "little less than 64 KiB",
    ),
    (
        "__uint(type, 27); __type(key, __u32); __uint(max_entries, 4096);",
        "EINVAL",
        "has neither keys nor values",
        NO_TYPE,
    ),
    (
        "__uint(type, 22); __type(key, __u32); __type(value, __u32); __uint(max_entries, 1);",
        "EINVAL",
        "has no keys",
        NO_TYPE,
    ),
    (
        "__uint(type, 11); __type(key, __u64); __type(value, __u32); __uint(max_entries, 1);",
        "EINVAL",
        "must have the flag BPF_F_NO_PREALLOC",
        NO_TYPE,
    ),
    (
        "__uint(type, 11); __type(key, __u32); __type(value, __u32); __uint(max_entries, 1); __uint(map_flags, 1);",
        "EINVAL",
        "keys of a trie",
        NO_TYPE,
    ),
    (
        "__uint(type, 12); __type(key, __u32); __uint(value_size, 4); __uint(max_entries, 1);",
        "EINVAL",
        "what the maps in it look like",
        NO_TYPE,
    ),
];

#[test]
fn the_rule_that_a_map_breaks_is_said() {
    if !clang_or_skip("checks maps that no kernel creates") {
        return;
    }
    let kernels = kernels("maps that Linux does not create");
    for (members, errno, linux, embedded) in CASES {
        let source = table(
            "rules",
            &format!("struct {{ {members} }} m SEC(\".maps\"); TABLE(o, \"opswap_rules\");"),
        );
        for kernel in &kernels {
            let name = kernel.name();
            let expected = if name == "linux" { linux } else { embedded };
            let checked = check_source(&source, kernel).expect("a verdict");
            let (verdict, errno) = match *expected {
                NO_TYPE => (Verdict::Unsupported, &"ENOTSUPP"),
                _ => (Verdict::Rejected, errno),
            };
            assert_eq!(checked.verdict, verdict, "{name}: {members}: {checked:?}");
            let error = checked.error.expect("a reason");
            let all = [errno, *expected, "map `m` ("];
            assert!(
                all.iter().all(|part| error.message.contains(part)),
                "{name}: {members}: {}",
                error.message
            );
            assert!(error.help.is_some(), "{name}: {members}");
        }
    }
}
