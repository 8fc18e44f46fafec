//! What a plan does not do, or does in a way that its author may not expect: no error, but worth a line beside the verdict.

use crate::plan::Plan;
use crate::programs::SkipReason;
use std::fmt;

/// Something about an object that is worth knowing although it is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanNote {
    /// A program of the object is not loaded.
    ProgramLeftOut {
        /// The program.
        program: String,
        /// The section it stands in.
        section: String,
        /// Why.
        reason: SkipReason,
    },
    /// A variable of an ops structure is not created.
    OpsLeftOut {
        /// The variable.
        ops: String,
    },
}

impl PlanNote {
    /// A word for what the note is about, stable, for programs that read it.
    pub fn about(&self) -> &'static str {
        match self {
            Self::ProgramLeftOut { .. } | Self::OpsLeftOut { .. } => "left_out",
        }
    }

    /// The program that it concerns, if it is about one.
    pub fn program(&self) -> Option<&str> {
        match self {
            Self::ProgramLeftOut { program, .. } => Some(program),
            Self::OpsLeftOut { .. } => None,
        }
    }
}

impl fmt::Display for PlanNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProgramLeftOut {
                program,
                section,
                reason,
            } => {
                write!(f, "program `{program}` (section `{section}`) is left out: {reason}")
            }
            Self::OpsLeftOut { ops } => {
                write!(f, "ops structure `{ops}` is left out: not asked for")
            }
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAskedFor => "not asked for",
            Self::OpsNotCreated => "no ops structure that is created uses it",
        })
    }
}

impl Plan {
    /// What is worth a line beside the verdict, in the object's order.
    pub fn notes(&self) -> Vec<PlanNote> {
        let programs = self.skipped.iter().map(|skipped| PlanNote::ProgramLeftOut {
            program: skipped.name.clone(),
            section: skipped.section.clone(),
            reason: skipped.reason,
        });
        let ops = self
            .ops_left_out
            .iter()
            .map(|ops| PlanNote::OpsLeftOut { ops: ops.clone() });
        programs.chain(ops).collect()
    }
}
