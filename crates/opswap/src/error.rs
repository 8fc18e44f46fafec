//! What an operation of the facade can fail with, sorted by what the user can do about it.

use crate::compile::CompileError;
use crate::files::ReadError;
use crate::host::HostError;
use crate::new::NewError;
use crate::source::SourceError;
use bpf::{Errno, KernelBtfError, LoadVerdict, ProgLoadError, Report};
use lab::{EmbeddedError, RunError};
use loader::{Fault, LoadError, RegisterError, SetProblem};
use std::path::PathBuf;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The algorithm was not found or not compiled.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is no object that can be read.
    #[error("{file}: {error}")]
    Object {
        /// As the user wrote it.
        file: String,
        /// Section, offset and reason.
        #[source]
        error: Box<object::Error>,
    },
    /// The object asks for something that this kernel does not have, or breaks a rule.
    #[error("{file}: {error}")]
    Plan {
        /// As the user wrote it.
        file: String,
        /// Which part, and why.
        #[source]
        error: Box<loader::PlanError>,
        /// The kernel that was asked, as [`bpf::Bpf::name`] has it.
        kernel: &'static str,
    },
    /// The kernel refused a part of the object.
    #[error("{file}: {error}")]
    Load {
        /// As the user wrote it.
        file: String,
        /// Which part, and why.
        #[source]
        error: Box<LoadError>,
    },
    /// The kernel refused to register.
    #[error("{file}: {error}")]
    Attach {
        /// As the user wrote it.
        file: String,
        /// Which ops structure, and why.
        #[source]
        error: Box<loader::AttachError>,
    },
    /// A new program could not be written.
    #[error(transparent)]
    New(#[from] NewError),
    /// Something about what is registered or kept.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The experiment could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// There is no such kind of ops structure.
    #[error("this kernel has no ops structure {name:?} (it has: {})", .known.join(", "))]
    NoSuchKind {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// There is no such code.
    #[error("there is no code {code:?}; `opswap explain` lists them")]
    NoSuchCode {
        /// What was asked for.
        code: String,
    },
    /// The embedded kernel cannot be made: a fault of ours.
    #[error("internal error: the embedded kernel: {0}")]
    Embedded(#[source] Box<kernel::BuildError>),
    /// The kernel's own types cannot be read.
    #[error("the types of the {kernel} kernel: {error}")]
    KernelTypes {
        /// Which kernel.
        kernel: &'static str,
        /// Why not.
        #[source]
        error: KernelBtfError,
    },
    /// The kernel's types cannot be written as C.
    #[error("the types of the {kernel} kernel as C: {error}")]
    Header {
        /// Which kernel.
        kernel: &'static str,
        /// Which type, and why.
        #[source]
        error: btf::c::PrintError,
    },
    /// A file could not be written.
    #[error("cannot write {}: {error}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// This version of opswap does not do it on that kernel.
    #[error("{what} {why}")]
    NotYet {
        /// What was asked for.
        what: &'static str,
        /// One sentence that ends the message.
        why: &'static str,
    },
}

/// What the user can do about an error; the command's exit codes follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The operation failed.
    Failed,
    /// What was asked for makes no sense.
    Usage,
    /// The program or the ops structure was rejected.
    Rejected,
    /// This kernel, or this version of opswap, lacks it.
    Unsupported,
    /// No permission.
    Permission,
    /// A conflict, or another state than expected.
    Conflict,
    /// There is no such thing: no file, algorithm, version, kind or code of that name.
    NotFound,
}

impl Error {
    /// What the user can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Source(SourceError::Unknown { .. }) | Self::NoSuchKind { .. } | Self::NoSuchCode { .. } => {
                Class::NotFound
            }
            Self::Source(SourceError::Compile(CompileError::Overwrites { .. })) => Class::Usage,
            Self::Source(SourceError::Compile(CompileError::Refused { .. })) => Class::Rejected,
            Self::Source(
                SourceError::Unreadable {
                    error: ReadError::Io { error },
                    ..
                }
                | SourceError::Compile(CompileError::File { error, .. }),
            ) => of_reading(error),
            Self::Source(SourceError::Compile(CompileError::Write { error, .. })) | Self::Write { error, .. } => {
                of_writing(error)
            }
            Self::New(NewError::Name { .. }) => Class::Usage,
            Self::New(NewError::Exists { .. }) => Class::Conflict,
            Self::New(NewError::Write { error, .. }) => of_writing(error),
            Self::Source(_) | Self::Embedded(_) => Class::Failed,
            Self::Object { error, .. } => match **error {
                object::Error::Unsupported { .. } => Class::Unsupported,
                _ => Class::Rejected,
            },
            Self::Plan { error, .. } => of_plan(error),
            Self::Load { error, .. } => of_load(error),
            Self::Attach { error, .. } => of_attach(error.errno),
            Self::Host(error) => of_host(error),
            Self::Run(error) => of_run(error),
            Self::KernelTypes {
                error: KernelBtfError::NoMemory { .. },
                ..
            } => Class::Failed,
            Self::KernelTypes {
                error: KernelBtfError::Unreadable(errno),
                ..
            } if errno.is_denied() => Class::Permission,
            Self::KernelTypes { .. } | Self::Header { .. } | Self::NotYet { .. } => Class::Unsupported,
        }
    }

    /// The number that the kernel gave, if it is the kernel that refused.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Load { error, .. } => load_errno(error),
            Self::Attach { error, .. } => Some(error.errno),
            Self::Host(HostError::System { errno, .. } | HostError::NotAttached { errno, .. }) => Some(*errno),
            Self::KernelTypes {
                error: KernelBtfError::Unreadable(errno),
                ..
            } => Some(*errno),
            _ => None,
        }
    }

    /// Why a program was refused, if that is what happened.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Load { error, .. } => refusal(error)?.report.as_deref(),
            Self::Run(RunError::Load {
                error: EmbeddedError::Register(error),
                ..
            }) => match error.as_ref() {
                RegisterError::Load(error) => refusal(error)?.report.as_deref(),
                _ => None,
            },
            Self::Run(RunError::RanTooLong { report, .. }) => Some(report),
            _ => None,
        }
    }

    /// The kernel's whole verifier log, if it refused a program and gave one.
    pub fn log(&self) -> Option<&str> {
        match self {
            Self::Load { error, .. } => Some(refusal(error)?.log.as_str()).filter(|log| !log.is_empty()),
            _ => None,
        }
    }

    /// The rule that the object's types break, if that is what happened.
    fn refused_types(&self) -> Option<&btf::check::Refusal> {
        let load = match self {
            Self::Load { error, .. } => error,
            Self::Run(RunError::Load {
                error: EmbeddedError::Register(error),
                ..
            }) => match error.as_ref() {
                RegisterError::Load(error) => error,
                _ => return None,
            },
            _ => return None,
        };
        match load {
            LoadError::Btf(error) => error.refusal.as_deref(),
            _ => None,
        }
    }

    /// What would help, if we know.
    pub fn hint(&self) -> Option<String> {
        if matches!(
            self,
            Self::Source(SourceError::Unreadable {
                error: ReadError::Io { .. },
                ..
            })
        ) {
            return None; // the message names the file and says it all
        }
        if let Some(meant) = self.meant() {
            return Some(format!("did you mean `{meant}`?"));
        }
        if let Self::Load { error, .. } = self
            && let LoadError::Map { rule: Some(rule), .. } = &**error
        {
            return Some(rule.fix.to_owned());
        }
        if self.class() == Class::Permission && self.errno().is_some() {
            return Some(
                "run as root (loading takes CAP_BPF and CAP_PERFMON, listing CAP_SYS_ADMIN); `opswap doctor` tells what is missing"
                    .to_owned(),
            );
        }
        if self.is_about_map_memory() {
            return Some(
                "--map-memory SIZE (of check, try and compare) lets the maps of an embedded kernel take more"
                    .to_owned(),
            );
        }
        if let Some(refusal) = self.refused_types() {
            return Some(btf::check::advice(refusal).to_owned());
        }
        let hint = match self {
            Self::Source(SourceError::Compile(CompileError::NoClang { .. })) => {
                "apt-get install clang, or set OPSWAP_CLANG; objects (.bpf.o) and shipped algorithms need no compiler"
            }
            Self::Object { error, .. } => return about_object(error).map(str::to_owned),
            Self::Source(SourceError::Compile(CompileError::Refused { causes, .. })) => {
                let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
                return (!causes.is_empty()).then(|| causes.join("\n"));
            }
            Self::Source(SourceError::Compile(CompileError::Crashed { .. })) => {
                "install a newer clang (OPSWAP_CLANG=clang-19 names one), or try another level: OPSWAP_CFLAGS=-O1"
            }
            Self::Source(SourceError::Unreadable {
                error: ReadError::NoFile { .. },
                ..
            }) => "an object is what `opswap build x.bpf.c` makes",
            Self::Plan { error, kernel, .. }
                if *kernel == "embedded" && matches!(**error, loader::PlanError::NoKernelSymbol { .. }) =>
            {
                "this is the embedded kernel; `--kernel linux` asks Linux, which may have it"
            }
            Self::Source(SourceError::Compile(CompileError::Overwrites { .. })) => "-o OBJECT names the file to write",
            Self::Host(HostError::NoTable { .. }) => {
                "it takes a variable such as `SEC(\".struct_ops.link\") struct tcp_congestion_ops my_cc = { … }`"
            }
            Self::Run(RunError::Load {
                error: EmbeddedError::NotOne { .. },
                ..
            }) => "FILE:NAME or --ops NAME chooses one of several; `opswap check` lists those of an object",
            Self::Plan { error, .. } if matches!(**error, loader::PlanError::WhichOps { .. }) => {
                "FILE:NAME or --ops NAME takes one of them alone, which --as and --set are about then"
            }
            Self::Attach { error, .. } if error.errno == Errno::EINVAL => {
                "`opswap check` lists the ops structures of an object with what is wrong with each; FILE:NAME takes one of several alone"
            }
            Self::Run(RunError::RanTooLong { .. }) => {
                "--max-insns N lets one call execute more, in a run that is worth the wait"
            }
            Self::Run(RunError::LinuxHost) => "leave --kernel out: the same object runs on the embedded kernel",
            Self::Attach { error, .. } if error.errno == Errno::EEXIST => "--as NAME registers it under another name",
            Self::Host(HostError::Exists { .. }) => {
                "`opswap swap` exchanges it for a new version, --as NAME registers beside it"
            }
            Self::Host(HostError::NotRegistered { .. }) => "`opswap list` shows what is registered",
            Self::Host(HostError::NotOurs {
                kept_in: Some(place), ..
            }) => {
                return Some(format!("--bpffs '{}' names it", place.display()));
            }
            Self::Host(HostError::NotOurs {
                name, link_id: None, ..
            }) => {
                return Some(format!(
                    "what was registered without a link (`bpftool struct_ops register`) cannot be swapped: `opswap unload {name}`, then load the new one"
                ));
            }
            Self::Host(HostError::LinkGone { name }) => {
                return Some(format!(
                    "`opswap load FILE --as {name}` registers it anew, `opswap unload {name}` removes what is kept"
                ));
            }
            Self::Host(HostError::BuiltIn { .. }) => {
                "`opswap load FILE --as NAME` registers yours beside it, under another name"
            }
            Self::Host(HostError::Gone { .. }) => {
                "sockets let go when they close or choose another algorithm (`ss -ti` shows theirs), a namespace when its \
                 net.ipv4.tcp_congestion_control changes or it goes away"
            }
            Self::Host(HostError::NameStays { .. }) => {
                "`opswap load` registers it under its own name, beside the registered one"
            }
            Self::Host(HostError::NotOneTable { .. }) => {
                "FILE:NAME or --ops NAME chooses one of several; `opswap check` lists those of an object"
            }
            Self::Host(HostError::NoBpffs { .. }) => {
                "--bpffs takes a mounted bpffs or an empty directory, usually /sys/fs/bpf"
            }
            Self::Host(HostError::Fleeting { .. }) => {
                "put `nsenter --target 1 --mount` before the command: it mounts where mounts stay, and leaves the network namespace; or mount a bpffs there and name it \
                 with --bpffs; one that shall end with these processes is mounted by hand (`mount -t bpf bpf DIR`)"
            }
            Self::Host(HostError::Busy { .. }) => "wait until it has ended, or end it, then try again",
            Self::Host(HostError::NotOurs { .. }) => {
                "only what `opswap load` keeps can be swapped and unloaded by name: --bpffs says where; a link of another process ends with it"
            }
            Self::Host(HostError::Stale { .. }) => "look with `opswap list`, then try again",
            Self::KernelTypes {
                error: KernelBtfError::NoMemory { .. },
                ..
            } => "`ulimit -v` says what this process may have, in kB; 100000 are enough",
            Self::Host(HostError::ForeignFolder(_)) => {
                "whoever controls a folder can take away the pins in it: remove the folder, or give another bpffs with --bpffs"
            }
            Self::Host(HostError::InTheWay(_)) => {
                "opswap did not make it and does not remove it: move it away, then try again"
            }
            Self::Host(HostError::StillDefault { namespaces, .. }) => {
                return Some(format!(
                    "keep the flag (leave out --set flags, or give non_restricted with it), or choose another default there first: `{}`",
                    write_default(namespaces, "reno")
                ));
            }
            Self::Host(HostError::NoSuchDefault { .. }) => {
                "net.ipv4.tcp_available_congestion_control lists what there is; the one that is unloaded is none"
            }
            Self::Host(HostError::RestrictedDefault { .. }) => {
                "net.ipv4.tcp_allowed_congestion_control lists those that every namespace may have; reno is one on most systems"
            }
            Self::Load { error, .. }
                if matches!(**error, LoadError::PinnedMap { .. } | LoadError::PinnedOther { .. }) =>
            {
                "who uses it shows `bpftool map`; `rm` of the pin lets a new map take its name, and leaves the old one to those who use it"
            }
            Self::Host(HostError::NotAttached {
                errno: Errno::EBADF,
                target,
                ..
            }) if target.starts_with('/') => {
                "the path must be a cgroup of version 2 (cgroup2: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside version 1)"
            }
            Self::Host(HostError::NotAttached {
                errno: Errno::ENOENT,
                section,
                ..
            }) if section.starts_with("tp/") || section.starts_with("tracepoint/") => {
                "/sys/kernel/tracing/events has the tracepoints, where the tracefs is mounted: `mount -t tracefs tracefs /sys/kernel/tracing`"
            }
            Self::Host(HostError::NotAttached {
                errno: Errno::ENOENT,
                section,
                ..
            }) if section.starts_with('k') => {
                "such a kernel is built with CONFIG_KPROBES, and /proc/kallsyms has its functions; fentry and fexit reach them as well"
            }
            Self::Host(HostError::NoPrevious { .. }) => "only the version before the last swap is kept",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What helps with a file that is no object, or whose parts do not fit together.
fn about_object(error: &object::Error) -> Option<&'static str> {
    match error {
        object::Error::NotAnObject(_) => Some("an object is what `opswap build x.bpf.c` makes"),
        object::Error::Malformed {
            problem: object::Problem::Undefined { name, .. },
            ..
        } => Some(about_undefined(name)),
        _ => None,
    }
}

fn about_undefined(name: &str) -> &'static str {
    // gcc knows them as functions since version 14 only (`BPF Built-in Functions` of its manual); before, they are calls of nobody.
    if name.starts_with("__builtin_preserve_") || name.starts_with("__builtin_btf_") {
        return "this compiler does not know CO-RE, as gcc before 14: use clang (`opswap build` does), or types without \
                preserve_access_index";
    }
    "define it, or link the file that does into the object; a function of the kernel is declared with `__ksym`, which clang 14 to 16 \
     lose at -O0: compile with -O2; a helper comes from <bpf/bpf_helpers.h>"
}

impl Error {
    /// Whether the maps' budget of an embedded kernel was not enough.
    fn is_about_map_memory(&self) -> bool {
        let of_load = |error: &LoadError| match error {
            LoadError::Map { memory, .. } | LoadError::MapValue { memory, .. } => memory.is_some(),
            // What has a report is about the program.
            LoadError::Program { source, .. } => {
                source.errno == Errno::ENOMEM && !source.log.is_empty() && source.report.is_none()
            }
            _ => false,
        };
        match self {
            Self::Load { error, .. } => of_load(error),
            Self::Run(RunError::Load {
                error: EmbeddedError::Register(error),
                ..
            }) => match error.as_ref() {
                RegisterError::Load(error) => of_load(error),
                RegisterError::Attach(error) => error.errno == Errno::ENOMEM && !error.broken.is_empty(),
                _ => false,
            },
            _ => false,
        }
    }

    /// The name that was probably meant by one that there is not.
    pub fn meant(&self) -> Option<String> {
        if let Self::Source(SourceError::Unknown { word }) = self
            && let Some(file) = crate::source::with_ending(word)
        {
            return Some(file);
        }
        let (typed, known): (&str, Vec<&str>) = match self {
            Self::Source(SourceError::Unknown { word }) => (word.to_str()?, crate::shipped::names()),
            Self::NoSuchKind { name, known } => (name, known.iter().map(String::as_str).collect()),
            Self::NoSuchCode { code } => (code, crate::explanations().iter().map(|page| page.code).collect()),
            Self::Host(HostError::BuiltIn { name, registered } | HostError::NotRegistered { name, registered }) => {
                (name, registered.iter().map(String::as_str).collect())
            }
            Self::Plan { error, .. } => match error.as_ref() {
                loader::PlanError::NoSuchOps { name, names } => (name, names.iter().map(String::as_str).collect()),
                loader::PlanError::Set { field, problem, .. } => match problem.as_ref() {
                    SetProblem::NoSuchField { known } => (field, known.iter().map(String::as_str).collect()),
                    SetProblem::NoSuchName { name, known } => (name, known.clone()),
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        };
        crate::similar(typed, known).map(str::to_owned)
    }
}

/// The command that gives the first of these namespaces another default.
fn write_default(namespaces: &[crate::Namespace], name: &str) -> String {
    let prefix = namespaces
        .first()
        .map_or(String::new(), crate::Namespace::command_prefix);
    format!("{prefix}sysctl -w net.ipv4.tcp_congestion_control={name}")
}

fn refusal(error: &LoadError) -> Option<&ProgLoadError> {
    match error {
        LoadError::Program { source, .. } => Some(source),
        _ => None,
    }
}

fn of_reading(error: &std::io::Error) -> Class {
    match error.kind() {
        std::io::ErrorKind::NotFound => Class::NotFound,
        _ => of_writing(error),
    }
}

fn of_writing(error: &std::io::Error) -> Class {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Class::Permission,
        _ => Class::Failed,
    }
}

fn of_plan(error: &loader::PlanError) -> Class {
    if matches!(error, loader::PlanError::NoSuchOps { .. }) {
        return Class::NotFound;
    }
    match error.fault() {
        Fault::Object => Class::Rejected,
        Fault::Kernel | Fault::Unsupported => Class::Unsupported,
        Fault::Options => Class::Usage,
    }
}

fn of_attach(errno: Errno) -> Class {
    match errno {
        Errno::EINVAL => Class::Rejected,
        errno => of_errno(errno),
    }
}

fn of_load(error: &LoadError) -> Class {
    match error {
        // No kernel lets a program implement it: the object breaks a rule, as `check` says.
        LoadError::Program { source, .. }
            if source
                .report
                .as_ref()
                .is_some_and(|report| report.code == bpf::codes::UNSUPPORTED_MEMBER) =>
        {
            Class::Rejected
        }
        LoadError::Program { source, .. } => match source.verdict {
            LoadVerdict::Rejected | LoadVerdict::BadRequest => Class::Rejected,
            LoadVerdict::Unsupported => Class::Unsupported,
            LoadVerdict::Denied => Class::Permission,
            LoadVerdict::Exhausted | LoadVerdict::Internal => Class::Failed,
        },
        LoadError::PinnedMap { .. } | LoadError::PinnedOther { .. } => Class::Conflict,
        LoadError::Kconfig { .. } | LoadError::NoAddress { .. } | LoadError::Module { .. } => Class::Unsupported,
        // What the object asks for makes no sense to the kernel, whoever asks and whenever.
        LoadError::Btf(_)
        | LoadError::Map { .. }
        | LoadError::MapValue { .. }
        | LoadError::MapSlot { .. }
        | LoadError::Ops { .. }
            if matches!(load_errno(error), Some(Errno::EINVAL | Errno::E2BIG)) =>
        {
            Class::Rejected
        }
        // Whatever the number: the types break a rule that every kernel has.
        LoadError::Btf(error) if error.refusal.is_some() => Class::Rejected,
        other => load_errno(other).map_or(Class::Failed, of_errno),
    }
}

pub(crate) fn load_errno(error: &LoadError) -> Option<Errno> {
    match error {
        LoadError::Btf(refusal) => Some(refusal.errno),
        LoadError::Map { errno, .. }
        | LoadError::MapValue { errno, .. }
        | LoadError::MapPin { errno, .. }
        | LoadError::Module { errno, .. }
        | LoadError::Ops { errno, .. } => Some(*errno),
        LoadError::Program { source, .. } => Some(source.errno),
        LoadError::MapSlot { errno, .. } => *errno,
        _ => None,
    }
}

fn of_errno(errno: Errno) -> Class {
    match errno {
        Errno::EEXIST | Errno::EBUSY => Class::Conflict,
        errno if errno.is_denied() => Class::Permission,
        errno if errno.is_unsupported() => Class::Unsupported,
        _ => Class::Failed,
    }
}

fn of_host(error: &HostError) -> Class {
    match error {
        HostError::NotRegistered { .. } | HostError::Gone { .. } | HostError::NoPrevious { .. } => Class::NotFound,
        HostError::LinkGone { .. } => Class::Failed,
        HostError::NotOurs { .. }
        | HostError::Exists { .. }
        | HostError::Stale { .. }
        | HostError::Busy { .. }
        | HostError::Fleeting { .. }
        | HostError::ForeignFolder(_)
        | HostError::InTheWay(_)
        | HostError::StillDefault { .. }
        | HostError::RestrictedDefault { .. }
        | HostError::BuiltIn { .. } => Class::Conflict,
        HostError::NotAttached { errno, .. } => of_errno(*errno),
        HostError::NothingToAttach { .. } | HostError::WrongTarget { .. } => Class::Usage,
        HostError::NameStays { .. } | HostError::NoSuchDefault { .. } => Class::Usage,
        // Choosing one of several helps; there is nothing to choose among none.
        HostError::NotOneTable { names, .. } if !names.is_empty() => Class::Usage,
        HostError::NoTable { .. } | HostError::NotOneTable { .. } => Class::Rejected,
        HostError::NoBpffs {
            errno: Errno::ENOENT, ..
        } => Class::NotFound,
        HostError::System { errno, .. } | HostError::NoBpffs { errno, .. } => of_errno(*errno),
    }
}

fn of_run(error: &RunError) -> Class {
    match error {
        RunError::Scenario(_)
        | RunError::NoAlgorithm
        | RunError::SwapOutside { .. }
        | RunError::TooManyFlows { .. } => Class::Usage,
        RunError::LinuxHost => Class::Unsupported,
        // The program is wrong: it was only found when it ran.
        RunError::RanTooLong { .. } => Class::Rejected,
        RunError::Load { error, .. } => match error {
            EmbeddedError::NotOne { names } if names.is_empty() => Class::Rejected,
            EmbeddedError::NotOne { .. } => Class::Usage,
            EmbeddedError::Register(error) => match error.as_ref() {
                RegisterError::Object(_) => Class::Rejected,
                RegisterError::Plan(error) => of_plan(error),
                RegisterError::Load(error) => of_load(error),
                RegisterError::Attach(error) => of_attach(error.errno),
                _ => Class::Failed,
            },
            _ => Class::Failed,
        },
        _ => Class::Failed,
    }
}
