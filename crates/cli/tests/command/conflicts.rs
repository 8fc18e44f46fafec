//! Several at once, objects that cannot be swapped in, folders that are no bpffs: one wins, the others are told why, and nothing is half done.

use crate::common::{Ran, opswap, run};
use crate::ground::Ground;
use testkit::linux_or_skip;

/// Runs the same command several times at once.
fn at_once(ground: &Ground, words: &[&str]) -> Vec<Ran> {
    let words = ground.words(words);
    let start = || {
        let mut command = opswap(&words);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command.spawn().expect("the command starts")
    };
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    let end = |child: std::process::Child| child.wait_with_output().expect("a child of ours").into();
    children.into_iter().map(end).collect()
}

#[test]
fn of_several_loads_at_once_one_stays_and_the_others_know() {
    if !linux_or_skip("loads at the same time") {
        return;
    }
    let ground = Ground::new();
    for _ in 0..6 {
        let ran = at_once(&ground, &["load", "reno", "--as", &ground.name]);
        let codes = |code: i32| ran.iter().filter(|one| one.code == code).count();
        assert_eq!((codes(0), codes(6)), (1, 3), "{ran:?}");
        assert_eq!(ground.tables(), [("live".to_owned(), 1)], "{ran:?}");
        ground.json(&["unload", &ground.name]);
        ground.gone();
    }
}

#[test]
fn swaps_at_once_follow_one_another_or_are_refused() {
    if !linux_or_skip("swaps at the same time") {
        return;
    }
    let ground = Ground::new();
    ground.load("reno");
    let ran = at_once(&ground, &["swap", &ground.name, "cubic"]);
    let swapped = ran.iter().filter(|one| one.code == 0).count() as u64;
    assert!(
        swapped > 0 && ran.iter().all(|one| matches!(one.code, 0 | 6)),
        "{ran:?}"
    );
    assert!(
        ran.iter()
            .filter(|one| one.code == 6)
            .all(|one| one.err.contains("somebody else")),
        "{ran:?}"
    );
    assert!(
        ground.tables().contains(&("live".to_owned(), 1 + swapped)),
        "{:?}",
        ground.tables()
    );
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

#[test]
fn what_cannot_be_swapped_in_is_told_and_changes_nothing() {
    if !linux_or_skip("swaps that are refused") {
        return;
    }
    let ground = Ground::new();
    ground.load("reno");
    let ran = ground.run(&["swap", &ground.name, "reno", "--set", "name=other"]);
    assert!(ran.code == 2 && ran.err.contains("must have the name"), "{ran:?}");
    assert_eq!(ground.tables(), [("live".to_owned(), 1)]);
    ground.json(&["unload", &ground.name]);
    let again = ground.run(&["unload", &ground.name]);
    assert!(again.code == 7 && again.err.contains(&ground.name), "{again:?}");
}

#[test]
fn a_folder_with_something_in_it_is_never_covered_by_a_bpffs() {
    if !linux_or_skip("--bpffs with another folder") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("precious");
    std::fs::write(&file, "x").unwrap();
    for (path, errno) in [(folder.path(), "ENOTEMPTY"), (file.as_path(), "ENOTDIR")] {
        let path = path.to_str().unwrap();
        let ran = run(&["load", "reno", "--as", &testkit::unique_name("cli_"), "--bpffs", path]);
        assert!(
            ran.code == 1 && ran.err.contains(errno) && ran.err.contains("help:"),
            "{ran:?}"
        );
    }
    assert!(file.exists());
}

#[test]
fn the_kernels_own_algorithms_are_called_so() {
    if !linux_or_skip("names of the kernel's own") {
        return;
    }
    let ground = Ground::new();
    for words in [
        &["show", "reno"][..],
        &["swap", "reno", "cubic"],
        &["rollback", "reno"],
        &["unload", "reno"],
    ] {
        let ran = ground.run(words);
        assert!(ran.code == 6 && ran.err.contains("kernel's own"), "{ran:?}");
    }
    let ran = ground.run(&["load", "cubic", "--as", "reno"]);
    assert!(ran.code == 6 && ran.err.contains("--as NAME"), "{ran:?}");
}

#[test]
fn a_link_that_somebody_else_took_away() {
    if !linux_or_skip("a link detached by another hand") {
        return;
    }
    let ground = Ground::new();
    ground.load("reno");
    let pin = ground
        .bpffs
        .path()
        .join("opswap/tcp_congestion_ops")
        .join(&ground.name)
        .join("link");
    std::fs::remove_file(pin).unwrap();
    testkit::eventually("the link ends with its last pin", || {
        ground.tables() == [("kept".to_owned(), 1)]
    });
    let list = ground.run(&["list"]);
    let told = format!("its link is gone: `opswap unload {}` removes it", ground.name);
    assert!(list.err.contains(&told), "{list:?}");
    for words in [
        &["swap", ground.name.as_str(), "cubic"][..],
        &["rollback", &ground.name],
    ] {
        let ran = ground.run(words);
        assert!(ran.code == 1 && ran.err.contains("its link is gone"), "{ran:?}");
    }
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

#[test]
fn fields_that_are_set_are_taken_or_named() {
    if !linux_or_skip("--set of all kinds") {
        return;
    }
    let ground = Ground::new();
    for (set, said) in [
        ("key=3", "`key` is set, but the kernel wants zero there"),
        ("name=sm\u{e4}ll", "the character '\u{e4}'"),
        ("flags=0x100", "flags lie within"),
    ] {
        let ran = ground.run(&["load", "cubic", "--set", set]);
        assert!(ran.code == 3 && ran.err.contains(said), "{ran:?}");
    }
    let ran = ground.run(&[
        "load",
        "cubic",
        "--as",
        &ground.name,
        "--set",
        "flags=non_restricted,needs_ecn",
    ]);
    assert!(ran.code == 0 && !ran.err.contains("note:"), "{ran:?}");
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

/// What `load --set` gave stays until it is set anew.
#[test]
fn a_swap_carries_the_fields_over() {
    if !linux_or_skip("fields over a swap") {
        return;
    }
    let ground = Ground::new();
    let fields = |version: u64| {
        let show = ground.json(&["show", &ground.name]);
        let tables = show["tables"].as_array().expect("a list").iter();
        let mut of_version = tables.filter(|table| table["version"] == version);
        of_version.next().expect("it is kept")["fields"].clone()
    };
    let flags = |value: &str| serde_json::json!([{ "field": "flags", "value": value }]);
    ground.load("reno");
    assert_eq!(fields(1), flags("non_restricted"));

    let swapped = ground.json(&["swap", &ground.name, "cubic"]);
    assert_eq!(swapped["changes"][0]["carried_over"], flags("non_restricted"));
    assert_eq!(fields(2), flags("non_restricted"));

    // The object has a flag of its own: each bit is a field.
    let swapped = ground.json(&["swap", &ground.name, "dctcp"]);
    assert_eq!(swapped["changes"][0]["carried_over"], flags("non_restricted"));
    assert_eq!(fields(3), flags("non_restricted,needs_ecn"));

    let swapped = ground.run(&["swap", &ground.name, "reno", "--set", "flags=needs_ecn"]);
    assert!(swapped.code == 0 && !swapped.err.contains("--set flags"), "{swapped:?}");
    assert_eq!(fields(4), flags("needs_ecn"));

    let swapped = ground.run(&["swap", &ground.name, "reno"]);
    let said = "v5 has flags=needs_ecn from v4; --set flags=... sets it anew";
    assert!(swapped.code == 0 && swapped.err.contains(said), "{swapped:?}");
    ground.json(&["unload", &ground.name]);
    ground.gone();
}
