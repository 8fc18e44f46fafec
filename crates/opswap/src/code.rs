//! The stable code of an error: what `opswap explain` has a page for.

use crate::source::SourceError;
use crate::{Error, HostError};
use loader::{LoadError, MemberProblem, PlanError};

impl Error {
    /// A stable code of the reason: `SO1001`, the name of an errno that the kernel gave, or a word such as `file`.
    ///
    /// ```
    /// let error = opswap::check("no_such_algorithm", &opswap::embedded()?).unwrap_err();
    /// assert_eq!(error.code(), Some("file"));
    /// # Ok::<(), opswap::Error>(())
    /// ```
    pub fn code(&self) -> Option<&str> {
        if let Some(report) = self.report() {
            return Some(&report.code);
        }
        match self {
            Self::Source(SourceError::Compile(_)) => Some("clang"),
            Self::Source(_) | Self::Write { .. } => Some("file"),
            Self::Object { .. } | Self::Host(HostError::NoTable { .. }) => Some("object"),
            Self::Plan { error, .. } => Some(of_plan(error)),
            Self::Load { error, .. } => of_load(error),
            _ => self.errno().map(|errno| errno.name()),
        }
    }
}

/// What the kernel lacks has a code of its own; the rest is about the object.
fn of_plan(error: &PlanError) -> &'static str {
    match error {
        PlanError::NoOpsKind { .. } => bpf::codes::NO_OPS_STRUCTURE,
        PlanError::Member {
            problem: MemberProblem::Absent,
            ..
        } => bpf::codes::NO_MEMBER,
        PlanError::NoKernelSymbol { what: "function", .. } => bpf::codes::NO_KERNEL_FUNCTION,
        PlanError::NoKernelSymbol { .. } => bpf::codes::NO_KERNEL_VARIABLE,
        PlanError::ProgramKind { .. } | PlanError::Map { .. } => bpf::codes::UNSUPPORTED,
        _ => "object",
    }
}

fn of_load(error: &LoadError) -> Option<&'static str> {
    match error {
        LoadError::NoAddress { .. } => Some(bpf::codes::NO_KERNEL_VARIABLE),
        LoadError::Kconfig { .. } => Some(bpf::codes::NO_KERNEL_SETTING),
        other => crate::error::load_errno(other).map(|errno| errno.name()),
    }
}
