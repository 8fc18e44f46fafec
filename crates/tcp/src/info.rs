//! [`Info`]: what `TCP_INFO` and `ss` show of a connection.

use crate::cell::Sk;
use net::Span;

/// A snapshot of a connection. Counts are of packets unless the name says bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// `TCP_*` state of the connection ([`crate::consts::state`]).
    pub state: u8,
    /// `TCP_CA_*` state of the congestion machine.
    pub ca_state: u8,
    /// Congestion window.
    pub cwnd: u32,
    /// Slow start threshold; `TCP_INFINITE_SSTHRESH` until the first reduction.
    pub ssthresh: u32,
    /// Smoothed round-trip time.
    pub srtt: Span,
    /// Its mean deviation.
    pub rttvar: Span,
    /// Minimum round-trip time; `None` before the first sample.
    pub min_rtt: Option<Span>,
    /// Retransmission timeout.
    pub rto: Span,
    /// Sent and not cumulatively acknowledged (`tcpi_unacked`).
    pub packets_out: u32,
    /// Of these, SACKed.
    pub sacked_out: u32,
    /// Of these, taken for lost.
    pub lost_out: u32,
    /// Of these, retransmitted.
    pub retrans_out: u32,
    /// `packets_out - sacked_out - lost_out + retrans_out`.
    pub in_flight: u32,
    /// Retransmissions since the beginning (`tcpi_total_retrans`).
    pub retransmits: u32,
    /// Fast recoveries entered.
    pub recoveries: u32,
    /// Retransmission timeouts.
    pub timeouts: u32,
    /// Reductions that turned out to be mistakes.
    pub undos: u32,
    /// Reductions because of ECN.
    pub ecn_reductions: u32,
    /// Packets delivered to the peer, SACKed ones included.
    pub delivered: u32,
    /// Of these, with a congestion echo.
    pub delivered_ce: u32,
    /// Payload acknowledged.
    pub bytes_acked: u64,
    /// Payload received in order.
    pub bytes_received: u64,
    /// Pacing rate, bytes a second; `u64::MAX` = none.
    pub pacing_rate: u64,
    /// Largest payload of a segment, bytes.
    pub mss: u32,
    /// Segments sent and received.
    pub segs_out: u32,
    /// Segments received.
    pub segs_in: u32,
    /// ECN was negotiated.
    pub ecn: bool,
    /// What kept it from sending more when it last could (`tcpi_rwnd_limited` and `tcpi_sndbuf_limited` are times of the same).
    pub limit: Limit,
}

/// What keeps a sender from sending more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit {
    /// The congestion window or pacing: the algorithm.
    #[default]
    Algorithm,
    /// The window that the receiver offers.
    ReceiveBuffer,
    /// The send buffer: the application would write more.
    SendBuffer,
    /// The application has no more to send.
    Application,
}

impl Sk {
    /// `tcp_get_info()`.
    pub(crate) fn info(&self) -> Info {
        let tp = &self.tp;
        let icsk = &tp.inet_conn;
        Info {
            state: icsk.icsk_inet.sk.__sk_common.skc_state,
            ca_state: icsk.icsk_ca_state(),
            cwnd: tp.snd_cwnd,
            ssthresh: tp.snd_ssthresh,
            srtt: Span::from_micros(u64::from(tp.srtt_us >> 3)),
            rttvar: Span::from_micros(u64::from(tp.mdev_us >> 2)),
            min_rtt: (tp.min_rtt_us() != u32::MAX).then(|| Span::from_micros(u64::from(tp.min_rtt_us()))),
            rto: self.clock.span(icsk.icsk_rto),
            packets_out: tp.packets_out,
            sacked_out: tp.sacked_out,
            lost_out: tp.lost_out,
            retrans_out: tp.retrans_out,
            in_flight: tp.packets_in_flight(),
            retransmits: tp.total_retrans,
            recoveries: self.counters.recoveries,
            timeouts: self.counters.timeouts,
            undos: self.counters.undos,
            ecn_reductions: self.counters.ecn_reductions,
            delivered: tp.delivered,
            delivered_ce: tp.delivered_ce,
            bytes_acked: tp.bytes_acked,
            bytes_received: tp.bytes_received,
            pacing_rate: icsk.icsk_inet.sk.sk_pacing_rate,
            mss: tp.mss_cache,
            segs_out: tp.segs_out,
            segs_in: tp.segs_in,
            ecn: tp.ecn_flags & crate::consts::ecn_flags::OK != 0,
            limit: self.counters.limit,
        }
    }
}

/// Counts that `struct tcp_sock` does not have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) recoveries: u32,
    pub(crate) timeouts: u32,
    pub(crate) undos: u32,
    pub(crate) ecn_reductions: u32,
    pub(crate) limit: Limit,
}
