//! The verdict on one ops structure: as good as its programs, in order for the kernel, and under a name that is free.

use super::names::{self, Taken};
use super::{CheckedError, CheckedNote, CheckedProgram, Verdict};
use crate::{Class, Error};
use bpf::{Bpf, Errno};
use loader::{OpsPlan, OpsResult};
use serde::Serialize;

/// One ops structure.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedOps {
    /// The map's name: that of the C variable.
    pub map: String,
    /// The name that it would be registered under; the variable's if it has none.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Whether it could be registered.
    pub verdict: Verdict,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CheckedError>,
}

/// One ops structure: what was planned, what the kernel says of it, and what it stands among.
pub(super) struct Judged<'a> {
    pub(super) file: &'a str,
    pub(super) plan: &'a OpsPlan,
    pub(super) result: &'a OpsResult,
    /// The object's programs.
    pub(super) programs: &'a [CheckedProgram],
    /// Those before it in the object.
    pub(super) earlier: &'a [OpsPlan],
}

impl Judged<'_> {
    /// The verdict, and a note if it is registered already.
    ///
    /// # Errors
    /// The kernel says something of this process instead of the structure.
    pub(super) fn judge(self, kernel: &dyn Bpf) -> Result<(CheckedOps, Option<CheckedNote>), Error> {
        let fills = |program: &&CheckedProgram| self.plan.program_names().any(|name| name == program.name);
        let of_programs = self.programs.iter().filter(fills).map(|program| program.verdict);
        let taken = names::taken(self.plan, self.earlier, kernel);
        let broken = self.breaks_a_rule()?;
        let error = broken.or_else(|| names::error(self.plan, taken.as_ref()?));
        let of_table = error.as_ref().map(|error| match error.class {
            Class::Unsupported => Verdict::Unsupported,
            _ => Verdict::Rejected,
        });
        let name = names::algorithm(self.plan).unwrap_or_else(|| self.plan.name.clone());
        let note = (taken == Some(Taken::Table)).then(|| CheckedNote::registered(&name, self.file));
        let checked = CheckedOps {
            map: self.plan.name.clone(),
            name,
            kind: self.plan.kind.clone(),
            verdict: Verdict::worst(of_programs.chain(of_table)),
            error,
        };
        Ok((checked, note))
    }

    /// What the kernel says; where it was not asked, what we know of its rules.
    fn breaks_a_rule(&self) -> Result<Option<CheckedError>, Error> {
        let (errno, why) = match self.result {
            _ if loader::rules::only_for_test_runs(&self.plan.kind) => {
                let why = format!("the kernel runs programs of {} in tests only", self.plan.kind);
                return Ok(Some(self.error(Errno::EOPNOTSUPP, &why)));
            }
            OpsResult::Refused(refused) => {
                let error = Error::Attach {
                    file: self.file.to_owned(),
                    error: Box::new(refused.clone()),
                };
                if !matches!(error.class(), Class::Rejected | Class::Unsupported) {
                    return Err(error);
                }
                (refused.errno, refused.broken.clone())
            }
            OpsResult::Untried => (Errno::EINVAL, loader::rules::check(self.plan)),
            _ => return Ok(None),
        };
        if why.is_empty() && *self.result == OpsResult::Untried {
            return Ok(None);
        }
        let why: Vec<String> = why.iter().map(ToString::to_string).collect();
        let why = if why.is_empty() {
            errno.to_string()
        } else {
            why.join("; ")
        };
        Ok(Some(self.error(errno, &why)))
    }

    fn error(&self, errno: Errno, why: &str) -> CheckedError {
        let class = if errno.is_unsupported() {
            Class::Unsupported
        } else {
            Class::Rejected
        };
        let message = format!("`{}` cannot be registered: {why}", self.plan.name);
        CheckedError::plain(class, errno.name().to_owned(), message)
    }
}
