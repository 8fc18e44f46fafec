//! Why ops structures were not registered, pinned or unregistered.

use crate::rules::Breach;
use bpf::Errno;
use std::path::PathBuf;

/// Why ops structures were not registered. Those registered before in the same call are unregistered again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("ops structure `{ops}` ({kind}) was not {}: {errno}{}", step.done(), breaches(.broken))]
pub struct AttachError {
    /// The ops structure's variable.
    pub ops: String,
    /// Its kind.
    pub kind: String,
    /// What was being done.
    pub step: Step,
    /// What the kernel says.
    pub errno: Errno,
    /// The rules that we find broken; the kernel says its reason only in its own log.
    pub broken: Vec<Breach>,
    /// Ops structures of the same object that could not be unregistered again.
    pub left: Vec<String>,
}

/// A step of registering an ops structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Giving the map its value; without a link this registers.
    Update,
    /// Making the link, which registers.
    Link,
}

impl Step {
    fn done(self) -> &'static str {
        match self {
            Self::Update => "accepted",
            Self::Link => "registered",
        }
    }
}

/// Why something was not pinned. Pins made before in the same call are gone again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot pin `{what}` at {}: {errno}", path.display())]
pub struct PinError {
    /// What was to be pinned.
    pub what: String,
    /// Where.
    pub path: PathBuf,
    /// What the kernel says.
    pub errno: Errno,
}

/// Why an ops structure was not unregistered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ops structure `{ops}` was not unregistered: {errno}")]
pub struct DetachError {
    /// The ops structure's variable.
    pub ops: String,
    /// What the kernel says.
    pub errno: Errno,
}

fn breaches(broken: &[Breach]) -> String {
    broken.iter().map(|breach| format!("; {breach}")).collect()
}
