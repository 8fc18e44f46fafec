//! A TCP sender and receiver as Linux has them, without a network and without a clock: the caller brings segments and
//! time ([`Socket`]).
//!
//! The model is Linux 6.18 (net/ipv4/tcp_*.c; cited from 6.12 where only that source was at hand), as far as a congestion
//! control can see it: SACK, RACK-TLP, PRR, undo, ECN, pacing, TSO bursts, rate samples, delayed ACKs, jiffies.
//! Congestion control is called through [`CongestionOps`], a table of C functions; this crate does not know what made
//! them. The socket's structures ([`sock`]) are the live state and derive their BTF.
//!
//! An ACK's way: [`Socket::input`] → `input/` (what it says) → `recovery/` (what it means) → the operations → `output/`
//! (what it lets go). What arrives at the receiver goes to `receiver/`. `block.rs` is all memory of a socket, `cell.rs`
//! its owner.
//!
//! Not modelled: payload bytes, closing, zero-window probes, SACK reneging, Nagle's algorithm, the send buffer's limit, TSQ,
//! GRO, path MTU discovery, TCP Fast Open, urgent data, keepalive, cached metrics, AccECN. A field of `struct tcp_sock` that
//! belongs to these is absent.
//!
//! Unsafe code: `cell.rs` (the socket's memory), `ca_call.rs` (calls of operations), `kfuncs.rs` (calls from operations),
//! `ca/ops_ref.rs` (what keeps a table alive).
#![deny(unsafe_code)]

mod app;
mod block;
mod btf_types;
pub mod ca;
#[expect(
    unsafe_code,
    reason = "calls of a congestion control's operations through C function pointers"
)]
mod ca_call;
#[expect(
    unsafe_code,
    reason = "owns the socket's memory by a raw pointer, because operations write to it"
)]
mod cell;
mod clock;
mod config;
mod cong;
pub mod consts;
mod drive;
mod ecn;
mod info;
mod input;
#[expect(unsafe_code, reason = "functions that operations call, with C's calling convention")]
pub mod kfuncs;
mod minmax;
pub mod ops;
mod output;
mod pacing;
mod rate;
mod receiver;
mod recovery;
pub mod reno;
mod scoreboard;
mod segment;
mod seq;
pub mod sock;
mod socket;
#[cfg(test)]
mod tests;
mod timer;

pub use btf_types::add_btf;
pub use config::{Config, EcnMode, Pacing};
pub use info::{Info, Limit};
pub use ops::CongestionOps;
pub use segment::{Flags, Options, Segment};
pub use socket::Socket;
