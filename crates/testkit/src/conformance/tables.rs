//! Ops maps: their states, what is checked when they get their value, registration without a link.

use super::{Ground, Scenario};
use crate::ops::eventually;
use crate::unique_name;
use bpf::{Errno, MapCreate, MapFlags, OpsState, ProgType, UpdateFlags};

pub(super) const SCENARIOS: &[Scenario] = &[
    ("an ops map is described", described),
    ("ops maps that are refused", refused_maps),
    ("values that are refused", refused_values),
    ("names that are refused", refused_names),
    ("flags of the table", flags),
    ("programs that do not fit", refused_programs),
    ("registered and unregistered without a link", without_link),
    ("a registration outlives its map's handle", outlives),
    ("a name is taken once", name_taken),
    ("a refused registration leaves the map empty", refused_leaves_nothing),
    ("a table keeps its programs", keeps_programs),
    ("elements of an ops map", elements),
];

fn described(ground: &Ground<'_>) {
    let map = ground.ops.map(true);
    let info = ground.kernel.map_info(&map).unwrap();
    assert_eq!((info.name.as_str(), info.flags), ("oswt_map", MapFlags::LINK));
    assert_eq!((info.key_size, info.max_entries), (4, 1));
    assert_eq!(info.value_size as usize, ground.ops.value_size);
    assert_eq!(info.btf_vmlinux_value_type_id, ground.ops.value.0);
    assert_ne!(info.btf_vmlinux_id, 0);
    let btf = ground.kernel.btf_by_id(info.btf_vmlinux_id).unwrap();
    let btf = ground.kernel.btf_info(&btf).unwrap();
    assert_eq!((btf.name.as_str(), btf.kernel), ("vmlinux", true));
}

fn refused_maps(ground: &Ground<'_>) {
    let good = ground.ops.map_args("oswt_map", MapFlags::empty());
    let cases = [
        ("two entries", MapCreate { max_entries: 2, ..good }, Errno::EINVAL),
        ("a long key", MapCreate { key_size: 8, ..good }, Errno::EINVAL),
        (
            "a short value",
            MapCreate {
                value_size: good.value_size - 8,
                ..good
            },
            Errno::EINVAL,
        ),
        (
            "another flag",
            MapCreate {
                flags: MapFlags::NO_PREALLOC,
                ..good
            },
            Errno::EINVAL,
        ),
        (
            "the ops structure instead of its value",
            MapCreate {
                btf_vmlinux_value_type_id: ground.ops.ops.0,
                ..good
            },
            Errno::ENOTSUPP,
        ),
        (
            "no type",
            MapCreate {
                btf_vmlinux_value_type_id: 0,
                ..good
            },
            Errno::EINVAL,
        ),
        (
            "a module's types without one",
            MapCreate {
                flags: MapFlags::VTYPE_BTF_OBJ_FD,
                ..good
            },
            Errno::EINVAL,
        ),
        (
            "types of the value twice",
            MapCreate {
                btf_value_type_id: 1,
                ..good
            },
            Errno::EINVAL,
        ),
    ];
    for (case, args, errno) in cases {
        assert_eq!(ground.kernel.map_create(&args).unwrap_err(), errno, "{case}");
    }
}

/// What is changed in a good value: a place, and what is written there.
enum Place {
    /// Offset from the start of the value.
    Value(usize),
    /// A member of the ops structure.
    Member(&'static str),
}

fn refused_values(ground: &Ground<'_>) {
    use Place::{Member, Value};
    let cases: [(&str, Place, &[u8], Errno); 7] = [
        ("a reference count", Value(0), &[1], Errno::EINVAL),
        ("a state", Value(4), &[1], Errno::EINVAL),
        ("a byte between the parts", Value(8), &[1], Errno::EINVAL),
        ("a list entry", Member("list"), &[1], Errno::EINVAL),
        ("a key", Member("key"), &[1], Errno::EINVAL),
        (
            "get_info without a program",
            Member("get_info"),
            &[255, 255, 255, 127],
            Errno::EBADF,
        ),
        (
            "no such descriptor",
            Member("init"),
            &[255, 255, 255, 127],
            Errno::EBADF,
        ),
    ];
    let progs = ground.ops.required();
    for (case, place, bytes, errno) in cases {
        for link in [false, true] {
            let mut value = ground.ops.value(&unique_name("oswt_"), &progs);
            let at = match place {
                Value(at) => at,
                Member(member) => ground.ops.offset(member),
            };
            value[at..at + bytes.len()].copy_from_slice(bytes);
            let map = ground.ops.map(link);
            assert_eq!(ground.ops.give(&map, &value), Err(errno), "{case}, link {link}");
            let state = ground.ops.look(&map).map(|value| value.state);
            assert_eq!(state, Ok(OpsState::Init), "{case}, link {link}: still without a value");
        }
    }
}

fn refused_names(ground: &Ground<'_>) {
    let progs = ground.ops.required();
    let cases = [
        ("", Some(Errno::EINVAL)),
        ("sixteen_bytes_xx", Some(Errno::EINVAL)),
        ("oswt a space", Some(Errno::EINVAL)),
        ("oswt-dash", Some(Errno::EINVAL)),
        ("oswt.dot_1", None),
    ];
    for (name, errno) in cases {
        let map = ground.ops.map(true);
        let result = ground.ops.give(&map, &ground.ops.value(name, &progs));
        assert_eq!(result.err(), errno, "name {name:?}");
    }
}

fn flags(ground: &Ground<'_>) {
    let progs = ground.ops.required();
    let at = ground.ops.offset("flags");
    for bit in 0..32 {
        let mut value = ground.ops.value(&unique_name("oswt_"), &progs);
        value[at..at + 4].copy_from_slice(&(1u32 << bit).to_le_bytes());
        let map = ground.ops.map(true);
        let result = ground.ops.give(&map, &value);
        let expected = if bit < FLAG_BITS { Ok(()) } else { Err(Errno::EINVAL) };
        assert_eq!(result, expected, "bit {bit}");
    }
}

/// Bits of `flags` that are taken, from bit 0 on.
const FLAG_BITS: u32 = 5;

fn refused_programs(ground: &Ground<'_>) {
    let progs = ground.ops.required();
    let name = unique_name("oswt_");
    let good = ground.ops.value(&name, &progs);
    let put = |member: &str, fd: i32| {
        let mut value = good.clone();
        let at = ground.ops.offset(member);
        value[at..at + 8].copy_from_slice(&(fd as u64).to_le_bytes());
        value
    };
    let undo = ground.ops.program("undo_cwnd", "r0 = 1\nexit").unwrap();
    let map = ground.ops.map(true);
    let cases = [
        (
            "a program of another member",
            put("ssthresh", undo.raw()),
            Errno::EINVAL,
        ),
        ("a map", put("ssthresh", map.raw()), Errno::EINVAL),
        ("ssthresh missing", put("ssthresh", 0), Errno::EINVAL),
        ("undo_cwnd missing", put("undo_cwnd", 0), Errno::EINVAL),
        (
            "neither cong_avoid nor cong_control",
            put("cong_avoid", 0),
            Errno::EINVAL,
        ),
    ];
    for (case, value, errno) in cases {
        for link in [false, true] {
            let map = ground.ops.map(link);
            assert_eq!(ground.ops.give(&map, &value), Err(errno), "{case}, link {link}");
        }
    }
    let control = ground.ops.program("cong_control", "r0 = 0\nexit").unwrap();
    let mut value = put("cong_avoid", 0);
    let at = ground.ops.offset("cong_control");
    value[at..at + 8].copy_from_slice(&(control.raw() as u64).to_le_bytes());
    assert_eq!(
        ground.ops.give(&ground.ops.map(true), &value),
        Ok(()),
        "cong_control instead of cong_avoid"
    );
}

fn without_link(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let map = ops.map(false);
    assert_eq!(
        kernel.map_lookup(&map, &[0; 4]),
        Ok(vec![0; ops.value_size]),
        "INIT is all zero"
    );
    assert_eq!(
        kernel.map_delete(&map, &[0; 4]),
        Err(Errno::ENOENT),
        "nothing is registered"
    );

    let progs = ops.required();
    ops.give(&map, &ops.value(&name, &progs)).unwrap();
    let value = ops.look(&map).unwrap();
    assert_eq!((value.state, value.refcnt), (OpsState::InUse, 1));
    for (member, prog) in &progs {
        let at = ops.offset(member) - ops.data;
        let shown = u64::from_le_bytes(value.data[at..at + 8].try_into().unwrap());
        assert_eq!(
            shown,
            u64::from(kernel.prog_info(prog).unwrap().id),
            "{member} shows the program's id"
        );
    }
    let at = ops.offset("name") - ops.data;
    assert_eq!(&value.data[at..at + name.len()], name.as_bytes());
    assert!(ops.is_registered(&name));
    assert_eq!(
        ops.give(&map, &ops.value(&name, &progs)),
        Err(Errno::EBUSY),
        "a value is given once"
    );

    kernel.map_delete(&map, &[0; 4]).unwrap();
    assert!(!ops.is_registered(&name));
    assert_eq!(ops.look(&map).map(|value| value.state), Ok(OpsState::ToBeFree));
    assert_eq!(
        kernel.map_delete(&map, &[0; 4]),
        Err(Errno::EINPROGRESS),
        "a second time"
    );
    assert_eq!(
        ops.give(&map, &ops.value(&name, &progs)),
        Err(Errno::EBUSY),
        "never again"
    );
}

fn outlives(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let table = ops.table(&name, false).unwrap();
    let id = kernel.map_info(&table.map).unwrap().id;
    drop(table);
    assert!(ops.is_registered(&name));
    let map = kernel.map_by_id(id).unwrap();
    kernel.map_delete(&map, &[0; 4]).unwrap();
    drop(map);
    eventually("the end of the map", || {
        kernel.map_by_id(id).err() == Some(Errno::ENOENT)
    });
}

fn name_taken(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let first = ops.table(&name, false).unwrap();
    assert_eq!(
        ops.table(&name, false).err(),
        Some(Errno::EEXIST),
        "without a link the value registers"
    );
    let second = ops.table(&name, true).unwrap();
    assert_eq!(
        kernel.link_create_struct_ops(&second.map).unwrap_err(),
        Errno::EEXIST,
        "with one the link does"
    );
    kernel.map_delete(&first.map, &[0; 4]).unwrap();
    drop(kernel.link_create_struct_ops(&second.map).unwrap());
}

fn refused_leaves_nothing(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let name = unique_name("oswt_");
    let holder = ops.table(&name, false).unwrap();
    let map = ops.map(false);
    let progs = ops.required();
    assert_eq!(ops.give(&map, &ops.value(&name, &progs)), Err(Errno::EEXIST));
    assert_eq!(ops.look(&map).map(|value| value.state), Ok(OpsState::Init));
    kernel.map_delete(&holder.map, &[0; 4]).unwrap();
    assert_eq!(
        ops.give(&map, &ops.value(&name, &progs)),
        Ok(()),
        "the map can be tried again"
    );
    kernel.map_delete(&map, &[0; 4]).unwrap();
}

fn keeps_programs(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let table = ops.table(&unique_name("oswt_"), true).unwrap();
    let ids: Vec<u32> = table
        .progs
        .iter()
        .map(|(_, prog)| kernel.prog_info(prog).unwrap().id)
        .collect();
    let map = table.map;
    drop(table.progs);
    assert!(ids.iter().all(|id| kernel.prog_by_id(*id).is_ok()));
    drop(map);
    eventually("the end of the programs", || {
        ids.iter().all(|id| kernel.prog_by_id(*id).err() == Some(Errno::ENOENT))
    });
}

fn elements(ground: &Ground<'_>) {
    let (kernel, ops) = (ground.kernel, &ground.ops);
    let progs = ops.required();
    let map = ops.map(true);
    let value = ops.value(&unique_name("oswt_"), &progs);
    let update = |key: u32, flags| kernel.map_update(&map, &key.to_le_bytes(), &value, flags);
    assert_eq!(update(1, UpdateFlags::ANY), Err(Errno::E2BIG));
    assert_eq!(update(0, UpdateFlags::NOEXIST), Err(Errno::EINVAL));
    assert_eq!(update(0, UpdateFlags::EXIST), Err(Errno::EINVAL));
    assert_eq!(update(0, UpdateFlags::ANY), Ok(()));
    assert_eq!(update(0, UpdateFlags::ANY), Err(Errno::EBUSY));
    assert_eq!(kernel.map_lookup(&map, &1u32.to_le_bytes()), Err(Errno::ENOENT));
    assert_eq!(kernel.map_next_key(&map, None), Ok(Some(vec![0; 4])));
    assert_eq!(kernel.map_next_key(&map, Some(&[0; 4])), Ok(None));
    assert_eq!(
        kernel.map_delete(&map, &[0; 4]),
        Err(Errno::EOPNOTSUPP),
        "a link unregisters, not a delete"
    );
    let wrong_type = kernel.prog_load(&bpf::ProgLoad {
        prog_type: ProgType::UNSPEC,
        ..ops.load_args("init", &crate::ops::assemble("r0 = 0\nexit"))
    });
    assert_eq!(wrong_type.unwrap_err().errno, Errno::EINVAL);
}
