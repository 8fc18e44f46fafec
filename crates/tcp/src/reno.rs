//! [`RENO`], the native algorithm that every socket can fall back to (`tcp_reno`, net/ipv4/tcp_cong.c, Linux 6.12).

use crate::consts::cong_flags;
use crate::kfuncs::{tcp_reno_cong_avoid, tcp_reno_ssthresh, tcp_reno_undo_cwnd};
use crate::ops::CongestionOps;

/// Slow start and additive increase, halving on loss.
pub static RENO: CongestionOps = CongestionOps {
    ssthresh: Some(tcp_reno_ssthresh),
    cong_avoid: Some(tcp_reno_cong_avoid),
    undo_cwnd: Some(tcp_reno_undo_cwnd),
    flags: cong_flags::NON_RESTRICTED,
    ..CongestionOps::named("reno")
};
