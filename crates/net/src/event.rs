//! The event queue of a discrete-event simulation: what happens next, and among things at the same time, what was asked for first.

use crate::time::Time;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Events in order of time; events for the same time come out in the order in which they went in.
///
/// There is no cancelling: an owner of timers keeps the time it really wants and ignores events that no longer match.
///
/// ```
/// use net::{EventQueue, Time};
/// let mut queue = EventQueue::new();
/// queue.push(Time::from_millis(2), "later");
/// queue.push(Time::from_millis(1), "first");
/// queue.push(Time::from_millis(1), "second");
/// assert_eq!(queue.pop(), Some((Time::from_millis(1), "first")));
/// assert_eq!(queue.pop(), Some((Time::from_millis(1), "second")));
/// assert_eq!(queue.next_time(), Some(Time::from_millis(2)));
/// ```
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    heap: BinaryHeap<Entry<E>>,
    pushed: u64,
}

#[derive(Clone, Debug)]
struct Entry<E> {
    time: Time,
    order: u64,
    event: E,
}

impl<E> EventQueue<E> {
    /// An empty queue.
    pub fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            pushed: 0,
        }
    }

    /// Adds an event at `time`.
    pub fn push(&mut self, time: Time, event: E) {
        let order = self.pushed;
        self.pushed += 1;
        self.heap.push(Entry { time, order, event });
    }

    /// Takes the next event with its time.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        self.heap.pop().map(|entry| (entry.time, entry.event))
    }

    /// When the next event is.
    pub fn next_time(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.time)
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// How many events were ever added.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Ord for Entry<E> {
    /// Reversed, because the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time, other.order).cmp(&(self.time, self.order))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<E> Eq for Entry<E> {}
