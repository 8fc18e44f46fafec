//! One simulated world: sockets at both ends of a dumbbell, two links, one clock. A discrete-event simulation; nothing in it depends on the machine.
//!
//! Every flow is a sender and a receiver that share the bottleneck with all others; ACKs come back over a link of the same rate with room for all.
//! It knows sockets and links, not where a table of operations comes from.

use crate::account::{FlowAccount, Period};
use crate::result::{FlowSeries, Series};
use crate::scenario::Scenario;
use net::{Ecn, EcnStep, EventQueue, Link, LinkStats, Loss, Packet, Queue as _, Rng, Span, Time};
use tcp::ca::OpsRef;
use tcp::{Config, EcnMode, Segment, Socket};

/// When a world begins. Not zero: as in Linux, a jiffies or time stamp of zero means "none" to sockets and to algorithms.
pub(crate) const BEGIN: Time = Time::from_secs(1);
/// Points of a time series in one run, about.
const SERIES_POINTS: u64 = 3000;
const SHORTEST_SAMPLE: Span = Span::from_millis(1);
/// A socket that wants its timer at once this often at one point in time is stuck.
const TIMERS_AT_ONCE: u32 = 10_000;

/// A segment and whose it is.
#[derive(Clone, Copy, Debug)]
struct Parcel {
    flow: u32,
    segment: Segment,
}

impl Packet for Parcel {
    fn len_bytes(&self) -> u32 {
        self.segment.wire_len()
    }

    fn ecn(&self) -> Ecn {
        self.segment.ecn
    }

    fn set_ecn(&mut self, ecn: Ecn) {
        self.segment.ecn = ecn;
    }
}

type Bottleneck = Link<Parcel, EcnStep<Parcel>>;

/// Which end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Data come from here.
    Sender,
    /// Data go there.
    Receiver,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A flow opens its connection.
    Start(u32),
    /// A socket asked to be called.
    Timer(u32, End),
    /// A point of the time series.
    Sample,
    /// A period ends.
    Boundary,
}

/// A socket and the earliest timer event that is in the queue for it.
struct Endpoint {
    socket: Socket,
    armed: Option<Time>,
    timers_now: (Time, u32),
}

impl Endpoint {
    fn new(socket: Socket) -> Self {
        Self {
            socket,
            armed: None,
            timers_now: (Time::ZERO, 0),
        }
    }
}

struct Flow {
    sender: Endpoint,
    receiver: Endpoint,
    account: FlowAccount,
    series: FlowSeries,
    sampled_bytes: u64,
}

/// The world did something that only a fault in this project explains.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("flow {flow} is stuck at {at}: its timer asks to run again and again without time passing")]
pub struct Stuck {
    /// Which flow.
    pub flow: u32,
    /// When, since the start of the run.
    pub at: Span,
}

pub(crate) struct World {
    flows: Vec<Flow>,
    forward: Bottleneck,
    back: Bottleneck,
    events: EventQueue<Event>,
    now: Time,
    end: Time,
    sample_every: Span,
    series: Series,
    period_begin: Time,
    link_at_begin: LinkStats,
    steps: u64,
}

/// What [`World::run_until_boundary`] calls before anything happens at a later time, and about a thousand times in a run.
pub(crate) trait Watch {
    /// The present is now `now`: set the kernel's clock.
    fn tick(&mut self, now: Time);
    /// Time passed since the start.
    fn progress(&mut self, passed: Span);
    /// Something happened to this end of a flow, and its programs have run; whether the world goes on.
    fn goes_on(&mut self, now: Time, flow: u32, end: End) -> bool;
}

impl World {
    /// A world in which flow `i` uses `tables[i]` at both ends.
    pub(crate) fn new(scenario: &Scenario, tables: &[OpsRef]) -> Self {
        let path = &scenario.path;
        let limit = path.queue_bytes();
        let queue = match path.ecn_at {
            Some(threshold) => EcnStep::new(limit, threshold.bytes(path)),
            None => EcnStep::without_marking(limit),
        };
        let mut loss = if path.loss > 0.0 {
            Loss::random(path.loss, Rng::for_stream(scenario.seed, streams::LOSS))
        } else {
            Loss::none()
        };
        if let Some(every) = path.loss_every {
            loss = loss.and_every(every);
        }
        let there = path.rtt / 2;
        let mut events = EventQueue::new();
        let mut rng = Rng::for_stream(scenario.seed, streams::FLOWS);
        let mut flows = Vec::with_capacity(tables.len());
        for (number, table) in (0_u32..).zip(tables) {
            let start = BEGIN + Span::from_nanos(rng.below(scenario.start_spread.as_nanos()));
            events.push(start, Event::Start(number));
            flows.push(Flow::new(scenario, number, table, &mut rng));
        }
        let sample_every = (scenario.duration / SERIES_POINTS).max(SHORTEST_SAMPLE);
        events.push(BEGIN, Event::Sample);
        Self {
            forward: Link::new(path.rate, there, queue).with_loss(loss),
            back: Link::new(path.rate, path.rtt - there, EcnStep::without_marking(u64::MAX)),
            events,
            now: BEGIN,
            end: BEGIN + scenario.duration,
            sample_every,
            series: Series {
                flows: vec![FlowSeries::default(); flows.len()],
                ..Series::default()
            },
            period_begin: BEGIN,
            link_at_begin: LinkStats::default(),
            flows,
            steps: 0,
        }
    }

    /// Runs to `boundary` and gives the period that ends there.
    pub(crate) fn run_until_boundary(&mut self, boundary: Time, watch: &mut dyn Watch) -> Result<Period, Stuck> {
        self.events.push(boundary, Event::Boundary);
        while let Some((now, step)) = self.next_step() {
            if now > self.now {
                watch.tick(now);
                self.now = now;
            }
            self.steps += 1;
            let touched = match step {
                Step::Forward => self.arrivals(End::Receiver),
                Step::Back => self.arrivals(End::Sender),
                Step::Queued => match self.events.pop().map(|(_, event)| event) {
                    Some(Event::Start(flow)) => self.start(flow),
                    Some(Event::Timer(flow, end)) => self.timer(flow, end)?,
                    Some(Event::Sample) => {
                        self.sample();
                        watch.progress(now - BEGIN);
                        None
                    }
                    Some(Event::Boundary) | None => break,
                },
            };
            if let Some((flow, end)) = touched
                && !watch.goes_on(now, flow, end)
            {
                break;
            }
        }
        Ok(self.end_period())
    }

    /// Puts every flow on another table, as `setsockopt(TCP_CONGESTION)` does: `tables[i]` for flow `i`.
    pub(crate) fn change_congestion_control(
        &mut self,
        tables: &[OpsRef],
        watch: &mut dyn Watch,
    ) -> Result<(), tcp::ca::CaError> {
        let now = self.now;
        for (number, table) in (0_u32..).zip(tables).take(self.flows.len()) {
            for end in [End::Receiver, End::Sender] {
                let endpoint = self.flows[number as usize].endpoint(end);
                endpoint.socket.set_congestion_control(table.clone(), now)?;
                self.serve(number, end);
                watch.goes_on(now, number, end);
            }
        }
        Ok(())
    }

    /// The course of the run so far; empties it.
    pub(crate) fn take_series(&mut self) -> Series {
        // The last point is the end, where the boundary came first.
        if self
            .series
            .seconds
            .last()
            .is_some_and(|last| *last < (self.now - BEGIN).as_secs_f64())
        {
            self.sample();
        }
        for (flow, series) in self.flows.iter_mut().zip(&mut self.series.flows) {
            *series = std::mem::take(&mut flow.series);
        }
        std::mem::take(&mut self.series)
    }

    /// Packets that were put into either link so far.
    pub(crate) fn packets(&self) -> u64 {
        self.forward.stats().sent + self.back.stats().sent
    }

    /// Events so far.
    pub(crate) const fn steps(&self) -> u64 {
        self.steps
    }

    /// What happens next. At one point in time: arrivals at receivers, arrivals at senders, then the queue of events.
    fn next_step(&self) -> Option<(Time, Step)> {
        [
            (self.forward.next_arrival(), Step::Forward),
            (self.back.next_arrival(), Step::Back),
            (self.events.next_time(), Step::Queued),
        ]
        .into_iter()
        .filter_map(|(time, step)| Some((time?, step)))
        .min_by_key(|(time, _)| *time)
    }

    fn arrivals(&mut self, end: End) -> Option<(u32, End)> {
        let now = self.now;
        let link = match end {
            End::Receiver => &mut self.forward,
            End::Sender => &mut self.back,
        };
        let parcel = link.poll(now)?;
        let endpoint = self.flows[parcel.flow as usize].endpoint(end);
        endpoint.socket.input(&parcel.segment, now);
        self.serve(parcel.flow, end);
        Some((parcel.flow, end))
    }

    fn start(&mut self, number: u32) -> Option<(u32, End)> {
        let now = self.now;
        let flow = &mut self.flows[number as usize];
        flow.receiver.socket.listen(now);
        flow.sender.socket.send_unlimited();
        flow.sender.socket.connect(now);
        self.serve(number, End::Sender);
        Some((number, End::Sender))
    }

    fn timer(&mut self, number: u32, end: End) -> Result<Option<(u32, End)>, Stuck> {
        let now = self.now;
        let endpoint = self.flows[number as usize].endpoint(end);
        if endpoint.armed == Some(now) {
            endpoint.armed = None;
        }
        // The socket may have changed its mind since the event was queued.
        if endpoint.socket.next_timeout().is_some_and(|due| due <= now) {
            let (at, count) = endpoint.timers_now;
            endpoint.timers_now = if at == now { (at, count + 1) } else { (now, 1) };
            if endpoint.timers_now.1 > TIMERS_AT_ONCE {
                return Err(Stuck {
                    flow: number,
                    at: now - BEGIN,
                });
            }
            endpoint.socket.on_timeout(now);
        }
        self.serve(number, end);
        Ok(Some((number, end)))
    }

    /// After anything was done to a socket: carries its segments away, arms its timer, notes the sender's state.
    fn serve(&mut self, number: u32, end: End) {
        let now = self.now;
        let flow = &mut self.flows[number as usize];
        let link = match end {
            End::Sender => &mut self.forward,
            End::Receiver => &mut self.back,
        };
        let endpoint = flow.endpoint(end);
        while let Some(segment) = endpoint.socket.poll_output(now) {
            link.send(now, Parcel { flow: number, segment });
        }
        if let Some(due) = endpoint.socket.next_timeout() {
            let due = due.max(now);
            if endpoint.armed.is_none_or(|armed| armed > due || armed < now) {
                endpoint.armed = Some(due);
                self.events.push(due, Event::Timer(number, end));
            }
        }
        if end == End::Sender {
            flow.account.observe(now, flow.sender.socket.info());
        }
    }

    fn sample(&mut self) {
        let now = self.now;
        self.forward.settle(now);
        self.series.seconds.push((now - BEGIN).as_secs_f64());
        self.series
            .queue_packets
            .push(self.forward.queue().backlog_packets() as f64);
        for flow in &mut self.flows {
            let info = flow.sender.socket.info();
            let bits = (info.bytes_acked - flow.sampled_bytes) as f64 * 8.0;
            flow.sampled_bytes = info.bytes_acked;
            flow.series.cwnd_packets.push(f64::from(info.cwnd));
            flow.series.srtt_ms.push(info.srtt.as_secs_f64() * 1e3);
            flow.series
                .goodput_mbps
                .push(bits / self.sample_every.as_secs_f64() / 1e6);
        }
        let next = now + self.sample_every;
        if next <= self.end {
            self.events.push(next, Event::Sample);
        }
    }

    fn end_period(&mut self) -> Period {
        let now = self.now;
        self.forward.settle(now);
        let link_end = self.forward.stats();
        let period = Period {
            begin: self.period_begin,
            end: now,
            flows: self.flows.iter_mut().map(|flow| flow.account.end_period(now)).collect(),
            link_begin: self.link_at_begin,
            link_end,
        };
        self.period_begin = now;
        self.link_at_begin = link_end;
        period
    }
}

#[derive(Clone, Copy)]
enum Step {
    Forward,
    Back,
    Queued,
}

impl Flow {
    fn new(scenario: &Scenario, number: u32, table: &OpsRef, rng: &mut Rng) -> Self {
        let [high, low] = (number as u16).to_be_bytes();
        let usual = Config::default();
        let rmem = scenario.rcvbuf_bytes.map_or(usual.rmem, |largest| {
            let [least, initial, _] = usual.rmem;
            [least, initial.min(largest), largest]
        });
        let sender = Config {
            hz: scenario.hz,
            rmem,
            send_space: scenario.sndbuf_bytes.unwrap_or(usual.send_space),
            isn: rng.next_u32(),
            ecn: match scenario.path.ecn_at {
                Some(_) => EcnMode::On,
                None => EcnMode::Passive,
            },
            local_addr: [10, 0, high, low],
            remote_addr: [10, 1, high, low],
            cookie: u64::from(number) * 2 + 1,
            ..usual
        };
        let receiver = Config {
            isn: rng.next_u32(),
            local_addr: sender.remote_addr,
            remote_addr: sender.local_addr,
            local_port: sender.remote_port,
            remote_port: sender.local_port,
            cookie: sender.cookie + 1,
            ..sender.clone()
        };
        Self {
            sender: Endpoint::new(Socket::new(sender, table.clone())),
            receiver: Endpoint::new(Socket::new(receiver, table.clone())),
            account: FlowAccount::new(),
            series: FlowSeries::default(),
            sampled_bytes: 0,
        }
    }

    fn endpoint(&mut self, end: End) -> &mut Endpoint {
        match end {
            End::Sender => &mut self.sender,
            End::Receiver => &mut self.receiver,
        }
    }
}

/// What random numbers are used for; each use has its own stream.
mod streams {
    pub(super) const FLOWS: u64 = 1;
    pub(super) const LOSS: u64 = 2;
}
