//! Two sockets and a link between them: the smallest world in which our TCP runs.

use net::{DropTail, Link, Queue, Rate, Span, Time};
use tcp::ca::{OpsRef, Registry};
use tcp::{Config, Info, Segment, Socket};

/// The start of the world; not zero, which means "none" in many fields.
pub(crate) const START: Time = Time::from_secs(10);

/// Sender, receiver, and a link each way.
pub(crate) struct World<Q> {
    pub(crate) sender: Socket,
    pub(crate) receiver: Socket,
    pub(crate) forward: Link<Segment, Q>,
    pub(crate) back: Link<Segment, DropTail<Segment>>,
    pub(crate) now: Time,
    /// Data packets put into the forward link.
    pub(crate) packets: u64,
}

/// The path of the reference traces: 100 Mbit/s and 10 ms each way, 250,000 bytes of queue.
pub(crate) fn reference_path() -> World<DropTail<Segment>> {
    World::new(Config::default(), reno(), DropTail::new(250_000))
}

pub(crate) fn reno() -> OpsRef {
    Registry::new().default_ops()
}

impl<Q: Queue<Segment>> World<Q> {
    pub(crate) fn new(config: Config, ops: OpsRef, queue: Q) -> Self {
        Self::on_path(config, ops, queue, Rate::from_mbit(100), Span::from_millis(10))
    }

    pub(crate) fn on_path(config: Config, ops: OpsRef, queue: Q, rate: Rate, delay: Span) -> Self {
        let mut world = Self {
            sender: Socket::new(config.clone(), ops.clone()),
            receiver: Socket::new(Config { isn: 77, ..config }, ops),
            forward: Link::new(rate, delay, queue),
            back: Link::new(rate, delay, DropTail::new(250_000)),
            now: START,
            packets: 0,
        };
        world.receiver.listen(START);
        world.sender.connect(START);
        world.sender.send_unlimited();
        world
    }

    /// Gives the receiver another algorithm than the sender's, so that all calls of that one are the sender's.
    pub(crate) fn receive_with(&mut self, ops: OpsRef) {
        let config = Config {
            isn: 77,
            ..Config::default()
        };
        self.receiver = Socket::new(config, ops);
        self.receiver.listen(START);
    }

    /// Runs until `end`.
    pub(crate) fn run_until(&mut self, end: Time) {
        loop {
            self.carry();
            let Some(next) = self.next_event().filter(|&next| next <= end) else {
                self.now = end;
                return;
            };
            self.now = next;
            while let Some(segment) = self.forward.poll(next) {
                self.receiver.input(&segment, next);
                self.carry_back();
            }
            while let Some(segment) = self.back.poll(next) {
                self.sender.input(&segment, next);
                self.carry_forward();
            }
            if self.sender.next_timeout().is_some_and(|at| at <= next) {
                self.sender.on_timeout(next);
            }
            if self.receiver.next_timeout().is_some_and(|at| at <= next) {
                self.receiver.on_timeout(next);
            }
        }
    }

    fn carry(&mut self) {
        self.carry_forward();
        self.carry_back();
    }

    fn carry_forward(&mut self) {
        while let Some(segment) = self.sender.poll_output(self.now) {
            self.packets += 1;
            self.forward.send(self.now, segment);
        }
    }

    fn carry_back(&mut self) {
        while let Some(segment) = self.receiver.poll_output(self.now) {
            self.back.send(self.now, segment);
        }
    }

    fn next_event(&self) -> Option<Time> {
        let links = [self.forward.next_arrival(), self.back.next_arrival()];
        let timers = [self.sender.next_timeout(), self.receiver.next_timeout()];
        links.into_iter().chain(timers).flatten().min()
    }

    /// One value every `step` until `end`: time since the start in seconds, and the sender's state.
    pub(crate) fn sample(&mut self, step: Span, end: Time) -> Vec<(f64, Info)> {
        let mut samples = Vec::new();
        while self.now < end {
            let next = self.now + step;
            self.run_until(next);
            samples.push(((next - START).as_secs_f64(), self.sender.info()));
        }
        samples
    }
}
