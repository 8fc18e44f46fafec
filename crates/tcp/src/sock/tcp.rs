//! `struct tcp_sock` (include/linux/tcp.h, Linux 6.18), as far as our TCP keeps its fields alive.
//!
//! A field may stand at another byte than in Linux, since CO-RE moves bytes. A bit field stands at Linux's bit of its byte, and neighbouring
//! bytes of bit fields stay neighbours: a plain `tp->is_cwnd_limited` has its mask fixed when it is compiled.

use super::connection::inet_connection_sock;
use super::parts::{minmax, rcv_rtt_est, rcvq_space, tcp_options_received, tcp_rack, tcp_sack_block};
use btf::BtfType;

/// `struct tcp_sock`. Sequence numbers and packet counts wrap; times ending in `_us` and `mstamp`s are microseconds.
#[repr(C)]
#[derive(Clone, Copy, Debug, BtfType)]
pub struct tcp_sock {
    /// The connection.
    pub inet_conn: inet_connection_sock,
    /// Largest window the peer ever offered, bytes.
    pub max_window: u32,
    /// Current limit of the window offered, bytes.
    pub rcv_ssthresh: u32,
    /// Packets of reordering to tolerate.
    pub reordering: u32,
    /// Segments of a full TSO burst.
    pub gso_segs: u16,
    /// Window that the peer offers, bytes.
    pub snd_wnd: u32,
    /// Payload bytes of a full segment.
    pub mss_cache: u32,
    /// Congestion window, packets.
    pub snd_cwnd: u32,
    /// Packets sent in this recovery.
    pub prr_out: u32,
    /// Packets in flight taken for lost.
    pub lost_out: u32,
    /// Packets SACKed.
    pub sacked_out: u32,
    /// Bytes of TCP header in segments sent.
    pub tcp_header_len: u16,
    /// Share of payload in receive memory, 1/256.
    pub scaling_ratio: u8,
    /// Bit field: the window, not the application, held back the sender in the last round trip.
    #[btf(bits(_ = 3, is_cwnd_limited = 1))]
    pub cwnd_bits: u8,
    /// Next byte that the application will read.
    pub copied_seq: u32,
    /// Sequence number of the last window update.
    pub snd_wl1: u32,
    /// `snd_nxt` when a tail loss probe was sent; 0 = none outstanding.
    pub tlp_high_seq: u32,
    /// Variance of the round-trip time, times 4.
    pub rttvar_us: u32,
    /// Packets retransmitted and still out.
    pub retrans_out: u32,
    /// Largest segment that this side advertised.
    pub advmss: u16,
    /// Packets marked lost, ever.
    pub lost: u32,
    /// Slow start threshold, packets.
    pub snd_ssthresh: u32,
    /// Minimum round-trip time, windowed, microseconds.
    pub rtt_min: minmax,
    /// Segments sent.
    pub segs_out: u32,
    /// Segments with data sent.
    pub data_segs_out: u32,
    /// Payload bytes sent, retransmissions included.
    pub bytes_sent: u64,
    /// End of the data that the application has given.
    pub write_seq: u32,
    /// Jiffies of the last data segment sent.
    pub lsndtime: u32,
    /// Mean deviation of the round-trip time, times 4.
    pub mdev_us: u32,
    /// Sequence number at which `rttvar_us` is updated.
    pub rtt_seq: u32,
    /// Departure time of the next packet, nanoseconds.
    pub tcp_wstamp_ns: u64,
    /// `TCP_ECN_*` bits.
    pub ecn_flags: u8,
    /// Bit field: the saved rate sample was limited by the application.
    #[btf(bits(_ = 4, rate_app_limited = 1))]
    pub rate_bits: u8,
    /// Cached clock, nanoseconds.
    pub tcp_clock_cache: u64,
    /// Cached clock, microseconds.
    pub tcp_mstamp: u64,
    /// Next sequence number expected.
    pub rcv_nxt: u32,
    /// Next sequence number to send.
    pub snd_nxt: u32,
    /// First unacknowledged sequence number.
    pub snd_una: u32,
    /// Largest window to offer, bytes.
    pub window_clamp: u32,
    /// Smoothed round-trip time, times 8.
    pub srtt_us: u32,
    /// Packets sent and not cumulatively acknowledged.
    pub packets_out: u32,
    /// Packets delivered, ever.
    pub delivered: u32,
    /// Of these, packets whose ACK carried a congestion echo.
    pub delivered_ce: u32,
    /// `delivered` at which the last application-limited phase ends; 0 = not limited.
    pub app_limited: u32,
    /// Window offered, bytes.
    pub rcv_wnd: u32,
    /// Jiffies of the last ACK received.
    pub rcv_tstamp: u32,
    /// Options of the connection and of the last segment.
    pub rx_opt: tcp_options_received,
    /// Payload bytes received in order.
    pub bytes_received: u64,
    /// Segments received.
    pub segs_in: u32,
    /// Segments with data received.
    pub data_segs_in: u32,
    /// `rcv_nxt` when the last window was offered.
    pub rcv_wup: u32,
    /// Most packets out in the last window's worth.
    pub max_packets_out: u32,
    /// Right edge of the window that `max_packets_out` speaks of.
    pub cwnd_usage_seq: u32,
    /// Saved rate sample: packets.
    pub rate_delivered: u32,
    /// Saved rate sample: interval.
    pub rate_interval_us: u32,
    /// Timestamp echo of the last receiver-side round-trip measurement.
    pub rcv_rtt_last_tsecr: u32,
    /// Start of the send phase of the newest delivered packet, microseconds.
    pub first_tx_mstamp: u64,
    /// When `delivered` last grew, microseconds.
    pub delivered_mstamp: u64,
    /// Payload bytes acknowledged.
    pub bytes_acked: u64,
    /// The receiver's round-trip estimate.
    pub rcv_rtt_est: rcv_rtt_est,
    /// Right-sizing of the receive buffer.
    pub rcvq_space: rcvq_space,
    /// Duplicates that the peer reported.
    pub dsack_dups: u32,
    /// `rcv_nxt` at the first of the compressed ACKs.
    pub compressed_ack_rcv_nxt: u32,
    /// Loss detection.
    pub rack: tcp_rack,
    /// ACKs held back by SACK compression.
    pub compressed_ack: u8,
    /// Bit fields: duplicate ACKs sent before compression may begin; the probe was a retransmission.
    #[btf(bits(dup_ack_counter = 2, tlp_retrans = 1))]
    pub ack_bits: u8,
    /// Bit field: F-RTO (RFC 5682) watches this timeout.
    #[btf(bits(_ = 4, frto = 1))]
    pub frto_bits: u8,
    /// Largest `mdev_us` of this round trip.
    pub mdev_max_us: u32,
    /// Times that reordering was seen.
    pub reord_seen: u32,
    /// Packets acknowledged towards the next increase.
    pub snd_cwnd_cnt: u32,
    /// Upper limit of `snd_cwnd`.
    pub snd_cwnd_clamp: u32,
    /// Packets in use while limited by the application.
    pub snd_cwnd_used: u32,
    /// Jiffies of the last validation of the window.
    pub snd_cwnd_stamp: u32,
    /// Congestion window before the recovery.
    pub prior_cwnd: u32,
    /// Packets delivered in this recovery.
    pub prr_delivered: u32,
    /// Duplicate to report.
    pub duplicate_sack: [tcp_sack_block; 1],
    /// Blocks to report.
    pub selective_acks: [tcp_sack_block; 4],
    /// Blocks of the last ACK received.
    pub recv_sack_cache: [tcp_sack_block; 4],
    /// Threshold before the reduction; 0 = nothing to restore.
    pub prior_ssthresh: u32,
    /// `snd_nxt` when the recovery began.
    pub high_seq: u32,
    /// Timestamp of the first retransmission of the recovery; 0 = none.
    pub retrans_stamp: u32,
    /// `snd_una` when the reduction began; 0 = it cannot be undone.
    pub undo_marker: u32,
    /// Retransmissions that the peer has not reported as duplicates; -1 = undo by timestamps only.
    pub undo_retrans: i32,
    /// Payload bytes retransmitted.
    pub bytes_retrans: u64,
    /// Packets retransmitted.
    pub total_retrans: u32,
    /// Retransmission timeouts.
    pub total_rto: u16,
    /// Bit field: a program is changing the algorithm of this socket.
    #[btf(bits(bpf_chg_cc_inprogress = 1))]
    pub bpf_bits: u8,
    /// Segments received out of order.
    pub rcv_ooopack: u32,
}

impl tcp_sock {
    /// `tcp_packets_in_flight()`: sent, minus SACKed and lost, plus retransmitted.
    #[must_use]
    pub fn packets_in_flight(&self) -> u32 {
        self.packets_out
            .wrapping_sub(self.sacked_out)
            .wrapping_sub(self.lost_out)
            .wrapping_add(self.retrans_out)
    }

    /// `tcp_in_slow_start()`.
    #[must_use]
    pub fn in_slow_start(&self) -> bool {
        self.snd_cwnd < self.snd_ssthresh
    }

    /// `tcp_is_cwnd_limited()`: in slow start the window may grow to twice what was used.
    #[must_use]
    pub fn tcp_is_cwnd_limited(&self) -> bool {
        if self.in_slow_start() {
            return self.snd_cwnd < self.max_packets_out.wrapping_mul(2);
        }
        self.is_cwnd_limited() != 0
    }

    /// `tcp_min_rtt()`: microseconds; `u32::MAX` before the first sample.
    #[must_use]
    pub fn min_rtt_us(&self) -> u32 {
        self.rtt_min.s[0].v
    }
}
