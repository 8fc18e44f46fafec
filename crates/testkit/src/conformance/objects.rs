//! Ids and pins of all kinds of objects.

use super::{Ground, Scenario};
use crate::ops::eventually;
use crate::unique_name;
use bpf::{Errno, IdKind, ObjectRef, PinEntryKind, Pinned};
use std::path::PathBuf;

pub(super) const SCENARIOS: &[Scenario] = &[
    ("ids are walked upwards", ids),
    ("no object has this id", no_such_id),
    ("a pinned link stays registered", pinned_link),
    ("pins of all kinds", all_kinds),
    ("pins that are refused", refused),
    ("a pin takes another's place", replaced),
    ("directories of pins", directories),
];

/// A directory of this scenario alone.
fn directory(ground: &Ground<'_>) -> PathBuf {
    let path = ground.pins.join(unique_name("oswt_"));
    ground.kernel.pin_dir_create(&path).expect("a directory for pins");
    path
}

fn ids(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let table = ground.ops.table(&unique_name("oswt_"), true).unwrap();
    let link = kernel.link_create_struct_ops(&table.map).unwrap();
    let expected = [
        (IdKind::Map, kernel.map_info(&table.map).unwrap().id),
        (IdKind::Prog, kernel.prog_info(&table.progs[0].1).unwrap().id),
        (IdKind::Link, kernel.link_info(&link).unwrap().id),
    ];
    for (kind, id) in expected {
        let ids = kernel.ids(kind).unwrap();
        assert!(ids.contains(&id), "{kind:?}");
        assert!(ids.is_sorted(), "{kind:?}");
        assert_eq!(kernel.next_id(kind, id - 1).unwrap(), Some(id), "{kind:?}");
        assert_eq!(kernel.next_id(kind, i32::MAX as u32 - 1), Ok(None), "{kind:?}");
    }
    assert!(!kernel.ids(IdKind::Btf).unwrap().is_empty());
}

fn no_such_id(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    assert_eq!(kernel.map_by_id(1 << 29).unwrap_err(), Errno::ENOENT);
    assert_eq!(kernel.prog_by_id(1 << 29).unwrap_err(), Errno::ENOENT);
    assert_eq!(kernel.link_by_id(1 << 29).unwrap_err(), Errno::ENOENT);
    assert_eq!(kernel.btf_by_id(1 << 29).unwrap_err(), Errno::ENOENT);
}

fn pinned_link(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let dir = directory(ground);
    let name = unique_name("oswt_");
    let table = ops.table(&name, true).unwrap();
    let link = kernel.link_create_struct_ops(&table.map).unwrap();
    let id = kernel.link_info(&link).unwrap().id;
    kernel.obj_pin(&dir.join("link"), ObjectRef::Link(&link)).unwrap();
    drop((link, table));
    assert!(ops.is_registered(&name));
    let Pinned::Link(again) = kernel.obj_get(&dir.join("link")).unwrap() else {
        panic!("a link was pinned");
    };
    assert_eq!(kernel.link_info(&again).unwrap().id, id);
    kernel.pin_remove(&dir.join("link")).unwrap();
    assert!(ops.is_registered(&name), "a handle is left");
    drop(again);
    eventually("the end of the registration", || !ops.is_registered(&name));
    kernel.pin_dir_remove(&dir).unwrap();
}

fn all_kinds(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let dir = directory(ground);
    let table = ground.ops.table(&unique_name("oswt_"), true).unwrap();
    let map_id = kernel.map_info(&table.map).unwrap().id;
    let prog_id = kernel.prog_info(&table.progs[0].1).unwrap().id;
    kernel.obj_pin(&dir.join("map"), ObjectRef::Map(&table.map)).unwrap();
    kernel
        .obj_pin(&dir.join("prog"), ObjectRef::Prog(&table.progs[0].1))
        .unwrap();
    drop(table);
    match kernel.obj_get(&dir.join("map")).unwrap() {
        Pinned::Map(map) => assert_eq!(kernel.map_info(&map).unwrap().id, map_id),
        other => panic!("{other:?}"),
    }
    match kernel.obj_get(&dir.join("prog")).unwrap() {
        Pinned::Prog(prog) => assert_eq!(kernel.prog_info(&prog).unwrap().id, prog_id),
        other => panic!("{other:?}"),
    }
    let names: Vec<String> = kernel
        .pin_list(&dir)
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, ["map", "prog"]);
    kernel.pin_remove(&dir.join("map")).unwrap();
    kernel.pin_remove(&dir.join("prog")).unwrap();
    kernel.pin_dir_remove(&dir).unwrap();
    eventually("the end of the map", || {
        kernel.map_by_id(map_id).err() == Some(Errno::ENOENT)
    });
    eventually("the end of the program", || {
        kernel.prog_by_id(prog_id).err() == Some(Errno::ENOENT)
    });
}

fn refused(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let dir = directory(ground);
    let map = ground.ops.map(true);
    let pin = |name: &str| kernel.obj_pin(&dir.join(name), ObjectRef::Map(&map));
    assert_eq!(pin("map"), Ok(()));
    assert_eq!(pin("map"), Err(Errno::EEXIST));
    assert_eq!(pin("with.dot"), Err(Errno::EPERM));
    assert_eq!(pin("no/such/directory"), Err(Errno::ENOENT));
    assert_eq!(kernel.obj_get(&dir.join("other")).unwrap_err(), Errno::ENOENT);
    assert_eq!(kernel.obj_get(&dir).unwrap_err(), Errno::EACCES, "a directory");
    assert_eq!(kernel.pin_remove(&dir.join("other")), Err(Errno::ENOENT));
    assert_eq!(kernel.pin_dir_remove(&dir), Err(Errno::ENOTEMPTY));
    kernel.pin_remove(&dir.join("map")).unwrap();
    kernel.pin_dir_remove(&dir).unwrap();
    assert_eq!(kernel.pin_dir_remove(&dir), Err(Errno::ENOENT));
    assert_eq!(kernel.pin_list(&dir).unwrap_err(), Errno::ENOENT);
}

fn replaced(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let dir = directory(ground);
    let (old, new) = (ground.ops.map(true), ground.ops.map(true));
    let (old_id, new_id) = (kernel.map_info(&old).unwrap().id, kernel.map_info(&new).unwrap().id);
    kernel.obj_pin(&dir.join("current"), ObjectRef::Map(&old)).unwrap();
    kernel.obj_pin(&dir.join("next"), ObjectRef::Map(&new)).unwrap();
    drop((old, new));
    kernel.pin_rename(&dir.join("next"), &dir.join("current")).unwrap();
    match kernel.obj_get(&dir.join("current")).unwrap() {
        Pinned::Map(map) => assert_eq!(kernel.map_info(&map).unwrap().id, new_id),
        other => panic!("{other:?}"),
    }
    eventually("the end of the old map", || {
        kernel.map_by_id(old_id).err() == Some(Errno::ENOENT)
    });
    assert_eq!(
        kernel.pin_rename(&dir.join("next"), &dir.join("current")),
        Err(Errno::ENOENT)
    );
    kernel.pin_remove(&dir.join("current")).unwrap();
    kernel.pin_dir_remove(&dir).unwrap();
}

fn directories(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let dir = directory(ground);
    kernel.pin_dir_create(&dir.join("a/b")).unwrap();
    kernel.pin_dir_create(&dir.join("a/b")).unwrap();
    let entries = kernel.pin_list(&dir).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].name.as_str(), entries[0].kind),
        ("a", PinEntryKind::Directory)
    );
    assert_eq!(kernel.pin_dir_remove(&dir.join("a")), Err(Errno::ENOTEMPTY));
    kernel.pin_dir_remove(&dir.join("a/b")).unwrap();
    kernel.pin_dir_remove(&dir.join("a")).unwrap();
    kernel.pin_dir_remove(&dir).unwrap();
}
