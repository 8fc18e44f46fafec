//! Would a kernel take this object? Every program is verified, every ops structure is held against the rules of registration, and nothing
//! is registered.

mod error;
mod names;
mod note;
mod ops;

pub use error::CheckedError;
pub(crate) use names::OF_LINUX;
pub use note::CheckedNote;
pub use ops::CheckedOps;

use crate::source::exact;
use crate::{Class, Error, Source};
use bpf::{Bpf, LoadVerdict};
use loader::{LoadError, Others, Plan, PlanOptions, ProgramKind, SkipReason};
use object::Object;
use serde::Serialize;
use std::ffi::OsStr;
use std::sync::Arc;

/// What a kernel says of one object.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// As the user wrote it.
    pub file: String,
    /// Its bytes as hexadecimal digits, if they are no text, so that `file` is not exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<String>,
    /// The worst verdict of the parts that `load` gives to the kernel: a program of another kind beside ops structures is not among them.
    pub verdict: Verdict,
    /// Its programs, in the object's order.
    pub programs: Vec<CheckedProgram>,
    /// Its ops structures.
    pub ops: Vec<CheckedOps>,
    /// What is worth knowing beside the verdict: parts that were left out, for one.
    pub notes: Vec<CheckedNote>,
    /// What is wrong with the object as a whole, so that its parts were not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CheckedError>,
}

impl Checked {
    /// The entry of a file that could not be checked: not found, not readable, not compiled, or the kernel cannot be asked.
    ///
    /// ```
    /// let kernel = opswap::embedded()?;
    /// let error = opswap::check("no_such_algorithm", &kernel).unwrap_err();
    /// let entry = opswap::Checked::not_checked("no_such_algorithm", &error);
    /// assert_eq!(entry.verdict, opswap::Verdict::Unchecked);
    /// # Ok::<(), opswap::Error>(())
    /// ```
    pub fn not_checked(file: impl AsRef<OsStr>, error: &Error) -> Self {
        let file = file.as_ref();
        // A source that clang refuses is judged: no kernel gets to see it.
        let verdict = match error.class() {
            Class::Rejected => Verdict::Rejected,
            _ => Verdict::Unchecked,
        };
        Self {
            file_bytes: exact(file),
            ..Self::as_a_whole(file.to_string_lossy().into_owned(), verdict, error)
        }
    }

    fn as_a_whole(file: String, verdict: Verdict, error: &Error) -> Self {
        Self {
            file,
            file_bytes: None,
            verdict,
            programs: Vec::new(),
            ops: Vec::new(),
            notes: Vec::new(),
            error: Some(CheckedError::of_error(error)),
        }
    }
}

/// One program.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedProgram {
    /// The function's name.
    pub name: String,
    /// The member that it fills; absent for other programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The section of a program that fills no member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// What the kernel says.
    pub verdict: Verdict,
    /// Instructions that the kernel's verifier walked, where it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insns: Option<u32>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CheckedError>,
}

/// The answer to "would this kernel take it?", from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It would.
    Accepted,
    /// It would not: the kernel lacks something that the object needs.
    Unsupported,
    /// It would not: the object breaks a rule.
    Rejected,
    /// There is no verdict: the file could not be read or compiled, or the kernel not be asked.
    Unchecked,
}

impl Verdict {
    /// The verdict on a whole: the worst of its parts.
    pub fn worst(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().max().unwrap_or(Self::Accepted)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Unsupported => "unsupported",
            Self::Rejected => "rejected",
            Self::Unchecked => "not checked",
        })
    }
}

/// Checks what `word` names: a shipped algorithm, an object or a source.
///
/// # Errors
/// It cannot be found or compiled ([`Error::Source`]), or the kernel cannot be asked. What the kernel would refuse is no error but the result.
///
/// ```
/// let checked = opswap::check("cubic", &opswap::embedded()?)?;
/// assert_eq!(checked.verdict, opswap::Verdict::Accepted);
/// # Ok::<(), opswap::Error>(())
/// ```
pub fn check(word: impl AsRef<OsStr>, kernel: &Arc<dyn Bpf>) -> Result<Checked, Error> {
    check_source(&Source::find(word)?, kernel)
}

/// As [`check`], for a source that has been found.
///
/// # Errors
/// The kernel cannot be asked: no permission, no types, no memory.
pub fn check_source(source: &Source, kernel: &Arc<dyn Bpf>) -> Result<Checked, Error> {
    let file_bytes = exact(&source.word);
    Ok(Checked {
        file_bytes,
        ..verdict_on(source, kernel)?
    })
}

fn verdict_on(source: &Source, kernel: &Arc<dyn Bpf>) -> Result<Checked, Error> {
    let file = source.label();
    // As `load` does, so that the kernel validates the tables, and registers none.
    let options = PlanOptions {
        // Only Linux can say something of programs that belong to no ops structure.
        others: if kernel.name() == "linux" {
            Others::Load
        } else {
            Others::LeaveOut
        },
        leave_out_unreferenced: true,
        by_link: crate::host::shape::has_links(kernel.as_ref()),
        ..PlanOptions::default()
    };
    let plan = match plan(source, kernel, &options) {
        Ok(plan) => plan,
        Err(error) => return verdict_or_error(file, error),
    };
    let unreferenced = unreferenced(&plan, &file, kernel.name());
    if plan.ops().is_empty() && plan.programs().is_empty() && unreferenced.is_empty() {
        let other = plan
            .skipped()
            .iter()
            .find(|skipped| skipped.reason == SkipReason::OtherKind);
        if let Some(other) = other {
            let error = Error::Plan {
                file: file.clone(),
                error: Box::new(loader::PlanError::ProgramKind {
                    program: other.name.clone(),
                    section: other.section.clone(),
                }),
                kernel: kernel.name(),
            };
            return verdict_or_error(file, error);
        }
        return verdict_or_error(file.clone(), crate::HostError::NoTable { file }.into());
    }
    let results = match plan.check(kernel) {
        Ok(results) => results,
        Err(error) => {
            let error = Error::Load {
                file: file.clone(),
                error: Box::new(error),
            };
            return verdict_or_error(file, error);
        }
    };
    // A kind that this process may not load says nothing of the tables: it is that program's verdict.
    let of_tables = results.programs.iter().zip(plan.programs());
    let mut of_tables = of_tables.filter(|(_, planned)| !matches!(planned.kind, ProgramKind::Other(_)));
    let about_us = |one: &loader::CheckedProgram| {
        one.result
            .as_ref()
            .err()
            .filter(|error| is_about_us(error.verdict))
            .cloned()
    };
    if let Some((program, denied)) = of_tables.find_map(|(one, _)| Some((one.name.clone(), about_us(one)?))) {
        let error = LoadError::Program {
            program,
            source: denied,
        };
        return Err(Error::Load {
            file,
            error: Box::new(error),
        });
    }
    let mut programs: Vec<CheckedProgram> = results.programs.into_iter().map(|one| program(one, &plan)).collect();
    programs.extend(unreferenced);
    let mut notes: Vec<CheckedNote> = plan.notes().iter().map(CheckedNote::from).collect();
    let mut ops = Vec::new();
    for (place, (planned, checked)) in plan.ops().iter().zip(&results.ops).enumerate() {
        let judged = ops::Judged {
            file: &file,
            plan: planned,
            result: &checked.result,
            programs: &programs,
            earlier: &plan.ops()[..place],
        };
        let (verdict, note) = judged.judge(kernel.as_ref())?;
        ops.push(verdict);
        notes.extend(note);
    }
    // As `load`, which leaves programs of other kinds out beside ops structures, unless it is asked to attach them.
    let is_left_out = |program: &&CheckedProgram| {
        let planned = plan.programs().iter().find(|planned| planned.name == program.name);
        !ops.is_empty() && planned.is_some_and(|planned| matches!(planned.kind, ProgramKind::Other(_)))
    };
    let refused = programs.iter().filter(|program| program.verdict != Verdict::Accepted);
    notes.extend(refused.filter(is_left_out).map(|program| {
        let note = loader::PlanNote::ProgramLeftOut {
            program: program.name.clone(),
            section: program.section.clone().unwrap_or_default(),
            reason: SkipReason::OtherKind,
        };
        CheckedNote::from(&note)
    }));
    // One structure that can be registered need not wait for the others of its object.
    let good = ops.iter().find(|ops| ops.verdict == Verdict::Accepted);
    if let Some(good) = good.filter(|_| ops.iter().any(|ops| ops.verdict != Verdict::Accepted)) {
        let message = format!("`{}` can be registered: `{file}:{}` takes it alone", good.map, good.map);
        notes.push(CheckedNote::another(message));
    }
    let verdicts = programs
        .iter()
        .filter(|program| !is_left_out(program))
        .map(|program| program.verdict)
        .chain(ops.iter().map(|ops| ops.verdict));
    let verdict = Verdict::worst(verdicts);
    Ok(Checked {
        file,
        file_bytes: None,
        verdict,
        programs,
        ops,
        notes,
        error: None,
    })
}

/// Struct_ops programs that no ops structure uses: with one of them an object cannot be loaded, whatever else is in it.
fn unreferenced(plan: &Plan, file: &str, kernel: &'static str) -> Vec<CheckedProgram> {
    let skipped = plan.skipped().iter();
    let unreferenced = skipped.filter(|skipped| skipped.reason == SkipReason::Unreferenced);
    let entry = |skipped: &loader::Skipped| {
        let error = Error::Plan {
            file: file.to_owned(),
            error: Box::new(loader::PlanError::Unreferenced {
                program: skipped.name.clone(),
                elsewhere: plan.misplaced().cloned(),
            }),
            kernel,
        };
        CheckedProgram {
            name: skipped.name.clone(),
            member: None,
            section: Some(skipped.section.clone()),
            verdict: Verdict::Rejected,
            insns: None,
            error: Some(CheckedError::of_error(&error)),
        }
    };
    unreferenced.map(entry).collect()
}

/// Matches an object against a kernel; shared with loading.
pub(crate) fn plan(source: &Source, kernel: &Arc<dyn Bpf>, options: &PlanOptions) -> Result<Plan, Error> {
    let file = || source.label();
    let object = Object::parse(&source.object).map_err(|error| Error::Object {
        file: file(),
        error: Box::new(error),
    })?;
    let types = crate::kinds::kernel_btf(kernel.as_ref())?;
    let mut options = options.clone();
    options.object_name = source.object_name();
    options.only = source.ops.clone();
    Plan::new(&object, &types, &options).map_err(|error| Error::Plan {
        file: file(),
        error: Box::new(error),
        kernel: kernel.name(),
    })
}

/// What is wrong with the object as a whole, or missing in the kernel, is the result; whatever else is an error.
fn verdict_or_error(file: String, error: Error) -> Result<Checked, Error> {
    let verdict = match error.class() {
        Class::Rejected => Verdict::Rejected,
        Class::Unsupported => Verdict::Unsupported,
        Class::Failed | Class::Usage | Class::Permission | Class::Conflict | Class::NotFound => return Err(error),
    };
    Ok(Checked::as_a_whole(file, verdict, &error))
}

/// Whether a refusal says something of this process or of us, and nothing of the program.
fn is_about_us(verdict: LoadVerdict) -> bool {
    match verdict {
        LoadVerdict::Denied | LoadVerdict::Exhausted | LoadVerdict::Internal => true,
        LoadVerdict::Rejected | LoadVerdict::Unsupported | LoadVerdict::BadRequest => false,
    }
}

fn program(checked: loader::CheckedProgram, plan: &Plan) -> CheckedProgram {
    let planned = plan.programs().iter().find(|planned| planned.name == checked.name);
    let index = planned.map(|planned| planned.function);
    let mut members = plan.ops().iter().flat_map(|ops| ops.programs());
    let member = members
        .find(|(_, function, _, _)| Some(*function) == index)
        .map(|(member, _, _, _)| member.to_owned());
    let (verdict, insns, error) = match checked.result {
        Ok(insns) => (Verdict::Accepted, (insns > 0).then_some(insns), None),
        Err(refusal) => {
            let verdict = match refusal.verdict {
                LoadVerdict::Unsupported | LoadVerdict::Denied => Verdict::Unsupported,
                _ => Verdict::Rejected,
            };
            (verdict, None, Some(CheckedError::of_refusal(*refusal)))
        }
    };
    CheckedProgram {
        name: checked.name,
        section: planned
            .filter(|_| member.is_none())
            .map(|planned| planned.section.clone()),
        member,
        verdict,
        insns,
        error,
    }
}
