//! Maps that objects share by name (`LIBBPF_PIN_BY_NAME`): on Linux as with libbpf, and never with whoever else may write to the bpffs.

use crate::kernels;
use crate::source::{clang_or_skip, table};
use opswap::{Class, Host, Settings, Source, Verdict, check_source};
use std::path::Path;
use testkit::{Bpffs, linux_or_skip, unique_name};

/// A table whose `ssthresh` counts in a map of this shape.
fn counting(name: &str, map: &str) -> Source {
    table(
        "counting",
        &format!(
            "struct {{ __uint(type, 1); __type(key, __u32); __uint(pinning, 1); {map} }} sharer SEC(\".maps\");
             SEC(\"struct_ops\") void count(__u64 *ctx) {{ __u32 key = 0; bpf_map_lookup_elem(&sharer, &key); }}
             TABLE_WITH(o, \"{name}\", count);"
        ),
    )
}

const USUAL: &str = "__type(value, __u64); __uint(max_entries, 8);";

fn host(bpffs: &Path) -> Host {
    Host::on_linux(bpffs).expect("this is Linux")
}

#[test]
fn a_map_is_shared_by_versions_and_stays() {
    if !clang_or_skip("shares a map") || !linux_or_skip("shares a map") {
        return;
    }
    let (bpffs, name) = (Bpffs::new(), unique_name("sh_"));
    let (host, kernel) = (host(bpffs.path()), opswap::linux().expect("this is Linux"));
    let source = counting(&name, USUAL);
    let pin = bpffs.path().join("sharer");
    let id = || match kernel.obj_get(&pin) {
        Ok(bpf::Pinned::Map(map)) => kernel.map_info(&map).expect("facts").id,
        other => panic!("{other:?}"),
    };
    let loaded = host
        .load(&source, &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let [shared] = loaded[0].shared.as_slice() else {
        panic!("{loaded:?}");
    };
    assert_eq!(
        (shared.map.as_str(), &shared.pin, shared.was_there),
        ("sharer", &pin, false)
    );
    let first = id();
    let swapped = host
        .swap(&name, &source, &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(swapped.shared[0].was_there);
    host.apply(&source, &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(id(), first, "one map all the time, and after it");
    assert!(host.foreign().expect("the bpffs can be read").is_empty());
    let again = host
        .load(&source, &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(again[0].shared[0].was_there);
    assert_eq!(id(), first);
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_map_of_another_shape_is_refused_with_what_differs() {
    if !clang_or_skip("shares a map") || !linux_or_skip("shares a map") {
        return;
    }
    let (bpffs, name) = (Bpffs::new(), unique_name("sh_"));
    let host = host(bpffs.path());
    host.load(&counting(&name, USUAL), &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
    let cases = [
        ("__type(value, __u32); __uint(max_entries, 8);", "value_size 8, not 4"),
        (
            "__type(value, __u32); __uint(max_entries, 9);",
            "value_size 8, not 4, max_entries 8, not 9",
        ),
        (
            "__type(value, __u64); __uint(max_entries, 8); __uint(map_flags, 1);",
            "map_flags 0x0, not 0x1",
        ),
    ];
    for (map, differences) in cases {
        let error = host.load(&counting(&name, map), &Settings::default()).expect_err(map);
        assert_eq!(error.class(), Class::Conflict, "{error}");
        assert!(error.to_string().ends_with(differences), "{error}");
        assert!(!error.to_string().contains("/proc/self/fd"), "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
    assert!(host.list().expect("tables").iter().all(|table| table.name != name));
}

#[test]
fn a_load_that_fails_leaves_no_pin() {
    if !clang_or_skip("shares a map") || !linux_or_skip("shares a map") {
        return;
    }
    let (bpffs, name) = (Bpffs::new(), unique_name("sh_"));
    let host = host(bpffs.path());
    host.load(&table("first", &format!("TABLE(o, \"{name}\");")), &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    // The name is taken: found after the maps were made.
    let error = host
        .load(&counting(&name, USUAL), &Settings::default())
        .expect_err("a taken name");
    assert_eq!(error.class(), Class::Conflict, "{error}");
    assert!(!bpffs.path().join("sharer").exists());
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
    // Nothing that was there goes.
    host.load(&counting(&name, USUAL), &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    host.load(&counting(&name, USUAL), &Settings::default())
        .expect_err("a taken name");
    assert!(bpffs.path().join("sharer").exists());
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
    assert!(bpffs.path().join("sharer").exists());
}

#[test]
fn a_bpffs_that_was_mounted_for_a_failed_load_goes() {
    if !clang_or_skip("shares a map") || !linux_or_skip("shares a map") {
        return;
    }
    let name = unique_name("sh_");
    let (kept, empty) = (Bpffs::new(), std::env::temp_dir().join(unique_name("sh_dir_")));
    std::fs::create_dir(&empty).expect("a folder");
    host(kept.path())
        .load(&table("first", &format!("TABLE(o, \"{name}\");")), &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let result = host(&empty).load(&counting(&name, USUAL), &Settings::default());
    let mounted = linux::bpffs::is_bpffs(&empty);
    host(kept.path())
        .unload(&name)
        .unwrap_or_else(|error| panic!("{error}"));
    if mounted {
        let _ = std::process::Command::new("umount").arg(&empty).status();
    }
    let _ = std::fs::remove_dir(&empty);
    assert_eq!(result.expect_err("a taken name").class(), Class::Conflict);
    assert!(!mounted);
}

#[test]
fn a_map_of_somebody_else_is_not_used() {
    if !clang_or_skip("shares a map") || !linux_or_skip("shares a map") {
        return;
    }
    let (bpffs, name) = (Bpffs::new(), unique_name("sh_"));
    let host = host(bpffs.path());
    let pin = bpffs.path().join("sharer");
    let source = counting(&name, USUAL);
    host.load(&source, &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
    std::os::unix::fs::chown(&pin, Some(4242), None).expect("root may");
    let refused = |why: &str| {
        let error = host.load(&source, &Settings::default()).expect_err(why);
        assert_eq!(error.class(), Class::Conflict, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        let error = host.apply(&source, &Settings::default()).expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
    };
    refused("it belongs to user 4242");
    let other = bpffs.path().join("other");
    std::fs::rename(&pin, &other).expect("root may");
    std::os::unix::fs::symlink(&other, &pin).expect("root may");
    refused("it is no pin, or a symbolic link");
}

#[test]
fn a_check_shares_nothing_and_says_so() {
    if !clang_or_skip("checks a shared map") {
        return;
    }
    for kernel in kernels("verdicts of Linux on shared maps") {
        let checked = check_source(&counting("sh_checked", USUAL), &kernel).expect("a verdict");
        assert_eq!(checked.verdict, Verdict::Accepted, "{checked:?}");
        let notes: Vec<_> = checked.notes.iter().map(|note| note.about).collect();
        assert_eq!(notes, ["not_shared"]);
        assert!(checked.notes[0].message.contains("`sharer`"), "{:?}", checked.notes);
    }
    assert!(!Path::new("/sys/fs/bpf/sharer").exists());
}
