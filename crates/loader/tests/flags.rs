//! Flags of maps and programs: the embedded kernel takes and refuses what Linux does, with its error number; a flag that is taken has the
//! effect that it has on Linux.

use bpf::{Bpf, Errno, MapCreate, MapFlags, MapType, ProgFlags, ProgLoad, ProgType};
use btf::{Builder, Encoding};
use isa::RawInsn;
use testkit::{assemble, linux_or_skip};

fn kernels() -> [Box<dyn Bpf>; 2] {
    [
        Box::new(linux::Linux::new()),
        Box::new(kernel::Kernel::builder().build().unwrap()),
    ]
}

#[test]
fn flags_of_maps() {
    if !linux_or_skip("flags of maps, as Linux sees them") {
        return;
    }
    let kernels = kernels();
    let mut types = Builder::new();
    let int = types.int("int", 4, Encoding::SIGNED);
    let types = types.build().unwrap().to_bytes();
    let types: Vec<_> = kernels.iter().map(|kernel| kernel.btf_load(&types).unwrap()).collect();
    let mut wrong = Vec::new();
    for map_type in [
        MapType::ARRAY,
        MapType::PERCPU_ARRAY,
        MapType::HASH,
        MapType::PERCPU_HASH,
        MapType::SK_STORAGE,
    ] {
        let is_storage = map_type == MapType::SK_STORAGE;
        let needed = if is_storage {
            MapFlags::NO_PREALLOC
        } else {
            MapFlags::empty()
        };
        let bits = (0..32).map(|bit| MapFlags::from_bits_retain(1 << bit));
        let pairs = [
            MapFlags::RDONLY | MapFlags::WRONLY,
            MapFlags::RDONLY_PROG | MapFlags::WRONLY_PROG,
            MapFlags::RDONLY | MapFlags::WRONLY_PROG,
            MapFlags::NO_PREALLOC | MapFlags::NUMA_NODE,
            MapFlags::MMAPABLE | MapFlags::RDONLY_PROG,
        ];
        for flags in bits.chain(pairs).chain([MapFlags::empty()]) {
            let numbers = [0, 1].map(|at| {
                let args = MapCreate {
                    key_size: 4,
                    value_size: 4,
                    max_entries: u32::from(!is_storage),
                    flags: flags | needed,
                    btf: Some(&types[at]),
                    btf_key_type_id: int.0,
                    btf_value_type_id: int.0,
                    ..MapCreate::new(map_type)
                };
                kernels[at].map_create(&args).err().map_or(0, |errno| errno.0)
            });
            if numbers[0] != numbers[1] {
                wrong.push(format!(
                    "{map_type} with {flags:?}: Linux {}, embedded {}",
                    numbers[0], numbers[1]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Programs that a flag makes a difference to, or none: the first two load four bytes of a map's value, at an offset that fits and one that does not.
fn programs(map: i32) -> Vec<(&'static str, Vec<RawInsn>)> {
    let load = |offset: i32| {
        assemble(&format!(
            "*(u32 *)(r10 - 4) = 0
            r2 = r10
            r2 += -4
            r1 = map_fd({map}) ll
            call 1
            if r0 == 0 goto +1
            r0 = *(u32 *)(r0 + {offset})
            r0 = 0
            exit"
        ))
    };
    vec![
        ("aligned", load(4)),
        ("unaligned", load(2)),
        ("number", assemble("r0 = 1\nexit")),
        (
            "branches",
            assemble("r0 = *(u32 *)(r1 + 0)\nif w0 > 7 goto +2\nw0 += 5\nif r0 s> 9 goto -3\nexit"),
        ),
    ]
}

#[test]
fn flags_of_programs() {
    if !linux_or_skip("flags of programs, as Linux sees them") {
        return;
    }
    let kernels = kernels();
    let map = MapCreate {
        key_size: 4,
        value_size: 16,
        max_entries: 1,
        ..MapCreate::new(MapType::ARRAY)
    };
    let maps: Vec<_> = kernels.iter().map(|kernel| kernel.map_create(&map).unwrap()).collect();
    let bits = (0..32).map(|bit| ProgFlags::from_bits_retain(1 << bit));
    let pairs = [
        ProgFlags::empty(),
        ProgFlags::STRICT_ALIGNMENT | ProgFlags::ANY_ALIGNMENT,
        ProgFlags::STRICT_ALIGNMENT | ProgFlags::TEST_STATE_FREQ,
    ];
    let mut wrong = Vec::new();
    let mut strict = 0;
    for flags in bits.chain(pairs) {
        let [for_linux, for_embedded] = [0, 1].map(|at| programs(maps[at].raw()));
        for ((name, linux_insns), (_, insns)) in for_linux.iter().zip(&for_embedded) {
            let numbers = [(0, linux_insns), (1, insns)].map(|(at, insns): (usize, &Vec<RawInsn>)| {
                let args = ProgLoad {
                    flags,
                    ..ProgLoad::new(ProgType::SOCKET_FILTER, insns)
                };
                kernels[at].prog_load(&args).err().map_or(0, |error| error.errno.0)
            });
            strict += usize::from(flags == ProgFlags::STRICT_ALIGNMENT && numbers == [13, 13]);
            if numbers[0] != numbers[1] {
                wrong.push(format!(
                    "{name} with {flags:?}: Linux {}, embedded {}",
                    numbers[0], numbers[1]
                ));
            }
        }
    }
    assert_eq!(strict, 1, "one program is refused for its alignment");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// A checkpoint at every instruction is seen in the statistics.
#[test]
fn states_are_kept_as_often_as_the_flag_says() {
    let kernel = kernel::Kernel::builder().build().unwrap();
    let insns = assemble("r0 = *(u32 *)(r1 + 0)\nif r0 > 1 goto +0\nr0 += 1\nif r0 > 2 goto +0\nr0 += 1\nexit");
    let states = |flags| {
        let args = ProgLoad {
            flags,
            ..ProgLoad::new(ProgType::SOCKET_FILTER, &insns)
        };
        let (_, log) = kernel.prog_load_with_log(&args, 4).unwrap();
        let (_, rest) = log.split_once("insns, ").unwrap_or_else(|| panic!("{log}"));
        rest.split_whitespace().next().unwrap().parse::<u32>().unwrap()
    };
    let (few, many) = (states(ProgFlags::empty()), states(ProgFlags::TEST_STATE_FREQ));
    assert!(many > few, "{many} states with the flag, {few} without");
}

/// The kernel is not told how long the array of descriptors is: an index behind its end is refused before it is asked.
#[test]
fn indices_of_descriptors_are_inside() {
    if !linux_or_skip("indices of descriptors, as Linux sees them") {
        return;
    }
    for kernel in kernels() {
        let map = MapCreate {
            key_size: 4,
            value_size: 16,
            max_entries: 1,
            ..MapCreate::new(MapType::ARRAY)
        };
        let map = kernel.map_create(&map).unwrap();
        let descriptors = [map.raw(); 8];
        for form in ["map_idx(2)", "map_idx_value(2, 0)"] {
            let insns = assemble(&format!("r1 = {form} ll\nr0 = 0\nexit"));
            for length in 0..descriptors.len() {
                // What lies behind the slice is a map too, so that only a look at the length can tell.
                let args = ProgLoad {
                    fd_array: &descriptors[..length],
                    ..ProgLoad::new(ProgType::SOCKET_FILTER, &insns)
                };
                let found = kernel.prog_load(&args).err().map(|error| error.errno);
                let expected = (length < 3).then_some(Errno::EBADF);
                assert_eq!(
                    found,
                    expected,
                    "{} kernel, {form}, {length} descriptors",
                    kernel.name()
                );
            }
        }
    }
}
