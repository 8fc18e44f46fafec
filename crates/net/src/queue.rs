//! Queues in front of a link: drop-tail, and drop-tail that marks above a step.
//!
//! A queue's backlog does not contain the packet that is being sent: with a limit of 250,000 bytes, 166 packets of 1,500 bytes wait and one more
//! is on the wire.

use crate::packet::{Ecn, Packet};
use crate::time::Time;
use std::collections::VecDeque;

/// What became of a packet that was offered to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It waits.
    Accepted,
    /// It waits, and the queue set CE.
    Marked,
    /// The queue had no room.
    Dropped,
}

/// Counts since the queue was made, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Taken in, marked ones included.
    pub accepted: u64,
    /// Given out.
    pub released: u64,
    /// Refused, or thrown away later.
    pub dropped: u64,
    /// Taken in with CE set by this queue.
    pub marked: u64,
}

/// A queue discipline. Time is an argument; it never goes backwards.
pub trait Queue<P: Packet> {
    /// Offers a packet.
    fn enqueue(&mut self, now: Time, packet: P) -> Enqueued;
    /// Takes the packet that goes next; packets that the discipline throws away on the way are counted in [`Queue::stats`].
    fn dequeue(&mut self, now: Time) -> Option<P>;
    /// Bytes that wait.
    fn backlog_bytes(&self) -> u64;
    /// Packets that wait.
    fn backlog_packets(&self) -> usize;
    /// Counts since the queue was made.
    fn stats(&self) -> QueueStats;
}

/// First in, first out, with a limit in bytes; a packet that does not fit is dropped.
#[derive(Clone, Debug)]
pub struct DropTail<P> {
    packets: VecDeque<P>,
    backlog_bytes: u64,
    limit_bytes: u64,
    stats: QueueStats,
}

impl<P: Packet> DropTail<P> {
    /// A queue for at most `limit_bytes` of waiting packets.
    pub fn new(limit_bytes: u64) -> Self {
        Self {
            packets: VecDeque::new(),
            backlog_bytes: 0,
            limit_bytes,
            stats: QueueStats::default(),
        }
    }

    fn fits(&self, packet: &P) -> bool {
        self.backlog_bytes.saturating_add(u64::from(packet.len_bytes())) <= self.limit_bytes
    }
}

impl<P: Packet> Queue<P> for DropTail<P> {
    fn enqueue(&mut self, _now: Time, packet: P) -> Enqueued {
        if !self.fits(&packet) {
            self.stats.dropped += 1;
            return Enqueued::Dropped;
        }
        self.backlog_bytes += u64::from(packet.len_bytes());
        self.packets.push_back(packet);
        self.stats.accepted += 1;
        Enqueued::Accepted
    }

    fn dequeue(&mut self, _now: Time) -> Option<P> {
        let packet = self.packets.pop_front()?;
        self.backlog_bytes -= u64::from(packet.len_bytes());
        self.stats.released += 1;
        Some(packet)
    }

    fn backlog_bytes(&self) -> u64 {
        self.backlog_bytes
    }

    fn backlog_packets(&self) -> usize {
        self.packets.len()
    }

    fn stats(&self) -> QueueStats {
        self.stats
    }
}

/// Drop-tail that sets CE on ECN-capable packets which find `threshold_bytes` or more waiting: the marking of RFC 8257 section 3.1 (DCTCP).
///
/// Packets that are not ECN-capable are dropped at the limit only.
#[derive(Clone, Debug)]
pub struct EcnStep<P> {
    inner: DropTail<P>,
    threshold_bytes: Option<u64>,
    marked: u64,
}

impl<P: Packet> EcnStep<P> {
    /// Marks from `threshold_bytes` of backlog on, drops above `limit_bytes`.
    pub fn new(limit_bytes: u64, threshold_bytes: u64) -> Self {
        Self {
            inner: DropTail::new(limit_bytes),
            threshold_bytes: Some(threshold_bytes),
            marked: 0,
        }
    }

    /// Never marks: plain drop-tail in the same type, for callers that choose at run time.
    pub fn without_marking(limit_bytes: u64) -> Self {
        Self {
            inner: DropTail::new(limit_bytes),
            threshold_bytes: None,
            marked: 0,
        }
    }
}

impl<P: Packet> Queue<P> for EcnStep<P> {
    fn enqueue(&mut self, now: Time, mut packet: P) -> Enqueued {
        let above = self
            .threshold_bytes
            .is_some_and(|threshold| self.inner.backlog_bytes >= threshold);
        let mark = above && packet.ecn().is_capable() && self.inner.fits(&packet);
        if mark {
            packet.set_ecn(Ecn::Ce);
        }
        match self.inner.enqueue(now, packet) {
            Enqueued::Accepted | Enqueued::Marked if mark => {
                self.marked += 1;
                Enqueued::Marked
            }
            other => other,
        }
    }

    fn dequeue(&mut self, now: Time) -> Option<P> {
        self.inner.dequeue(now)
    }

    fn backlog_bytes(&self) -> u64 {
        self.inner.backlog_bytes()
    }

    fn backlog_packets(&self) -> usize {
        self.inner.backlog_packets()
    }

    fn stats(&self) -> QueueStats {
        QueueStats {
            marked: self.marked,
            ..self.inner.stats()
        }
    }
}
