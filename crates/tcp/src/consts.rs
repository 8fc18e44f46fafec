//! Linux's constants of TCP (include/net/tcp.h, include/uapi/linux/tcp.h, include/net/inet_connection_sock.h, 6.12 and
//! 6.18), by their names there.

use btf::BtfType;

/// `TCP_CA_*`: the states of the sender's congestion machine.
pub mod ca_state {
    /// Nothing wrong.
    pub const OPEN: u8 = 0;
    /// SACKs or duplicate ACKs seen, no loss marked.
    pub const DISORDER: u8 = 1;
    /// The window is being reduced because of ECN or local congestion.
    pub const CWR: u8 = 2;
    /// Fast retransmit and recovery.
    pub const RECOVERY: u8 = 3;
    /// After a retransmission timeout.
    pub const LOSS: u8 = 4;
}

/// `enum tcp_ca_event`: the argument of `cwnd_event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BtfType)]
#[repr(u32)]
#[btf(prefix = "CA_EVENT_")]
#[expect(non_camel_case_types, reason = "the kernel's name")]
pub enum tcp_ca_event {
    /// First transmission with no packets in flight.
    #[btf(name = "TX_START")]
    TxStart,
    /// The window was restarted after idle time.
    #[btf(name = "CWND_RESTART")]
    CwndRestart,
    /// A reduction is over.
    #[btf(name = "COMPLETE_CWR")]
    CompleteCwr,
    /// Retransmission timeout.
    #[btf(name = "LOSS")]
    Loss,
    /// ECN-capable packet without CE mark received.
    #[btf(name = "ECN_NO_CE")]
    EcnNoCe,
    /// Packet with CE mark received.
    #[btf(name = "ECN_IS_CE")]
    EcnIsCe,
}

/// `CA_ACK_*`: the argument of `in_ack_event`.
pub mod ca_ack {
    /// The ACK took the slow path.
    pub const SLOWPATH: u32 = 1;
    /// The ACK updated the window.
    pub const WIN_UPDATE: u32 = 2;
    /// The ACK carried ECE.
    pub const ECE: u32 = 4;
}

/// `TCP_CONG_*`: flags of a table of operations.
pub mod cong_flags {
    /// Any user may choose it.
    pub const NON_RESTRICTED: u32 = 1;
    /// It needs ECN.
    pub const NEEDS_ECN: u32 = 2;
}

/// `TCP_ECN_*`: bits of `ecn_flags`.
pub mod ecn_flags {
    /// ECN was negotiated.
    pub const OK: u8 = 1;
    /// The next data segment carries CWR.
    pub const QUEUE_CWR: u8 = 2;
    /// ACKs carry ECE until the peer answers with CWR.
    pub const DEMAND_CWR: u8 = 4;
    /// An ECN-capable packet was received.
    pub const SEEN: u8 = 8;
}

/// `ICSK_ACK_*`: bits of `icsk_ack.pending`.
pub mod icsk_ack_state {
    /// An ACK is owed.
    pub const SCHED: u8 = 1;
    /// The delayed-ACK timer runs.
    pub const TIMER: u8 = 2;
    /// A segment with PSH arrived.
    pub const PUSHED: u8 = 4;
    /// A second one arrived.
    pub const PUSHED2: u8 = 8;
    /// ACK at once.
    pub const NOW: u8 = 16;
    /// ACK at once when data arrives out of order is not needed.
    pub const NOMEM: u8 = 32;
}

/// `ICSK_TIME_*`: what the retransmission timer waits for.
pub mod icsk_time {
    /// Nothing.
    pub const NONE: u8 = 0;
    /// Retransmission timeout.
    pub const RETRANS: u8 = 1;
    /// Zero-window probe.
    pub const PROBE0: u8 = 3;
    /// Tail loss probe.
    pub const LOSS_PROBE: u8 = 5;
    /// End of RACK's reordering window.
    pub const REO_TIMEOUT: u8 = 6;
}

/// `TCP_*` states of a connection (include/net/tcp_states.h).
pub mod state {
    /// Data may flow.
    pub const ESTABLISHED: u8 = 1;
    /// SYN sent.
    pub const SYN_SENT: u8 = 2;
    /// SYN received and answered.
    pub const SYN_RECV: u8 = 3;
    /// Our FIN is sent and not acknowledged.
    pub const FIN_WAIT1: u8 = 4;
    /// Our FIN is acknowledged.
    pub const FIN_WAIT2: u8 = 5;
    /// Not connected.
    pub const CLOSE: u8 = 7;
    /// The peer has closed.
    pub const CLOSE_WAIT: u8 = 8;
    /// Waits for a SYN.
    pub const LISTEN: u8 = 10;
}

/// `SK_PACING_NONE`: packets leave when the window allows.
pub const SK_PACING_NONE: u32 = 0;
/// `SK_PACING_NEEDED`: TCP paces with its own timer.
pub const SK_PACING_NEEDED: u32 = 1;
/// `SK_PACING_FQ`: the queueing discipline paces.
pub const SK_PACING_FQ: u32 = 2;

/// `TCP_INFINITE_SSTHRESH`: no threshold known yet.
pub const TCP_INFINITE_SSTHRESH: u32 = 0x7fff_ffff;
/// `TCP_CA_NAME_MAX`: bytes of an algorithm's name, the final zero included.
pub const TCP_CA_NAME_MAX: usize = 16;
