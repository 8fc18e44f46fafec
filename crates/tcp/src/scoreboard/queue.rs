//! [`RtxQueue`]: bursts in flight in two orders: of sequence numbers, and of transmission (for RACK).
//!
//! Bursts live in a slab that keeps its memory; the order of sequence numbers is a ring of handles, searched by halving
//! where Linux has a red-black tree; the order of transmission is a list threaded through the slab.

use super::skb::{NIL, Skb, SkbId, Sorted};
use crate::seq::after;
use std::collections::VecDeque;

/// The retransmission queue.
#[derive(Debug)]
pub(crate) struct RtxQueue {
    slab: Vec<Skb>,
    free: Vec<u32>,
    order: VecDeque<u32>,
    sorted_head: u32,
    sorted_tail: u32,
}

impl RtxQueue {
    pub(crate) fn new() -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            order: VecDeque::new(),
            sorted_head: NIL,
            sorted_tail: NIL,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The burst with a handle.
    pub(crate) fn get(&self, id: SkbId) -> &Skb {
        &self.slab[id.0 as usize]
    }

    pub(crate) fn get_mut(&mut self, id: SkbId) -> &mut Skb {
        &mut self.slab[id.0 as usize]
    }

    /// Handle at a position in the order of sequence numbers.
    pub(crate) fn at(&self, position: usize) -> Option<SkbId> {
        self.order.get(position).copied().map(SkbId)
    }

    /// The oldest burst.
    pub(crate) fn head(&self) -> Option<SkbId> {
        self.at(0)
    }

    /// The newest burst.
    pub(crate) fn tail(&self) -> Option<SkbId> {
        self.order.back().copied().map(SkbId)
    }

    /// Position of the first burst that ends after `seq`; the length of the queue if there is none.
    pub(crate) fn position(&self, seq: u32) -> usize {
        // Mostly the head is meant.
        match self.order.front() {
            Some(&id) if after(self.slab[id as usize].end_seq, seq) => 0,
            _ => self
                .order
                .partition_point(|&id| !after(self.slab[id as usize].end_seq, seq)),
        }
    }

    /// Appends a burst that is just being sent, last in both orders.
    pub(crate) fn push(&mut self, skb: Skb) -> SkbId {
        let id = self.alloc(skb);
        self.order.push_back(id);
        self.link_tail(id);
        SkbId(id)
    }

    /// Removes the oldest burst.
    pub(crate) fn pop_head(&mut self) {
        if let Some(id) = self.order.pop_front() {
            self.unlink(SkbId(id));
            self.free.push(id);
        }
    }

    /// Splits the burst at `position` so that the first part keeps `len` bytes (`tcp_fragment()`). The parts keep tags and
    /// times; the new one follows in both orders.
    pub(crate) fn split(&mut self, position: usize, len: u32, mss: u32) {
        let Some(&id) = self.order.get(position) else {
            return;
        };
        let first = &mut self.slab[id as usize];
        let mut second = *first;
        let middle = first.seq.wrapping_add(len);
        first.end_seq = middle;
        first.pcount = len.div_ceil(mss).max(1);
        let was_linked = first.sorted.linked;
        second.seq = middle;
        second.pcount = second.len().div_ceil(mss).max(1);
        second.sorted = Sorted::default();
        let new = self.alloc(second);
        self.order.insert(position + 1, new);
        if was_linked {
            self.link_after(id, new);
        }
    }

    /// First in the order of transmission.
    pub(crate) fn sorted_first(&self) -> Option<SkbId> {
        some(self.sorted_head)
    }

    /// The next one in the order of transmission.
    pub(crate) fn sorted_next(&self, id: SkbId) -> Option<SkbId> {
        some(self.get(id).sorted.next)
    }

    /// Takes a burst out of the order of transmission (it is SACKed or marked lost).
    pub(crate) fn unlink(&mut self, id: SkbId) {
        let Sorted { prev, next, linked } = self.get(id).sorted;
        if !linked {
            return;
        }
        match prev {
            NIL => self.sorted_head = next,
            prev => self.slab[prev as usize].sorted.next = next,
        }
        match next {
            NIL => self.sorted_tail = prev,
            next => self.slab[next as usize].sorted.prev = prev,
        }
        self.get_mut(id).sorted = Sorted::default();
    }

    /// Makes a burst the last in the order of transmission (it is sent again).
    pub(crate) fn move_to_tail(&mut self, id: SkbId) {
        self.unlink(id);
        self.link_tail(id.0);
    }

    fn alloc(&mut self, skb: Skb) -> u32 {
        if let Some(id) = self.free.pop() {
            self.slab[id as usize] = skb;
            return id;
        }
        self.slab.push(skb);
        (self.slab.len() - 1) as u32
    }

    fn link_tail(&mut self, id: u32) {
        let prev = self.sorted_tail;
        self.slab[id as usize].sorted = Sorted {
            prev,
            next: NIL,
            linked: true,
        };
        match prev {
            NIL => self.sorted_head = id,
            prev => self.slab[prev as usize].sorted.next = id,
        }
        self.sorted_tail = id;
    }

    fn link_after(&mut self, prev: u32, id: u32) {
        let next = self.slab[prev as usize].sorted.next;
        self.slab[id as usize].sorted = Sorted {
            prev,
            next,
            linked: true,
        };
        self.slab[prev as usize].sorted.next = id;
        match next {
            NIL => self.sorted_tail = id,
            next => self.slab[next as usize].sorted.prev = id,
        }
    }

    /// Are the bursts contiguous from `una` on? For tests and debug assertions.
    #[cfg(test)]
    pub(crate) fn is_contiguous_from(&self, una: u32) -> bool {
        let mut seq = una;
        for &id in &self.order {
            let skb = &self.slab[id as usize];
            if skb.seq != seq || !after(skb.end_seq, skb.seq) {
                return false;
            }
            seq = skb.end_seq;
        }
        true
    }
}

fn some(id: u32) -> Option<SkbId> {
    (id != NIL).then_some(SkbId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(bursts: &[(u32, u32)]) -> RtxQueue {
        let mut queue = RtxQueue::new();
        for &(seq, end_seq) in bursts {
            queue.push(Skb {
                seq,
                end_seq,
                pcount: (end_seq - seq) / 10,
                ..Skb::default()
            });
        }
        queue
    }

    fn sorted(queue: &RtxQueue) -> Vec<u32> {
        let mut seqs = Vec::new();
        let mut next = queue.sorted_first();
        while let Some(id) = next {
            seqs.push(queue.get(id).seq);
            next = queue.sorted_next(id);
        }
        seqs
    }

    #[test]
    fn split_keeps_both_orders() {
        let mut queue = queue(&[(0, 30), (30, 70), (70, 80)]);
        queue.split(1, 10, 10);
        assert!(queue.is_contiguous_from(0));
        assert_eq!(sorted(&queue), [0, 30, 40, 70]);
        assert_eq!(queue.get(queue.at(1).unwrap()).pcount, 1);
        assert_eq!(queue.get(queue.at(2).unwrap()).pcount, 3);
        assert_eq!(queue.position(35), 1);
        assert_eq!(queue.position(40), 2);
        assert_eq!(queue.position(80), 4);
    }

    #[test]
    fn retransmission_goes_last_and_memory_is_reused() {
        let mut queue = queue(&[(0, 10), (10, 20), (20, 30)]);
        queue.move_to_tail(queue.at(1).unwrap());
        assert_eq!(sorted(&queue), [0, 20, 10]);
        queue.unlink(queue.at(2).unwrap());
        assert_eq!(sorted(&queue), [0, 10]);
        queue.pop_head();
        queue.pop_head();
        assert!(queue.is_contiguous_from(20));
        assert_eq!(sorted(&queue), Vec::<u32>::new());
        queue.push(Skb {
            seq: 30,
            end_seq: 40,
            pcount: 1,
            ..Skb::default()
        });
        queue.push(Skb {
            seq: 40,
            end_seq: 50,
            pcount: 1,
            ..Skb::default()
        });
        assert_eq!(queue.slab.len(), 3);
        assert_eq!(sorted(&queue), [30, 40]);
    }
}
