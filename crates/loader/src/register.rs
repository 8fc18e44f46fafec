//! [`register`]: all steps at once, for callers that only want the algorithm to be there.

use crate::attach::Attached;
use crate::error::{AttachError, LoadError, PlanError};
use crate::options::PlanOptions;
use crate::plan::Plan;
use bpf::{Bpf, KernelBtfError};
use object::Object;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Why [`register`] did not register.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The file is no object that can be read.
    #[error(transparent)]
    Object(#[from] object::Error),
    /// The kernel's types cannot be read.
    #[error("the kernel's types cannot be read")]
    KernelTypes(#[from] KernelBtfError),
    /// The object asks for something that this kernel does not have, or breaks a rule.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The kernel refused a part of the object.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The kernel refused to register an ops structure.
    #[error(transparent)]
    Attach(#[from] AttachError),
}

/// What becomes of ops structures that lack what registering needs, when the object has others that do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Incomplete {
    /// Nothing is registered.
    #[default]
    Refuse,
    /// They are left out.
    LeaveOut,
}

/// Reads `file`, plans, loads and registers all its ops structures, or nothing.
///
/// # Errors
/// [`RegisterError`]: which step failed, and why.
pub fn register(
    file: &[u8],
    kernel: &Arc<dyn Bpf>,
    options: &PlanOptions,
    incomplete: Incomplete,
) -> Result<Attached, RegisterError> {
    let object = Object::parse(file)?;
    let types = kernel.kernel_btf()?;
    let mut plan = Plan::new(&object, &types, options)?;
    let broken: BTreeSet<String> = plan.breaches().into_iter().map(|(ops, _)| ops.to_owned()).collect();
    if incomplete == Incomplete::LeaveOut && broken.len() < plan.ops().len() {
        let mut options = options.clone();
        options.autocreate.extend(broken.into_iter().map(|ops| (ops, false)));
        plan = Plan::new(&object, &types, &options)?;
    }
    Ok(plan.load(kernel)?.attach()?)
}
