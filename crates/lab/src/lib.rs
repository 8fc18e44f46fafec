//! Experiments: a [`Scenario`] and algorithms go in, runs with figures and time series come out, and are drawn for a terminal or as a page.
//!
//! A run is a simulated world: the TCP of crate `tcp` over the links of crate `net`, with the congestion control in the embedded kernel, on one virtual
//! clock. The same scenario gives the same result to the last digit. Nothing here prints, reads files or looks at a clock.
//!
//! ```
//! use lab::{Cast, Scenario, Source, SourceKind};
//! use net::Span;
//!
//! let scenario = Scenario { duration: Span::from_secs(2), warmup: Span::from_secs(1), ..Scenario::default() };
//! let reno = Source { label: "reno".to_owned(), kind: SourceKind::NativeReno };
//! let run = lab::run(&scenario, &Cast::one(reno), &mut |_| {}).unwrap();
//! assert!(run.result.link.utilization > 0.5);
//! ```
#![forbid(unsafe_code)]

mod account;
pub mod chart;
mod embedded;
mod origin;
pub mod plot;
pub mod printable;
pub mod report;
mod result;
mod run;
mod scenario;
mod sha256;
mod world;

pub use embedded::EmbeddedError;
pub use kernel::Limits;
pub use origin::{Origin, OriginObject};
pub use result::{FlowResult, FlowSeries, LinkResult, RunResult, Series, Total, jain};
pub use run::{
    Buffer, Cast, Host, Notice, Progress, Run, RunError, Setup, Source, SourceKind, TraceLine, Warning, Work, compare,
    run,
};
pub use scenario::{
    MTU, ParseBytesError, ParseProbabilityError, ParseQueueSizeError, PathSpec, QueueSize, Scenario, ScenarioError,
    parse_bytes, parse_probability,
};
pub use sha256::sha256;
pub use world::{End, Stuck};
