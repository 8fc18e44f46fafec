//! Real sockets on hand-written congestion controls: who runs what before and after an exchange, and who holds a table.

use bpf::{Bpf, Errno, LinkUpdate, OpsState};
use linux::Linux;
use testkit::{NetPair, Ops, Transfer, eventually, linux_or_skip, tool_or_skip, unique_name};

/// An algorithm whose window is always as large as this, so that a transfer moves.
fn table(ops: &Ops<'_>, name: &str, link: bool) -> testkit::Table {
    ops.table(name, link).unwrap()
}

#[test]
fn a_socket_keeps_its_table_through_an_exchange() {
    if !linux_or_skip("TCP over exchanged tables") || !tool_or_skip("ip", "network namespaces") {
        return;
    }
    let linux = Linux::new();
    let ops = Ops::new(&linux);
    let net = NetPair::new();
    let name = unique_name("oswt_");
    let (old, new) = (table(&ops, &name, true), table(&ops, &name, true));
    let link = linux.link_create_struct_ops(&old.map).unwrap();
    let holders = |table: &testkit::Table| ops.look(&table.map).unwrap().refcnt;
    assert_eq!((holders(&old), holders(&new)), (1, 0), "the link");

    let running = Transfer::start(&net, Some(&name)).unwrap();
    running.wait_for_more(1 << 20);
    assert_eq!(holders(&old), 2, "the link and the socket");
    let update = LinkUpdate {
        new: &new.map,
        expected: Some(&old.map),
    };
    linux.link_update(&link, &update).unwrap();
    assert_eq!((holders(&old), holders(&new)), (1, 1), "the socket; the link");
    running.wait_for_more(1 << 20);

    let second = Transfer::start(&net, Some(&name)).unwrap();
    second.wait_for_more(1 << 20);
    assert_eq!((holders(&old), holders(&new)), (1, 2));
    running.set_congestion_control("reno").unwrap();
    eventually("the old table's release", || holders(&old) == 0);
    running.set_congestion_control(&name).unwrap();
    assert_eq!(
        (holders(&old), holders(&new)),
        (0, 3),
        "chosen again, it gets the new one"
    );

    for transfer in [running, second] {
        let outcome = transfer.finish().unwrap();
        assert_eq!(outcome.congestion_control, name);
        assert_eq!(outcome.received, outcome.sent);
    }
    linux.link_detach(&link).unwrap();
    let Err(error) = Transfer::start(&net, Some(&name)) else {
        panic!("it is unregistered");
    };
    assert_eq!(Errno::from(error), Errno::ENOENT);
}

#[test]
fn an_unregistered_table_waits_for_its_sockets() {
    if !linux_or_skip("TCP over an unregistered table") || !tool_or_skip("ip", "network namespaces") {
        return;
    }
    let linux = Linux::new();
    let ops = Ops::new(&linux);
    let net = NetPair::new();
    let name = unique_name("oswt_");
    let table = table(&ops, &name, false);
    let running = Transfer::start(&net, Some(&name));
    linux.map_delete(&table.map, &[0; 4]).unwrap();
    let running = running.unwrap();
    let value = ops.look(&table.map).unwrap();
    assert_eq!((value.state, value.refcnt), (OpsState::ToBeFree, 1));
    assert_eq!(linux.map_delete(&table.map, &[0; 4]), Err(Errno::EINPROGRESS));
    running.wait_for_more(1 << 20);
    assert_eq!(running.congestion_control().unwrap(), name, "the socket still runs it");
    let id = linux.map_info(&table.map).unwrap().id;
    drop(table);
    assert!(linux.map_by_id(id).is_ok(), "the socket holds it");
    running.finish().unwrap();
    eventually("the end of the map", || {
        linux.map_by_id(id).err() == Some(Errno::ENOENT)
    });
}

#[test]
fn a_killed_connection_leaves_nothing() {
    if !linux_or_skip("TCP that is dropped") || !tool_or_skip("ip", "network namespaces") {
        return;
    }
    let net = NetPair::new();
    let path = format!("/run/netns/{}", net.namespace(testkit::Side::Client));
    assert!(std::path::Path::new(&path).exists());
    let transfer = Transfer::start(&net, None).unwrap();
    transfer.wait_for_more(1 << 16);
    drop(transfer);
    drop(net);
    assert!(!std::path::Path::new(&path).exists());
}
