//! Feature probes: each asks the kernel in the smallest way that gives an answer, and leaves nothing behind.

use crate::Linux;
use ::btf::{Btf, Builder, Encoding, Enumerator, Kind, Linkage, Param, SecVar, TypeId};
use bpf::{
    Answer, AttachType, Bpf, BtfLoadError, Errno, Feature, KernelBtfError, MapCreate, MapFlags, MapType, ProgLoad,
    ProgLoadError, ProgType, RawInsn,
};

pub(crate) fn probe(linux: &Linux, feature: &Feature) -> Answer {
    match feature {
        Feature::KernelBtf => match linux.kernel_btf() {
            Ok(_) => Answer::Yes,
            Err(KernelBtfError::Unreadable(Errno::ENOENT)) => Answer::No,
            Err(error) => Answer::CannotTell(error.errno()),
        },
        Feature::ProgType(prog_type) => prog_type_answer(linux, *prog_type),
        Feature::MapType(map_type) => map_type_answer(linux, *map_type),
        Feature::Helper { prog_type, .. } if *prog_type == ProgType::STRUCT_OPS => Answer::CannotTell(Errno::EINVAL),
        Feature::Helper { prog_type, helper } => helper_answer(linux, *helper, &ProgLoad::new(*prog_type, &[])),
        Feature::OpsHelper { kind, member, helper } => with_btf(linux, |btf| match ops_member(btf, kind, member) {
            Some((id, member)) => helper_answer(linux, *helper, &of_member(id, member, &[])),
            None => Answer::No,
        }),
        Feature::Kfunc(name) => with_btf(linux, |btf| kfunc_answer(btf, name)),
        Feature::StructOpsKind(kind) => struct_ops_kind(linux, kind),
        Feature::StructOpsLink => with_btf(linux, |btf| struct_ops_link(linux, btf)),
        Feature::StructOpsModule => with_btf(linux, |btf| has_member(btf, "bpf_attr", "value_type_btf_obj_fd")),
        Feature::ObjectName => map_answer(
            linux,
            &MapCreate {
                name: "opswap_probe",
                ..small_array()
            },
        ),
        Feature::GlobalData => global_data(linux),
        Feature::MmapableArray => map_answer(
            linux,
            &MapCreate {
                flags: MapFlags::MMAPABLE,
                ..small_array()
            },
        ),
        Feature::BtfFunc => btf_answer(linux, |b| function(b, Linkage::Static)),
        Feature::BtfFuncGlobal => btf_answer(linux, |b| function(b, Linkage::Global)),
        Feature::BtfDatasec => btf_answer(linux, |b| {
            let int = b.int("int", 4, Encoding::SIGNED);
            let ty = b.var("x", int, Linkage::Static);
            b.datasec(".data", 4, &[SecVar { ty, offset: 0, size: 4 }]);
        }),
        Feature::BtfFloat => btf_answer(linux, |b| {
            b.float("double", 8);
        }),
        Feature::BtfDeclTag => btf_answer(linux, |b| {
            let int = b.int("int", 4, Encoding::SIGNED);
            let named = b.typedef("t", int);
            b.decl_tag("tag", named, None);
        }),
        Feature::BtfTypeTag => btf_answer(linux, |b| {
            let int = b.int("int", 4, Encoding::SIGNED);
            let tagged = b.type_tag("tag", int);
            b.ptr(tagged);
        }),
        Feature::BtfEnum64 => btf_answer(linux, |b| {
            b.enum_type("e", 8, false, &[Enumerator::new("large", 1 << 40)]);
        }),
        Feature::RunStats => answer(linux.enable_stats().map(drop)),
    }
}

fn answer(result: Result<(), Errno>) -> Answer {
    match result {
        Ok(()) => Answer::Yes,
        Err(errno @ (Errno::EPERM | Errno::EACCES | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE)) => {
            Answer::CannotTell(errno)
        }
        Err(_) => Answer::No,
    }
}

/// A question that the kernel's types answer.
fn with_btf(linux: &Linux, ask: impl FnOnce(&Btf) -> Answer) -> Answer {
    match linux.kernel_btf() {
        Ok(btf) => ask(&btf),
        Err(error) => Answer::CannotTell(error.errno()),
    }
}

fn small_array() -> MapCreate<'static> {
    MapCreate {
        key_size: 4,
        value_size: 4,
        max_entries: 1,
        ..MapCreate::new(MapType::ARRAY)
    }
}

fn map_answer(linux: &Linux, args: &MapCreate<'_>) -> Answer {
    answer(linux.map_create(args).map(drop))
}

fn map_type_answer(linux: &Linux, map_type: MapType) -> Answer {
    let shape = |key_size, value_size, max_entries, flags| MapCreate {
        key_size,
        value_size,
        max_entries,
        flags,
        ..MapCreate::new(map_type)
    };
    let none = MapFlags::empty();
    match map_type {
        MapType::STRUCT_OPS => with_btf(linux, |btf| {
            if ops_kinds(btf).next().is_some() {
                Answer::Yes
            } else {
                Answer::No
            }
        }),
        MapType::SK_STORAGE | MapType::INODE_STORAGE | MapType::TASK_STORAGE | MapType::CGRP_STORAGE => {
            let Ok(types) = int_btf(linux) else {
                return Answer::CannotTell(Errno::EPERM);
            };
            map_answer(
                linux,
                &MapCreate {
                    btf: Some(&types),
                    btf_key_type_id: 1,
                    btf_value_type_id: 1,
                    ..shape(4, 4, 0, MapFlags::NO_PREALLOC)
                },
            )
        }
        MapType::RINGBUF | MapType::USER_RINGBUF => map_answer(linux, &shape(0, 0, 4096, none)),
        MapType::QUEUE | MapType::STACK | MapType::BLOOM_FILTER => map_answer(linux, &shape(0, 4, 1, none)),
        MapType::LPM_TRIE => map_answer(linux, &shape(8, 8, 1, MapFlags::NO_PREALLOC)),
        MapType::STACK_TRACE => map_answer(linux, &shape(4, 8, 1, none)),
        MapType::HASH
        | MapType::ARRAY
        | MapType::PROG_ARRAY
        | MapType::PERF_EVENT_ARRAY
        | MapType::PERCPU_HASH
        | MapType::PERCPU_ARRAY
        | MapType::CGROUP_ARRAY
        | MapType::LRU_HASH
        | MapType::LRU_PERCPU_HASH
        | MapType::DEVMAP
        | MapType::SOCKMAP
        | MapType::CPUMAP
        | MapType::XSKMAP
        | MapType::SOCKHASH
        | MapType::REUSEPORT_SOCKARRAY
        | MapType::DEVMAP_HASH => map_answer(linux, &shape(4, 4, 1, none)),
        // Those that need another map, a page of address space, or a group to be made.
        _ => match linux.map_create(&shape(4, 4, 1, none)) {
            Ok(_) => Answer::Yes,
            Err(errno) => with_btf(linux, |btf| {
                if names_map_type(btf, map_type) {
                    Answer::CannotTell(errno)
                } else {
                    Answer::No
                }
            }),
        },
    }
}

/// Whether the kernel's own enumeration has this type.
fn names_map_type(btf: &Btf, map_type: MapType) -> bool {
    let id = btf.find("bpf_map_type", Kind::Enum);
    let types = id.and_then(|id| btf.type_by_id(id)?.enumeration());
    types.is_some_and(|types| {
        let mut named = types.enumerators().filter(|entry| !entry.name.starts_with("__"));
        named.any(|entry| entry.value == u64::from(map_type.0))
    })
}

fn int_btf(linux: &Linux) -> Result<bpf::Fd<bpf::BtfObject>, Errno> {
    let mut types = Builder::new();
    types.int("int", 4, Encoding::SIGNED);
    let types = types.build().map_err(|_| Errno::EINVAL)?;
    linux.btf_load(&types.to_bytes()).map_err(|error| error.errno)
}

/// `r0 = 0; exit`.
const RETURN_ZERO: [RawInsn; 2] = [insn(0xb7, 0, 0, 0), insn(0x95, 0, 0, 0)];

const fn insn(code: u8, dst: u8, src: u8, imm: i32) -> RawInsn {
    RawInsn {
        code,
        dst,
        src,
        off: 0,
        imm,
    }
}

fn prog_type_answer(linux: &Linux, prog_type: ProgType) -> Answer {
    match linux.prog_load(&any_member(linux, prog_type, &RETURN_ZERO)) {
        Ok(_) => Answer::Yes,
        // A log is written only by the verifier, which an unknown type never reaches.
        Err(error) if !error.log.trim().is_empty() => Answer::Yes,
        Err(error) if error.errno == Errno::EINVAL || error.errno.is_unsupported() => Answer::No,
        Err(error) => Answer::CannotTell(error.errno),
    }
}

/// A struct_ops program needs to be of some member; the first function of the first kind will do.
fn any_member<'a>(linux: &Linux, prog_type: ProgType, insns: &'a [RawInsn]) -> ProgLoad<'a> {
    let member = || {
        let btf = linux.kernel_btf().ok()?;
        ops_kinds(&btf).find_map(|(_, id)| Some((id, first_function(&btf, id)?)))
    };
    match (prog_type, member()) {
        (ProgType::STRUCT_OPS, Some((id, member))) => of_member(id, member, insns),
        _ => ProgLoad::new(prog_type, insns),
    }
}

fn of_member(ops: TypeId, member: u32, insns: &[RawInsn]) -> ProgLoad<'_> {
    ProgLoad {
        attach_btf_id: ops.0,
        expected_attach_type: AttachType(member),
        ..ProgLoad::new(ProgType::STRUCT_OPS, insns)
    }
}

fn ops_member(btf: &Btf, kind: &str, member: &str) -> Option<(TypeId, u32)> {
    let id = btf.find(kind, Kind::Struct)?;
    let (index, _) = btf.type_by_id(id)?.composite()?.member_named(member)?;
    Some((id, u32::try_from(index).ok()?))
}

fn first_function(btf: &Btf, ops: TypeId) -> Option<u32> {
    let ops = btf.type_by_id(ops)?.composite()?;
    let is_function = |ty| {
        let pointee = btf.pointee(ty).ok().flatten();
        pointee.is_some_and(|pointee| btf.kind_of(pointee.id) == Some(Kind::FuncProto))
    };
    let index = ops.members().position(|member| is_function(member.ty))?;
    u32::try_from(index).ok()
}

/// Each `bpf_struct_ops_<kind>` whose `<kind>` is there too.
fn ops_kinds(btf: &Btf) -> impl Iterator<Item = (&str, TypeId)> {
    btf.types().filter_map(|ty| {
        let kind = ty.name.strip_prefix("bpf_struct_ops_")?;
        Some((kind, btf.find(kind, Kind::Struct)?))
    })
}

fn helper_answer(linux: &Linux, helper: u32, of: &ProgLoad<'_>) -> Answer {
    let Ok(number) = i32::try_from(helper) else {
        return Answer::No;
    };
    if helper == 0 {
        return Answer::No;
    }
    let insns = [insn(0x85, 0, 0, number), RETURN_ZERO[0], RETURN_ZERO[1]];
    let Err(refused) = linux.prog_load(&ProgLoad { insns: &insns, ..*of }) else {
        return Answer::Yes;
    };
    let unknown = [
        "invalid func ",
        "unknown func ",
        "program of this type cannot use helper ",
    ];
    if unknown.iter().any(|text| refused.log.contains(text)) {
        Answer::No
    } else if refused.log.contains("!read_ok") || refused.log.contains(" type=") {
        // It was looked up, and only our arguments are wrong.
        Answer::Yes
    } else {
        Answer::CannotTell(refused.errno)
    }
}

/// Functions for programs carry a tag where the kernel was built with a recent pahole; without any tag a name alone proves nothing.
fn kfunc_answer(btf: &Btf, name: &str) -> Answer {
    let Some(id) = btf.find(name, Kind::Func) else {
        return Answer::No;
    };
    let is_kfunc = |id| btf.decl_tags(id).any(|(text, _)| text == "bpf_kfunc");
    if is_kfunc(id) {
        return Answer::Yes;
    }
    let tags_exist = btf.find("bpf_kfunc", Kind::DeclTag).is_some();
    if tags_exist {
        Answer::No
    } else {
        Answer::CannotTell(Errno::ENOENT)
    }
}

fn struct_ops_kind(linux: &Linux, kind: &str) -> Answer {
    let value_type = format!("bpf_struct_ops_{kind}");
    with_btf(linux, |btf| {
        if btf.find(&value_type, Kind::Struct).is_some() {
            return Answer::Yes;
        }
        match linux.module_btfs() {
            Ok(modules)
                if modules
                    .iter()
                    .any(|module| module.btf.find(&value_type, Kind::Struct).is_some()) =>
            {
                Answer::Yes
            }
            Ok(_) => Answer::No,
            Err(errno) => Answer::CannotTell(errno),
        }
    })
}

/// Makes an ops map with `BPF_F_LINK` and drops it without ever giving it a value.
fn struct_ops_link(linux: &Linux, btf: &Btf) -> Answer {
    let first = ops_kinds(btf).next();
    let value = first.and_then(|(kind, _)| btf.find(&format!("bpf_struct_ops_{kind}"), Kind::Struct));
    let Some((value, size)) = value.and_then(|id| Some((id, btf.size_of(id).ok()?))) else {
        return Answer::No;
    };
    let Ok(types) = int_btf(linux) else {
        return Answer::CannotTell(Errno::EPERM);
    };
    map_answer(
        linux,
        &MapCreate {
            key_size: 4,
            value_size: size,
            max_entries: 1,
            flags: MapFlags::LINK,
            btf: Some(&types),
            btf_vmlinux_value_type_id: value.0,
            ..MapCreate::new(MapType::STRUCT_OPS)
        },
    )
}

fn has_member(btf: &Btf, composite: &str, member: &str) -> Answer {
    let id = btf
        .find(composite, Kind::Union)
        .or_else(|| btf.find(composite, Kind::Struct));
    match id {
        Some(id) if btf.field(id, member).is_ok() => Answer::Yes,
        Some(_) => Answer::No,
        None => Answer::CannotTell(Errno::ENOENT),
    }
}

/// `r1 = &array[0]; r0 = 0; exit`.
fn global_data(linux: &Linux) -> Answer {
    let array = match linux.map_create(&small_array()) {
        Ok(array) => array,
        Err(errno) => return Answer::CannotTell(errno),
    };
    let insns = [
        insn(0x18, 1, 2, array.raw()),
        insn(0, 0, 0, 0),
        RETURN_ZERO[0],
        RETURN_ZERO[1],
    ];
    let result = linux.prog_load(&ProgLoad::new(ProgType::SOCKET_FILTER, &insns));
    answer(result.map(drop).map_err(|error: ProgLoadError| error.errno))
}

fn function(b: &mut Builder, linkage: Linkage) {
    let int = b.int("int", 4, Encoding::SIGNED);
    let proto = b.func_proto(int, &[Param { name: "x", ty: int }], false);
    b.func("f", proto, linkage);
}

fn btf_answer(linux: &Linux, add: impl FnOnce(&mut Builder)) -> Answer {
    let mut builder = Builder::new();
    add(&mut builder);
    let Ok(types) = builder.build() else {
        return Answer::CannotTell(Errno::EINVAL);
    };
    let result = linux.btf_load(&types.to_bytes());
    answer(result.map(drop).map_err(|error: BtfLoadError| error.errno))
}
