//! Load, list, show, swap, rollback, unload on the running Linux kernel: what they do, what they refuse, and what is left when they are killed.

use crate::common::{Ran, opswap};
use crate::ground::{Ground, available};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::linux_or_skip;

#[test]
fn load_swap_rollback_unload() {
    if !linux_or_skip("registers, swaps and unregisters an algorithm") {
        return;
    }
    let ground = Ground::new();
    ground.load("reno");
    assert!(available().contains(&ground.name));
    assert_eq!(ground.tables(), [("live".to_owned(), 1)]);

    let swapped = ground.json(&["swap", &ground.name, "cubic"]);
    assert_eq!(
        (
            swapped["changes"][0]["from"].as_u64(),
            swapped["changes"][0]["to"].as_u64()
        ),
        (Some(1), Some(2))
    );
    assert_eq!(ground.tables(), [("kept".to_owned(), 1), ("live".to_owned(), 2)]);
    let show = ground.json(&["show", &ground.name]);
    assert_eq!(
        show["tables"][0]["map"], swapped["changes"][0]["map"],
        "the link holds the new table"
    );

    ground.json(&["rollback", &ground.name]);
    assert_eq!(ground.tables(), [("live".to_owned(), 1), ("kept".to_owned(), 2)]);
    ground.json(&["rollback", &ground.name]);
    assert_eq!(ground.tables(), [("kept".to_owned(), 1), ("live".to_owned(), 2)]);
    ground.json(&["swap", &ground.name, "reno"]);
    assert_eq!(ground.tables(), [("kept".to_owned(), 2), ("live".to_owned(), 3)]);

    let unloaded = ground.json(&["unload", &ground.name]);
    assert_eq!(unloaded["changes"][0]["still_used"], serde_json::json!([]));
    ground.gone();
}

#[test]
fn what_is_refused_changes_nothing() {
    if !linux_or_skip("asks Linux for what it refuses") {
        return;
    }
    let ground = Ground::new();
    let name = ground.name.as_str();
    for (words, code) in [
        (&["swap", name, "cubic"][..], 7),
        (&["rollback", name], 7),
        (&["unload", name], 7),
        (&["show", name], 7),
        (&["load", "reno", "--as", "a_name_that_is_too_long"], 2),
        (&["load", "reno", "--as", "cubic"], 6),
        (&["load", "reno", "--as", "no spaces"], 3),
        (&["load", "reno", "--as", name, "--set", "flags=0x100"], 3),
        (&["load", "reno", "--as", name, "--set", "flags=nonsense"], 2),
        (&["load", "reno", "--as", name, "--set", "cong_avoid=null"], 3),
        (&["load", "reno", "--kernel", "embedded"], 4),
    ] {
        let ran = ground.run(words);
        assert_eq!(ran.code, code, "{words:?}: {ran:?}");
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{words:?}: {ran:?}");
        ground.gone();
    }
    ground.load("reno");
    assert_eq!(ground.run(&["load", "reno", "--as", name]).code, 6);
    assert_eq!(ground.run(&["rollback", name]).code, 7);
    assert_eq!(ground.run(&["swap", name, "no_such_file"]).code, 7);
    assert_eq!(ground.run(&["swap", name, "reno", "--set", "ssthresh=null"]).code, 3);
    assert_eq!(ground.tables(), [("live".to_owned(), 1)]);
    ground.json(&["unload", name]);
    ground.gone();
}

#[test]
fn without_rights_the_exit_code_is_5() {
    if !linux_or_skip("runs the command as nobody") {
        return;
    }
    // Nobody may not be allowed to enter the folder of the build: the command gets a copy where everybody may.
    let folder = tempfile::tempdir().expect("a folder");
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), everybody).expect("a folder of ours");
    let copy = folder.path().join("opswap");
    std::fs::copy(env!("CARGO_BIN_EXE_opswap"), &copy).expect("a copy of the command");
    let rights = "--reuid 65534 --regid 65534 --clear-groups --inh-caps=-all";
    for verb in ["load reno", "list", "check reno --kernel linux", "unload x"] {
        let output = Command::new("setpriv")
            .args(rights.split(' '))
            .arg(&copy)
            .args(verb.split(' '))
            .stdin(Stdio::null())
            .output()
            .expect("setpriv of util-linux");
        let ran = Ran::from(output);
        assert_eq!(ran.code, 5, "{verb}: {ran:?}");
        assert!(ran.err.contains("help:"), "{verb}: {ran:?}");
    }
}

#[test]
fn killed_at_any_moment_of_a_load_nothing_is_in_the_way() {
    if !linux_or_skip("kills loads half-way") {
        return;
    }
    let ground = Ground::new();
    for delay_us in moments() {
        kill_after(&ground.words(&["load", "reno", "--as", &ground.name]), delay_us);
        let tables = ground.tables();
        if !tables.is_empty() {
            let unloaded = ground.run(&["unload", &ground.name]);
            // What had no pin yet may be gone by itself by now.
            assert!(
                unloaded.code == 0 || ground.tables().is_empty(),
                "{delay_us} us: {tables:?}: {unloaded:?}"
            );
        }
        testkit::eventually("nothing is left after the kill", || ground.tables().is_empty());
        assert!(!available().contains(&ground.name), "{delay_us} us");
    }
    ground.load("reno");
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

#[test]
fn killed_at_any_moment_of_a_swap_the_old_or_the_new_table_is_live() {
    if !linux_or_skip("kills swaps half-way") {
        return;
    }
    let ground = Ground::new();
    ground.load("reno");
    for (round, delay_us) in moments().enumerate() {
        let file = if round % 2 == 0 { "cubic" } else { "reno" };
        kill_after(&ground.words(&["swap", &ground.name, file]), delay_us);
        let live = || ground.tables().into_iter().filter(|(state, _)| state == "live").count();
        testkit::eventually("exactly one table is live after the kill", || live() == 1);
        assert!(available().contains(&ground.name), "{delay_us} us");
    }
    ground.json(&["swap", &ground.name, "reno"]);
    ground.json(&["rollback", &ground.name]);
    testkit::eventually("one live and one kept", || {
        let mut states: Vec<String> = ground.tables().into_iter().map(|(state, _)| state).collect();
        states.sort();
        states == ["kept", "live"]
    });
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

/// From the start of the command to beyond its usual end.
fn moments() -> impl Iterator<Item = u64> {
    (0..40).map(|step| step * 1500)
}

fn kill_after(words: &[&str], delay_us: u64) {
    let mut child = opswap(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    std::thread::sleep(Duration::from_micros(delay_us));
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
}
