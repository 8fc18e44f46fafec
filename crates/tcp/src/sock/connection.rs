//! `struct inet_connection_sock` (include/net/inet_connection_sock.h, Linux 6.18): retransmission timer, the state of
//! congestion control, delayed ACKs.

use super::base::inet_sock;
use crate::ops::CongestionOps;

/// The anonymous `icsk_ack` of `struct inet_connection_sock`: when to acknowledge.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct icsk_ack {
    /// `ICSK_ACK_*` bits.
    pub pending: u8,
    /// ACKs still to be sent at once (quick-ACK credit).
    pub quick: u8,
    /// Interactive session counter.
    pub pingpong: u8,
    /// Attempts of the delayed-ACK timer.
    pub retry: u8,
    /// Bit fields `ato:8` (delayed-ACK timeout in jiffies), `lrcv_flowlabel:20`, `dst_quick_ack:1`; only `ato` is kept.
    pub bits: u32,
    /// Jiffies of the last data segment received.
    pub lrcvtime: u32,
    /// Bytes of the last segment received, for the estimate of `rcv_mss`.
    pub last_seg_size: u16,
    /// Estimate of the peer's segment size, bytes.
    pub rcv_mss: u16,
}

/// `struct inet_connection_sock`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct inet_connection_sock {
    /// The internet socket.
    pub icsk_inet: inet_sock,
    /// Retransmission timeout, jiffies.
    pub icsk_rto: u32,
    /// Its lower limit, jiffies.
    pub icsk_rto_min: u32,
    /// Its upper limit, jiffies.
    pub icsk_rto_max: u32,
    /// Upper limit of the delayed-ACK timeout, jiffies.
    pub icsk_delack_max: u32,
    /// The table of operations in use.
    pub icsk_ca_ops: *const CongestionOps,
    /// Bit fields `icsk_ca_state:5`, `icsk_ca_initialized:1`, `icsk_ca_setsockopt:1`, `icsk_ca_dst_locked:1`.
    pub icsk_ca_bits: u8,
    /// Retransmission timeouts in a row.
    pub icsk_retransmits: u8,
    /// `ICSK_TIME_*`: what the one retransmission timer waits for.
    pub icsk_pending: u8,
    /// Exponent of the timeout's backoff.
    pub icsk_backoff: u8,
    /// When to acknowledge.
    pub icsk_ack: icsk_ack,
    /// Private memory of the algorithm, 104 bytes, zeroed when one is assigned.
    pub icsk_ca_priv: [u64; 13],
}

impl inet_connection_sock {
    const CA_STATE_MASK: u8 = 0x1f;
    const CA_INITIALIZED: u8 = 1 << 5;
    const CA_SETSOCKOPT: u8 = 1 << 6;

    /// `icsk_ca_state`: a `TCP_CA_*` value.
    #[must_use]
    pub fn ca_state(&self) -> u8 {
        self.icsk_ca_bits & Self::CA_STATE_MASK
    }

    /// Sets `icsk_ca_state` and nothing else: `set_state` of the algorithm is not called.
    pub fn set_ca_state(&mut self, state: u8) {
        self.icsk_ca_bits = (self.icsk_ca_bits & !Self::CA_STATE_MASK) | (state & Self::CA_STATE_MASK);
    }

    /// `icsk_ca_initialized`: has the algorithm's `init` run?
    #[must_use]
    pub fn ca_initialized(&self) -> bool {
        self.icsk_ca_bits & Self::CA_INITIALIZED != 0
    }

    /// Sets `icsk_ca_initialized`.
    pub fn set_ca_initialized(&mut self, on: bool) {
        set_bit(&mut self.icsk_ca_bits, Self::CA_INITIALIZED, on);
    }

    /// `icsk_ca_setsockopt`: was the algorithm chosen for this socket?
    #[must_use]
    pub fn ca_setsockopt(&self) -> bool {
        self.icsk_ca_bits & Self::CA_SETSOCKOPT != 0
    }

    /// Sets `icsk_ca_setsockopt`.
    pub fn set_ca_setsockopt(&mut self, on: bool) {
        set_bit(&mut self.icsk_ca_bits, Self::CA_SETSOCKOPT, on);
    }
}

impl icsk_ack {
    /// `ato`: the delayed-ACK timeout in jiffies.
    #[must_use]
    pub fn ato(&self) -> u32 {
        self.bits & 0xff
    }

    /// Sets `ato`, at most 255 jiffies as the field has 8 bits.
    pub fn set_ato(&mut self, jiffies: u32) {
        self.bits = (self.bits & !0xff) | jiffies.min(0xff);
    }
}

/// Sets or clears one bit of a group.
pub(super) fn set_bit(group: &mut u8, mask: u8, on: bool) {
    if on {
        *group |= mask;
    } else {
        *group &= !mask;
    }
}
