//! Maps: elements, flags, sizes, and what is refused when one is made.

use super::{Ground, Scenario};
use bpf::{Errno, Fd, Map, MapCreate, MapFlags, MapType, UpdateFlags};

pub(super) const SCENARIOS: &[Scenario] = &[
    ("array elements", array_elements),
    ("hash elements", hash_elements),
    ("a full hash", a_full_hash),
    ("walking a hash", walking_a_hash),
    ("values per CPU", values_per_cpu),
    ("maps that are refused", refused),
    ("map information", information),
    ("a frozen map", frozen),
    ("maps that programs may not write", program_flags),
];

pub(super) fn map(ground: &Ground<'_>, map_type: MapType, max_entries: u32) -> Fd<Map> {
    ground
        .kernel
        .map_create(&shape(map_type, 4, 8, max_entries))
        .expect("an ordinary map")
}

fn shape(map_type: MapType, key_size: u32, value_size: u32, max_entries: u32) -> MapCreate<'static> {
    MapCreate {
        key_size,
        value_size,
        max_entries,
        ..MapCreate::new(map_type)
    }
}

fn key(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

fn array_elements(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let map = map(ground, MapType::ARRAY, 2);
    let update = |index, flags| kernel.map_update(&map, &key(index), &[7; 8], flags);
    assert_eq!(kernel.map_lookup(&map, &key(1)), Ok(vec![0; 8]), "zero from the start");
    assert_eq!(update(1, UpdateFlags::ANY), Ok(()));
    assert_eq!(update(1, UpdateFlags::EXIST), Ok(()));
    assert_eq!(
        update(1, UpdateFlags::NOEXIST),
        Err(Errno::EEXIST),
        "all elements exist"
    );
    assert_eq!(update(2, UpdateFlags::ANY), Err(Errno::E2BIG));
    assert_eq!(update(1, UpdateFlags::from_bits_retain(64)), Err(Errno::EINVAL));
    assert_eq!(kernel.map_lookup(&map, &key(1)), Ok(vec![7; 8]));
    assert_eq!(kernel.map_lookup(&map, &key(2)), Err(Errno::ENOENT));
    assert_eq!(kernel.map_delete(&map, &key(1)), Err(Errno::EINVAL));
    assert_eq!(kernel.map_next_key(&map, None), Ok(Some(key(0).to_vec())));
    assert_eq!(kernel.map_next_key(&map, Some(&key(0))), Ok(Some(key(1).to_vec())));
    assert_eq!(kernel.map_next_key(&map, Some(&key(1))), Ok(None));
    assert_eq!(
        kernel.map_next_key(&map, Some(&key(9))),
        Ok(Some(key(0).to_vec())),
        "behind a key that is not there: the first"
    );
    assert_eq!(kernel.map_lookup(&map, &[0; 8]), Err(Errno::EINVAL), "size of the key");
    assert_eq!(
        kernel.map_update(&map, &key(0), &[0; 4], UpdateFlags::ANY),
        Err(Errno::EINVAL),
        "size of the value"
    );
}

fn hash_elements(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let map = map(ground, MapType::HASH, 4);
    let update = |flags| kernel.map_update(&map, &key(5), &[1; 8], flags);
    assert_eq!(kernel.map_lookup(&map, &key(5)), Err(Errno::ENOENT));
    assert_eq!(kernel.map_delete(&map, &key(5)), Err(Errno::ENOENT));
    assert_eq!(update(UpdateFlags::EXIST), Err(Errno::ENOENT));
    assert_eq!(update(UpdateFlags::NOEXIST), Ok(()));
    assert_eq!(update(UpdateFlags::NOEXIST), Err(Errno::EEXIST));
    assert_eq!(update(UpdateFlags::EXIST), Ok(()));
    assert_eq!(update(UpdateFlags::ANY), Ok(()));
    assert_eq!(update(UpdateFlags::from_bits_retain(64)), Err(Errno::EINVAL));
    assert_eq!(kernel.map_lookup(&map, &key(5)), Ok(vec![1; 8]));
    assert_eq!(kernel.map_delete(&map, &key(5)), Ok(()));
    assert_eq!(kernel.map_lookup(&map, &key(5)), Err(Errno::ENOENT));
}

fn a_full_hash(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let map = map(ground, MapType::HASH, 2);
    let update = |number, flags| kernel.map_update(&map, &key(number), &[1; 8], flags);
    assert_eq!(update(1, UpdateFlags::ANY), Ok(()));
    assert_eq!(update(2, UpdateFlags::ANY), Ok(()));
    assert_eq!(update(3, UpdateFlags::ANY), Err(Errno::E2BIG));
    assert_eq!(update(2, UpdateFlags::ANY), Ok(()), "replacing needs no room");
    assert_eq!(kernel.map_delete(&map, &key(1)), Ok(()));
    assert_eq!(update(3, UpdateFlags::ANY), Ok(()));
}

fn walking_a_hash(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let map = map(ground, MapType::HASH, 8);
    assert_eq!(kernel.map_next_key(&map, None), Ok(None));
    for number in 0..5 {
        kernel
            .map_update(&map, &key(number), &[0; 8], UpdateFlags::ANY)
            .unwrap();
    }
    let mut seen = Vec::new();
    let mut last = kernel.map_next_key(&map, None).unwrap();
    while let Some(key) = last {
        last = kernel.map_next_key(&map, Some(&key)).unwrap();
        seen.push(key);
    }
    seen.sort();
    assert_eq!(seen, (0..5).map(|number| key(number).to_vec()).collect::<Vec<_>>());
    assert!(
        kernel.map_next_key(&map, Some(&key(77))).unwrap().is_some(),
        "behind a key that is not there: the first"
    );
}

fn values_per_cpu(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let map = kernel
        .map_create(&shape(MapType::PERCPU_ARRAY, 4, 4, 1))
        .expect("a per-CPU array");
    let size = 8 * kernel.possible_cpus() as usize;
    assert_eq!(kernel.map_lookup(&map, &key(0)), Ok(vec![0; size]));
    let mut value = vec![0; size];
    for (cpu, slot) in value.chunks_mut(8).enumerate() {
        slot[0] = cpu as u8 + 1;
    }
    assert_eq!(kernel.map_update(&map, &key(0), &value, UpdateFlags::ANY), Ok(()));
    assert_eq!(kernel.map_lookup(&map, &key(0)), Ok(value));
    assert_eq!(
        kernel.map_update(&map, &key(0), &[0; 4], UpdateFlags::ANY),
        Err(Errno::EINVAL)
    );
}

fn refused(ground: &Ground<'_>) {
    let flagged = |flags| MapCreate {
        flags,
        ..shape(MapType::ARRAY, 4, 8, 1)
    };
    let named = |name| MapCreate {
        name,
        ..shape(MapType::ARRAY, 4, 8, 1)
    };
    let cases = [
        ("no such type", shape(MapType(4000), 4, 4, 1), Errno::EINVAL),
        ("array without elements", shape(MapType::ARRAY, 4, 4, 0), Errno::EINVAL),
        ("array with a key of 8", shape(MapType::ARRAY, 8, 4, 1), Errno::EINVAL),
        ("array of nothing", shape(MapType::ARRAY, 4, 0, 1), Errno::EINVAL),
        ("array of giants", shape(MapType::ARRAY, 4, u32::MAX, 1), Errno::E2BIG),
        ("hash without elements", shape(MapType::HASH, 4, 4, 0), Errno::EINVAL),
        ("hash without key", shape(MapType::HASH, 0, 4, 1), Errno::EINVAL),
        ("hash of nothing", shape(MapType::HASH, 4, 0, 1), Errno::EINVAL),
        (
            "unknown flag",
            flagged(MapFlags::from_bits_retain(1 << 25)),
            Errno::EINVAL,
        ),
        (
            "array without preallocation",
            flagged(MapFlags::NO_PREALLOC),
            Errno::EINVAL,
        ),
        ("array with a link", flagged(MapFlags::LINK), Errno::EINVAL),
        (
            "neither read nor written by programs",
            flagged(MapFlags::RDONLY_PROG | MapFlags::WRONLY_PROG),
            Errno::EINVAL,
        ),
        ("name with a space", named("a b"), Errno::EINVAL),
        ("name of 16 bytes", named("sixteen_bytes_xx"), Errno::EINVAL),
        (
            "storage without types",
            shape(MapType::SK_STORAGE, 4, 4, 0),
            Errno::EINVAL,
        ),
    ];
    for (case, args, errno) in cases {
        assert_eq!(ground.kernel.map_create(&args).unwrap_err(), errno, "{case}");
    }
    ground.kernel.map_create(&named("dots.and_1")).expect("a good name");
}

fn information(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let map = kernel
        .map_create(&MapCreate {
            name: "oswt_info",
            flags: MapFlags::RDONLY_PROG,
            ..shape(MapType::ARRAY, 4, 24, 3)
        })
        .unwrap();
    let info = kernel.map_info(&map).unwrap();
    assert_eq!(
        (info.map_type, info.key_size, info.value_size, info.max_entries),
        (MapType::ARRAY, 4, 24, 3)
    );
    assert_eq!(
        (info.name.as_str(), info.flags, info.btf_id, info.btf_vmlinux_id),
        ("oswt_info", MapFlags::RDONLY_PROG, 0, 0)
    );
    assert_ne!(info.id, 0);
    let again = map.duplicate().unwrap();
    drop(map);
    assert_eq!(kernel.map_info(&again).unwrap().id, info.id);
}

fn frozen(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let map = map(ground, MapType::ARRAY, 1);
    assert_eq!(kernel.map_freeze(&map), Ok(()));
    assert_eq!(
        kernel.map_freeze(&map),
        Err(Errno::EPERM),
        "user space may not write any more"
    );
    assert_eq!(
        kernel.map_update(&map, &key(0), &[0; 8], UpdateFlags::ANY),
        Err(Errno::EPERM)
    );
    assert_eq!(kernel.map_lookup(&map, &key(0)), Ok(vec![0; 8]));
}

fn program_flags(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let map = kernel
        .map_create(&MapCreate {
            flags: MapFlags::RDONLY_PROG,
            ..shape(MapType::ARRAY, 4, 8, 1)
        })
        .unwrap();
    let store = format!("r1 = map_value({}, 0) ll\n*(u64 *)(r1 +0) = 1\nr0 = 0\nexit", map.raw());
    let load = format!("r1 = map_value({}, 0) ll\nr0 = *(u32 *)(r1 +0)\nexit", map.raw());
    assert_eq!(kernel.map_update(&map, &key(0), &[1; 8], UpdateFlags::ANY), Ok(()));
    assert!(ground.ops.program("ssthresh", &load).is_ok());
    let error = ground.ops.program("ssthresh", &store).unwrap_err();
    assert_eq!(error.errno, Errno::EACCES, "{}", error.log);
}
