//! SACK: which of the bursts in flight have arrived. After `tcp_sacktag_write_queue()` and its helpers
//! (net/ipv4/tcp_input.c, Linux 6.12), without merging of SACKed bursts (`tcp_shift_skb_data()`).

use super::{AckState, flag};
use crate::cell::Sk;
use crate::consts::ca_state;
use crate::scoreboard::{LOST, RETRANS, SACKED_ACKED, SACKED_RETRANS, SkbId};
use crate::segment::Segment;
use crate::seq::{after, before};
use crate::sock::{tcp_options_received, tcp_sack_block, tcp_sock};

/// The blocks of one ACK that are worth a look, in order.
struct Blocks {
    list: [tcp_sack_block; 4],
    used: usize,
    /// Where the first block of the ACK went, if it is among them.
    first: Option<usize>,
    dsack: bool,
}

impl Sk {
    /// `tcp_is_sack()`.
    pub(crate) fn is_sack(&self) -> bool {
        self.tp.rx_opt.has(tcp_options_received::SACK_OK)
    }

    /// `tcp_highest_sack_seq()`: the end of the highest SACKed burst.
    pub(crate) fn highest_sack_seq(&self) -> u32 {
        if self.tp.sacked_out == 0 {
            return self.tp.snd_una;
        }
        self.highest_sack
    }

    /// `tcp_sacktag_write_queue()`.
    pub(crate) fn sacktag_write_queue(&mut self, segment: &Segment, prior_snd_una: u32, state: &mut AckState) {
        state.flag = 0;
        state.reord = self.tp.snd_nxt;
        if self.tp.sacked_out == 0 {
            self.highest_sack = self.tp.snd_una;
        }
        let dsack = self.check_dsack(segment, prior_snd_una, state);
        if before(segment.ack, prior_snd_una.wrapping_sub(self.tp.max_window)) || self.tp.packets_out == 0 {
            return;
        }
        let blocks = self.usable_blocks(segment, prior_snd_una, dsack);
        let cache = if self.tp.sacked_out == 0 {
            [tcp_sack_block::default(); 4]
        } else {
            self.tp.recv_sack_cache
        };
        for i in 0..blocks.used {
            let dup = blocks.dsack && blocks.first == Some(i);
            self.sacktag_block(blocks.list[i], dup, &cache, state);
        }
        let mut kept = [tcp_sack_block::default(); 4];
        kept[4 - blocks.used..].copy_from_slice(&blocks.list[..blocks.used]);
        self.tp.recv_sack_cache = kept;
        if self.tp.inet_conn.icsk_ca_state() != ca_state::LOSS || self.tp.undo_marker != 0 {
            self.check_sack_reordering(state.reord);
        }
    }

    /// Tags one block, except the parts that the ACK before this one had tagged already.
    fn sacktag_block(&mut self, block: tcp_sack_block, dup: bool, cache: &[tcp_sack_block; 4], state: &mut AckState) {
        let mut start = block.start_seq;
        if !dup {
            for known in cache.iter().filter(|known| known.start_seq != known.end_seq) {
                if !before(start, known.end_seq) {
                    continue;
                }
                if !after(block.end_seq, known.start_seq) {
                    break;
                }
                if before(start, known.start_seq) {
                    self.sacktag_walk(start, known.start_seq, dup, state);
                }
                start = known.end_seq;
                if !after(block.end_seq, start) {
                    return;
                }
            }
        }
        self.sacktag_walk(start, block.end_seq, dup, state);
    }

    /// `tcp_sacktag_walk()`: tags the bursts of `start..end`, splitting those that lie across.
    fn sacktag_walk(&mut self, start: u32, end: u32, dup: bool, state: &mut AckState) {
        let mut position = self.rtx.position(start);
        while let Some(id) = self.rtx.at(position) {
            if !before(self.rtx.get(id).seq, end) {
                break;
            }
            match self.match_skb_to_sack(position, start, end) {
                Match::Inside => self.sacktag_one(id, dup, state),
                Match::Outside => {}
                Match::Stop => break,
            }
            position += 1;
        }
    }

    /// `tcp_match_skb_to_sack()`: is the burst inside the block? Splits at whole segments if only a part is.
    fn match_skb_to_sack(&mut self, position: usize, start: u32, end: u32) -> Match {
        let Some(id) = self.rtx.at(position) else {
            return Match::Stop;
        };
        let skb = *self.rtx.get(id);
        let mut inside = !after(start, skb.seq) && !before(end, skb.end_seq);
        if skb.pcount > 1 && !inside && after(skb.end_seq, start) {
            let mss = self.tp.mss_cache.max(1);
            inside = !after(start, skb.seq);
            let mut len = if inside {
                let len = end.wrapping_sub(skb.seq);
                if len < mss {
                    return Match::Stop;
                }
                len
            } else {
                start.wrapping_sub(skb.seq).max(mss)
            };
            if len > mss {
                let whole = len / mss * mss;
                len = if !inside && whole < len { whole + mss } else { whole };
            }
            if len >= skb.len() {
                return if inside { Match::Inside } else { Match::Outside };
            }
            self.rtx.split(position, len, mss);
        }
        if inside { Match::Inside } else { Match::Outside }
    }

    /// `tcp_sacktag_one()` and what `tcp_sacktag_walk()` does after it.
    fn sacktag_one(&mut self, id: SkbId, dup: bool, state: &mut AckState) {
        let skb = *self.rtx.get(id);
        let pcount = skb.pcount;
        let mut sacked = skb.sacked;
        let highest = self.highest_sack_seq();
        let tp = &mut self.tp;
        if dup && sacked & RETRANS != 0 {
            if tp.undo_marker != 0 && tp.undo_retrans > 0 && after(skb.end_seq, tp.undo_marker) {
                tp.undo_retrans = tp.undo_retrans.saturating_sub_unsigned(pcount).max(0);
            }
            if sacked & SACKED_ACKED != 0 && before(skb.seq, state.reord) {
                state.reord = skb.seq;
            }
        }
        if !after(skb.end_seq, tp.snd_una) {
            return;
        }
        if sacked & SACKED_ACKED == 0 {
            if sacked & SACKED_RETRANS != 0 {
                if sacked & LOST != 0 {
                    sacked &= !(LOST | SACKED_RETRANS);
                    tp.lost_out = tp.lost_out.saturating_sub(pcount);
                    tp.retrans_out = tp.retrans_out.saturating_sub(pcount);
                }
            } else {
                if sacked & RETRANS == 0 {
                    if before(skb.seq, highest) && before(skb.seq, state.reord) {
                        state.reord = skb.seq;
                    }
                    if !after(skb.end_seq, tp.high_seq) {
                        state.flag |= flag::ORIG_SACK_ACKED;
                    }
                    if state.first_sackt == 0 {
                        state.first_sackt = skb.mstamp_us();
                    }
                    state.last_sackt = skb.mstamp_us();
                }
                if sacked & LOST != 0 {
                    sacked &= !LOST;
                    tp.lost_out = tp.lost_out.saturating_sub(pcount);
                }
            }
            sacked |= SACKED_ACKED;
            state.flag |= flag::DATA_SACKED;
            tp.sacked_out += pcount;
            state.sack_delivered += pcount;
            self.rack_advance(skb.sacked, skb.end_seq, skb.mstamp_us());
        }
        if dup && sacked & SACKED_RETRANS != 0 {
            sacked &= !SACKED_RETRANS;
            self.tp.retrans_out = self.tp.retrans_out.saturating_sub(pcount);
        }
        self.rtx.get_mut(id).sacked = sacked;
        self.rate_skb_delivered(id, &mut state.rate);
        if sacked & SACKED_ACKED != 0 {
            self.rtx.unlink(id);
            if after(skb.end_seq, self.highest_sack) {
                self.highest_sack = skb.end_seq;
            }
        }
    }

    /// `tcp_check_dsack()` (RFC 2883): does the first block report a duplicate?
    fn check_dsack(&mut self, segment: &Segment, prior_snd_una: u32, state: &mut AckState) -> bool {
        let [first, rest @ ..] = segment.sack_blocks() else {
            return false;
        };
        if !before(first.start_seq, segment.ack) {
            match rest.first() {
                Some(second) if !after(first.end_seq, second.end_seq) && !before(first.start_seq, second.start_seq) => {
                }
                _ => return false,
            }
        }
        let dups = self.dsack_seen(first, state);
        if dups == 0 {
            return false;
        }
        let tp = &mut self.tp;
        if tp.undo_marker != 0
            && tp.undo_retrans > 0
            && !after(first.end_seq, prior_snd_una)
            && after(first.end_seq, tp.undo_marker)
        {
            tp.undo_retrans = tp.undo_retrans.saturating_sub_unsigned(dups).max(0);
        }
        true
    }

    /// `tcp_dsack_seen()`: segments of a plausible DSACK, 0 if it is not.
    fn dsack_seen(&mut self, block: &tcp_sack_block, state: &mut AckState) -> u32 {
        let tp = &mut self.tp;
        if !before(block.start_seq, block.end_seq) {
            return 0;
        }
        let len = block.end_seq.wrapping_sub(block.start_seq);
        if len > tp.max_window {
            return 0;
        }
        let mut dups = 1;
        if len > tp.mss_cache {
            dups = len.div_ceil(tp.mss_cache.max(1));
        } else if tp.tlp_high_seq != 0 && tp.tlp_high_seq == block.end_seq {
            state.flag |= flag::DSACK_TLP;
        }
        tp.dsack_dups = tp.dsack_dups.wrapping_add(dups);
        if tp.dsack_dups > tp.total_retrans {
            return 0;
        }
        tp.rx_opt.set(tcp_options_received::DSACK_SEEN, true);
        if tp.reord_seen != 0 && state.flag & flag::DSACK_TLP == 0 {
            tp.rack.set_dsack_seen(1);
        }
        state.flag |= flag::DSACKING_ACK;
        state.sack_delivered += dups;
        dups
    }

    /// Valid and fresh blocks of an ACK, sorted.
    fn usable_blocks(&self, segment: &Segment, prior_snd_una: u32, dsack: bool) -> Blocks {
        let mut blocks = Blocks {
            list: [tcp_sack_block::default(); 4],
            used: 0,
            first: None,
            dsack,
        };
        for (i, &block) in segment.sack_blocks().iter().enumerate() {
            let dup = i == 0 && dsack;
            if !is_sackblock_valid(&self.tp, dup, block) || !after(block.end_seq, prior_snd_una) {
                continue;
            }
            let at = (0..blocks.used)
                .find(|&at| after(blocks.list[at].start_seq, block.start_seq))
                .unwrap_or(blocks.used);
            blocks.list.copy_within(at..blocks.used, at + 1);
            blocks.list[at] = block;
            blocks.used += 1;
            match blocks.first {
                None if i == 0 => blocks.first = Some(at),
                Some(first) if at <= first => blocks.first = Some(first + 1),
                _ => {}
            }
        }
        blocks
    }

    /// `tcp_check_sack_reordering()`: something below the highest SACK arrived without a retransmission.
    pub(crate) fn check_sack_reordering(&mut self, low_seq: u32) {
        let highest = self.highest_sack_seq();
        if !before(low_seq, highest) {
            return;
        }
        let tp = &mut self.tp;
        let metric = highest.wrapping_sub(low_seq);
        if tp.mss_cache > 0 && u64::from(metric) > u64::from(tp.reordering) * u64::from(tp.mss_cache) {
            tp.reordering = metric.div_ceil(tp.mss_cache).min(MAX_REORDERING);
        }
        tp.reord_seen = tp.reord_seen.wrapping_add(1);
    }
}

/// How a burst lies to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    Inside,
    Outside,
    /// The walk ends here.
    Stop,
}

/// `tcp_is_sackblock_valid()`.
fn is_sackblock_valid(tp: &tcp_sock, dsack: bool, block: tcp_sack_block) -> bool {
    let tcp_sack_block { start_seq, end_seq } = block;
    if after(end_seq, tp.snd_nxt) || !before(start_seq, end_seq) || !before(start_seq, tp.snd_nxt) {
        return false;
    }
    if after(start_seq, tp.snd_una) {
        return true;
    }
    if !dsack || tp.undo_marker == 0 || after(end_seq, tp.snd_una) {
        return false;
    }
    if !before(start_seq, tp.undo_marker) {
        return true;
    }
    after(end_seq, tp.undo_marker) && !before(start_seq, end_seq.wrapping_sub(tp.max_window))
}

/// `tcp_max_reordering`.
const MAX_REORDERING: u32 = 300;
