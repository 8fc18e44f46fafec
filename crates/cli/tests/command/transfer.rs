//! The main job on Linux: our cubic in the kernel, a real TCP transfer over it between two namespaces, swapped while it runs, rolled back, unloaded.

use crate::ground::{Ground, available};
use testkit::{NetPair, Transfer, eventually, linux_or_skip, tool_or_skip};

/// More than any buffer holds: the transfer moves.
const PROGRESS_BYTES: u64 = 4 << 20;

impl Ground {
    /// References that the kernel holds on a version: one for the registration, one for each socket.
    pub(crate) fn references(&self, version: u64) -> u64 {
        let show = self.json(&["show", &self.name]);
        let tables = show["tables"].as_array().expect("a list");
        let table = tables.iter().find(|table| table["version"] == version);
        table.map_or(0, |table| table["references"].as_u64().expect("a number"))
    }
}

#[test]
fn swapped_under_a_running_transfer() {
    if !linux_or_skip("TCP over our cubic, swapped meanwhile") || !tool_or_skip("ip", "network namespaces") {
        return;
    }
    let ground = Ground::new();
    let net = NetPair::new();
    ground.load("cubic");

    let old = Transfer::start(&net, Some(&ground.name)).expect("a connection");
    old.wait_for_more(PROGRESS_BYTES);
    assert_eq!(old.congestion_control().expect("an open socket"), ground.name);
    assert_eq!(ground.references(1), 2, "the link and the socket");

    ground.json(&["swap", &ground.name, "cubic"]);
    old.wait_for_more(PROGRESS_BYTES);
    assert_eq!(
        (ground.references(1), ground.references(2)),
        (1, 1),
        "the old socket; the link"
    );

    let new = Transfer::start(&net, Some(&ground.name)).expect("a connection");
    new.wait_for_more(PROGRESS_BYTES);
    assert_eq!(
        (ground.references(1), ground.references(2)),
        (1, 2),
        "the new socket has the new table"
    );

    ground.json(&["rollback", &ground.name]);
    assert_eq!(
        (ground.references(1), ground.references(2)),
        (2, 1),
        "the link is back on the old one"
    );

    for transfer in [old, new] {
        let outcome = transfer.finish().expect("the transfer ends");
        assert_eq!(outcome.congestion_control, ground.name);
        assert_eq!(outcome.received, outcome.sent, "nothing was lost over the swap");
    }
    eventually("the sockets let go", || ground.references(2) == 0);
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

#[test]
fn unloaded_under_a_running_transfer() {
    if !linux_or_skip("TCP over an algorithm that is unloaded meanwhile") || !tool_or_skip("ip", "network namespaces") {
        return;
    }
    let ground = Ground::new();
    let net = NetPair::new();
    ground.load("cubic");
    let transfer = Transfer::start(&net, Some(&ground.name)).expect("a connection");
    transfer.wait_for_more(PROGRESS_BYTES);
    let unloaded = ground.json(&["unload", &ground.name]);
    let still_used = &unloaded["changes"][0]["still_used"];
    assert_eq!(
        (&still_used[0]["version"], &still_used[0]["references"]),
        (&1.into(), &1.into()),
        "the socket: {unloaded}"
    );
    assert!(still_used[1].is_null(), "{unloaded}");
    assert!(!available().contains(&ground.name));
    assert_eq!(
        ground.tables(),
        [("dying".to_owned(), 0)],
        "unregistered, and held by the socket"
    );
    for words in [&["unload", ground.name.as_str()][..], &["swap", &ground.name, "reno"]] {
        let ran = ground.run(words);
        assert!(ran.code == 7 && ran.err.contains("not registered any more"), "{ran:?}");
    }
    transfer.wait_for_more(PROGRESS_BYTES);
    let outcome = transfer.finish().expect("the transfer ends");
    assert_eq!(
        (outcome.congestion_control.as_str(), outcome.received),
        (ground.name.as_str(), outcome.sent)
    );
    ground.gone();
}
