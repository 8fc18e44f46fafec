//! Data that arrives: `tcp_data_queue()` (net/ipv4/tcp_input.c, Linux 6.12). The parts: [`ooo`] out of order, [`delack`]
//! when to acknowledge, [`window`] what to offer, [`space`] how large the buffer is.
//!
//! The application reads at once all that is in order, as `iperf3 -s` does while it is not the bottleneck.

mod delack;
mod ooo;
mod space;
mod window;

pub(crate) use ooo::OooQueue;

use crate::cell::Sk;
use crate::consts::{icsk_ack_state, state};
use crate::segment::{Flags, Segment};
use crate::seq::{after, before};
use crate::sock::tcp_options_received;

/// What Linux keeps in the socket's receive queues.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    pub(crate) ooo: OooQueue,
    /// Memory of data in order that the application has not read, bytes.
    pub(crate) queued: u32,
}

impl Sk {
    /// `tcp_data_queue()`.
    pub(crate) fn data_queue(&mut self, segment: &Segment) {
        let (seq, end) = (segment.seq, segment.end_seq());
        let rcv_nxt = self.tp.rcv_nxt;
        if !after(end, rcv_nxt) {
            self.dsack_set(seq, end);
            self.out_of_window();
            return;
        }
        if !before(seq, rcv_nxt.wrapping_add(self.receive_window())) {
            self.out_of_window();
            return;
        }
        if after(seq, rcv_nxt) {
            self.data_queue_ooo(segment);
            return;
        }
        if before(seq, rcv_nxt) {
            self.dsack_set(seq, rcv_nxt);
        }
        self.rcv_nxt_update(end);
        self.rcv.queued = self.rcv.queued.saturating_add(truesize(segment.len));
        if segment.len > 0 {
            self.event_data_recv(segment);
        }
        if segment.flags.has(Flags::FIN) && self.state() == state::ESTABLISHED {
            self.schedule_ack();
            self.set_state(state::CLOSE_WAIT);
        }
        if !self.rcv.ooo.is_empty() {
            self.ofo_queue();
            if self.rcv.ooo.is_empty() {
                self.tp.inet_conn.icsk_ack.pending |= icsk_ack_state::NOW;
            }
        }
        if self.tp.rx_opt.num_sacks > 0 {
            self.sack_remove();
        }
    }

    /// `tcp_rcv_nxt_update()`.
    fn rcv_nxt_update(&mut self, seq: u32) {
        self.tp.bytes_received += u64::from(seq.wrapping_sub(self.tp.rcv_nxt));
        self.tp.rcv_nxt = seq;
    }

    /// Data that cannot be used: answer at once and for a while.
    fn out_of_window(&mut self) {
        self.enter_quickack_mode(delack::MAX_QUICKACKS);
        self.schedule_ack();
    }

    /// `tcp_send_dupack()`: the segment is outside of the window.
    pub(crate) fn send_dupack(&mut self, segment: &Segment) {
        let rcv_nxt = self.tp.rcv_nxt;
        let end = segment.end_seq();
        if end != segment.seq && before(segment.seq, rcv_nxt) {
            self.enter_quickack_mode(delack::MAX_QUICKACKS);
            self.dsack_set(segment.seq, if after(end, rcv_nxt) { rcv_nxt } else { end });
        }
        self.send_ack();
    }

    /// `tcp_dsack_set()` (RFC 2883).
    fn dsack_set(&mut self, seq: u32, end: u32) {
        if self.is_sack() {
            self.tp.rx_opt.set(tcp_options_received::DSACK, true);
            self.tp.duplicate_sack[0] = crate::sock::tcp_sack_block {
                start_seq: seq,
                end_seq: end,
            };
        }
    }

    /// `tcp_event_data_recv()`: keeps the delayed-ACK engine, ECN and the window up to date.
    fn event_data_recv(&mut self, segment: &Segment) {
        self.schedule_ack();
        self.measure_rcv_mss(segment);
        self.rcv_rtt_measure();
        self.delack_update();
        self.ecn_check_ce(segment);
        if segment.len >= 128 {
            self.grow_window(segment.len);
        }
    }

    /// The application reads: `tcp_rcv_space_adjust()` and `tcp_cleanup_rbuf()`.
    pub(crate) fn app_read(&mut self) {
        let copied = self.tp.rcv_nxt.wrapping_sub(self.tp.copied_seq);
        if copied == 0 {
            return;
        }
        self.tp.copied_seq = self.tp.rcv_nxt;
        self.rcv.queued = 0;
        self.rcv_space_adjust();
        self.cleanup_rbuf();
    }

    /// `sk_rmem_alloc`: memory held by received data, bytes.
    fn rmem_alloc(&self) -> u32 {
        let ratio = u32::from(self.tp.scaling_ratio.max(1));
        let held = (u64::from(self.rcv.ooo.bytes()) << 8) / u64::from(ratio);
        (held as u32).saturating_add(self.rcv.queued)
    }
}

/// Memory of a received segment (`skb->truesize`): one `kmalloc` buffer for headers, payload and `skb_shared_info`, and the
/// `sk_buff` itself; pages for larger ones. 1448 bytes take 2304, as through a TUN device.
fn truesize(len: u32) -> u32 {
    let needed = len + 52 + 64 + 320;
    if needed <= 8192 {
        return needed.next_power_of_two().max(512) + 256;
    }
    len.next_multiple_of(4096) + 1024
}
