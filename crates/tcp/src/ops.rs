//! [`CongestionOps`]: `struct tcp_congestion_ops` of Linux 6.18 (include/net/tcp.h), member for member.
//!
//! A native algorithm and one made of BPF programs fill this table alike; our TCP cannot tell them apart. All functions
//! get the socket as a raw pointer to the first member of a [`tcp_sock`](crate::sock::tcp_sock).

use crate::consts::TCP_CA_NAME_MAX;
use crate::consts::tcp_ca_event;
use crate::sock::{ack_sample, rate_sample, sock};
use btf::{BtfType, Builder, TypeId};

/// `struct module`, opaque: the owner of a table in Linux. Here always null; [`OpsRef`](crate::ca::OpsRef) keeps a
/// table alive.
#[repr(C)]
#[derive(Debug)]
pub struct module {
    _opaque: [u8; 0],
}

/// `struct list_head`.
#[repr(C)]
#[derive(Debug, BtfType)]
pub struct list_head {
    /// Next entry.
    pub next: *mut Self,
    /// Previous entry.
    pub prev: *mut Self,
}

/// `union tcp_cc_info`, opaque: what `get_info` fills. No caller exists here.
#[repr(C)]
#[derive(Debug)]
pub struct tcp_cc_info {
    _opaque: [u8; 0],
}

impl BtfType for tcp_cc_info {
    fn add_to(builder: &mut Builder) -> TypeId {
        builder.fwd("tcp_cc_info", true)
    }
}

/// `struct tcp_congestion_ops`.
#[repr(C, align(64))]
#[derive(Debug, BtfType)]
#[btf(name = "tcp_congestion_ops")]
pub struct CongestionOps {
    /// Slow start threshold after a loss, packets (required).
    pub ssthresh: Option<unsafe extern "C" fn(*mut sock) -> u32>,
    /// Grow the window: (ack, acked packets) (required unless `cong_control`).
    pub cong_avoid: Option<unsafe extern "C" fn(*mut sock, u32, u32)>,
    /// Called before `icsk_ca_state` changes, with the new state.
    pub set_state: Option<unsafe extern "C" fn(*mut sock, u8)>,
    /// A `CA_EVENT_*` occurred.
    pub cwnd_event: Option<unsafe extern "C" fn(*mut sock, tcp_ca_event)>,
    /// An ACK arrived, with `CA_ACK_*` flags.
    pub in_ack_event: Option<unsafe extern "C" fn(*mut sock, u32)>,
    /// Packets were acknowledged.
    pub pkts_acked: Option<unsafe extern "C" fn(*mut sock, *const ack_sample)>,
    /// Fewest segments of a TSO burst.
    pub min_tso_segs: Option<unsafe extern "C" fn(*mut sock) -> u32>,
    /// Sets window and pacing rate itself at every ACK: (ack, flag, sample).
    pub cong_control: Option<unsafe extern "C" fn(*mut sock, u32, i32, *const rate_sample)>,
    /// The window to return to when a reduction was a mistake, packets (required).
    pub undo_cwnd: Option<unsafe extern "C" fn(*mut sock) -> u32>,
    /// Factor between window and send buffer.
    pub sndbuf_expand: Option<unsafe extern "C" fn(*mut sock) -> u32>,
    /// Report for `ss` and `TCP_CC_INFO`.
    pub get_info: Option<unsafe extern "C" fn(*mut sock, u32, *mut i32, *mut tcp_cc_info) -> usize>,
    /// The name, ended by a zero byte.
    #[btf(as = "char")]
    pub name: [u8; TCP_CA_NAME_MAX],
    /// Owner in Linux.
    #[btf(opaque = "module")]
    pub owner: *mut module,
    /// Link of Linux's list.
    pub list: list_head,
    /// Hash of the name in Linux.
    pub key: u32,
    /// `TCP_CONG_*` bits.
    pub flags: u32,
    /// Called when a socket begins to use the algorithm.
    pub init: Option<unsafe extern "C" fn(*mut sock)>,
    /// Called when it stops.
    pub release: Option<unsafe extern "C" fn(*mut sock)>,
}

impl CongestionOps {
    /// A table with this name and nothing else. A name longer than 15 bytes is cut.
    ///
    /// ```
    /// let ops = tcp::CongestionOps::named("mine");
    /// assert_eq!(ops.name_bytes(), b"mine");
    /// assert!(ops.cong_avoid.is_none());
    /// ```
    #[must_use]
    pub const fn named(name: &str) -> Self {
        let mut bytes = [0; TCP_CA_NAME_MAX];
        let mut i = 0;
        while i < name.len() && i < TCP_CA_NAME_MAX - 1 {
            bytes[i] = name.as_bytes()[i];
            i += 1;
        }
        Self {
            ssthresh: None,
            cong_avoid: None,
            set_state: None,
            cwnd_event: None,
            in_ack_event: None,
            pkts_acked: None,
            min_tso_segs: None,
            cong_control: None,
            undo_cwnd: None,
            sndbuf_expand: None,
            get_info: None,
            name: bytes,
            owner: std::ptr::null_mut(),
            list: list_head {
                next: std::ptr::null_mut(),
                prev: std::ptr::null_mut(),
            },
            key: 0,
            flags: 0,
            init: None,
            release: None,
        }
    }

    /// The bytes of the name up to the first zero.
    #[must_use]
    pub fn name_bytes(&self) -> &[u8] {
        let end = self.name.iter().position(|&b| b == 0).unwrap_or(self.name.len());
        &self.name[..end]
    }

    /// The name for showing; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn name_str(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.name_bytes())
    }
}
