//! A verifier's or loader's refusal as the kernel's answer: error number, verdict, log and report, all made here.
//!
//! Error numbers are Linux's for the same fault (`kernel/bpf/verifier.c`, 6.12; where 6.18 was measured it agrees).

use crate::program::debug::Place;
use bpf::{Category, Errno, LoadVerdict, MapMemory, ProgLoadError, ProgType, Report, SourceLine, codes};
use isa::Insn;
use std::borrow::Cow;
use verifier::{Code, Failure, Feature, Reason, Rejection, Unsupported, ValueKind, Verified};

/// Rules about where a program may be attached; the verifier knows nothing of them.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Policy {
    #[error("programs of ops structures must have a licence that is compatible with the GPL")]
    Licence,
    #[error("type {id} is not an operations structure that programs can implement")]
    NoKind { id: u32 },
    #[error("struct {kind} has no member {index}")]
    NoMember { kind: &'static str, index: u32 },
    #[error("member {member} of struct {kind} cannot be implemented by a program")]
    UnsupportedMember { kind: &'static str, member: String },
    #[error("member {member} of struct {kind} is not a function")]
    NoFunction { kind: &'static str, member: String },
    #[error("programs for member {member} of struct {kind} may not sleep")]
    MaySleep {
        kind: &'static str,
        member: String,
        errno: Errno,
    },
    #[error("struct {kind} does not take this program for its member {member}")]
    CheckMember {
        kind: &'static str,
        member: String,
        errno: Errno,
    },
}

impl Policy {
    pub(super) fn refusal(&self) -> ProgLoadError {
        let (code, errno) = match self {
            Self::Licence => (codes::LICENCE, Errno::EINVAL),
            Self::UnsupportedMember { .. } => (codes::UNSUPPORTED_MEMBER, Errno::ENOTSUPP),
            Self::NoMember { .. } | Self::NoFunction { .. } => (codes::NO_FUNCTION, Errno::EINVAL),
            Self::MaySleep { errno, .. } => (codes::MAY_NOT_SLEEP, *errno),
            Self::CheckMember { errno, .. } => (codes::NO_FUNCTION, *errno),
            Self::NoKind { .. } => (codes::NO_OPS_STRUCTURE, Errno::ENOTSUPP),
        };
        let help = match self {
            Self::Licence => Some("say `char _license[] SEC(\"license\") = \"GPL\";`".to_owned()),
            Self::UnsupportedMember { .. } => Some("leave this member out".to_owned()),
            Self::MaySleep { .. } => Some(codes::MAY_NOT_SLEEP_HELP.to_owned()),
            _ => None,
        };
        let report = Report {
            code: Cow::Borrowed(code),
            category: Category::Policy,
            message: self.to_string(),
            insn: None,
            source: None,
            notes: Vec::new(),
            help,
        };
        let verdict = if errno.is_unsupported() {
            LoadVerdict::Unsupported
        } else {
            LoadVerdict::Rejected
        };
        with_report(errno, verdict, report)
    }
}

/// The program is wrong.
pub(super) fn rejected(rejection: &Rejection) -> ProgLoadError {
    let code = rejection.code();
    let text = rejection.text();
    let report = Report {
        code: Cow::Borrowed(code.as_str()),
        category: category(rejection.category()),
        message: text.message,
        insn: rejection.slot,
        source: rejection.source.clone().map(source_line),
        notes: text.notes,
        help: text.help,
    };
    with_report(errno(&rejection.reason), LoadVerdict::Rejected, report)
}

/// The program may be right, but this kernel cannot take it.
pub(super) fn unsupported(what: &Unsupported, source: Option<verifier::SourceLine>) -> ProgLoadError {
    let mut refusal = not_supported(what.feature.to_string(), what.slot, source.map(source_line));
    if let (Some(report), Feature::Call { call, .. }) = (&mut refusal.report, &what.feature) {
        report.help = (call == "bpf_trace_vprintk").then(|| PRINT_HELP.to_owned());
    }
    refusal
}

/// `bpf_printk` of libbpf's `bpf_helpers.h` chooses the function by the number of arguments.
const PRINT_HELP: &str =
    "`bpf_printk` can print three numbers at most here: with more it calls bpf_trace_vprintk; print them in two calls";

/// The interpreter lacks an instruction.
pub(super) fn unsupported_insn(slot: usize, insn: &Insn) -> ProgLoadError {
    not_supported(format!("`{insn}` cannot be run"), u32::try_from(slot).ok(), None)
}

/// There are no programs of this type.
pub(super) fn unsupported_type(prog_type: ProgType) -> ProgLoadError {
    not_supported(format!("programs of type {prog_type}"), None, None)
}

fn not_supported(what: String, insn: Option<u32>, source: Option<SourceLine>) -> ProgLoadError {
    let report = Report {
        code: Cow::Borrowed(codes::UNSUPPORTED),
        category: Category::Policy,
        message: format!("the embedded kernel does not support this: {what}"),
        insn,
        source,
        notes: Vec::new(),
        help: None,
    };
    with_report(Errno::ENOTSUPP, LoadVerdict::Unsupported, report)
}

/// We have a bug.
pub(super) fn internal(what: String) -> ProgLoadError {
    ProgLoadError {
        errno: Errno::EFAULT,
        verdict: LoadVerdict::Internal,
        log: format!("bug of the embedded kernel: {what}\n"),
        report: None,
    }
}

/// The verifier has no memory for what it must remember of the program's paths.
pub(super) fn no_memory_for_paths() -> ProgLoadError {
    ProgLoadError {
        errno: Errno::ENOMEM,
        verdict: LoadVerdict::Exhausted,
        log: format!("{}\n", Failure::Memory),
        report: Some(Box::new(Report {
            code: Cow::Borrowed("ENOMEM"),
            category: Category::Limit,
            message: Failure::Memory.to_string(),
            insn: None,
            source: None,
            notes: Vec::new(),
            help: Some(
                "use fewer branches, or give this process more memory (`ulimit -v`, the limit of a cgroup)".to_owned(),
            ),
        })),
    }
}

/// A program has run for longer than one call may.
pub(super) fn ran_too_long(name: &str, member: Option<&str>, limit: u64, slot: usize, place: Place) -> Report {
    let what = match member {
        Some(member) => format!("`{member}` (program `{name}`)"),
        None => format!("program `{name}`"),
    };
    let mut notes: Vec<String> = place
        .function
        .map(|function| format!("it was in function `{function}`"))
        .into_iter()
        .collect();
    let global = place.has_global_functions.then_some(
        "the verifier looks at a global function once, however often it is called: that each ends does not say how long they take together",
    );
    notes.extend(global.map(str::to_owned));
    Report {
        code: Cow::Borrowed(codes::RUNS_TOO_LONG),
        category: Category::Limit,
        message: format!("{what} has executed {limit} instructions in one call and has not ended"),
        insn: u32::try_from(slot).ok(),
        source: place.source.map(source_line),
        notes,
        help: Some("do less in one call: bound the loops, and what they do together".to_owned()),
    }
}

/// A map whose value the program names by its address gets no memory.
pub(super) fn no_memory(errno: Errno, memory: &MapMemory) -> ProgLoadError {
    ProgLoadError {
        errno,
        verdict: LoadVerdict::Exhausted,
        log: format!("{memory}\n"),
        report: None,
    }
}

/// The arguments are wrong before any instruction is looked at.
pub(super) fn bad_request(errno: Errno) -> ProgLoadError {
    ProgLoadError {
        errno,
        verdict: LoadVerdict::BadRequest,
        log: String::new(),
        report: None,
    }
}

/// An instruction names a descriptor that is no map.
pub(super) fn no_map(slot: usize, errno: Errno) -> ProgLoadError {
    let report = Report {
        code: Cow::Borrowed(Code::UnknownMap.as_str()),
        category: Category::Call,
        message: "the descriptor in this instruction is no map".to_owned(),
        insn: u32::try_from(slot).ok(),
        source: None,
        notes: Vec::new(),
        help: None,
    };
    with_report(errno, LoadVerdict::Rejected, report)
}

/// The log of a program that was accepted, for a level (`BPF_LOG_STATS` is 4).
pub(super) fn log_of_success(verified: &Verified, level: u32) -> String {
    const STATISTICS: u32 = 4;
    let stats = verified.stats();
    if level & STATISTICS == 0 {
        return String::new();
    }
    format!(
        "stack depth {}\nprocessed {} insns, {} states kept, {} paths pruned\n",
        stats.stack_bytes, stats.insns_processed, stats.states_kept, stats.paths_pruned
    )
}

fn with_report(errno: Errno, verdict: LoadVerdict, report: Report) -> ProgLoadError {
    let mut log = String::new();
    if let Some(source) = &report.source {
        log += &format!("; {} @ {}:{}\n", source.text.trim(), source.file, source.line);
    }
    log += &format!("{report}\n");
    for note in report.notes.iter().chain(&report.help) {
        log += &format!("  {note}\n");
    }
    ProgLoadError {
        errno,
        verdict,
        log,
        report: Some(Box::new(report)),
    }
}

fn source_line(source: verifier::SourceLine) -> SourceLine {
    SourceLine {
        file: source.file,
        line: source.line,
        column: source.column,
        text: source.text,
    }
}

fn category(category: verifier::Category) -> Category {
    match category {
        verifier::Category::Structure | verifier::Category::Return => Category::Structure,
        verifier::Category::Register => Category::RegisterType,
        verifier::Category::Memory => Category::Memory,
        verifier::Category::Call => Category::Call,
        verifier::Category::Reference => Category::Lifetime,
        verifier::Category::Complexity => Category::Limit,
    }
}

/// Bytes of a frame, as an offset.
const STACK: i64 = verifier::MAX_BPF_STACK as i64;

/// Linux's error number for the same fault.
fn errno(reason: &Reason) -> Errno {
    match reason {
        // Begins inside the frame and ends outside (`check_stack_access_within_bounds`).
        Reason::StackOutOfBounds { offset, .. } if (-STACK..0).contains(offset) => return Errno::EINVAL,
        Reason::StackUnbounded { bounds, .. }
            if (-STACK..0).contains(&bounds.signed_min) && bounds.signed_max <= STACK =>
        {
            return Errno::EINVAL;
        }
        Reason::PointerStored {
            into: ValueKind::Stack, ..
        } => return Errno::EINVAL,
        _ => {}
    }
    match reason.code() {
        Code::Recursion
        | Code::EmptyProgram
        | Code::TooLong
        | Code::TooComplex
        | Code::TooManyBranches
        | Code::CallsTooDeep => Errno::E2BIG,
        Code::StackTooDeep
        | Code::UnknownKfunc
        | Code::HelperMap
        | Code::ArgKind
        | Code::ArgNullable
        | Code::ArgSize
        | Code::ArgStruct
        | Code::ArgUntrusted
        | Code::ArgNotConstant => Errno::EACCES,
        Code::OffsetTooLarge | Code::MixedPointers => Errno::EINVAL,
        code => match code.category() {
            verifier::Category::Register | verifier::Category::Memory => Errno::EACCES,
            verifier::Category::Structure
            | verifier::Category::Call
            | verifier::Category::Reference
            | verifier::Category::Return
            | verifier::Category::Complexity => Errno::EINVAL,
        },
    }
}
