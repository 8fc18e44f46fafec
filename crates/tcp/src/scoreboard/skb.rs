//! [`Skb`]: one burst in flight, what `struct tcp_skb_cb` holds of it in Linux.

/// `TCPCB_SACKED_ACKED`: the peer has it.
pub(crate) const SACKED_ACKED: u8 = 0x01;
/// `TCPCB_SACKED_RETRANS`: a retransmission is in flight.
pub(crate) const SACKED_RETRANS: u8 = 0x02;
/// `TCPCB_LOST`: taken for lost.
pub(crate) const LOST: u8 = 0x04;
/// `TCPCB_EVER_RETRANS`: was retransmitted at some time.
pub(crate) const EVER_RETRANS: u8 = 0x80;
/// `TCPCB_RETRANS`: any sign of retransmission.
pub(crate) const RETRANS: u8 = SACKED_RETRANS | EVER_RETRANS;

/// Handle of a burst; valid until it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SkbId(pub(super) u32);

/// A burst of one or more segments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skb {
    pub(crate) seq: u32,
    pub(crate) end_seq: u32,
    /// Segments (`tcp_skb_pcount`).
    pub(crate) pcount: u32,
    /// Tags.
    pub(crate) sacked: u8,
    /// When it was last sent, nanoseconds (`skb_mstamp_ns`).
    pub(crate) mstamp_ns: u64,
    pub(crate) tx: TxInfo,
    pub(crate) sorted: Sorted,
}

/// State of delivery when the burst was sent (`tcp_rate_skb_sent`).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TxInfo {
    pub(crate) first_tx_mstamp: u64,
    /// 0 = this burst was used for a sample already.
    pub(crate) delivered_mstamp: u64,
    pub(crate) delivered: u32,
    pub(crate) delivered_ce: u32,
    pub(crate) is_app_limited: bool,
}

/// Links of the list in order of transmission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sorted {
    pub(super) prev: u32,
    pub(super) next: u32,
    pub(super) linked: bool,
}

/// No neighbour.
pub(super) const NIL: u32 = u32::MAX;

impl Default for Sorted {
    fn default() -> Self {
        Self {
            prev: NIL,
            next: NIL,
            linked: false,
        }
    }
}

impl Skb {
    /// Microseconds of the last transmission (`tcp_skb_timestamp_us`).
    pub(crate) fn mstamp_us(&self) -> u64 {
        self.mstamp_ns / 1_000
    }

    /// Milliseconds of the last transmission, as in the timestamps option (`tcp_skb_timestamp_ts`).
    pub(crate) fn timestamp_ms(&self) -> u32 {
        (self.mstamp_ns / 1_000_000) as u32
    }

    /// Payload, bytes.
    pub(crate) fn len(&self) -> u32 {
        self.end_seq.wrapping_sub(self.seq)
    }

    /// Is any of these bits set?
    pub(crate) fn is(&self, bits: u8) -> bool {
        self.sacked & bits != 0
    }
}
