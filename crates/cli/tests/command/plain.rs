//! What people type without looking it up: other words for a verb, several names at once, a name without its `bpf_`, `apply` in a script that runs again, numbers
//! below zero.

use crate::common::{json, run};
use crate::ground::Ground;
use testkit::linux_or_skip;

#[test]
fn several_names_and_short_words() {
    if !linux_or_skip("lists and unloads several algorithms") {
        return;
    }
    let (one, two) = (Ground::new(), Ground::new());
    let bpffs = one.bpffs.path().to_str().unwrap().to_owned();
    let here = |words: &[&str]| json(&[words, &["--bpffs", &bpffs]].concat());
    for name in [&one.name, &two.name] {
        assert_eq!(here(&["load", "reno", "--as", name]).0, 0);
    }
    let (code, list) = here(&["ls", &two.name, &one.name]);
    let names: Vec<&str> = list["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["name"].as_str().unwrap())
        .collect();
    assert_eq!((code, names), (0, vec![two.name.as_str(), one.name.as_str()]), "{list}");
    let (code, missing) = here(&["list", &one.name, "no_such_name"]);
    assert_eq!((code, &missing["error"]["exit"]), (7, &7.into()), "{missing}");

    // What is there goes, whatever is not.
    let (code, unloaded) = here(&["unload", &one.name, "no_such_name", &two.name]);
    assert_eq!((code, &unloaded["error"]["exit"]), (7, &7.into()), "{unloaded}");
    let changes: Vec<_> = unloaded["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (&change["action"], &change["name"]))
        .collect();
    assert_eq!(
        changes,
        [
            (&"unloaded".into(), &one.name.as_str().into()),
            (&"unloaded".into(), &two.name.as_str().into())
        ]
    );
    one.gone();
    two.gone();

    let missing = run(&["unload", "no_such_name", "nor_this", "--bpffs", &bpffs]);
    let places = ["no_such_name", "also: "].map(|word| missing.err.find(word));
    assert!(
        missing.code == 7 && places[0].is_some() && places[0] < places[1],
        "{missing:?}"
    );

    for words in [
        &["rm", &one.name, &two.name, "--ignore-not-found"][..],
        &["rollback", &one.name, "--ignore-not-found"],
    ] {
        let (code, value) = here(words);
        assert_eq!((code, &value["changes"]), (0, &serde_json::json!([])), "{value}");
        assert_eq!(
            value["notes"].as_array().map(Vec::len),
            Some(words.len() - 2),
            "{value}"
        );
    }
}

#[test]
fn apply_loads_then_does_nothing_then_swaps() {
    if !linux_or_skip("applies an object again and again") {
        return;
    }
    let ground = Ground::new();
    let name = ground.name.as_str();
    let apply = |words: &[&str]| {
        let value = ground.json(&[&["apply"], words, &["--as", name]].concat());
        (
            value["changes"][0]["action"].as_str().unwrap().to_owned(),
            value["tables"].clone(),
        )
    };
    assert_eq!(apply(&["reno"]).0, "loaded");
    let before = ground.json(&["show", name])["tables"].clone();
    for _ in 0..2 {
        let (action, tables) = apply(&["reno"]);
        assert_eq!((action.as_str(), &tables), ("unchanged", &before));
    }
    // Another field, another program, and back.
    assert_eq!(apply(&["reno", "--set", "flags=non_restricted"]).0, "swapped");
    assert_eq!(apply(&["reno", "--set", "flags=non_restricted"]).0, "unchanged");
    assert_eq!(
        apply(&["reno"]).0,
        "unchanged",
        "a field that is not set again carries over, as in a swap"
    );
    assert_eq!(apply(&["cubic"]).0, "swapped");
    assert_eq!(apply(&["cubic"]).0, "unchanged");
    assert_eq!(ground.tables(), [("kept".to_owned(), 2), ("live".to_owned(), 3)]);
    // What is refused changes nothing.
    let ran = ground.run(&["apply", "cubic", "--as", name, "--set", "ssthresh=null"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(ground.tables(), [("kept".to_owned(), 2), ("live".to_owned(), 3)]);
    ground.json(&["rollback", name]);
    assert_eq!(
        apply(&["reno"]).0,
        "unchanged",
        "what a rollback brought back is what is live"
    );
    ground.json(&["unload", name]);
    ground.gone();
}

#[test]
fn apply_sees_constants_and_does_not_guess_at_variables() {
    if !linux_or_skip("applies objects with constants and with variables") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.bpf.o");
    let path = file.to_str().unwrap();
    let mut object = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/prints.bpf.o")).unwrap();
    let ground = Ground::new();
    let apply = |object: &[u8]| {
        std::fs::write(&file, object).unwrap();
        let value = ground.json(&["apply", path, "--as", &ground.name]);
        value["changes"][0]["action"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (apply(&object), apply(&object)),
        ("loaded".to_owned(), "unchanged".to_owned())
    );
    // The same instructions over another constant.
    let constants = crate::patch::section(&object, ".rodata");
    object[constants.start] ^= 0x20;
    assert_eq!(
        (apply(&object), apply(&object)),
        ("swapped".to_owned(), "unchanged".to_owned())
    );
    // What was a constant is a variable, so that nobody knows what that of the live version began with.
    let name = b".rodata";
    for at in 0..object.len() - name.len() {
        if object[at..].starts_with(name) {
            object[at..at + name.len()].copy_from_slice(b".data.a");
        }
    }
    assert_eq!(
        (apply(&object), apply(&object)),
        ("swapped".to_owned(), "swapped".to_owned())
    );
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

#[test]
fn did_you_mean() {
    for (words, meant) in [
        (&["try", "cubik"][..], "`cubic`"),
        (&["check", "Reno"], "`reno`"),
        (
            &["kinds", "tcp_congestion_op", "--kernel", "embedded"],
            "`tcp_congestion_ops`",
        ),
        (&["explain", "SO1003x"], "`SO1003`"),
        (&["lod", "reno"], "'load'"),
    ] {
        let ran = run(words);
        assert!(ran.code != 0 && ran.err.contains(meant), "{ran:?}");
    }
    if !linux_or_skip("names of registered algorithms") {
        return;
    }
    let ground = Ground::new();
    for (set, meant) in [("flag=1", "`flags`"), ("flags=non_restrict", "`non_restricted`")] {
        let ran = ground.run(&["load", "reno", "--as", &ground.name, "--set", set]);
        assert!(ran.code == 2 && ran.err.contains(meant), "{ran:?}");
    }
    // The name of the kernel's own, where the one that was loaded begins with `bpf_`.
    let name = format!("bpf_{}", &ground.name[4..]);
    ground.json(&["load", "reno", "--as", &name]);
    let ran = ground.run(&["unload", &name[4..]]);
    ground.json(&["unload", &name]);
    assert!(
        ran.code == 7 && ran.err.contains(&format!("did you mean `{name}`?")),
        "{ran:?}"
    );
}

#[test]
fn numbers_below_zero_are_told() {
    for (words, said) in [
        (["--seed", "-1"], "must not be negative"),
        (["--flows", "-2"], "must not be negative"),
        (["--loss-every", "-3"], "must not be negative"),
        (["--rtt", "-5ms"], "`-5ms` is not a time"),
        (["--duration", "-1s"], "`-1s` is not a time"),
        (["--rate", "-1mbit"], "`-1mbit` is not a rate"),
        (["--queue", "-1p"], "`-1p` is not a queue size"),
        (["--loss", "-1%"], "`-1%` is not a probability"),
    ] {
        let ran = run(&[&["try", "reno"], &words[..]].concat());
        assert!(ran.code == 2 && ran.err.contains(said), "{ran:?}");
    }
}
