//! Who keeps what alive: sockets, links, descriptors, pins and the kernel itself, in every order of ending.

use crate::common::{CALM, Connection, Ground};
use bpf::{Bpf, Errno, IdKind, LinkUpdate, ObjectRef, OpsState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tcp::Config;
use testkit::{Ops, Table};

fn connection(ground: &Ground, name: &str) -> Connection {
    let mut connection = Connection::new(&ground.clock, &Config::default(), &ground.find(name), CALM);
    connection.transfer(100_000);
    connection
}

fn ids(kernel: &dyn Bpf) -> [usize; 3] {
    [IdKind::Prog, IdKind::Map, IdKind::Link].map(|kind| kernel.ids(kind).unwrap().len())
}

#[test]
fn a_socket_keeps_what_was_unloaded() {
    let ground = Ground::new();
    let attached = ground.attach("cubic");
    let mut connection = connection(&ground, "bpf_cubic");
    drop(attached);
    assert_eq!(ground.registry.names(), ["reno"]);
    let [progs, maps, links] = ids(&*ground.kernel);
    assert_eq!((progs, links), (7, 0), "the programs live on, the link does not");
    assert!(maps >= 1);
    connection.transfer(500_000);
    assert_eq!(connection.sender.congestion_control().table().name_str(), "bpf_cubic");
    drop(connection);
    assert_eq!(ids(&*ground.kernel), [0, 0, 0], "nothing is left");
}

#[test]
fn a_socket_keeps_the_kernels_objects_beyond_the_kernel() {
    let ground = Ground::new();
    let attached = ground.attach("cubic");
    let mut connection = connection(&ground, "bpf_cubic");
    drop(attached);
    drop(ground);
    connection.transfer(500_000);
}

#[test]
fn the_reference_count_is_the_users() {
    let ground = Ground::new();
    let ops = Ops::new(&*ground.kernel);
    let Table { map, .. } = ops.table("oswt_count", true).unwrap();
    let count = || ops.look(&map).unwrap().refcnt;
    assert_eq!(count(), 0);
    let link = ground.kernel.link_create_struct_ops(&map).unwrap();
    assert_eq!(count(), 1, "the link");
    let table = ground.find("oswt_count");
    assert_eq!(count(), 2, "and this reference");
    let socket = tcp::Socket::new(Config::default(), table);
    assert_eq!(count(), 2, "which the socket has now");
    ground.registry.set_default("oswt_count").unwrap();
    assert_eq!(count(), 3, "and the default");
    drop(link);
    assert_eq!((count(), ops.look(&map).unwrap().state), (2, OpsState::Ready));
    drop(socket);
    ground.registry.set_default("reno").unwrap();
    assert_eq!(count(), 0);
}

#[test]
fn unregistered_without_a_link_it_waits_for_its_users() {
    let ground = Ground::new();
    let ops = Ops::new(&*ground.kernel);
    let Table { map, progs } = ops.table("oswt_delete", false).unwrap();
    drop(progs);
    let connection = connection(&ground, "oswt_delete");
    ground.kernel.map_delete(&map, &[0; 4]).unwrap();
    let value = ops.look(&map).unwrap();
    assert_eq!(value.state, OpsState::ToBeFree);
    assert!(value.refcnt >= 2, "both ends of the connection");
    let id = ground.kernel.map_info(&map).unwrap().id;
    drop(map);
    assert!(ground.kernel.map_by_id(id).is_ok(), "the sockets hold it");
    drop(connection);
    assert_eq!(ground.kernel.map_by_id(id).unwrap_err(), Errno::ENOENT);
}

#[test]
fn a_swap_reaches_new_sockets_only() {
    let ground = Ground::new();
    let ops = Ops::new(&*ground.kernel);
    let first = ops.table("oswt_swap", true).unwrap();
    let second = ops.table("oswt_swap", true).unwrap();
    let link = ground.kernel.link_create_struct_ops(&first.map).unwrap();
    let mut old = connection(&ground, "oswt_swap");
    let before = old.sender.congestion_control().clone();
    let update = LinkUpdate {
        new: &second.map,
        expected: Some(&first.map),
    };
    ground.kernel.link_update(&link, &update).unwrap();
    old.transfer(100_000);
    assert_eq!(
        *old.sender.congestion_control(),
        before,
        "a running socket keeps its table"
    );
    let new = connection(&ground, "oswt_swap");
    assert_ne!(*new.sender.congestion_control(), before);
    let now = old.now;
    old.sender
        .set_congestion_control(ground.find("oswt_swap"), now)
        .unwrap();
    assert_eq!(old.sender.congestion_control(), new.sender.congestion_control());
    old.transfer(100_000);
}

#[test]
fn a_kernel_that_ends_unregisters() {
    let ground = Ground::new();
    let ops = Ops::new(&*ground.kernel);
    let without_link = ops.table("oswt_kernel", false).unwrap();
    let table = ops.table("oswt_pinned", true).unwrap();
    let link = ground.kernel.link_create_struct_ops(&table.map).unwrap();
    let path = std::path::Path::new("/sys/fs/bpf/link");
    ground.kernel.obj_pin(path, ObjectRef::Link(&link)).unwrap();
    drop((without_link, table, link, ops));
    assert_eq!(ground.registry.names(), ["reno", "oswt_kernel", "oswt_pinned"]);
    drop(ground.kernel);
    assert_eq!(ground.registry.names(), ["reno"]);
}

#[test]
fn a_registry_that_is_gone_takes_nothing() {
    let ground = Ground::new();
    let ops = Ops::new(&*ground.kernel);
    let table = ops.table("oswt_gone", true).unwrap();
    drop(ground.registry);
    assert_eq!(
        ground.kernel.link_create_struct_ops(&table.map).unwrap_err(),
        Errno::ENODEV
    );
}

/// Handles are numbers of one kernel's table.
#[test]
fn handles_of_another_kernel_are_refused() {
    let (here, there) = (Ground::new(), Ground::new());
    let map = Ops::new(&*here.kernel).map(true);
    assert_eq!(there.kernel.map_info(&map).unwrap_err(), Errno::EBADF);
    assert_eq!(there.kernel.map_lookup(&map, &[0; 4]), Err(Errno::EBADF));
}

/// Sockets on several threads come and go while one thread exchanges the table and ends with unloading it.
#[test]
fn swaps_under_load() {
    let ground = Ground::new();
    let ops = Ops::new(&*ground.kernel);
    let tables = [(); 2].map(|()| ops.table("oswt_load", true).unwrap());
    let link = ground.kernel.link_create_struct_ops(&tables[0].map).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut transfers = 0;
                    while !stop.load(Ordering::Relaxed) || transfers == 0 {
                        let clock = kernel::Clock::default();
                        let table = ground.find("oswt_load");
                        Connection::new(&clock, &Config::default(), &table, CALM).transfer(50_000);
                        transfers += 1;
                    }
                    transfers
                })
            })
            .collect();
        for round in 1..300 {
            let new = &tables[round % 2].map;
            ground
                .kernel
                .link_update(&link, &LinkUpdate { new, expected: None })
                .unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        for worker in workers {
            assert!(worker.join().unwrap() > 0);
        }
    });
    for table in &tables[..1] {
        assert_eq!(ops.look(&table.map).unwrap().refcnt, 0, "every socket has let go");
    }
    drop((link, tables, ops));
    assert_eq!(ids(&*ground.kernel), [0, 0, 0]);
    assert!(Arc::strong_count(&ground.registry) == 1);
}
