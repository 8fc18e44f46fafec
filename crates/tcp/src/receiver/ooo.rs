//! Data out of order and the SACK blocks that report it: `tcp_data_queue_ofo()`, `tcp_ofo_queue()`,
//! `tcp_sack_new_ofo_skb()`, `tcp_sack_remove()` (net/ipv4/tcp_input.c, Linux 6.12).

use super::truesize;
use crate::cell::Sk;
use crate::segment::Segment;
use crate::seq::{after, before};
use crate::sock::tcp_sack_block;

/// Ranges beyond `rcv_nxt` that have arrived: disjoint, not touching, sorted.
#[derive(Debug, Default)]
pub(crate) struct OooQueue {
    ranges: Vec<tcp_sack_block>,
    bytes: u32,
}

impl OooQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Payload held.
    pub(crate) fn bytes(&self) -> u32 {
        self.bytes
    }

    /// End of the highest range, `None` if there is none.
    pub(crate) fn end(&self) -> Option<u32> {
        self.ranges.last().map(|range| range.end_seq)
    }

    /// Adds `seq..end`; gives the part of it that was there already, if any.
    fn insert(&mut self, seq: u32, end: u32) -> Option<tcp_sack_block> {
        let first = self.ranges.partition_point(|range| before(range.end_seq, seq));
        let last = first
            + self.ranges[first..]
                .iter()
                .take_while(|range| !after(range.start_seq, end))
                .count();
        let mut merged = tcp_sack_block {
            start_seq: seq,
            end_seq: end,
        };
        let mut known = None;
        let mut gone = 0;
        for range in &self.ranges[first..last] {
            let overlap = tcp_sack_block {
                start_seq: later(range.start_seq, seq),
                end_seq: earlier(range.end_seq, end),
            };
            if before(overlap.start_seq, overlap.end_seq) {
                known.get_or_insert(overlap).end_seq = overlap.end_seq;
            }
            gone += range.end_seq.wrapping_sub(range.start_seq);
            merged.start_seq = earlier(merged.start_seq, range.start_seq);
            merged.end_seq = later(merged.end_seq, range.end_seq);
        }
        self.bytes = self.bytes - gone + merged.end_seq.wrapping_sub(merged.start_seq);
        self.ranges.splice(first..last, [merged]);
        known
    }

    /// Takes out what begins at or below `rcv_nxt`; gives the end of it.
    fn take_contiguous(&mut self, rcv_nxt: u32) -> u32 {
        let mut next = rcv_nxt;
        let mut count = 0;
        for range in &self.ranges {
            if after(range.start_seq, next) {
                break;
            }
            self.bytes -= range.end_seq.wrapping_sub(range.start_seq);
            next = later(next, range.end_seq);
            count += 1;
        }
        self.ranges.drain(..count);
        next
    }
}

impl Sk {
    /// `tcp_data_queue_ofo()`.
    pub(super) fn data_queue_ooo(&mut self, segment: &Segment) {
        self.ecn_check_ce(segment);
        let limit = self.tp.inet_conn.icsk_inet.sk.sk_rcvbuf.max(self.config.rmem[2] as i32) as u32;
        if self.rmem_alloc().saturating_add(truesize(segment.len)) > limit {
            return;
        }
        self.schedule_ack();
        self.tp.rcv_ooopack = self.tp.rcv_ooopack.wrapping_add(1);
        let (seq, end) = (segment.seq, segment.seq.wrapping_add(segment.len));
        if let Some(known) = self.rcv.ooo.insert(seq, end) {
            self.dsack_set(known.start_seq, known.end_seq);
        }
        if self.is_sack() {
            self.sack_new_ooo(seq, end);
            self.grow_window(segment.len);
        }
        self.rcvbuf_grow_for_ooo();
    }

    /// `tcp_ofo_queue()`: what has become contiguous moves on.
    pub(super) fn ofo_queue(&mut self) {
        let rcv_nxt = self.tp.rcv_nxt;
        let next = self.rcv.ooo.take_contiguous(rcv_nxt);
        if after(next, rcv_nxt) {
            let moved = next.wrapping_sub(rcv_nxt);
            self.rcv.queued = self.rcv.queued.saturating_add(moved);
            self.rcv_nxt_update(next);
        }
    }

    /// `tcp_sack_new_ofo_skb()`: the newest block comes first.
    fn sack_new_ooo(&mut self, seq: u32, end: u32) {
        let used = usize::from(self.tp.rx_opt.num_sacks);
        for i in 0..used {
            if !extend(&mut self.tp.selective_acks[i], seq, end) {
                continue;
            }
            if i >= BLOCKS_EXPECTED {
                self.sack_compress_send_ack();
            }
            self.tp.selective_acks[..=i].rotate_right(1);
            self.sack_coalesce();
            return;
        }
        if used >= BLOCKS_EXPECTED {
            self.sack_compress_send_ack();
        }
        let tp = &mut self.tp;
        let used = (used + 1).min(tp.selective_acks.len());
        tp.selective_acks[..used].rotate_right(1);
        tp.selective_acks[0] = tcp_sack_block {
            start_seq: seq,
            end_seq: end,
        };
        tp.rx_opt.num_sacks = used as u8;
    }

    /// `tcp_sack_maybe_coalesce()`: the first block may have grown into others.
    fn sack_coalesce(&mut self) {
        let tp = &mut self.tp;
        let [first, rest @ ..] = &mut tp.selective_acks;
        let mut used = usize::from(tp.rx_opt.num_sacks).saturating_sub(1);
        let mut i = 0;
        while i < used {
            if extend(first, rest[i].start_seq, rest[i].end_seq) {
                rest[i..used].rotate_left(1);
                used -= 1;
            } else {
                i += 1;
            }
        }
        tp.rx_opt.num_sacks = used as u8 + 1;
    }

    /// `tcp_sack_remove()`: `rcv_nxt` has covered some blocks.
    pub(super) fn sack_remove(&mut self) {
        let empty = self.rcv.ooo.is_empty();
        let tp = &mut self.tp;
        let mut kept = 0;
        for i in 0..usize::from(tp.rx_opt.num_sacks) {
            let block = tp.selective_acks[i];
            if !empty && before(tp.rcv_nxt, block.start_seq) {
                tp.selective_acks[kept] = block;
                kept += 1;
            }
        }
        tp.rx_opt.num_sacks = kept as u8;
    }
}

/// `tcp_sack_extend()`: joins a range to a block that it touches.
fn extend(block: &mut tcp_sack_block, seq: u32, end: u32) -> bool {
    if after(seq, block.end_seq) || after(block.start_seq, end) {
        return false;
    }
    block.start_seq = earlier(block.start_seq, seq);
    block.end_seq = later(block.end_seq, end);
    true
}

fn earlier(a: u32, b: u32) -> u32 {
    if before(a, b) { a } else { b }
}

fn later(a: u32, b: u32) -> u32 {
    if after(a, b) { a } else { b }
}

/// `TCP_SACK_BLOCKS_EXPECTED`: more blocks than these are not left to a compressed ACK.
const BLOCKS_EXPECTED: usize = 2;
