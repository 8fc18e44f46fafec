//! Fixtures and oracles for opswap's tests; never published.
//!
//! * [`linux_or_skip`]: whether a test that needs the kernel can run here;
//! * [`unique_name`]: names that no other test has.
#![forbid(unsafe_code)]

mod gate;
mod names;

pub use gate::{linux_or_skip, tool_or_skip};
pub use names::unique_name;
