//! The embedded kernel of one run: loads objects, gives the tables of operations that they register, and follows the simulation's clock.

use crate::run::{Source, SourceKind};
use net::Time;
use tcp::ca::{OpsRef, Registry};

/// Why the embedded kernel gives no table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The object does not register.
    #[error("unsupported")]
    Unsupported,
}

/// A kernel for one run.
pub(crate) struct Embedded {
    registry: Registry,
}

impl Embedded {
    pub(crate) fn new(_hz: u32) -> Self {
        Self {
            registry: Registry::new(),
        }
    }

    pub(crate) fn set_time(&self, _now: Time) {}

    /// The table for `source`.
    pub(crate) fn table(&self, source: &Source) -> Result<OpsRef, EmbeddedError> {
        match &source.kind {
            SourceKind::NativeReno => Ok(self.registry.default_ops()),
            SourceKind::Table(table) => Ok(table.clone()),
            SourceKind::Object(_) => Err(EmbeddedError::Unsupported),
        }
    }
}
