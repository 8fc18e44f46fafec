//! Links: registration, exchange of the table, compare-and-swap, detaching.

use super::maps::map;
use super::{Ground, Scenario};
use crate::ops::eventually;
use crate::unique_name;
use bpf::{Errno, LinkType, LinkUpdate, LinkUpdateError, MapType, OpsState};

pub(super) const SCENARIOS: &[Scenario] = &[
    ("a link registers while it lives", registers),
    ("links that are refused", refused),
    ("an exchange of the table", exchange),
    ("an exchange to the same table", same_table),
    ("compare and swap", compare_and_swap),
    ("exchanges that are refused", refused_exchanges),
    ("a detached link", detached),
    ("one table, one link", one_link),
    ("a table serves again after its link", again),
];

fn registers(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let table = ops.table(&name, true).unwrap();
    let value = ops.look(&table.map).unwrap();
    assert_eq!((value.state, value.refcnt), (OpsState::Ready, 0));
    assert!(!ops.is_registered(&name), "READY is not registered");

    let link = kernel.link_create_struct_ops(&table.map).unwrap();
    assert!(ops.is_registered(&name));
    let value = ops.look(&table.map).unwrap();
    assert_eq!((value.state, value.refcnt), (OpsState::Ready, 1));
    let info = kernel.link_info(&link).unwrap();
    let map_id = kernel.map_info(&table.map).unwrap().id;
    assert_eq!(
        (info.link_type, info.prog_id, info.map_id),
        (LinkType::STRUCT_OPS, 0, Some(map_id))
    );

    drop(table);
    assert!(kernel.map_by_id(map_id).is_ok(), "the link holds the map");
    let second = kernel.link_by_id(info.id).unwrap();
    drop(link);
    assert!(ops.is_registered(&name), "another handle of the link is left");
    drop(second);
    eventually("the end of the registration", || !ops.is_registered(&name));
    eventually("the end of the map", || {
        kernel.map_by_id(map_id).err() == Some(Errno::ENOENT)
    });
    assert_eq!(kernel.link_by_id(info.id).unwrap_err(), Errno::ENOENT);
}

fn refused(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    assert_eq!(
        kernel.link_create_struct_ops(&ops.map(true)).unwrap_err(),
        Errno::EINVAL,
        "without a value"
    );
    assert_eq!(
        kernel.link_create_struct_ops(&ops.map(false)).unwrap_err(),
        Errno::EINVAL,
        "without BPF_F_LINK"
    );
    let name = unique_name("oswt_");
    let table = ops.table(&name, false).unwrap();
    assert_eq!(
        kernel.link_create_struct_ops(&table.map).unwrap_err(),
        Errno::EINVAL,
        "registered without a link"
    );
    kernel.map_delete(&table.map, &[0; 4]).unwrap();
    let array = map(ground, MapType::ARRAY, 1);
    assert_eq!(
        kernel.link_create_struct_ops(&array).unwrap_err(),
        Errno::EINVAL,
        "an array"
    );
}

fn exchange(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let (first, second) = (ops.table(&name, true).unwrap(), ops.table(&name, true).unwrap());
    let link = kernel.link_create_struct_ops(&first.map).unwrap();
    let id = |map| kernel.map_info(map).unwrap().id;
    for new in [&second.map, &first.map, &second.map] {
        let update = LinkUpdate { new, expected: None };
        assert_eq!(kernel.link_update(&link, &update), Ok(()));
        assert_eq!(kernel.link_info(&link).unwrap().map_id, Some(id(new)));
        assert!(ops.is_registered(&name));
        assert_eq!(ops.look(new).unwrap().refcnt, 1);
    }
    assert_eq!(ops.look(&first.map).unwrap().refcnt, 0);
    assert_eq!(ops.look(&first.map).unwrap().state, OpsState::Ready);
    drop(link);
    eventually("the end of the registration", || !ops.is_registered(&name));
}

fn same_table(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let (first, second) = (ops.table(&name, true).unwrap(), ops.table(&name, true).unwrap());
    let link = kernel.link_create_struct_ops(&first.map).unwrap();
    let map_id = kernel.map_info(&first.map).unwrap().id;
    let same = Err(LinkUpdateError::SameMap { map_id });
    // Whatever is expected: no kernel may be asked for this.
    for expected in [None, Some(&first.map), Some(&second.map)] {
        let update = LinkUpdate {
            new: &first.map,
            expected,
        };
        assert_eq!(kernel.link_update(&link, &update), same);
    }
    let other_handle = kernel.map_by_id(map_id).unwrap();
    let update = LinkUpdate {
        new: &other_handle,
        expected: None,
    };
    assert_eq!(kernel.link_update(&link, &update), same);
    assert!(ops.is_registered(&name));
}

fn compare_and_swap(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let tables = [(); 3].map(|()| ops.table(&name, true).unwrap());
    let [first, second, third] = &tables;
    let ids = [first, second, third].map(|table| kernel.map_info(&table.map).unwrap().id);
    let link = kernel.link_create_struct_ops(&first.map).unwrap();
    let stale = LinkUpdate {
        new: &third.map,
        expected: Some(&second.map),
    };
    let error = kernel.link_update(&link, &stale).unwrap_err();
    assert_eq!(
        error,
        LinkUpdateError::Stale {
            expected: ids[1],
            found: ids[0]
        }
    );
    assert_eq!(error.errno(), Errno::EPERM);
    assert_eq!(
        kernel.link_info(&link).unwrap().map_id,
        Some(ids[0]),
        "nothing has changed"
    );
    let right = LinkUpdate {
        new: &third.map,
        expected: Some(&first.map),
    };
    assert_eq!(kernel.link_update(&link, &right), Ok(()));
    assert_eq!(kernel.link_info(&link).unwrap().map_id, Some(ids[2]));
}

fn refused_exchanges(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let table = ops.table(&name, true).unwrap();
    let link = kernel.link_create_struct_ops(&table.map).unwrap();
    let other_name = ops.table(&unique_name("oswt_"), true).unwrap();
    let array = map(ground, MapType::ARRAY, 1);
    let empty = ops.map(true);
    let no_link = ops.map(false);
    let cases = [
        ("another name", &other_name.map),
        ("a map without a value", &empty),
        ("a map without BPF_F_LINK", &no_link),
        ("an array", &array),
    ];
    for (case, new) in cases {
        let update = LinkUpdate { new, expected: None };
        assert_eq!(
            kernel.link_update(&link, &update),
            Err(LinkUpdateError::Refused(Errno::EINVAL)),
            "{case}"
        );
        assert!(ops.is_registered(&name), "{case}");
    }
    let held = kernel.map_info(&table.map).unwrap().id;
    assert_eq!(kernel.link_info(&link).unwrap().map_id, Some(held));
}

fn detached(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let (first, second) = (ops.table(&name, true).unwrap(), ops.table(&name, true).unwrap());
    let link = kernel.link_create_struct_ops(&first.map).unwrap();
    assert_eq!(kernel.link_detach(&link), Ok(()));
    assert!(!ops.is_registered(&name));
    assert_eq!(kernel.link_info(&link).unwrap().map_id, Some(0));
    assert_eq!(
        ops.look(&first.map).map(|value| (value.state, value.refcnt)),
        Ok((OpsState::Ready, 0))
    );
    assert_eq!(kernel.link_detach(&link), Ok(()), "a second time");
    for new in [&first.map, &second.map] {
        let update = LinkUpdate { new, expected: None };
        assert_eq!(
            kernel.link_update(&link, &update),
            Err(LinkUpdateError::Refused(Errno::ENOLINK))
        );
    }
}

fn one_link(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let table = ops.table(&unique_name("oswt_"), true).unwrap();
    let link = kernel.link_create_struct_ops(&table.map).unwrap();
    assert_eq!(kernel.link_create_struct_ops(&table.map).unwrap_err(), Errno::EEXIST);
    assert!(kernel.link_info(&link).is_ok());
}

fn again(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let table = ops.table(&name, true).unwrap();
    for _ in 0..3 {
        let link = kernel.link_create_struct_ops(&table.map).unwrap();
        assert!(ops.is_registered(&name));
        kernel.link_detach(&link).unwrap();
        assert!(!ops.is_registered(&name));
    }
}
