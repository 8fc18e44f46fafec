//! Functions of Linux's TCP that a congestion control may call, with C's calling convention and Linux's names: the kfuncs
//! of net/ipv4/tcp_cong.c (Linux 6.12) and what stands behind the helpers `bpf_tcp_send_ack` and
//! `bpf_setsockopt(TCP_CONGESTION)` (net/ipv4/bpf_tcp_ca.c).
//!
//! All of them take the pointer that TCP hands to an operation. They are called while that operation runs, when no Rust
//! reference to the socket is alive; so they work through the pointer, or make a short reference themselves.

use crate::ca::{CaError, OpsRef};
use crate::cell::Sk;
use crate::sock::{sock, tcp_sock};

/// Half the window, at least two packets.
///
/// # Safety
/// `sk` is the argument that TCP gave to the operation that now runs.
pub unsafe extern "C" fn tcp_reno_ssthresh(sk: *mut sock) -> u32 {
    // SAFETY: the caller vouches for `sk`; the reference ends with this function.
    let tp = unsafe { &*sk.cast::<tcp_sock>() };
    (tp.snd_cwnd >> 1).max(2)
}

/// Slow start below the threshold, one packet a window above it.
///
/// # Safety
/// As [`tcp_reno_ssthresh`].
pub unsafe extern "C" fn tcp_reno_cong_avoid(sk: *mut sock, _ack: u32, acked: u32) {
    // SAFETY: the caller vouches for `sk`; the reference ends with this function.
    let tp = unsafe { &mut *sk.cast::<tcp_sock>() };
    tp.reno_cong_avoid(acked);
}

/// The window before the reduction.
///
/// # Safety
/// As [`tcp_reno_ssthresh`].
pub unsafe extern "C" fn tcp_reno_undo_cwnd(sk: *mut sock) -> u32 {
    // SAFETY: the caller vouches for `sk`; the reference ends with this function.
    let tp = unsafe { &*sk.cast::<tcp_sock>() };
    tp.snd_cwnd.max(tp.prior_cwnd)
}

/// Grows the window by the acknowledged packets up to the threshold; gives the packets left over.
///
/// # Safety
/// As [`tcp_reno_ssthresh`].
pub unsafe extern "C" fn tcp_slow_start(tp: *mut tcp_sock, acked: u32) -> u32 {
    // SAFETY: the caller vouches for `tp`; the reference ends with this function.
    unsafe { &mut *tp }.slow_start(acked)
}

/// Grows the window by one packet for every `w` acknowledged. A `w` of zero counts as one: C would divide by zero.
///
/// # Safety
/// As [`tcp_reno_ssthresh`].
pub unsafe extern "C" fn tcp_cong_avoid_ai(tp: *mut tcp_sock, w: u32, acked: u32) {
    // SAFETY: the caller vouches for `tp`; the reference ends with this function.
    unsafe { &mut *tp }.cong_avoid_ai(w.max(1), acked);
}

/// The helper `bpf_tcp_send_ack()`: queues an ACK of `rcv_nxt` with the present ECN flags. Gives 0.
///
/// # Safety
/// As [`tcp_reno_ssthresh`], and `tp` is the first member of a socket of this crate.
pub unsafe extern "C" fn tcp_send_ack(tp: *mut tcp_sock, rcv_nxt: u32) -> i64 {
    // SAFETY: the caller vouches that `tp` begins the block of a live socket, to which no reference is alive.
    let mut sk = unsafe { Sk::borrow_raw(tp) };
    sk.send_ack_of(rcv_nxt);
    0
}

/// What `bpf_setsockopt(sk, SOL_TCP, TCP_CONGESTION, …)` does from within an operation: changes the algorithm of the
/// socket, and runs the new one's `init` at once. The old table lives until the running operation has returned.
///
/// # Safety
/// As [`tcp_send_ack`].
///
/// # Errors
/// [`CaError::Busy`] when the change was asked for by an `init` or `release` that itself runs because of such a change.
pub unsafe fn tcp_set_congestion_control(tp: *mut tcp_sock, ops: OpsRef) -> Result<(), CaError> {
    // SAFETY: as in `tcp_send_ack`.
    let mut sk = unsafe { Sk::borrow_raw(tp) };
    sk.change_congestion_control_from_op(ops)
}

/// Runs `hook` when the socket is dropped, for memory that others keep about it (`sk_bpf_storage`).
///
/// # Safety
/// As [`tcp_send_ack`].
pub unsafe fn on_destroy(tp: *mut tcp_sock, hook: Box<dyn FnOnce(*mut sock) + Send>) {
    // SAFETY: as in `tcp_send_ack`.
    let mut sk = unsafe { Sk::borrow_raw(tp) };
    sk.destroy_hooks.push(hook);
}
