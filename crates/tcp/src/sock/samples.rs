//! `struct rate_sample` and `struct ack_sample` (include/net/tcp.h, Linux 6.18): what an algorithm learns with an ACK.

use btf::BtfType;

/// `struct rate_sample`: delivery rate over the flight of the newest delivered segment.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BtfType)]
pub struct rate_sample {
    /// Start of the interval, microseconds; 0 = no sample.
    pub prior_mstamp: u64,
    /// `delivered` at that time.
    pub prior_delivered: u32,
    /// `delivered_ce` at that time.
    pub prior_delivered_ce: u32,
    /// Packets delivered over the interval; -1 = no sample.
    #[btf(as = "s32")]
    pub delivered: i32,
    /// Of these, packets that carried a CE mark.
    #[btf(as = "s32")]
    pub delivered_ce: i32,
    /// Length of the interval, microseconds; -1 = no sample.
    #[btf(as = "long int")]
    pub interval_us: i64,
    /// Its send phase, microseconds.
    pub snd_interval_us: u32,
    /// Its ACK phase, microseconds.
    pub rcv_interval_us: u32,
    /// Round-trip time of the last (S)ACKed packet, microseconds; -1 = none.
    #[btf(as = "long int")]
    pub rtt_us: i64,
    /// Packets marked lost with this ACK.
    pub losses: i32,
    /// Packets newly ACKed or SACKed.
    pub acked_sacked: u32,
    /// Packets in flight before this ACK.
    pub prior_in_flight: u32,
    /// End of the segment that the sample is taken from.
    pub last_end_seq: u32,
    /// The interval held a bubble of an application that had nothing to send.
    pub is_app_limited: bool,
    /// The sample is from a retransmission.
    pub is_retrans: bool,
    /// The ACK was probably delayed.
    pub is_ack_delayed: bool,
}

/// `struct ack_sample`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BtfType)]
pub struct ack_sample {
    /// Packets acknowledged.
    pub pkts_acked: u32,
    /// Round-trip time, microseconds; -1 = none.
    #[btf(as = "s32")]
    pub rtt_us: i32,
    /// Packets in flight when the acknowledged one was sent.
    pub in_flight: u32,
}
