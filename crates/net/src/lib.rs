//! Virtual time, events, links, queues, loss and seeded randomness: the network half of an experiment, as pure functions of time and seed.
//!
//! Nothing here reads a clock, a file or the environment, and nothing knows what a packet carries: time is an argument, packets are generic
//! ([`Packet`]). The discrete-event simulator and a link emulator in real time can drive the same objects.
//!
//! ```
//! use net::{DropTail, Ecn, Link, Packet, Rate, Span, Time};
//!
//! struct Frame(u32);
//! impl Packet for Frame {
//!     fn len_bytes(&self) -> u32 { self.0 }
//!     fn ecn(&self) -> Ecn { Ecn::NotEct }
//!     fn set_ecn(&mut self, _: Ecn) {}
//! }
//!
//! let mut link = Link::new(Rate::from_mbit(100), Span::from_millis(10), DropTail::new(250_000));
//! link.send(Time::ZERO, Frame(1500));
//! assert_eq!(link.next_event(), Some(Time::from_micros(120)));       // the last bit leaves
//! assert!(link.poll(Time::from_micros(120)).is_none());
//! assert_eq!(link.next_event(), Some(Time::from_micros(10_120)));    // and arrives 10 ms later
//! assert!(link.poll(Time::from_micros(10_120)).is_some());
//! ```
#![forbid(unsafe_code)]

mod event;
mod link;
mod loss;
mod packet;
mod queue;
mod rate;
mod rng;
mod time;

pub use event::EventQueue;
pub use link::{Link, LinkStats, Sent};
pub use loss::Loss;
pub use packet::{Ecn, Packet};
pub use queue::{DropTail, EcnStep, Enqueued, Queue, QueueStats};
pub use rate::{ParseRateError, Rate};
pub use rng::Rng;
pub use time::{ParseSpanError, Span, Time};
