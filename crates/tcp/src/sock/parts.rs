//! Small structures inside `struct tcp_sock` (include/linux/tcp.h, include/linux/win_minmax.h, Linux 6.18).

use btf::BtfType;

/// `struct minmax_sample`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
pub struct minmax_sample {
    /// When, jiffies.
    pub t: u32,
    /// The value.
    pub v: u32,
}

/// `struct minmax`: the best three samples of a window.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
pub struct minmax {
    /// Best, second and third best.
    pub s: [minmax_sample; 3],
}

/// `struct tcp_rack`: RACK loss detection (RFC 8985).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
pub struct tcp_rack {
    /// Transmission time of the most recently sent segment that was delivered, microseconds.
    pub mstamp: u64,
    /// Its round-trip time, microseconds.
    pub rtt_us: u32,
    /// Its end.
    pub end_seq: u32,
    /// `delivered` when the reordering window was last adapted.
    pub last_delivered: u32,
    /// Reordering window in quarters of the minimum round-trip time.
    pub reo_wnd_steps: u8,
    /// Bit fields: recoveries for which the larger window is kept; a duplicate was reported since the window was last
    /// adapted; a later transmission was delivered since the last look.
    #[btf(bits(reo_wnd_persist = 5, dsack_seen = 1, advanced = 1))]
    pub bits: u8,
}

/// `struct tcp_sack_block`: `start_seq..end_seq`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BtfType)]
pub struct tcp_sack_block {
    /// First sequence number of the block.
    pub start_seq: u32,
    /// First sequence number after it.
    pub end_seq: u32,
}

/// `struct tcp_options_received`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
pub struct tcp_options_received {
    /// Seconds at which `ts_recent` was stored.
    pub ts_recent_stamp: i32,
    /// Timestamp to echo.
    pub ts_recent: u32,
    /// Timestamp of the last segment.
    pub rcv_tsval: u32,
    /// Timestamp that the last segment echoes.
    pub rcv_tsecr: u32,
    /// Bit fields: the last segment had timestamps; both ends use timestamps; a duplicate is to be reported; both ends
    /// scale windows; both ends use SACK (bit 0) and the peer has sent a DSACK (bit 2); shifts of received and sent windows.
    #[btf(bits(
        saw_tstamp = 1,
        tstamp_ok = 1,
        dsack = 1,
        wscale_ok = 1,
        sack_ok = 3,
        _ = 1,
        snd_wscale = 4,
        rcv_wscale = 4
    ))]
    pub bits: u16,
    /// SACK blocks that this side reports.
    pub num_sacks: u8,
    /// Largest segment that the peer takes, bytes.
    pub mss_clamp: u16,
}

impl tcp_options_received {
    /// `saw_tstamp`: the last segment had timestamps.
    pub const SAW_TSTAMP: u16 = 1;
    /// `tstamp_ok`: both ends use timestamps.
    pub const TSTAMP_OK: u16 = 1 << 1;
    /// `dsack`: a duplicate was received and is to be reported.
    pub const DSACK: u16 = 1 << 2;
    /// `wscale_ok`: both ends scale windows.
    pub const WSCALE_OK: u16 = 1 << 3;
    /// Lowest bit of `sack_ok`: both ends use SACK.
    pub const SACK_OK: u16 = 1 << 4;
    /// Bit 1 of `sack_ok`: the peer has sent a DSACK.
    pub const DSACK_SEEN: u16 = 1 << 6;

    /// Is a flag set?
    #[must_use]
    pub fn has(&self, mask: u16) -> bool {
        self.bits & mask != 0
    }

    /// Sets or clears a flag.
    pub fn set(&mut self, mask: u16, on: bool) {
        if on {
            self.bits |= mask;
        } else {
            self.bits &= !mask;
        }
    }
}

/// The anonymous `rcv_rtt_est` of `struct tcp_sock`: the receiver's estimate of the round-trip time.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
#[btf(anonymous)]
pub struct rcv_rtt_est {
    /// The estimate times 8, microseconds.
    pub rtt_us: u32,
    /// The measurement ends when this sequence number arrives.
    pub seq: u32,
    /// When the measurement began, microseconds.
    pub time: u64,
}

/// The anonymous `rcvq_space` of `struct tcp_sock`: dynamic right-sizing of the receive buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
#[btf(anonymous)]
pub struct rcvq_space {
    /// Bytes that the application took in the best round so far.
    pub space: i32,
    /// `copied_seq` when the round began.
    pub seq: u32,
    /// When the round began, microseconds.
    pub time: u64,
}
