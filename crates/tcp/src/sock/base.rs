//! `struct sock_common`, `struct sock` and `struct inet_sock` (include/net/sock.h, include/net/inet_sock.h, Linux 6.18),
//! as far as our TCP keeps their fields alive.

use btf::{BtfType, Builder, Member, TypeId};

/// `atomic64_t`, which C has as a typedef of a structure without a name.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct atomic64_t {
    /// The value.
    pub counter: i64,
}

impl BtfType for atomic64_t {
    fn add_to(builder: &mut Builder) -> TypeId {
        let s64 = builder.kernel_typedef("s64").unwrap_or(TypeId::VOID);
        let structure = builder.struct_type("", 8, &[Member::at("counter", s64, 0)]);
        builder.typedef("atomic64_t", structure)
    }
}

/// `struct sock_common`: addresses, ports and the TCP state.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
pub struct sock_common {
    /// Peer's IPv4 address, network byte order.
    #[btf(as = "__be32")]
    pub skc_daddr: u32,
    /// Own IPv4 address, network byte order.
    #[btf(as = "__be32")]
    pub skc_rcv_saddr: u32,
    /// Peer's port, network byte order.
    #[btf(as = "__be16")]
    pub skc_dport: u16,
    /// Own port, host byte order.
    #[btf(as = "__u16")]
    pub skc_num: u16,
    /// `AF_INET`.
    #[btf(as = "short unsigned int")]
    pub skc_family: u16,
    /// One of the `TCP_*` states of include/net/tcp_states.h.
    #[btf(as = "unsigned char")]
    pub skc_state: u8,
    /// The socket's number, unique among the sockets of one run when the caller makes it so.
    pub skc_cookie: atomic64_t,
}

/// `struct sock`: buffers, pacing and segmentation offload.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
pub struct sock {
    /// What all kinds of sockets share.
    pub __sk_common: sock_common,
    /// Receive buffer in bytes of memory (payload and overhead).
    pub sk_rcvbuf: i32,
    /// `SK_PACING_NONE`, `_NEEDED` or `_FQ`.
    pub sk_pacing_status: u32,
    /// Bytes a second; `!0` = not limited.
    #[btf(as = "long unsigned int")]
    pub sk_pacing_rate: u64,
    /// Upper limit of `sk_pacing_rate`, bytes a second.
    #[btf(as = "long unsigned int")]
    pub sk_max_pacing_rate: u64,
    /// Segments of one TSO burst, at most.
    pub sk_gso_max_segs: u16,
    /// Bytes of one TSO burst, at most.
    #[btf(as = "unsigned int")]
    pub sk_gso_max_size: u32,
    /// Send buffer in bytes of memory.
    pub sk_sndbuf: i32,
    /// A TSO burst holds about `sk_pacing_rate >> sk_pacing_shift` bytes.
    pub sk_pacing_shift: u8,
}

/// `struct inet_sock`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
pub struct inet_sock {
    /// The generic socket.
    pub sk: sock,
    /// Own IPv4 address as sent, network byte order.
    #[btf(as = "__be32")]
    pub inet_saddr: u32,
    /// Own port, network byte order.
    #[btf(as = "__be16")]
    pub inet_sport: u16,
    /// Type of service; the two low bits are the ECN codepoint that data packets carry (`INET_ECN_xmit`).
    #[btf(as = "__u8")]
    pub tos: u8,
}
