//! A link in one direction: loss, a queue, a rate, a propagation delay.
//!
//! A link is a state machine: [`Link::send`] puts a packet in, [`Link::next_event`] says when to come back, [`Link::poll`] gives the packets that
//! have arrived. Transmissions begin and end on the link's own clock, so a caller that comes late (real time) changes no other packet's time.

use crate::loss::Loss;
use crate::packet::Packet;
use crate::queue::{Enqueued, Queue, QueueStats};
use crate::rate::Rate;
use crate::time::{Span, Time};
use std::collections::VecDeque;

/// What became of a packet that was put into a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It will arrive.
    Accepted,
    /// It will arrive, with CE set by the queue.
    Marked,
    /// The queue was full.
    Dropped,
    /// The loss model took it.
    Lost,
}

/// Counts since the link was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Packets put in.
    pub sent: u64,
    /// Packets given out at the far end.
    pub delivered: u64,
    /// Packets that the loss model took.
    pub lost: u64,
    /// Bytes whose transmission has ended.
    pub transmitted_bytes: u64,
    /// Packets waiting times nanoseconds of waiting, up to the last call: divided by the time, the mean queue.
    pub waiting_packet_ns: u128,
    /// The queue's own counts.
    pub queue: QueueStats,
}

/// One direction of a link, for packets `P` waiting in a queue `Q`.
#[derive(Clone, Debug)]
pub struct Link<P, Q> {
    rate: Rate,
    delay: Span,
    loss: Loss,
    queue: Q,
    /// The packet on the wire and when its last bit leaves.
    sending: Option<(Time, P)>,
    /// Packets on their way, with the time of arrival, in order.
    flying: VecDeque<(Time, P)>,
    /// Up to when `waiting_packet_ns` is counted.
    counted_until: Time,
    stats: LinkStats,
}

impl<P: Packet, Q: Queue<P>> Link<P, Q> {
    /// A link without loss.
    pub const fn new(rate: Rate, delay: Span, queue: Q) -> Self {
        Self {
            rate,
            delay,
            loss: Loss::none(),
            queue,
            sending: None,
            flying: VecDeque::new(),
            counted_until: Time::ZERO,
            stats: LinkStats {
                sent: 0,
                delivered: 0,
                lost: 0,
                transmitted_bytes: 0,
                waiting_packet_ns: 0,
                queue: QueueStats {
                    accepted: 0,
                    released: 0,
                    dropped: 0,
                    marked: 0,
                },
            },
        }
    }

    /// The same link with a loss model, asked before the queue.
    #[must_use]
    pub fn with_loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// Puts a packet in at `now`, which must not be before the last call's time.
    pub fn send(&mut self, now: Time, packet: P) -> Sent {
        self.advance(now);
        self.stats.sent += 1;
        if self.loss.loses_next() {
            self.stats.lost += 1;
            return Sent::Lost;
        }
        // Through the queue even when the wire is free, so that the discipline sees every packet.
        let outcome = match self.queue.enqueue(now, packet) {
            Enqueued::Accepted => Sent::Accepted,
            Enqueued::Marked => Sent::Marked,
            Enqueued::Dropped => Sent::Dropped,
        };
        if self.sending.is_none() {
            self.begin(now);
        }
        outcome
    }

    /// When something happens next: a transmission ends or a packet arrives. `None` if nothing is on its way.
    pub fn next_event(&self) -> Option<Time> {
        let end = self.sending.as_ref().map(|(end, _)| *end);
        let arrival = self.flying.front().map(|(arrival, _)| *arrival);
        match (end, arrival) {
            (Some(end), Some(arrival)) => Some(end.min(arrival)),
            (end, arrival) => end.or(arrival),
        }
    }

    /// When the next packet arrives: as [`Link::next_event`] without the ends of transmissions, for a caller that only wants the packets.
    pub fn next_arrival(&self) -> Option<Time> {
        match self.flying.front() {
            Some((arrival, _)) => Some(*arrival),
            None => self.sending.as_ref().map(|(end, _)| *end + self.delay),
        }
    }

    /// Brings the link to `now` without taking packets out, so that [`Link::queue`] and [`Link::stats`] are those of `now`.
    pub fn settle(&mut self, now: Time) {
        self.advance(now);
    }

    /// The next packet that has arrived by `now`; call it until it gives `None`.
    pub fn poll(&mut self, now: Time) -> Option<P> {
        self.advance(now);
        if self.flying.front().is_some_and(|(arrival, _)| *arrival <= now) {
            self.stats.delivered += 1;
            return self.flying.pop_front().map(|(_, packet)| packet);
        }
        None
    }

    /// The queue in front of the wire.
    pub const fn queue(&self) -> &Q {
        &self.queue
    }

    /// Packets that are neither lost nor delivered yet: waiting, on the wire or on their way.
    pub fn inside(&self) -> usize {
        self.queue.backlog_packets() + usize::from(self.sending.is_some()) + self.flying.len()
    }

    /// Counts since the link was made.
    pub fn stats(&self) -> LinkStats {
        LinkStats {
            queue: self.queue.stats(),
            ..self.stats
        }
    }

    /// The link's rate.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// The link's propagation delay.
    pub const fn delay(&self) -> Span {
        self.delay
    }

    /// Ends the transmissions that end by `now`, each followed at once by the next.
    fn advance(&mut self, now: Time) {
        while let Some((end, packet)) = self.sending.take_if(|(end, _)| *end <= now) {
            self.count_waiting(end);
            self.stats.transmitted_bytes += u64::from(packet.len_bytes());
            self.flying.push_back((end + self.delay, packet));
            self.begin(end);
        }
        self.count_waiting(now);
    }

    fn count_waiting(&mut self, now: Time) {
        let passed = u128::from((now - self.counted_until).as_nanos());
        self.stats.waiting_packet_ns += passed * self.queue.backlog_packets() as u128;
        self.counted_until = self.counted_until.max(now);
    }

    fn begin(&mut self, now: Time) {
        self.sending = self.queue.dequeue(now).map(|packet| {
            let end = now + self.rate.time_for(packet.len_bytes());
            (end, packet)
        });
    }
}
