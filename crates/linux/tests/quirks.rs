//! What Linux 6.18 does that is not asked of other kernels (`docs/linux-notes.md`). When one of these fails on a newer kernel, Linux has changed: see
//! whether the notes and what is built on them still hold.

use bpf::{AttachType, Bpf, Errno, MapCreate, MapFlags, MapType, OpsState, ProgLoad, ProgType, RawInsn};
use btf::{Btf, Kind};
use linux::Linux;
use testkit::{NetPair, Ops, Side, Transfer, assemble, eventually, linux_or_skip, tool_or_skip, unique_name};

/// The update says yes, and the map stays without a value.
#[test]
fn an_owner_is_taken_and_forgotten() {
    if !linux_or_skip("a value with an owner") {
        return;
    }
    let linux = Linux::new();
    let ops = Ops::new(&linux);
    let progs = ops.required();
    let mut value = ops.value(&unique_name("oswt_"), &progs);
    value[ops.offset("owner")] = 1;
    for link in [false, true] {
        let map = ops.map(link);
        assert_eq!(ops.give(&map, &value), Ok(()));
        assert_eq!(ops.look(&map).unwrap().state, OpsState::Init);
    }
}

/// A function of the kernel by its BTF id.
fn call_kfunc(btf: &Btf, name: &str) -> Option<RawInsn> {
    let id = btf.find(name, Kind::Func)?;
    Some(RawInsn {
        code: 0x85,
        src: 2,
        imm: i32::try_from(id.0).ok()?,
        ..RawInsn::default()
    })
}

/// A reference in R0 at the end counts as given back to the kernel, also where the member returns a number or nothing.
#[test]
fn a_reference_left_in_r0_is_not_missed() {
    if !linux_or_skip("references at the end of a callback") {
        return;
    }
    let linux = Linux::new();
    let ops = Ops::new(&linux);
    let Some(acquire) = call_kfunc(&ops.btf, "bpf_task_from_pid") else {
        eprintln!("this kernel has no bpf_task_from_pid");
        return;
    };
    let load = |member: &str, after: &str| {
        let insns = [assemble("r1 = 1"), vec![acquire], assemble(after)].concat();
        linux.prog_load(&ops.load_args(member, &insns)).map(drop)
    };
    assert_eq!(load("cong_avoid", "exit"), Ok(()));
    assert_eq!(load("ssthresh", "exit"), Ok(()));
    let overwritten = load("cong_avoid", "r0 = 0\nexit").unwrap_err();
    assert_eq!(overwritten.report.unwrap().code, "SO1401", "{}", overwritten.log);
}

#[test]
fn built_in_names_are_taken() {
    if !linux_or_skip("names of built-in algorithms") {
        return;
    }
    let linux = Linux::new();
    let ops = Ops::new(&linux);
    let table = ops.table("reno", true).unwrap();
    assert_eq!(linux.link_create_struct_ops(&table.map).unwrap_err(), Errno::EEXIST);
    assert_eq!(ops.table("reno", false).err(), Some(Errno::EEXIST));
}

/// The kind that exists for tests of the kernel itself has no registration.
#[test]
fn dummy_ops_cannot_be_registered() {
    if !linux_or_skip("bpf_dummy_ops") {
        return;
    }
    let linux = Linux::new();
    let btf = linux.kernel_btf().unwrap();
    let value = btf.find("bpf_struct_ops_bpf_dummy_ops", Kind::Struct);
    let ops = btf.find("bpf_dummy_ops", Kind::Struct);
    let (Some(value), Some(ops)) = (value, ops) else {
        eprintln!("this kernel has no bpf_dummy_ops");
        return;
    };
    let insns = assemble("r0 = 0\nexit");
    let prog = linux
        .prog_load(&ProgLoad {
            attach_btf_id: ops.0,
            expected_attach_type: AttachType(0),
            ..ProgLoad::new(ProgType::STRUCT_OPS, &insns)
        })
        .unwrap();
    let mut types = btf::Builder::new();
    types.int("int", 4, btf::Encoding::SIGNED);
    let types = linux.btf_load(&types.build().unwrap().to_bytes()).unwrap();
    let size = btf.size_of(value).unwrap();
    let data = btf.field(value, "data").unwrap().byte_offset() as usize;
    let mut bytes = vec![0; size as usize];
    bytes[data..data + 4].copy_from_slice(&prog.raw().to_le_bytes());
    let give = |flags| {
        let args = MapCreate {
            key_size: 4,
            value_size: size,
            max_entries: 1,
            flags,
            btf: Some(&types),
            btf_vmlinux_value_type_id: value.0,
            ..MapCreate::new(MapType::STRUCT_OPS)
        };
        let map = linux.map_create(&args).unwrap();
        let given = linux.map_update(&map, &[0; 4], &bytes, bpf::UpdateFlags::ANY);
        (given, linux.link_create_struct_ops(&map).map(drop))
    };
    let (refused, invalid) = (Err(Errno::EOPNOTSUPP), Err(Errno::EINVAL));
    assert_eq!(give(MapFlags::empty()), (refused, invalid));
    assert_eq!(give(MapFlags::LINK), (refused, invalid));
}

/// `TCP_CONG_NON_RESTRICTED`. Without it the sysctl below would be refused and leak a reference: see the notes.
const NON_RESTRICTED: u8 = 1;

/// A namespace's default holds the table like a socket, and gives it to new sockets even after it was unregistered.
#[test]
fn a_namespace_default_outlives_the_registration() {
    if !linux_or_skip("a namespace's default") || !tool_or_skip("ip", "network namespaces") {
        return;
    }
    let linux = Linux::new();
    let ops = Ops::new(&linux);
    let net = NetPair::new();
    let name = unique_name("oswt_");
    let progs = ops.required();
    let mut value = ops.value(&name, &progs);
    value[ops.offset("flags")] = NON_RESTRICTED;
    let map = ops.map(true);
    ops.give(&map, &value).unwrap();
    let link = linux.link_create_struct_ops(&map).unwrap();
    let holders = || ops.look(&map).unwrap().refcnt;
    assert_eq!(holders(), 1);

    // The file belongs to the namespace of the thread that opens it.
    net.inside(Side::Client, || {
        std::fs::write("/proc/sys/net/ipv4/tcp_congestion_control", &name).unwrap();
    });
    assert_eq!(holders(), 2, "the link and the namespace");
    linux.link_detach(&link).unwrap();
    assert_eq!(holders(), 1, "the namespace");
    let transfer = Transfer::start(&net, None).unwrap();
    assert_eq!(transfer.congestion_control().unwrap(), name);
    transfer.wait_for_more(1 << 16);
    assert_eq!(holders(), 2, "the namespace and its new socket");
    transfer.finish().unwrap();
    drop(net);
    eventually("the namespace's release", || holders() == 0);
}
