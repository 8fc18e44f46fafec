//! Loading programs and BTF, running a program once, statistics.
//!
//! The kernel writes its log only when asked to, and a log costs as much as the verification itself. So the first attempt has none; after
//! a refusal a second one asks for it. Since Linux 6.4 the end of a log that does not fit is kept, and the reason is there; older kernels keep the
//! beginning, and whoever asks for a log wants all of it: then the buffer grows until the log fits.

use crate::info::{self, decoded};
use crate::log::report_from_log;
use crate::syscall::{Extent, Pointer, bpf, close};
use bpf::attr::{BtfLoadAttr, Command, EnableStatsAttr, ProgLoadAttr, Raw, STATS_RUN_TIME, TestRunAttr, c_name};
use bpf::{
    BtfLoadError, Errno, Fd, LoadVerdict, Prog, ProgFlags, ProgLoad, ProgLoadError, ProgType, Report, TestRun,
    TestRunResult, codes,
};

/// First size of the log buffer, and the size past which we take the part that fits.
const LOG_FIRST: usize = 64 << 10;
const LOG_MOST: usize = 64 << 20;
/// Level of the log asked for after a refusal: the path to the error.
const LOG_OF_REFUSAL: u32 = 1;

pub(crate) fn load(args: &ProgLoad<'_>) -> Result<i32, ProgLoadError> {
    let attr = checked(args)?;
    let errno = match attempt(args, &attr, 0, &mut []).0 {
        Ok(fd) => return Ok(fd),
        Err(errno) => errno,
    };
    match with_log(args, &attr, LOG_OF_REFUSAL, Wanted::Reason) {
        // The first refusal was of the moment (memory, a signal).
        (Ok(fd), _) => Ok(fd),
        (Err(_), log) => {
            let mut failure = failure(errno, log);
            explain_sleep(args, &mut failure);
            Err(failure)
        }
    }
}

/// The kernel has one message for a member that no program may implement and for one that none may that sleeps (`check_member` of
/// `struct bpf_struct_ops`): asked again about the same program without sleep, it has another reason or none.
fn explain_sleep(args: &ProgLoad<'_>, failure: &mut ProgLoadError) {
    let unsupported = |report: &Report| report.code == codes::UNSUPPORTED_MEMBER;
    let Some(report) = failure.report.as_deref_mut().filter(|report| unsupported(report)) else {
        return;
    };
    if !args.flags.contains(ProgFlags::SLEEPABLE) {
        return;
    }
    let awake = ProgLoad {
        flags: args.flags.difference(ProgFlags::SLEEPABLE),
        ..*args
    };
    let refused = match load(&awake) {
        Ok(fd) => {
            close(fd);
            false
        }
        Err(other) => other.report.as_deref().is_some_and(unsupported),
    };
    if !refused {
        let member = report.message.trim_end_matches(" cannot be implemented by a program");
        report.code = codes::MAY_NOT_SLEEP.into();
        report.message = format!("programs for {member} may not sleep");
        report.help = Some(codes::MAY_NOT_SLEEP_HELP.to_owned());
    }
}

pub(crate) fn load_with_log(args: &ProgLoad<'_>, level: u32) -> Result<(i32, String), ProgLoadError> {
    let attr = checked(args)?;
    match with_log(args, &attr, level, Wanted::Everything) {
        (Ok(fd), log) => Ok((fd, log)),
        (Err(errno), log) => Err(failure(errno, log)),
    }
}

/// The arguments in the kernel's form.
///
/// The kernel is not told how long `fd_array` is (only since Linux 6.14 can it be, and then each entry must be a map or BTF): an index behind its end would
/// make it take whatever lies there in our memory for a descriptor.
fn checked(args: &ProgLoad<'_>) -> Result<ProgLoadAttr, ProgLoadError> {
    let mut indices = args.insns.iter().filter_map(|insn| insn.fd_index());
    if indices.any(|index| index as usize >= args.fd_array.len()) {
        return Err(failure(Errno::EBADF, String::new()));
    }
    ProgLoadAttr::try_from(args).map_err(|errno| failure(errno, String::new()))
}

/// What a log is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Its end is enough.
    Reason,
    /// The caller reads it.
    Everything,
}

/// Loads with a log buffer that is made larger while too little of the log fits.
fn with_log(args: &ProgLoad<'_>, attr: &ProgLoadAttr, level: u32, wanted: Wanted) -> (Result<i32, Errno>, String) {
    let mut size = LOG_FIRST;
    loop {
        let mut log = vec![0; size];
        let (result, true_size) = attempt(args, attr, level, &mut log);
        let log = c_name(&log);
        let keeps_end = true_size > size;
        if result == Err(Errno::ENOSPC) && keeps_end && wanted == Wanted::Reason {
            // The first line is the rest of one.
            let whole_lines = log.split_once('\n').map_or("", |(_, rest)| rest);
            return (result, whole_lines.to_owned());
        }
        if result != Err(Errno::ENOSPC) || size == LOG_MOST {
            return (result, log);
        }
        size = true_size.max(size * 4).min(LOG_MOST);
    }
}

/// One system call. The second value is how large the log would be (Linux 6.4 and later, else 0).
fn attempt(args: &ProgLoad<'_>, attr: &ProgLoadAttr, level: u32, log: &mut [u8]) -> (Result<i32, Errno>, usize) {
    let mut insns: Vec<u8> = args.insns.iter().flat_map(|insn| insn.to_bytes()).collect();
    let mut license = [args.license.as_bytes(), &[0]].concat();
    let mut func_info: Vec<u8> = args.func_info.iter().flat_map(|info| info.to_bytes()).collect();
    let mut line_info: Vec<u8> = args.line_info.iter().flat_map(|info| info.to_bytes()).collect();
    let mut fd_array: Vec<u8> = args.fd_array.iter().flat_map(|fd| fd.to_ne_bytes()).collect();
    let mut bytes = ProgLoadAttr {
        log_level: level,
        ..attr.clone()
    }
    .encode();
    let field = |offset, unit| Extent::Field { offset, unit };
    let mut pointers: Vec<Pointer<'_>> = Vec::new();
    let tables = [
        (8, insns.as_mut_slice(), field(4, 8)),
        (16, &mut license, Extent::CString),
        (32, log, field(28, 1)),
        (80, &mut func_info, field(88, 8)),
        (96, &mut line_info, field(104, 16)),
        (120, &mut fd_array, Extent::Implied),
    ];
    for (offset, memory, extent) in tables {
        if !memory.is_empty() {
            pointers.push(Pointer {
                within: None,
                offset,
                memory,
                extent,
            });
        }
    }
    let result = bpf(Command::ProgLoad, &mut bytes, &mut pointers);
    let true_size = Raw::decode(&bytes).map_or(0, |attr: ProgLoadAttr| attr.log_true_size as usize);
    (result, true_size)
}

fn failure(errno: Errno, log: String) -> ProgLoadError {
    let report = report_from_log(&log).map(Box::new);
    // A variable whose address the kernel does not know (without CONFIG_KALLSYMS_ALL it knows those of functions alone): it is no fault of the program.
    let lacks = report
        .as_deref()
        .is_some_and(|report| report.code == codes::NO_KERNEL_VARIABLE);
    ProgLoadError {
        errno,
        verdict: match lacks {
            true => LoadVerdict::Unsupported,
            false => verdict(errno, report.is_some()),
        },
        log,
        report,
    }
}

/// Whose fault it is. With a reason in the log the verifier has looked at the program; without one the numbers mean what they mean elsewhere.
fn verdict(errno: Errno, has_reason: bool) -> LoadVerdict {
    match errno {
        // Too many branches give EFAULT too (Linux 6.18), with a message in the log.
        Errno::EFAULT if !has_reason => LoadVerdict::Internal,
        Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE | Errno::EAGAIN | Errno::EINTR | Errno::ENOSPC => {
            LoadVerdict::Exhausted
        }
        _ if errno.is_unsupported() => LoadVerdict::Unsupported,
        _ if has_reason => LoadVerdict::Rejected,
        Errno::EPERM | Errno::EACCES => LoadVerdict::Denied,
        _ => LoadVerdict::BadRequest,
    }
}

pub(crate) fn btf_load(data: &[u8]) -> Result<i32, BtfLoadError> {
    let mut data = data.to_vec();
    let errno = match btf_attempt(&mut data, &mut []) {
        Ok(fd) => return Ok(fd),
        Err(errno) => errno,
    };
    let mut log = vec![0; LOG_FIRST];
    let second = btf_attempt(&mut data, &mut log);
    second.map_err(|second| {
        let log = c_name(&log);
        // A log that did not fit may end (before Linux 6.4) long before the type that is refused.
        let whole = if second == Errno::ENOSPC { "" } else { &log };
        let refusal = btf_refusal(&data, errno, whole).map(Box::new);
        BtfLoadError { errno, log, refusal }
    })
}

/// The rule that the kernel's log speaks of. The log has words for rules in the style of `[5] FUNC init type_id=4 Invalid arg#1` and tells ids,
/// not what is wrong; our check has the same rules and finds the same, so that its words are taken where it agrees with the kernel
/// about number and type.
fn btf_refusal(data: &[u8], errno: Errno, log: &str) -> Option<btf::check::Refusal> {
    // Only the few rules about pointers to the kernel's structures need to know them, and those have no words in the log.
    let refusal = btf::check::check(data, btf::check::KernelTypes::default()).err()?;
    let named = log.lines().rev().find_map(|line| {
        let (id, _) = line.strip_prefix('[')?.split_once(']')?;
        id.parse::<u32>().ok()
    });
    let same_type = match (&refusal.place, named) {
        (Some(place), Some(id)) if refusal.rule.is_logged_with_type() => place.id.0 == id,
        _ => true,
    };
    (Errno(refusal.errno()) == errno && same_type).then_some(refusal)
}

fn btf_attempt(data: &mut [u8], log: &mut [u8]) -> Result<i32, Errno> {
    let mut attr = BtfLoadAttr {
        btf_log_level: u32::from(!log.is_empty()),
        ..BtfLoadAttr::default()
    }
    .encode();
    let pointer = |offset, memory, length| Pointer {
        within: None,
        offset,
        memory,
        extent: Extent::Field {
            offset: length,
            unit: 1,
        },
    };
    bpf(
        Command::BtfLoad,
        &mut attr,
        &mut [pointer(0, data, 16), pointer(8, log, 20)],
    )
}

/// Room that a packet may grow by in a test run.
const DATA_GROWTH: usize = 256;

pub(crate) fn test_run(prog: &Fd<Prog>, args: &TestRun<'_>) -> Result<TestRunResult, Errno> {
    let prog_type = info::prog(prog)?.prog_type;
    let mut ctx = args.ctx.to_vec();
    let is_ops = prog_type == ProgType::STRUCT_OPS;
    if is_ops && ctx.len() < 8 {
        return Err(Errno::EINVAL);
    }
    if is_ops {
        // The first argument is an address: never one that the caller made up.
        ctx[..8].fill(0);
    }
    let mut state = args.ops_state.map_or([0; 4], u32::to_ne_bytes);
    let mut data = args.data.to_vec();
    let mut data_out = vec![0; if data.is_empty() { 0 } else { data.len() + DATA_GROWTH }];
    // These kinds of programs change the context in place.
    let in_place = is_ops || prog_type == ProgType::SYSCALL;
    let mut ctx_out = vec![0; if in_place { 0 } else { ctx.len() }];

    let mut attr = TestRunAttr {
        prog_fd: prog.raw() as u32,
        repeat: args.repeat,
        ..TestRunAttr::default()
    }
    .encode();
    let pointer = |within, offset, memory, extent| Pointer {
        within,
        offset,
        memory,
        extent,
    };
    let field = |offset| Extent::Field { offset, unit: 1 };
    let mut pointers = vec![
        pointer(None, 48, ctx.as_mut_slice(), field(40)),
        pointer(None, 16, &mut data, field(8)),
        pointer(None, 24, &mut data_out, field(12)),
        pointer(None, 56, &mut ctx_out, field(44)),
    ];
    if is_ops && args.ops_state.is_some() {
        pointers.push(pointer(Some(0), 0, &mut state, Extent::Implied));
    }
    bpf(Command::ProgTestRun, &mut attr, &mut pointers)?;

    let result: TestRunAttr = decoded(&attr)?;
    data_out.truncate(result.data_size_out as usize);
    if is_ops {
        ctx[..8].fill(0);
    }
    ctx_out.truncate(result.ctx_size_out as usize);
    Ok(TestRunResult {
        retval: result.retval,
        duration_ns: result.duration,
        data: data_out,
        ctx: if in_place { ctx } else { ctx_out },
        ops_state: args.ops_state.filter(|_| is_ops).map(|_| u32::from_ne_bytes(state)),
    })
}

pub(crate) fn enable_stats() -> Result<i32, Errno> {
    let attr = EnableStatsAttr { r#type: STATS_RUN_TIME };
    bpf(Command::EnableStats, &mut attr.encode(), &mut [])
}
