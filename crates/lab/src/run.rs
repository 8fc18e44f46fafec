//! Running a [`Scenario`]: algorithms in, figures and time series out.

use crate::account::{self, Period};
use crate::embedded::{Embedded, EmbeddedError};
use crate::result::{RunResult, Series};
use crate::scenario::{Scenario, ScenarioError};
use crate::world::{BEGIN, End, Stuck, Watch, World};
use kernel::{Limits, MapMemory, Report};
use net::{Span, Time};
use std::sync::Arc;
use tcp::ca::OpsRef;

/// An algorithm to run: where its table of operations comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name in results and legends.
    pub label: String,
    /// Where the table comes from.
    pub kind: SourceKind,
}

/// Where a table of operations comes from.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// The Reno that the TCP has built in, in Rust: what a socket falls back to.
    NativeReno,
    /// A congestion control of a `.bpf.o`, verified and run by the embedded kernel.
    Object {
        /// The file.
        bytes: Arc<[u8]>,
        /// Which of its ops structures, by the variable's name or the algorithm's; none when it has one.
        ops: Option<String>,
    },
    /// A table of the caller's own: a congestion control in Rust, say.
    Table(OpsRef),
}

impl SourceKind {
    /// The one congestion control of an object.
    pub fn object(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Object {
            bytes: bytes.into(),
            ops: None,
        }
    }
}

/// Which kernel and which TCP a run uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Host {
    /// The embedded kernel and the simulated TCP of this process.
    #[default]
    Embedded,
    /// The running Linux kernel with its own TCP over emulated links.
    Linux,
}

/// Who takes part in one run.
#[derive(Clone, Debug)]
pub struct Cast {
    /// One algorithm, or several that share the bottleneck: [`Scenario::flows`] flows of each, taking turns in numbering.
    pub sources: Vec<Source>,
    /// When every flow changes to another algorithm, and to which.
    pub swap: Option<(Span, Source)>,
    /// Where and how it runs.
    pub setup: Setup,
}

/// Where an experiment runs, and what its programs may use. It decides no figure: a run within the limits is the same with wider ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Which kernel.
    pub host: Host,
    /// What the programs of each algorithm may use.
    pub limits: Limits,
    /// Whether what programs print is reported ([`Notice::Trace`]).
    pub trace: bool,
}

impl Cast {
    /// One algorithm on the embedded kernel.
    pub fn one(source: Source) -> Self {
        Self {
            sources: vec![source],
            swap: None,
            setup: Setup::default(),
        }
    }

    /// What belongs to each source, given to the flows in turn.
    fn of_flows<T: Clone>(&self, scenario: &Scenario, each: &[T]) -> Vec<T> {
        let number = scenario.flows as usize * self.sources.len();
        each.iter().cycle().take(number).cloned().collect()
    }
}

/// What came out of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The figures, over the time after the warm-up.
    pub result: RunResult,
    /// With a swap: the figures before it (without the warm-up, unless the swap was in it) and after it.
    pub halves: Vec<RunResult>,
    /// The swap: when, and the name of the algorithm swapped to.
    pub swap: Option<(Span, String)>,
    /// The course of the run, warm-up included.
    pub series: Series,
    /// How much work it was.
    pub work: Work,
    /// What may have made the figures other than the algorithms are.
    pub warnings: Vec<Warning>,
}

/// Something that went on during a run and that its figures do not show.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// Programs were told that there is no memory (`ENOMEM`), where Linux would have had some.
    #[error("{label}: {memory}: calls that add elements have failed with ENOMEM")]
    MapMemory {
        /// Which algorithm.
        label: String,
        /// What was refused last.
        memory: MapMemory,
    },
    /// Something other than the algorithm and the path decided how much a flow sent.
    #[error("flow {flow} ({label}): {by} limits it {:.0} % of the time, and neither the algorithm nor the path", share * 100.0)]
    Limited {
        /// Which algorithm.
        label: String,
        /// Which flow.
        flow: u32,
        /// What limits.
        by: Buffer,
        /// Share of the time, 0 to 1.
        share: f64,
    },
}

/// A buffer at one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// [`Scenario::rcvbuf_bytes`].
    Receive,
    /// [`Scenario::sndbuf_bytes`].
    Send,
}

impl std::fmt::Display for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Receive => "the receive buffer",
            Self::Send => "the send buffer",
        })
    }
}

/// From this share of the time on it is told that a buffer limits a flow.
const LIMITED_SHARE: f64 = 0.05;

/// Flows that a buffer limits.
fn limited(result: &RunResult) -> impl Iterator<Item = Warning> {
    result.flows.iter().flat_map(|flow| {
        let buffers = [
            (Buffer::Receive, flow.rcvbuf_limited),
            (Buffer::Send, flow.sndbuf_limited),
        ];
        let limiting = buffers.into_iter().filter(|(_, share)| *share >= LIMITED_SHARE);
        limiting.map(|(by, share)| Warning::Limited {
            label: flow.cc.clone(),
            flow: flow.id,
            by,
            share,
        })
    })
}

/// How much a run computed; the same for every run of the same scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Packets put into the links, data and ACKs.
    pub packets: u64,
    /// Events of the simulation.
    pub events: u64,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Simulated time that has passed.
    pub passed: Span,
    /// Simulated time in all.
    pub duration: Span,
}

/// What is told of a run while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// How far it is; about three thousand times.
    Progress(Progress),
    /// A program has printed a line.
    Trace(TraceLine),
}

/// A line that a program has printed (`bpf_printk`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// Simulated time since the start of the run.
    pub at: Span,
    /// The algorithm, as [`Source::label`] has it.
    pub cc: String,
    /// Number of the flow that it ran for.
    pub flow: u32,
    /// And at which end.
    pub end: End,
    /// The program's name, as the kernel has it.
    pub program: String,
    /// What it printed.
    pub text: String,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The scenario makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// There is nothing to run.
    #[error("no algorithm is given")]
    NoAlgorithm,
    /// The swap is not within the run.
    #[error("the swap at {at} is not within the run of {duration}")]
    SwapOutside {
        /// When it should be.
        at: Span,
        /// How long the run is.
        duration: Span,
    },
    /// Too many flows at once.
    #[error("{flows} flows on one bottleneck are more than {}", Scenario::FLOWS_MAX)]
    TooManyFlows {
        /// How many.
        flows: u64,
    },
    /// Not there yet.
    #[error("runs with real Linux TCP over emulated links are not supported yet: use the embedded kernel")]
    LinuxHost,
    /// The embedded kernel does not take an algorithm.
    #[error("{label}: {error}")]
    Load {
        /// Which algorithm.
        label: String,
        /// Why.
        #[source]
        error: EmbeddedError,
    },
    /// A socket did not take an algorithm.
    #[error("a socket refuses {label}")]
    Refused {
        /// Which algorithm.
        label: String,
        /// Why.
        #[source]
        error: tcp::ca::CaError,
    },
    /// A program ran for longer than one call may.
    #[error("{label}: {report}")]
    RanTooLong {
        /// Which algorithm.
        label: String,
        /// Which program, and where it was.
        report: Box<Report>,
    },
    /// A fault of ours.
    #[error("fault in the simulator: {0}")]
    Internal(#[from] Stuck),
}

/// Runs one experiment; `notice` is told how far it is.
///
/// # Errors
/// See [`RunError`]; nothing is left behind in any case.
pub fn run(scenario: &Scenario, cast: &Cast, notice: &mut dyn FnMut(Notice)) -> Result<Run, RunError> {
    check(scenario, cast)?;
    let mut embedded = Embedded::new(scenario.hz, scenario.seed, cast.setup.limits);
    embedded.set_time(BEGIN);
    let mut load = |source: &Source| {
        embedded.table(source).map_err(|error| RunError::Load {
            label: source.label.clone(),
            error,
        })
    };
    let tables: Vec<OpsRef> = cast.sources.iter().map(&mut load).collect::<Result<_, _>>()?;
    let next = match &cast.swap {
        Some((at, source)) => Some((BEGIN + *at, load(source)?, source.label.as_str())),
        None => None,
    };

    let mut world = World::new(scenario, &cast.of_flows(scenario, &tables));
    let mut watch = Watcher {
        embedded: &embedded,
        duration: scenario.duration,
        trace: cast.setup.trace,
        notice,
    };
    let swap_at = next.as_ref().map(|(at, ..)| *at);
    let mut periods = Vec::new();
    for boundary in boundaries(BEGIN + scenario.warmup, swap_at, BEGIN + scenario.duration) {
        periods.push(world.run_until_boundary(boundary, &mut watch)?);
        embedded.check()?;
        if let Some((at, table, label)) = &next
            && *at == boundary
        {
            let tables = cast.of_flows(scenario, std::slice::from_ref(table));
            world
                .change_congestion_control(&tables, &mut watch)
                .map_err(|error| RunError::Refused {
                    label: (*label).to_owned(),
                    error,
                })?;
            embedded.check()?;
        }
    }
    let work = Work {
        packets: world.packets(),
        events: world.steps(),
    };
    let mut run = evaluate(scenario, cast, &periods, world.take_series(), work);
    run.warnings = embedded.warnings();
    run.warnings.extend(limited(&run.result));
    Ok(run)
}

/// The figures of a run that has ended.
fn evaluate(scenario: &Scenario, cast: &Cast, periods: &[Period], mut series: Series, work: Work) -> Run {
    let warm = BEGIN + scenario.warmup;
    let result = |periods: &[Period], labels: &[String], run: &str| {
        account::result(periods, labels, run.to_owned(), scenario.path.rate)
    };
    let first: Vec<String> = cast.sources.iter().map(|source| source.label.clone()).collect();
    let mut run = first.join("+");
    let mut labels = cast.of_flows(scenario, &first);
    let mut halves = Vec::new();
    if let Some((at, source)) = &cast.swap {
        let swap = periods.partition_point(|period| period.end <= BEGIN + *at);
        let (before, after) = periods.split_at(swap);
        halves.push(result(measured(before, warm), &labels, &run));
        let next = vec![source.label.clone(); labels.len()];
        halves.push(result(after, &next, &source.label));
        for label in labels.iter_mut().chain([&mut run]) {
            *label = format!("{label}→{}", source.label);
        }
    }
    for (flow, label) in series.flows.iter_mut().zip(&labels) {
        flow.cc.clone_from(label);
    }
    Run {
        result: result(measured(periods, warm), &labels, &run),
        halves,
        swap: cast.swap.as_ref().map(|(at, source)| (*at, source.label.clone())),
        series,
        work,
        warnings: Vec::new(),
    }
}

/// Runs each of `sources` alone, or with `mix` all of them on one bottleneck. `notice` gets the number of the run, from 0, as well.
///
/// # Errors
/// As [`run`]; the first that fails ends the comparison.
pub fn compare(
    scenario: &Scenario,
    sources: &[Source],
    mix: bool,
    setup: Setup,
    notice: &mut dyn FnMut(usize, Notice),
) -> Result<Vec<Run>, RunError> {
    let casts: Vec<Vec<Source>> = if mix {
        vec![sources.to_vec()]
    } else {
        sources.iter().map(|source| vec![source.clone()]).collect()
    };
    if sources.is_empty() {
        return Err(RunError::NoAlgorithm);
    }
    let cast = |sources| Cast {
        sources,
        swap: None,
        setup,
    };
    casts
        .into_iter()
        .enumerate()
        .map(|(number, sources)| run(scenario, &cast(sources), &mut |what| notice(number, what)))
        .collect()
}

fn check(scenario: &Scenario, cast: &Cast) -> Result<(), RunError> {
    scenario.check()?;
    if cast.sources.is_empty() {
        return Err(RunError::NoAlgorithm);
    }
    let flows = u64::from(scenario.flows) * cast.sources.len() as u64;
    if flows > u64::from(Scenario::FLOWS_MAX) {
        return Err(RunError::TooManyFlows { flows });
    }
    if let Some((at, _)) = cast.swap
        && (at.is_zero() || at >= scenario.duration)
    {
        return Err(RunError::SwapOutside {
            at,
            duration: scenario.duration,
        });
    }
    match cast.setup.host {
        Host::Embedded => Ok(()),
        Host::Linux => Err(RunError::LinuxHost),
    }
}

/// Where a run is cut: end of the warm-up, swap, end; in order, each once, without those at the very beginning.
fn boundaries(warm: Time, swap: Option<Time>, end: Time) -> Vec<Time> {
    let mut times: Vec<Time> = [Some(warm), swap, Some(end)]
        .into_iter()
        .flatten()
        .filter(|time| *time > BEGIN)
        .collect();
    times.sort();
    times.dedup();
    times
}

/// The periods after the warm-up; all of them if it covers all.
fn measured(periods: &[Period], warm: Time) -> &[Period] {
    let first = periods.iter().position(|period| period.begin >= warm).unwrap_or(0);
    &periods[first..]
}

struct Watcher<'a> {
    embedded: &'a Embedded,
    duration: Span,
    trace: bool,
    notice: &'a mut dyn FnMut(Notice),
}

impl Watch for Watcher<'_> {
    fn tick(&mut self, now: Time) {
        self.embedded.set_time(now);
    }

    fn progress(&mut self, passed: Span) {
        (self.notice)(Notice::Progress(Progress {
            passed,
            duration: self.duration,
        }));
    }

    fn goes_on(&mut self, now: Time, flow: u32, end: End) -> bool {
        if self.trace {
            for (cc, line) in self.embedded.take_trace() {
                (self.notice)(Notice::Trace(TraceLine {
                    at: now - BEGIN,
                    cc: cc.to_owned(),
                    flow,
                    end,
                    program: line.program,
                    text: line.text,
                }));
            }
        }
        !self.embedded.is_stopped()
    }
}
