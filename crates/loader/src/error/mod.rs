//! What can go wrong, by operation: planning, loading, attaching and pinning.

mod attach;
mod load;
mod plan;

pub use attach::{AttachError, DetachError, PinError, Step};
pub use load::{KconfigProblem, LoadError};
pub use plan::{CoreProblem, Elsewhere, Fault, MemberProblem, PlanError, SetProblem};
