//! [`Segment`]: one TCP segment as it travels, without its payload's bytes (RFC 9293, 7323, 2018, 3168).

use crate::sock::tcp_sack_block;
use net::{Ecn, Packet};

/// One segment. It is small and plain, so that links and traces copy it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Sequence number of the first payload byte, or of SYN or FIN.
    pub seq: u32,
    /// Next byte expected, valid with [`Flags::ACK`].
    pub ack: u32,
    /// Payload, bytes.
    pub len: u32,
    /// Timestamp value, with [`Options::TIMESTAMPS`].
    pub tsval: u32,
    /// Timestamp echo.
    pub tsecr: u32,
    /// Window as on the wire, not yet scaled.
    pub window: u16,
    /// Largest segment, with [`Options::MSS`].
    pub mss: u16,
    /// TCP flags.
    pub flags: Flags,
    /// Which options are present.
    pub options: Options,
    /// Window scale, with [`Options::WINDOW_SCALE`].
    pub wscale: u8,
    /// SACK blocks used; a DSACK comes first.
    pub sack_count: u8,
    /// SACK blocks.
    pub sack: [tcp_sack_block; 4],
    /// ECN field of the IP header.
    pub ecn: Ecn,
}

impl Segment {
    /// The SACK blocks.
    #[must_use]
    pub fn sack_blocks(&self) -> &[tcp_sack_block] {
        &self.sack[..usize::from(self.sack_count).min(4)]
    }

    /// Sequence number after this segment; SYN and FIN count one each.
    #[must_use]
    pub fn end_seq(&self) -> u32 {
        let control = u32::from(self.flags.has(Flags::SYN)) + u32::from(self.flags.has(Flags::FIN));
        self.seq.wrapping_add(self.len).wrapping_add(control)
    }

    /// Length of the IPv4 packet: headers, options as Linux aligns them, payload.
    ///
    /// ```
    /// use tcp::{Options, Segment};
    /// let full = Segment { len: 1448, options: Options::TIMESTAMPS, ..Segment::default() };
    /// assert_eq!(full.wire_len(), 1500);
    /// ```
    #[must_use]
    pub fn wire_len(&self) -> u32 {
        let mut options = 0;
        if self.options.has(Options::MSS) {
            options += 4;
        }
        // Timestamps take 10 bytes and 2 of padding; SACK permitted fits into the padding.
        if self.options.has(Options::TIMESTAMPS) {
            options += 12;
        } else if self.options.has(Options::SACK_PERMITTED) {
            options += 4;
        }
        if self.options.has(Options::WINDOW_SCALE) {
            options += 4;
        }
        if self.sack_count > 0 {
            options += 4 + 8 * u32::from(self.sack_count);
        }
        40 + options + self.len
    }
}

impl Packet for Segment {
    fn len_bytes(&self) -> u32 {
        self.wire_len()
    }

    fn ecn(&self) -> Ecn {
        self.ecn
    }

    fn set_ecn(&mut self, ecn: Ecn) {
        self.ecn = ecn;
    }
}

/// TCP flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data.
    pub const FIN: Self = Self(0x01);
    /// Begin.
    pub const SYN: Self = Self(0x02);
    /// Refuse.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The `ack` field is valid.
    pub const ACK: Self = Self(0x10);
    /// Congestion echo.
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced.
    pub const CWR: Self = Self(0x80);

    /// Is any of these set?
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These as well.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All but these.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Which TCP options a segment carries, SACK blocks apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options(pub u8);

impl Options {
    /// Maximum segment size.
    pub const MSS: Self = Self(1);
    /// Timestamps.
    pub const TIMESTAMPS: Self = Self(2);
    /// SACK permitted.
    pub const SACK_PERMITTED: Self = Self(4);
    /// Window scale.
    pub const WINDOW_SCALE: Self = Self(8);

    /// Is any of these set?
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These as well.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
