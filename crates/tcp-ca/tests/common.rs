//! A kernel with the TCP family, objects from `algorithms/`, and a path between two sockets that loses some packets.

use bpf::Bpf;
use loader::{Attached, Plan, PlanOptions};
use net::{Ecn, Packet, Span, Time};
use std::collections::VecDeque;
use std::sync::Arc;
use tcp::ca::{OpsRef, Registry};
use tcp::{Config, Segment, Socket};

pub(crate) struct Ground {
    pub(crate) registry: Arc<Registry>,
    pub(crate) clock: kernel::Clock,
    pub(crate) kernel: Arc<dyn Bpf>,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let registry = Arc::new(Registry::new());
        let clock = kernel::Clock::default();
        let kernel = kernel::Kernel::builder()
            .clock(clock.clone())
            .family(tcp_ca::TcpCa::new(&registry))
            .build()
            .expect("the family fits");
        Self {
            registry,
            clock,
            kernel: Arc::new(kernel),
        }
    }

    /// Registers one of the shipped algorithms.
    pub(crate) fn attach(&self, algorithm: &str) -> Attached {
        let path = format!(
            "{}/../../algorithms/objects/{algorithm}.bpf.o",
            env!("CARGO_MANIFEST_DIR")
        );
        let object = object::Object::parse(&std::fs::read(path).expect("an object")).expect("a good object");
        let types = self.kernel.kernel_btf().expect("types");
        let plan = Plan::new(&object, &types, &PlanOptions::default()).expect("a plan");
        let loaded = plan
            .load(&self.kernel)
            .unwrap_or_else(|error| panic!("{error}: {error:?}"));
        loaded.attach().expect("a registration")
    }

    pub(crate) fn find(&self, name: &str) -> OpsRef {
        self.registry.find(name).expect("a registered algorithm")
    }
}

/// What happens to the packets.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    /// Every so many data packets, one is lost; 0 for none.
    pub(crate) lose_every: u64,
    /// Every so many data packets, one is marked if it can be; 0 for none.
    pub(crate) mark_every: u64,
}

/// Nothing is lost and nothing marked.
pub(crate) const CALM: Path = Path {
    lose_every: 0,
    mark_every: 0,
};

/// One connection: a sender, a receiver, and what is on its way. 10 Mbit/s about, 20 ms there and back.
pub(crate) struct Connection {
    pub(crate) sender: Socket,
    pub(crate) receiver: Socket,
    pub(crate) now: Time,
    clock: kernel::Clock,
    path: Path,
    flying: VecDeque<(Time, bool, Segment)>,
    data: u64,
    link_free: Time,
}

/// A segment as the sender gave it, and when.
pub(crate) type Trace = Vec<(Time, Segment)>;

impl Connection {
    pub(crate) fn new(clock: &kernel::Clock, config: &Config, ops: &OpsRef, path: Path) -> Self {
        let now = Time::from_secs(1);
        clock.set_ns(now.as_nanos());
        let mut sender = Socket::new(config.clone(), ops.clone());
        let mut receiver = Socket::new(config.clone(), ops.clone());
        receiver.listen(now);
        sender.connect(now);
        Self {
            sender,
            receiver,
            now,
            clock: clock.clone(),
            path,
            flying: VecDeque::new(),
            data: 0,
            link_free: now,
        }
    }

    /// Sends so many bytes more and waits until they have arrived.
    pub(crate) fn transfer(&mut self, bytes: u64) -> Trace {
        let goal = self.sender.info().bytes_acked + bytes;
        self.sender.send(bytes);
        let mut trace = Trace::new();
        while self.sender.info().bytes_acked < goal {
            self.step(&mut trace);
            assert!(trace.len() < 1_000_000, "no end: {:?}", self.sender.info());
        }
        trace
    }

    fn step(&mut self, trace: &mut Trace) {
        while let Some(segment) = self.sender.poll_output(self.now) {
            trace.push((self.now, segment));
            self.launch(segment);
        }
        while let Some(segment) = self.receiver.poll_output(self.now) {
            self.flying
                .push_back((self.now + Span::from_millis(10), false, segment));
        }
        let arrival = self.flying.iter().map(|(at, ..)| *at).min();
        let next = [arrival, self.sender.next_timeout(), self.receiver.next_timeout()];
        self.now = next.into_iter().flatten().min().expect("something is on its way");
        self.clock.set_ns(self.now.as_nanos());
        self.sender.on_timeout(self.now);
        self.receiver.on_timeout(self.now);
        while let Some(at) = self.flying.iter().position(|(at, ..)| *at <= self.now) {
            let (_, to_receiver, segment) = self.flying.remove(at).expect("it was found");
            let socket = if to_receiver {
                &mut self.receiver
            } else {
                &mut self.sender
            };
            socket.input(&segment, self.now);
        }
    }

    fn launch(&mut self, mut segment: Segment) {
        if segment.len_bytes() > 100 {
            self.data += 1;
            if self.path.lose_every != 0 && self.data.is_multiple_of(self.path.lose_every) {
                return;
            }
            let marked = self.path.mark_every != 0 && self.data.is_multiple_of(self.path.mark_every);
            if marked && segment.ecn.is_capable() {
                segment.set_ecn(Ecn::Ce);
            }
        }
        self.link_free = self.link_free.max(self.now) + Span::from_micros(u64::from(segment.len_bytes()) * 8 / 10);
        self.flying
            .push_back((self.link_free + Span::from_millis(10), true, segment));
    }
}
