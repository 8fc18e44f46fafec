//! Namespaces whose default congestion control is an algorithm: they hold a table, and get the one that is live whenever another has its name.

use crate::ground::Ground;
use serde_json::{Value, json};
use testkit::{NetPair, Side, Transfer, linux_or_skip, tool_or_skip};

const DEFAULT: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

struct World {
    // Goes first, and with it what it holds.
    net: NetPair,
    ground: Ground,
}

impl World {
    fn new() -> Option<Self> {
        if !linux_or_skip("the default of a namespace of the test's own") || !tool_or_skip("ip", "network namespaces") {
            return None;
        }
        Some(Self {
            net: NetPair::new(),
            ground: Ground::new(),
        })
    }

    fn space(&self) -> &str {
        self.net.namespace(Side::Client)
    }

    fn default(&self) -> String {
        let read = || std::fs::read_to_string(DEFAULT).expect("a file of every Linux");
        self.net.inside(Side::Client, read).trim().to_owned()
    }

    /// Makes the algorithm the default of our own namespace. Never one without the flag: that would cost the kernel a reference.
    fn choose(&self) {
        let name = &self.ground.name;
        let allowed = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_allowed_congestion_control").expect("a file");
        assert!(allowed.split_whitespace().any(|allowed| allowed == name), "{allowed}");
        let write = || std::fs::write(DEFAULT, name);
        self.net.inside(Side::Client, write).expect("the flag is set");
    }

    /// Which version a new socket gets that chooses nothing.
    fn given(&self) -> u64 {
        let references = |version| self.ground.references(version);
        let before: Vec<u64> = (1..9).map(references).collect();
        let transfer = Transfer::start(&self.net, None).expect("a connection");
        assert_eq!(transfer.congestion_control().expect("an open socket"), self.ground.name);
        let grown = (1..9)
            .zip(before)
            .find(|(version, before)| references(*version) > *before);
        transfer.finish().expect("it ends");
        grown.expect("a table of ours").0
    }

    /// For each version that is there, whether `list` says that our namespace gives it.
    fn listed(&self) -> Vec<(u64, bool)> {
        let list = self.ground.json(&["list"]);
        let tables = list["tables"].as_array().expect("a list").iter();
        let ours = tables.filter(|table| table["name"] == self.ground.name.as_str());
        let is_here = |space: &Value| space["name"] == self.space();
        let in_ours = |table: &Value| {
            table["default_in"]
                .as_array()
                .is_some_and(|all| all.iter().any(is_here))
        };
        ours.map(|table| (table["version"].as_u64().unwrap_or(0), in_ours(table)))
            .collect()
    }
}

/// What a verb says of our namespace: its default, whether it was renewed, and whether a reason is given.
fn said(world: &World, namespaces: &Value) -> (String, bool, bool) {
    let [one] = namespaces.as_array().expect("a list").as_slice() else {
        panic!("only our namespace has this default: {namespaces}");
    };
    assert_eq!(one["name"], world.space());
    assert!(one["inode"].as_u64().is_some_and(|inode| inode > 0), "{one}");
    let default = one["default"].as_str().expect("it can be entered");
    (default.to_owned(), one["renewed"] == true, one["why"].is_string())
}

#[test]
fn a_namespace_gets_the_table_that_is_live() {
    let Some(world) = World::new() else { return };
    let (ground, name) = (&world.ground, world.ground.name.as_str());
    let renewed = (name.to_owned(), true, false);
    ground.load("reno");
    world.choose();
    assert_eq!((world.given(), world.listed()), (1, vec![(1, true)]));

    let swapped = ground.json(&["swap", name, "cubic"]);
    assert_eq!(said(&world, &swapped["changes"][0]["namespaces"]), renewed);
    assert_eq!((world.given(), world.listed()), (2, vec![(1, false), (2, true)]));

    let back = ground.json(&["rollback", name]);
    assert_eq!(said(&world, &back["changes"][0]["namespaces"]), renewed);
    assert_eq!((world.given(), world.listed()), (1, vec![(1, true), (2, false)]));

    // Left alone it keeps what it holds, and `list` sees that.
    let swapped = ground.json(&["swap", name, "cubic", "--no-namespaces"]);
    assert_eq!(
        said(&world, &swapped["changes"][0]["namespaces"]),
        (name.to_owned(), false, true)
    );
    assert_eq!((world.given(), world.listed()), (1, vec![(1, true), (3, false)]));

    // What is live is what is applied, and the namespace gets it for all that.
    let applied = ground.json(&["apply", "cubic", "--as", name]);
    assert_eq!(applied["changes"][0]["action"], "unchanged");
    assert_eq!(said(&world, &applied["changes"][0]["namespaces"]), renewed);
    assert_eq!(world.given(), 3);
    let applied = ground.json(&["apply", "cubic", "--as", name]);
    assert_eq!(
        applied["changes"][0]["namespaces"],
        Value::Null,
        "nothing was to be done"
    );

    let swapped = ground.run(&["swap", name, "reno"]);
    let told = format!("namespace {}, whose default it is, gives v4", world.space());
    assert!(swapped.code == 0 && swapped.err.contains(&told), "{swapped:?}");
    assert_eq!(world.given(), 4);

    let unloaded = ground.run(&["unload", name]);
    let told = format!("ip netns exec {} sysctl -w", world.space());
    assert!(
        unloaded.code == 0 && unloaded.err.contains(&told) && unloaded.err.contains("unloaded version"),
        "{unloaded:?}"
    );
    assert_eq!(world.listed(), [(0, true)], "the namespace keeps it");
    for (wanted, code) in [("no_such_cc", 2), (name, 2), ("cubic", 6)] {
        let ran = ground.run(&["unload", name, "--default", wanted]);
        assert!(ran.code == code && ran.err.contains("help:"), "{wanted}: {ran:?}");
    }
    let unloaded = ground.json(&["unload", name, "--default", "reno"]);
    assert_eq!(
        said(&world, &unloaded["changes"][0]["namespaces"]),
        ("reno".to_owned(), true, false)
    );
    assert_eq!(world.default(), "reno");
    ground.gone();
}

#[test]
fn a_namespace_never_loses_the_flag_that_it_needs() {
    let Some(world) = World::new() else { return };
    let (ground, name) = (&world.ground, world.ground.name.as_str());
    let refused = |words: &[&str]| {
        let before = (ground.tables(), world.given());
        let ran = ground.run(words);
        assert!(
            ran.code == 6 && ran.err.contains("non_restricted"),
            "{words:?}: {ran:?}"
        );
        assert!(ran.err.contains(world.space()) && ran.err.contains("help:"), "{ran:?}");
        assert_eq!((ground.tables(), world.given()), before, "{words:?}");
    };
    // The first version is without it, the second has it.
    assert_eq!(ground.run(&["load", "reno", "--as", name]).code, 0);
    let swapped = ground.json(&["swap", name, "cubic", "--set", "flags=non_restricted"]);
    assert_eq!(
        swapped["changes"][0]["namespaces"],
        Value::Null,
        "it is nobody's default yet"
    );
    world.choose();
    refused(&["rollback", name]);
    refused(&["swap", name, "reno", "--set", "flags=0"]);
    refused(&["swap", name, "reno", "--set", "flags=needs_ecn", "--no-namespaces"]);
    assert_eq!(
        ground.run(&["swap", name, "reno"]).code,
        0,
        "what is not set carries over"
    );

    // A table that comes after one that was unloaded, without the flag: nothing is written, so nothing is lost.
    ground.json(&["unload", name]);
    let loaded = ground.json(&["load", "reno", "--as", name]);
    assert_eq!(
        said(&world, &loaded["changes"][0]["namespaces"]),
        (name.to_owned(), false, true)
    );
    // One with it: the namespace gets it.
    let swapped = ground.json(&["swap", name, "reno", "--set", "flags=non_restricted"]);
    assert_eq!(
        said(&world, &swapped["changes"][0]["namespaces"]),
        (name.to_owned(), true, false)
    );
    let unloaded = ground.json(&["unload", name, "--default", "reno"]);
    assert_eq!(unloaded["changes"][0]["still_used"], json!([]));
    // Every reference came back.
    ground.gone();
}
