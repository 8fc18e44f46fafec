//! Programs that a verifier with a hole would accept, and Linux to say so.

pub(crate) mod bounds;
pub(crate) mod cases;
pub(crate) mod judge;
pub(crate) mod programs;
pub(crate) mod world;
