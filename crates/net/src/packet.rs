//! What a link must know of a packet: how long it is and its ECN field.

/// The two ECN bits of an IP header, RFC 3168 section 5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ecn {
    /// `00`: the sender does not use ECN; a queue can only drop.
    #[default]
    NotEct,
    /// `01`: ECN-capable transport, ECT(1).
    Ect1,
    /// `10`: ECN-capable transport, ECT(0).
    Ect0,
    /// `11`: congestion experienced.
    Ce,
}

impl Ecn {
    /// Whether a queue may mark this packet instead of dropping it: ECT(0), ECT(1), and CE, which is marked already.
    pub const fn is_capable(self) -> bool {
        !matches!(self, Self::NotEct)
    }
}

/// What links and queues must know of a packet.
pub trait Packet {
    /// Length on the link in bytes; for IPv4, the total length of the IP header.
    fn len_bytes(&self) -> u32;
    /// The ECN field.
    fn ecn(&self) -> Ecn;
    /// Changes the ECN field.
    fn set_ecn(&mut self, ecn: Ecn);
}
