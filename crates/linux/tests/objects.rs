//! Maps, programs, ids, pins and types of the running kernel through [`linux::Linux`].

use bpf::{
    Bpf, Errno, Feature, IdKind, LoadVerdict, MapCreate, MapFlags, MapType, ObjectRef, PinEntryKind, Pinned, ProgLoad,
    ProgType, RawInsn, TestRun, UpdateFlags,
};
use linux::{Capabilities, Linux};
use testkit::linux_or_skip;

fn assemble(text: &str) -> Vec<RawInsn> {
    isa::encode(&isa::asm::assemble(text).unwrap()).unwrap()
}

fn array(linux: &Linux, name: &str) -> bpf::Fd<bpf::Map> {
    linux
        .map_create(&MapCreate {
            key_size: 4,
            value_size: 8,
            max_entries: 2,
            name,
            ..MapCreate::new(MapType::ARRAY)
        })
        .unwrap()
}

#[test]
fn maps_hold_values() {
    if !linux_or_skip("maps") {
        return;
    }
    let linux = Linux::new();
    let map = array(&linux, "oswt_array");
    let key = 1u32.to_ne_bytes();
    linux.map_update(&map, &key, &[7; 8], UpdateFlags::ANY).unwrap();
    assert_eq!(linux.map_lookup(&map, &key), Ok(vec![7; 8]));
    assert_eq!(linux.map_lookup(&map, &2u32.to_ne_bytes()), Err(Errno::ENOENT));
    assert_eq!(
        linux.map_lookup(&map, &[0; 8]),
        Err(Errno::EINVAL),
        "a key of wrong size"
    );
    assert_eq!(
        linux.map_update(&map, &key, &[7; 4], UpdateFlags::ANY),
        Err(Errno::EINVAL),
        "a value of wrong size"
    );
    assert_eq!(
        linux.map_update(&map, &key, &[7; 8], UpdateFlags::NOEXIST),
        Err(Errno::EEXIST)
    );
    assert_eq!(linux.map_delete(&map, &key), Err(Errno::EINVAL));
    assert_eq!(linux.map_next_key(&map, None), Ok(Some(vec![0, 0, 0, 0])));
    assert_eq!(linux.map_next_key(&map, Some(&key)), Ok(None));
    let info = linux.map_info(&map).unwrap();
    assert_eq!(
        (info.name.as_str(), info.map_type, info.value_size),
        ("oswt_array", MapType::ARRAY, 8)
    );
    linux.map_freeze(&map).unwrap();
    assert_eq!(
        linux.map_update(&map, &key, &[7; 8], UpdateFlags::ANY),
        Err(Errno::EPERM)
    );
}

#[test]
fn per_cpu_values_come_together() {
    if !linux_or_skip("per-CPU maps") {
        return;
    }
    let linux = Linux::new();
    let map = linux
        .map_create(&MapCreate {
            key_size: 4,
            value_size: 4,
            max_entries: 1,
            ..MapCreate::new(MapType::PERCPU_ARRAY)
        })
        .unwrap();
    let value = linux.map_lookup(&map, &[0; 4]).unwrap();
    assert_eq!(value.len(), 8 * linux.possible_cpus() as usize);
}

#[test]
fn programs_load_run_and_are_described() {
    if !linux_or_skip("programs") {
        return;
    }
    let linux = Linux::new();
    let map = array(&linux, "oswt_used");
    let insns = [
        RawInsn {
            code: 0x18,
            dst: 1,
            src: 1,
            off: 0,
            imm: map.raw(),
        },
        RawInsn::default(),
    ]
    .into_iter()
    .chain(assemble("r0 = 42\nexit"))
    .collect::<Vec<_>>();
    let prog = linux
        .prog_load(&ProgLoad {
            name: "oswt_prog",
            ..ProgLoad::new(ProgType::SOCKET_FILTER, &insns)
        })
        .unwrap();
    let info = linux.prog_info(&prog).unwrap();
    assert_eq!(
        (info.name.as_str(), info.prog_type),
        ("oswt_prog", ProgType::SOCKET_FILTER)
    );
    assert_eq!(info.map_ids, [linux.map_info(&map).unwrap().id]);
    assert!(info.gpl_compatible && info.verified_insns >= 3 && info.load_time_ns > 0);

    let stats = linux.enable_stats().unwrap();
    let run = linux
        .prog_test_run(
            &prog,
            &TestRun {
                data: &[0; 64],
                repeat: 10,
                ..TestRun::default()
            },
        )
        .unwrap();
    assert_eq!((run.retval, run.data.len()), (42, 64));
    assert!(linux.prog_info(&prog).unwrap().run_cnt >= 10);
    drop(stats);

    assert!(linux.ids(IdKind::Prog).unwrap().contains(&info.id));
    let again = linux.prog_by_id(info.id).unwrap();
    assert_eq!(linux.prog_info(&again).unwrap().id, info.id);
    drop((prog, again));
    assert_eq!(
        linux.prog_by_id(info.id).unwrap_err(),
        Errno::ENOENT,
        "the program ends with its last handle"
    );
}

#[test]
fn a_refused_program_comes_with_a_report() {
    if !linux_or_skip("the verifier's log") {
        return;
    }
    let linux = Linux::new();
    let error = linux
        .prog_load(&ProgLoad::new(
            ProgType::SOCKET_FILTER,
            &assemble("r0 = *(u64 *)(r3 +0)\nexit"),
        ))
        .unwrap_err();
    assert_eq!((error.errno, error.verdict), (Errno::EACCES, LoadVerdict::Rejected));
    let report = error.report.unwrap();
    assert_eq!(
        (report.code.as_ref(), report.insn),
        ("SO1101", Some(0)),
        "{}",
        error.log
    );
    assert_eq!(report.message, "R3 is read before it is written");
    assert_eq!(report.notes, ["the kernel says: R3 !read_ok"]);
    let name_too_long = ProgLoad {
        name: "sixteen_bytes_xx",
        ..ProgLoad::new(ProgType::SOCKET_FILTER, &[])
    };
    assert_eq!(
        linux.prog_load(&name_too_long).unwrap_err().verdict,
        LoadVerdict::BadRequest
    );
    let good = assemble("r0 = 0\nexit");
    let (_, log) = linux
        .prog_load_with_log(&ProgLoad::new(ProgType::SOCKET_FILTER, &good), 1)
        .unwrap();
    assert!(log.contains("processed 2 insns"), "{log}");
}

#[test]
fn a_report_names_the_field() {
    if !linux_or_skip("field names in reports") {
        return;
    }
    let linux = Linux::new();
    let ops = testkit::Ops::new(&linux);
    let tcp_sock = ops.btf.find("tcp_sock", btf::Kind::Struct).unwrap();
    let srtt = ops.btf.field(tcp_sock, "srtt_us").unwrap().byte_offset();
    let store = format!("r1 = *(u64 *)(r1 +0)\n*(u32 *)(r1 +{srtt}) = 1\nr0 = 0\nexit");
    let report = ops.program("cong_avoid", &store).unwrap_err().report.unwrap();
    assert_eq!(report.code, "SO1221");
    let message = format!("tcp_sock.srtt_us (4 bytes at offset {srtt}) is read-only for this program");
    assert_eq!(report.message, message);
}

/// The path to the error is longer than the buffer: the reason is at the end of the log, which is whole when asked for.
#[test]
fn a_long_log_is_read_at_its_end() {
    if !linux_or_skip("a long log") {
        return;
    }
    let linux = Linux::new();
    let mut text = "r0 = 0\n".to_owned();
    for _ in 0..4000 {
        text.push_str("r0 += 1\n");
    }
    text.push_str("r0 = *(u64 *)(r3 +0)\nexit");
    let insns = assemble(&text);
    let args = ProgLoad::new(ProgType::SOCKET_FILTER, &insns);
    let error = linux.prog_load(&args).unwrap_err();
    let report = error.report.unwrap();
    assert_eq!(
        (error.errno, report.insn, report.code.as_ref()),
        (Errno::EACCES, Some(4001), "SO1101")
    );
    assert!(!error.log.starts_with("0: "), "the end is enough here");
    let whole = linux.prog_load_with_log(&args, 1).unwrap_err();
    assert_eq!(whole.errno, Errno::EACCES);
    assert!(
        whole.log.starts_with("0: ") && whole.log.ends_with(&error.log),
        "{}",
        whole.log.len()
    );
}

/// `bpf_dummy_ops` is there to be run by hand: a state behind a pointer, and numbers.
#[test]
fn dummy_ops_run_by_hand() {
    if !linux_or_skip("a test run of an ops program") {
        return;
    }
    let linux = Linux::new();
    let btf = linux.kernel_btf().unwrap();
    let Some(id) = btf.find("bpf_dummy_ops", btf::Kind::Struct) else {
        eprintln!("this kernel has no bpf_dummy_ops");
        return;
    };
    let load = |member, text: &str| {
        let insns = assemble(text);
        let args = ProgLoad {
            attach_btf_id: id.0,
            expected_attach_type: bpf::AttachType(member),
            ..ProgLoad::new(ProgType::STRUCT_OPS, &insns)
        };
        linux
            .prog_load(&args)
            .unwrap_or_else(|error| panic!("{error}\n{}", error.log))
    };
    let null_or_add = load(
        0,
        "r1 = *(u64 *)(r1 +0)
         r0 = 77
         if r1 == 0 goto out
         r0 = *(u32 *)(r1 +0)
         *(u32 *)(r1 +0) = 5
         out: exit",
    );
    let run = |ops_state| {
        let args = TestRun {
            ctx: &[0xff; 8],
            ops_state,
            ..TestRun::default()
        };
        linux.prog_test_run(&null_or_add, &args).unwrap()
    };
    let (without, with) = (run(None), run(Some(9)));
    assert_eq!(
        (without.retval, without.ops_state),
        (77, None),
        "the caller's address is never used"
    );
    assert_eq!((with.retval, with.ops_state), (9, Some(5)));

    let numbers = load(1, "r0 = *(u64 *)(r1 +8)\nr2 = *(u64 *)(r1 +32)\nr0 += r2\nexit");
    let words = [0u64, 3, 0, 0, 39].map(u64::to_ne_bytes).concat();
    let args = TestRun {
        ctx: &words,
        ops_state: Some(0),
        ..TestRun::default()
    };
    assert_eq!(linux.prog_test_run(&numbers, &args).unwrap().retval, 42);
    let short = TestRun {
        ctx: &words[..16],
        ..args
    };
    assert_eq!(linux.prog_test_run(&numbers, &short), Err(Errno::EINVAL));
}

#[test]
fn pins_keep_objects() {
    if !linux_or_skip("pins") {
        return;
    }
    let linux = Linux::new();
    let root = mount("oswt_pins");
    let dir = root.join("a/b");
    linux.pin_dir_create(&dir).unwrap();
    linux.pin_dir_create(&dir).unwrap();
    let map = array(&linux, "oswt_pinned");
    let id = linux.map_info(&map).unwrap().id;
    linux.obj_pin(&dir.join("map"), ObjectRef::Map(&map)).unwrap();
    assert_eq!(
        linux.obj_pin(&dir.join("map"), ObjectRef::Map(&map)),
        Err(Errno::EEXIST)
    );
    assert_eq!(
        linux.obj_pin(&dir.join("no.dots"), ObjectRef::Map(&map)),
        Err(Errno::EPERM)
    );
    drop(map);
    linux.pin_rename(&dir.join("map"), &dir.join("renamed")).unwrap();
    let entries = linux.pin_list(&dir).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].name.as_str(), entries[0].kind),
        ("renamed", PinEntryKind::Pin)
    );
    let Pinned::Map(again) = linux.obj_get(&dir.join("renamed")).unwrap() else {
        panic!("a map was pinned");
    };
    assert_eq!(linux.map_info(&again).unwrap().id, id);
    drop(again);
    assert_eq!(linux.pin_dir_remove(&dir), Err(Errno::ENOTEMPTY));
    linux.pin_remove(&dir.join("renamed")).unwrap();
    assert_eq!(linux.map_by_id(id).unwrap_err(), Errno::ENOENT);
    assert_eq!(linux.obj_get(&dir.join("renamed")).unwrap_err(), Errno::ENOENT);
    linux.pin_dir_remove(&dir).unwrap();
    assert_eq!(
        linux.pin_dir_create(std::path::Path::new("/tmp/oswt_no_bpffs")),
        Err(Errno::EPERM)
    );
    unmount(&root);
}

/// A bpffs of its own, so that nothing of the machine's is touched.
fn mount(name: &str) -> std::path::PathBuf {
    let root = std::env::temp_dir().join(format!("{name}_{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    use linux::bpffs::{Mounting, ensure_mounted};
    assert_eq!(ensure_mounted(&root), Ok(Mounting::Mounted));
    assert_eq!(ensure_mounted(&root), Ok(Mounting::AlreadyMounted));
    assert!(linux::bpffs::mounts().unwrap().contains(&root.canonicalize().unwrap()));
    root
}

fn unmount(root: &std::path::Path) {
    assert!(
        std::process::Command::new("umount")
            .arg(root)
            .status()
            .unwrap()
            .success()
    );
    std::fs::remove_dir(root).unwrap();
}

#[test]
fn the_kernel_is_described() {
    if !linux_or_skip("types, settings, rights") {
        return;
    }
    let linux = Linux::new();
    let btf = linux.kernel_btf().unwrap();
    assert!(btf.find("tcp_congestion_ops", btf::Kind::Struct).is_some());
    linux.module_btfs().unwrap();
    assert!(linux.version() >= 5 << 16);
    if let Ok(hz) = linux.kconfig("CONFIG_HZ") {
        assert!(hz.unwrap().parse::<u32>().unwrap() >= 100);
        assert_eq!(linux.kconfig("CONFIG_OPSWAP_HAS_NONE"), Ok(None));
    }
    assert_eq!(linux.ksym_addresses("tcp_reno_ssthresh").len(), 1);
    assert!(linux.ksym_addresses("opswap_has_none").is_empty());
    assert_eq!(Capabilities::current().missing_for_struct_ops(), []);
}

#[test]
fn features_are_probed() {
    if !linux_or_skip("feature probes") {
        return;
    }
    let linux = Linux::new();
    const SETSOCKOPT: u32 = 49;
    let helper = |prog_type, helper| Feature::Helper { prog_type, helper };
    let ops_helper = |kind: &str, member: &str, helper| Feature::OpsHelper {
        kind: kind.to_owned(),
        member: member.to_owned(),
        helper,
    };
    let yes = [
        Feature::KernelBtf,
        Feature::ProgType(ProgType::SOCKET_FILTER),
        Feature::ProgType(ProgType::STRUCT_OPS),
        Feature::ProgType(ProgType::SYSCALL),
        Feature::MapType(MapType::STRUCT_OPS),
        Feature::MapType(MapType::SK_STORAGE),
        Feature::MapType(MapType::HASH),
        Feature::MapType(MapType::RINGBUF),
        helper(ProgType::SOCKET_FILTER, 1),
        helper(ProgType::SOCKET_FILTER, 5),
        ops_helper("tcp_congestion_ops", "init", 1),
        ops_helper("tcp_congestion_ops", "init", SETSOCKOPT),
        Feature::StructOpsKind("tcp_congestion_ops".to_owned()),
        Feature::StructOpsLink,
        Feature::StructOpsModule,
        Feature::ObjectName,
        Feature::GlobalData,
        Feature::MmapableArray,
        Feature::BtfFunc,
        Feature::BtfFuncGlobal,
        Feature::BtfDatasec,
        Feature::BtfFloat,
        Feature::BtfDeclTag,
        Feature::BtfTypeTag,
        Feature::BtfEnum64,
        Feature::RunStats,
    ];
    for feature in yes {
        assert_eq!(linux.probe(&feature), bpf::Answer::Yes, "{feature:?}");
    }
    let no = [
        Feature::ProgType(ProgType(4000)),
        Feature::MapType(MapType(500)),
        helper(ProgType::SOCKET_FILTER, 64),
        helper(ProgType::SOCKET_FILTER, 100_000),
        ops_helper("tcp_congestion_ops", "release", SETSOCKOPT),
        ops_helper("bpf_dummy_ops", "test_1", 1),
        Feature::StructOpsKind("no_such_ops".to_owned()),
        Feature::Kfunc("no_such_function".to_owned()),
    ];
    for feature in no {
        assert_eq!(linux.probe(&feature), bpf::Answer::No, "{feature:?}");
    }
    eprintln!(
        "tcp_slow_start: {:?}",
        linux.probe(&Feature::Kfunc("tcp_slow_start".to_owned()))
    );
    assert_eq!(
        MapFlags::from_bits_retain(1 << 30).bits(),
        1 << 30,
        "bits without a name are kept"
    );
}
