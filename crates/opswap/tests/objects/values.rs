//! Maps of maps and arrays of programs with what they hold at first: as Linux has them, and named by a kernel that has none.

use crate::source::{clang_or_skip, table};
use opswap::{Bpf, Host, Settings, Source, Verdict, check_source};
use std::sync::Arc;
use testkit::{Bpffs, linux_or_skip, unique_name};

/// A table whose program reads through a map of maps; the inner one is static, so that its symbol is the section's.
fn source(name: &str) -> Source {
    table(
        "nested",
        &format!(
            "struct inner {{ __uint(type, 1); __type(key, __u32); __type(value, __u32); __uint(max_entries, 3); }};
             struct inner first SEC(\".maps\");
             static struct inner second SEC(\".maps\");
             struct {{ __uint(type, 12); __type(key, __u32); __uint(max_entries, 4); __array(values, struct inner); }}
                 outer SEC(\".maps\") = {{ .values = {{ [1] = &second, [3] = &first }} }};
             SEC(\"struct_ops\") void count(__u64 *ctx) {{
                 __u32 key = 3; void *map = bpf_map_lookup_elem(&outer, &key);
                 if (map) bpf_map_lookup_elem(map, &key);
                 bpf_map_lookup_elem(&second, &key);
             }}
             TABLE_WITH(o, \"{name}\", count);"
        ),
    )
}

#[test]
fn maps_in_maps_are_there_after_a_load() {
    if !clang_or_skip("loads maps in maps") || !linux_or_skip("loads maps in maps") {
        return;
    }
    let (bpffs, name) = (Bpffs::new(), unique_name("vl_"));
    let host = Host::on_linux(bpffs.path()).expect("this is Linux");
    let kernel = opswap::linux().expect("this is Linux");
    let source = source(&name);
    assert_eq!(
        check_source(&source, &kernel).expect("a verdict").verdict,
        Verdict::Accepted
    );
    host.load(&source, &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let table = host.show(&name).expect("it is loaded").remove(0);
    let count = table
        .programs
        .iter()
        .find(|filled| filled.member == "set_state")
        .expect("its program");
    let program = kernel.prog_by_id(count.program_id).expect("a program");
    let maps = kernel.prog_info(&program).expect("facts").map_ids;
    let held = held(&kernel, &maps);
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(held, [(1, "second".to_owned()), (3, "first".to_owned())]);
}

/// The slots of the map `outer` among these and the names of the maps in them.
fn held(kernel: &Arc<dyn Bpf>, maps: &[u32]) -> Vec<(u32, String)> {
    let mut held = Vec::new();
    for id in maps {
        let map = kernel.map_by_id(*id).expect("a map");
        if kernel.map_info(&map).expect("facts").name != "outer" {
            continue;
        }
        for slot in 0u32..4 {
            if let Ok(id) = kernel.map_lookup(&map, &slot.to_le_bytes()) {
                let id = u32::from_le_bytes(id.try_into().expect("an id"));
                let inner = kernel.map_by_id(id).expect("a map");
                held.push((slot, kernel.map_info(&inner).expect("facts").name));
            }
        }
    }
    held
}

#[test]
fn a_kernel_without_maps_of_maps_names_the_map() {
    if !clang_or_skip("checks maps in maps") {
        return;
    }
    let kernel = opswap::embedded().expect("a kernel");
    let checked = check_source(&source("vl_embedded"), &kernel).expect("a verdict");
    assert_eq!(checked.verdict, Verdict::Unsupported);
    let message = checked.error.expect("a reason").message;
    assert!(message.contains("map `outer` (array_of_maps)"), "{message}");
}
