//! [`Config`]: what sysctls, the route, the device and the application decide for a socket in Linux.

use net::Span;

/// Parameters of one socket. The default is what the reference traces were made with: Linux 6.18, HZ 250, MTU 1500,
/// timestamps, SACK, no ECN unless the peer asks, TCP's own pacing.
///
/// ```
/// let config = tcp::Config { mss: 8960, ..tcp::Config::default() };
/// assert_eq!(config.init_cwnd, 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `CONFIG_HZ`: jiffies a second. Timers and the clock of algorithms that count jiffies tick with it.
    pub hz: u32,
    /// Largest segment to advertise, bytes without options: MTU minus 40.
    pub mss: u16,
    /// Initial sequence number.
    pub isn: u32,
    /// Initial congestion window, packets.
    pub init_cwnd: u32,
    /// `tcp_timestamps`.
    pub timestamps: bool,
    /// `tcp_sack`.
    pub sack: bool,
    /// `tcp_ecn`.
    pub ecn: EcnMode,
    /// `tcp_rmem`: least, initial and largest receive buffer, bytes of memory.
    pub rmem: [u32; 3],
    /// `tcp_wmem`: least, initial and largest send buffer, bytes of memory.
    pub wmem: [u32; 3],
    /// Payload that the application may have written and that is not acknowledged, bytes: what is left of the send buffer (`SO_SNDBUF`) when the memory
    /// that each packet takes is taken off. `u32::MAX`: as much as it likes.
    pub send_space: u32,
    /// `tcp_reordering`: packets.
    pub reordering: u32,
    /// `tcp_rto_min_us`.
    pub rto_min: Span,
    /// `tcp_rto_max_ms`.
    pub rto_max: Span,
    /// `sk_pacing_status` at birth.
    pub pacing: Pacing,
    /// `tcp_pacing_ss_ratio`: per cent of the window per round trip while in the first half of slow start.
    pub pacing_ss_ratio: u32,
    /// `tcp_pacing_ca_ratio`: per cent of the window per round trip after that.
    pub pacing_ca_ratio: u32,
    /// `SO_MAX_PACING_RATE`, bytes a second.
    pub max_pacing_rate: u64,
    /// Bytes of one TSO burst, at most; 0 turns TSO off.
    pub gso_max_size: u32,
    /// `tcp_min_tso_segs`.
    pub min_tso_segs: u32,
    /// `tcp_tso_rtt_log`.
    pub tso_rtt_log: u32,
    /// `tcp_tso_win_divisor`.
    pub tso_win_divisor: u32,
    /// `tcp_slow_start_after_idle`.
    pub slow_start_after_idle: bool,
    /// `tcp_comp_sack_delay_ns`: longest time that an ACK of out-of-order data is held back.
    pub comp_sack_delay: Span,
    /// `tcp_comp_sack_nr`: ACKs held back at most; 0 turns SACK compression off.
    pub comp_sack_nr: u8,
    /// `tcp_early_retrans` 3 or 4: send tail loss probes.
    pub tail_loss_probe: bool,
    /// `tcp_recovery` bit 1: RACK keeps its reordering window at a quarter of the minimum round-trip time.
    pub rack_static_reo_wnd: bool,
    /// `tcp_frto`.
    pub frto: bool,
    /// Longest run of the delayed-ACK timer.
    pub delack_max: Span,
    /// Own IPv4 address, as programs read it.
    pub local_addr: [u8; 4],
    /// Own port.
    pub local_port: u16,
    /// Peer's IPv4 address.
    pub remote_addr: [u8; 4],
    /// Peer's port.
    pub remote_port: u16,
    /// The socket's number (`skc_cookie`).
    pub cookie: u64,
}

/// `net.ipv4.tcp_ecn`, as far as RFC 3168 goes. A congestion control with `TCP_CONG_NEEDS_ECN` asks for ECN in any mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EcnMode {
    /// 0: never.
    Off,
    /// 1: ask, and grant what is asked.
    On,
    /// 2: grant what is asked (Linux's default).
    #[default]
    Passive,
}

/// `sk_pacing_status` at birth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// `SK_PACING_NONE`: no pacing until something asks for it.
    Off,
    /// `SK_PACING_NEEDED`: TCP's own timer, as after `SO_MAX_PACING_RATE` or for BBR without fq.
    #[default]
    Internal,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hz: 250,
            mss: 1460,
            isn: 1,
            init_cwnd: 10,
            timestamps: true,
            sack: true,
            ecn: EcnMode::Passive,
            rmem: [4096, 131_072, 33_554_432],
            wmem: [4096, 16_384, 4_194_304],
            send_space: u32::MAX,
            reordering: 3,
            rto_min: Span::from_millis(200),
            rto_max: Span::from_secs(120),
            pacing: Pacing::Internal,
            pacing_ss_ratio: 200,
            pacing_ca_ratio: 120,
            max_pacing_rate: u64::MAX,
            gso_max_size: 65_536,
            min_tso_segs: 2,
            tso_rtt_log: 9,
            tso_win_divisor: 3,
            slow_start_after_idle: true,
            comp_sack_delay: Span::from_millis(1),
            comp_sack_nr: 44,
            tail_loss_probe: true,
            rack_static_reo_wnd: false,
            frto: true,
            delack_max: Span::from_millis(200),
            local_addr: [10, 0, 0, 1],
            local_port: 40_000,
            remote_addr: [10, 0, 0, 2],
            remote_port: 5201,
            cookie: 0,
        }
    }
}
