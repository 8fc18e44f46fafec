//! Asking a kernel of every part of a plan, and keeping nothing: each program is loaded, each ops structure whose programs were accepted is given to the
//! kernel, which validates it. Nothing is registered.

use crate::error::{AttachError, LoadError};
use crate::load::ProgramFault;
use crate::plan::Plan;
use bpf::{Bpf, Fd, Prog, ProgLoadError};
use std::sync::Arc;

/// What a kernel says of the parts of a plan.
#[derive(Debug)]
pub struct PlanChecked {
    /// The programs, in the plan's order.
    pub programs: Vec<CheckedProgram>,
    /// The ops structures, in the plan's order.
    pub ops: Vec<CheckedOps>,
}

/// What the kernel says of one program.
#[derive(Debug)]
pub struct CheckedProgram {
    /// Its name in the object.
    pub name: String,
    /// Instructions that the verifier processed (0 when the kernel does not say), or its refusal.
    pub result: Result<u32, Box<ProgLoadError>>,
}

/// What the kernel says of one ops structure.
#[derive(Debug)]
pub struct CheckedOps {
    /// The variable.
    pub name: String,
    /// Whether the kernel finds it in order.
    pub result: OpsResult,
}

/// Whether a kernel finds an ops structure in order.
#[derive(Clone, Debug, PartialEq)]
pub enum OpsResult {
    /// It is ready to be registered.
    Ready,
    /// The kernel refuses it.
    Refused(AttachError),
    /// It was not asked: a program that it needs was refused, or giving it its value would register it (the flavour without link).
    Untried,
}

impl Plan {
    /// Loads the programs one by one, lets the kernel validate the ops structures of the link flavour, and keeps nothing. Maps that are shared by name
    /// are maps of its own.
    ///
    /// # Errors
    /// [`LoadError`] when maps or types cannot be created; what is refused of programs and ops structures is in the lists.
    pub fn check(&self, kernel: &Arc<dyn Bpf>) -> Result<PlanChecked, LoadError> {
        let (mut loaded, modules) = self.load_maps(kernel, false)?;
        let mut programs = Vec::new();
        let mut accepted: Vec<Option<Fd<Prog>>> = Vec::new();
        for plan in &self.programs {
            let (program, result) = match self.load_program(plan, &loaded, &modules) {
                Ok(program) => {
                    let verified = kernel.prog_info(&program).map_or(0, |info| info.verified_insns);
                    (Some(program), Ok(verified))
                }
                Err(ProgramFault::Refused(refusal)) => (None, Err(refusal)),
                Err(other) => return Err(other.named(plan)),
            };
            accepted.push(program);
            programs.push(CheckedProgram {
                name: plan.name.clone(),
                result,
            });
        }
        let descriptor = |program| {
            let index = self.programs.iter().position(|plan| plan.function == program)?;
            Some(accepted.get(index)?.as_ref()?.raw())
        };
        let ops = loaded.ops.iter_mut().map(|ops| {
            let complete = ops.fill(descriptor);
            let result = if !complete || !ops.plan.link {
                OpsResult::Untried
            } else {
                match ops.make_ready(&**kernel) {
                    Ok(()) => OpsResult::Ready,
                    Err(refused) => OpsResult::Refused(refused),
                }
            };
            CheckedOps {
                name: ops.plan.name.clone(),
                result,
            }
        });
        let ops = ops.collect();
        Ok(PlanChecked { programs, ops })
    }
}
