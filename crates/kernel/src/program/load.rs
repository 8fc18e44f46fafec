//! `BPF_PROG_LOAD` (`bpf_prog_load` in `kernel/bpf/syscall.c`, `bpf_check` and `check_struct_ops_btf_id` in `kernel/bpf/verifier.c`, Linux 6.12).

use crate::btf_object::BtfObject;
use crate::env::Env;
use crate::kernel::Kernel;
use crate::map::{Map, check_name};
use crate::program::debug::Debug;
use crate::program::environment::World;
use crate::program::linker::Link;
use crate::program::refusal::{self, Policy};
use crate::program::{About, Attach, Program, Runs, socket_filter};
use crate::struct_ops::{MemberKind, ProgFacts};
use bpf::{Errno, MapType, ProgFlags, ProgLoad, ProgLoadError, ProgType};
use btf::TypeId;
use isa::{Imm64, Insn, RawInsn};
use std::sync::Arc;
use verifier::{Failure, Keeping, MapRef, Options, Reason, Rejection, Verified};

/// Loads a program; with it comes a log of the given level (0 for none).
pub(crate) fn load(
    kernel: &Kernel,
    args: &ProgLoad<'_>,
    types: Option<Arc<BtfObject>>,
    level: u32,
) -> Result<(Arc<Program>, String), ProgLoadError> {
    check_arguments(args)?;
    let attach = match args.prog_type {
        ProgType::STRUCT_OPS => Some(attach(kernel, args)?),
        _ => None,
    };
    let isa::Loose { insns, odd } =
        isa::decode_loosely(args.insns).map_err(|error| refusal::rejected(&Rejection::from_decode(error)))?;
    let debug = Debug::new(args, types.as_deref(), &insns)?;
    let maps = named_maps(kernel, args, &insns)?;
    let context = match &attach {
        Some(attach) => World::struct_ops(kernel, attach, &maps),
        None => World::plain(kernel, socket_filter::context(), &maps, is_gpl_compatible(args.license)),
    };
    let program = verifier::Program {
        insns: &insns,
        odd: &odd,
        debug: debug.as_program_debug(types.as_deref()),
    };
    let verified = verify(&program, &context, &maps, &options(args.flags))?;
    let code = Link {
        world: &context,
        maps: &maps,
    }
    .link(&verified)?;
    let log = refusal::log_of_success(&verified, level);
    let family = attach.as_ref().map(|attach| Arc::clone(&attach.desc.family));
    let about = about(kernel, args, &verified, types, debug, maps);
    let program = kernel.progs.add(|id| {
        Ok(Program {
            id,
            prog_type: args.prog_type,
            attach,
            code,
            env: Env::new(Arc::clone(&kernel.runtime), family, args.name),
            runs: Runs::default(),
            about,
        })
    })?;
    Ok((program, log))
}

/// Asks the verifier, and gives its refusals the kernel's form.
fn verify(
    program: &verifier::Program<'_>,
    context: &World<'_>,
    maps: &[(MapRef, Arc<Map>)],
    options: &Options,
) -> Result<Verified, ProgLoadError> {
    verifier::verify(program, context, options).map_err(|failure| match &failure {
        Failure::Rejected(rejection) => {
            let mut refusal = refusal::rejected(rejection);
            if matches!(rejection.reason, Reason::NoDirectValue { .. }) && has_many(rejection.insn, maps) {
                refusal.errno = Errno::ENOTSUPP;
            }
            refusal
        }
        Failure::Unsupported(unsupported) => {
            let source = unsupported.slot.and_then(|slot| program.source_line(slot as usize));
            refusal::unsupported(unsupported, source)
        }
        Failure::Internal(internal) => refusal::internal(internal.to_string()),
        Failure::Memory => refusal::no_memory_for_paths(),
    })
}

fn about(
    kernel: &Kernel,
    args: &ProgLoad<'_>,
    verified: &Verified,
    btf: Option<Arc<BtfObject>>,
    debug: Debug,
    maps: Vec<(MapRef, Arc<Map>)>,
) -> About {
    About {
        name: args.name.to_owned(),
        tag: tag(args.insns),
        load_time_ns: kernel.runtime.clock.now_ns(),
        gpl_compatible: is_gpl_compatible(args.license),
        verified_insns: u32::try_from(verified.stats().insns_processed).unwrap_or(u32::MAX),
        slots: args.insns.len() as u32,
        btf,
        debug,
        maps: maps.into_iter().map(|(_, map)| map).collect(),
    }
}

/// Slots of a program, at most (`BPF_COMPLEXITY_LIMIT_INSNS`).
const SLOTS_MAX: usize = 1_000_000;

const FLAGS: ProgFlags = ProgFlags::STRICT_ALIGNMENT
    .union(ProgFlags::ANY_ALIGNMENT)
    .union(ProgFlags::TEST_RND_HI32)
    .union(ProgFlags::TEST_STATE_FREQ)
    .union(ProgFlags::SLEEPABLE)
    // Linux looks at these two for XDP programs only, and takes them for others.
    .union(ProgFlags::XDP_HAS_FRAGS)
    .union(ProgFlags::XDP_DEV_BOUND_ONLY)
    .union(ProgFlags::TEST_REG_INVARIANTS);

/// What the flags ask of the verifier.
///
/// The other two look for bugs of Linux's own and change no verdict as long as there is none: `BPF_F_TEST_RND_HI32` fills upper halves that a JIT may
/// leave as they are (this interpreter clears them always), `BPF_F_TEST_REG_INVARIANTS` refuses a program at which Linux's ranges contradict
/// themselves.
fn options(flags: ProgFlags) -> Options {
    Options {
        keeping: match flags.contains(ProgFlags::TEST_STATE_FREQ) {
            true => Keeping::Everywhere,
            false => Keeping::default(),
        },
        // Whoever asks for both gets the weaker (`bpf_check`).
        strict_alignment: flags.contains(ProgFlags::STRICT_ALIGNMENT) && !flags.contains(ProgFlags::ANY_ALIGNMENT),
        ..Options::default()
    }
}

fn check_arguments(args: &ProgLoad<'_>) -> Result<(), ProgLoadError> {
    let bad = |errno| Err(refusal::bad_request(errno));
    if !FLAGS.contains(args.flags) {
        return bad(Errno::EINVAL);
    }
    if args.insns.is_empty() || args.insns.len() > SLOTS_MAX {
        return bad(Errno::E2BIG);
    }
    if args.prog_type == ProgType::UNSPEC || args.prog_type.name().is_none() {
        return bad(Errno::EINVAL);
    }
    if args.attach_btf_id != 0 && args.prog_type != ProgType::STRUCT_OPS {
        return bad(Errno::EINVAL);
    }
    if args.attach_prog.is_some() || args.attach_btf.is_some() {
        return bad(Errno::EINVAL);
    }
    // A socket filter runs where nothing may sleep (`can_be_sleepable`).
    if args.flags.contains(ProgFlags::SLEEPABLE) && args.prog_type == ProgType::SOCKET_FILTER {
        return bad(Errno::EINVAL);
    }
    check_name(args.name).map_err(refusal::bad_request)?;
    if !has_type(args.prog_type) {
        return Err(refusal::unsupported_type(args.prog_type));
    }
    Ok(())
}

/// Whether this kernel has programs of this type.
pub(crate) fn has_type(prog_type: ProgType) -> bool {
    [ProgType::STRUCT_OPS, ProgType::SOCKET_FILTER].contains(&prog_type)
}

/// `license_is_gpl_compatible()`, `include/linux/license.h`.
fn is_gpl_compatible(license: &str) -> bool {
    [
        "GPL",
        "GPL v2",
        "GPL and additional rights",
        "Dual BSD/GPL",
        "Dual MIT/GPL",
        "Dual MPL/GPL",
    ]
    .contains(&license)
}

/// Which kind and member the program is for.
fn attach(kernel: &Kernel, args: &ProgLoad<'_>) -> Result<Attach, ProgLoadError> {
    if !is_gpl_compatible(args.license) {
        return Err(Policy::Licence.refusal());
    }
    let ty = TypeId(args.attach_btf_id);
    let desc = kernel.descs.iter().find(|desc| desc.ty == ty && !ty.is_void());
    let desc = desc.ok_or_else(|| Policy::NoKind { id: ty.0 }.refusal())?;
    let kind = desc.family.name();
    let index = args.expected_attach_type.0;
    let member = desc
        .members
        .get(index as usize)
        .ok_or_else(|| Policy::NoMember { kind, index }.refusal())?;
    let named = |policy: fn(&'static str, String) -> Policy| policy(kind, member.name.clone()).refusal();
    match member.kind {
        MemberKind::Function { stub: Some(_), .. } => {}
        MemberKind::Function { stub: None, .. } => {
            return Err(named(|kind, member| Policy::UnsupportedMember { kind, member }));
        }
        MemberKind::Owner | MemberKind::Data => {
            return Err(named(|kind, member| Policy::NoFunction { kind, member }));
        }
    }
    let facts = ProgFacts {
        sleepable: args.flags.contains(ProgFlags::SLEEPABLE),
    };
    desc.family.check_member(member, &facts).map_err(|errno| {
        let awake = ProgFacts { sleepable: false };
        let sleeps = facts.sleepable && desc.family.check_member(member, &awake).is_ok();
        let member = member.name.clone();
        match sleeps {
            true => Policy::MaySleep { kind, member, errno }.refusal(),
            false => Policy::CheckMember { kind, member, errno }.refusal(),
        }
    })?;
    Ok(Attach {
        desc: Arc::clone(desc),
        member: index,
    })
}

/// The maps that the program names, each reference once. Resolved here and only here: a descriptor may stand for something else
/// a moment later.
fn named_maps(kernel: &Kernel, args: &ProgLoad<'_>, insns: &[Insn]) -> Result<Vec<(MapRef, Arc<Map>)>, ProgLoadError> {
    let mut maps: Vec<(MapRef, Arc<Map>)> = Vec::new();
    for (slot, insn) in insns.iter().enumerate() {
        let reference = match insn {
            Insn::LoadImm64 { imm, .. } => map_ref(imm),
            _ => None,
        };
        let Some(reference) = reference else { continue };
        if maps.iter().any(|(known, _)| *known == reference) {
            continue;
        }
        let fd = match reference {
            MapRef::Fd(fd) => Some(fd),
            MapRef::Index(index) => args.fd_array.get(index as usize).copied(),
        };
        let map = fd.ok_or(Errno::EBADF).and_then(|fd| kernel.fds.map(fd));
        maps.push((reference, map.map_err(|errno| refusal::no_map(slot, errno))?));
    }
    Ok(maps)
}

/// Whether the instruction names an array of several elements; Linux has an error number of its own for the address of their values.
fn has_many(insn: Option<Insn>, maps: &[(MapRef, Arc<Map>)]) -> bool {
    let reference = match insn {
        Some(Insn::LoadImm64 { imm, .. }) => map_ref(&imm),
        _ => None,
    };
    let named = maps.iter().find(|(known, _)| Some(*known) == reference);
    named.is_some_and(|(_, map)| map.plan.map_type == MapType::ARRAY && map.plan.max_entries != 1)
}

/// The map that a 64-bit immediate names.
pub(super) fn map_ref(imm: &Imm64) -> Option<MapRef> {
    match *imm {
        Imm64::MapFd(fd) | Imm64::MapValue { fd, .. } => Some(MapRef::Fd(fd)),
        Imm64::MapIdx(index) | Imm64::MapIdxValue { idx: index, .. } => Some(MapRef::Index(index)),
        Imm64::Value(_) | Imm64::BtfId { .. } | Imm64::Func { .. } => None,
    }
}

/// A checksum of the instructions, map descriptors left out as Linux does (`bpf_prog_calc_tag`). It is FNV-1a, not Linux's SHA, so the
/// tags of the two kernels differ.
fn tag(insns: &[RawInsn]) -> [u8; 8] {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    const LOAD_IMM64: u8 = 0x18;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut after_map = false;
    for insn in insns {
        let mut plain = *insn;
        if after_map || (insn.code == LOAD_IMM64 && insn.src != 0) {
            plain.imm = 0;
        }
        after_map = !after_map && insn.code == LOAD_IMM64 && insn.src != 0;
        for byte in plain.to_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    hash.to_le_bytes()
}
