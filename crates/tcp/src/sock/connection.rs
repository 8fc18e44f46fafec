//! `struct inet_connection_sock` (include/net/inet_connection_sock.h, Linux 6.18): retransmission timer, the state of
//! congestion control, delayed ACKs.

use super::base::inet_sock;
use crate::ops::CongestionOps;
use btf::BtfType;

/// The anonymous `icsk_ack` of `struct inet_connection_sock`: when to acknowledge.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
#[btf(anonymous)]
pub struct icsk_ack {
    /// `ICSK_ACK_*` bits.
    #[btf(as = "__u8")]
    pub pending: u8,
    /// ACKs still to be sent at once (quick-ACK credit).
    #[btf(as = "__u8")]
    pub quick: u8,
    /// Interactive session counter.
    #[btf(as = "__u8")]
    pub pingpong: u8,
    /// Bit field: `ato`, the delayed-ACK timeout in jiffies.
    #[btf(as = "__u32", bits(ato = 8))]
    pub bits: u32,
    /// Jiffies of the last data segment received.
    #[btf(as = "__u32")]
    pub lrcvtime: u32,
    /// Bytes of the last segment received, for the estimate of `rcv_mss`.
    #[btf(as = "__u16")]
    pub last_seg_size: u16,
    /// Estimate of the peer's segment size, bytes.
    #[btf(as = "__u16")]
    pub rcv_mss: u16,
}

/// `struct inet_connection_sock`.
#[repr(C)]
#[derive(Clone, Copy, Debug, BtfType)]
pub struct inet_connection_sock {
    /// The internet socket.
    pub icsk_inet: inet_sock,
    /// Retransmission timeout, jiffies.
    #[btf(as = "__u32")]
    pub icsk_rto: u32,
    /// Its lower limit, jiffies.
    #[btf(as = "__u32")]
    pub icsk_rto_min: u32,
    /// Its upper limit, jiffies.
    pub icsk_rto_max: u32,
    /// Upper limit of the delayed-ACK timeout, jiffies.
    #[btf(as = "__u32")]
    pub icsk_delack_max: u32,
    /// The table of operations in use.
    pub icsk_ca_ops: *const CongestionOps,
    /// Bit fields: a `TCP_CA_*` value; has the algorithm's `init` run; was the algorithm chosen for this socket.
    #[btf(
        as = "__u8",
        bits(icsk_ca_state = 5, icsk_ca_initialized = 1, icsk_ca_setsockopt = 1)
    )]
    pub icsk_ca_bits: u8,
    /// Retransmission timeouts in a row.
    #[btf(as = "__u8")]
    pub icsk_retransmits: u8,
    /// `ICSK_TIME_*`: what the one retransmission timer waits for.
    #[btf(as = "__u8")]
    pub icsk_pending: u8,
    /// Exponent of the timeout's backoff.
    #[btf(as = "__u8")]
    pub icsk_backoff: u8,
    /// When to acknowledge.
    pub icsk_ack: icsk_ack,
    /// Private memory of the algorithm, 104 bytes, zeroed when one is assigned.
    pub icsk_ca_priv: [u64; 13],
}
