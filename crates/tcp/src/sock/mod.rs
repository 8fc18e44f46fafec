//! The socket structures as Linux names and nests them: `sock_common` in `sock` in `inet_sock` in
//! `inet_connection_sock` in [`tcp_sock`]. They are `repr(C)` and derive their BTF.
//!
//! This is not a copy made for BPF: it is the state that our TCP runs on. Field names, types, signedness and
//! bit-field groups are those of Linux 6.18 (BTF of that kernel); a field that our TCP does not keep alive is absent,
//! so that a program which needs it fails to load instead of reading a silent zero. Sizes and offsets differ from
//! Linux's; CO-RE relocates them.
//!
//! A bit-field group is one integer here; the derive makes a getter and a setter of each member's name. Members that are not
//! kept leave gaps, so that the others lie at Linux's bits.

mod algorithms;
mod base;
mod connection;
mod parts;
mod samples;
mod tcp;

pub use algorithms::{bbr, bictcp, dctcp, tcp_plb_state};
pub use base::{atomic64_t, inet_sock, sock, sock_common};
pub use connection::{icsk_ack, inet_connection_sock};
pub use parts::{minmax, minmax_sample, rcv_rtt_est, rcvq_space, tcp_options_received, tcp_rack, tcp_sack_block};
pub use samples::{ack_sample, rate_sample};
pub use tcp::tcp_sock;
