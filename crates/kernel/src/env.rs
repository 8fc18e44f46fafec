//! [`Env`]: what helpers and kernel functions get as their sixth argument, and what all programs of a kernel share.

use crate::clock::{self, Clock};
use crate::struct_ops::Family;
use bpf::Report;
use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a native function that programs call may know: the kernel's clock, randomness and trace, and the family of the calling program.
///
/// A native function gets it as its sixth argument; see [`Env::of`].
#[derive(Debug)]
pub struct Env {
    runtime: Arc<Runtime>,
    family: Option<Arc<dyn Family>>,
    /// The program's name.
    program: String,
}

impl Env {
    pub(crate) fn new(runtime: Arc<Runtime>, family: Option<Arc<dyn Family>>, program: &str) -> Self {
        Self {
            runtime,
            family,
            program: program.to_owned(),
        }
    }

    /// The kernel's time, ns since boot.
    pub fn now_ns(&self) -> u64 {
        self.runtime.clock.now_ns()
    }

    /// The kernel's time in ticks.
    pub fn jiffies64(&self) -> u64 {
        clock::jiffies(self.now_ns(), self.runtime.hz)
    }

    /// A number of the kernel's sequence, which its seed determines.
    pub fn random_u32(&self) -> u32 {
        self.runtime.random_u32()
    }

    /// Adds a line to the kernel's trace, which the host reads with [`Kernel::trace`](crate::Kernel::trace).
    pub fn trace(&self, text: String) {
        self.runtime.trace(TraceLine {
            at_ns: self.now_ns(),
            program: self.program.clone(),
            text,
        });
    }

    /// The family of the calling program, if it is of this type.
    pub fn family<F: Family>(&self) -> Option<&F> {
        let family: &dyn Any = self.family.as_deref()?;
        family.downcast_ref()
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// What all programs of one kernel share while they run.
#[derive(Debug)]
pub(crate) struct Runtime {
    pub(crate) clock: Clock,
    hz: u32,
    random: AtomicU64,
    trace: Mutex<VecDeque<TraceLine>>,
    /// Whether there is a line.
    traced: AtomicBool,
    /// How many want runs to be counted.
    stats: AtomicU32,
    stopwatch: Option<fn() -> u64>,
    pub(crate) insns_per_call: u64,
    /// Whether programs have stopped running, because of what `fault` says.
    stopped: AtomicBool,
    fault: Mutex<Option<Report>>,
}

/// A line that a program has traced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceLine {
    /// The kernel's time, ns since boot.
    pub at_ns: u64,
    /// The program's name.
    pub program: String,
    /// What it printed, without a line break at its end.
    pub text: String,
}

/// Lines of trace that are kept; older ones are dropped, as in Linux's ring.
const TRACE_LINES: usize = 4096;

impl Runtime {
    pub(crate) fn new(clock: Clock, hz: u32, seed: u64, stopwatch: Option<fn() -> u64>, insns_per_call: u64) -> Self {
        Self {
            clock,
            hz,
            random: AtomicU64::new(seed),
            trace: Mutex::default(),
            traced: AtomicBool::new(false),
            stats: AtomicU32::new(0),
            stopwatch,
            insns_per_call,
            stopped: AtomicBool::new(false),
            fault: Mutex::default(),
        }
    }

    /// Whether programs have stopped running.
    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// No program runs any more, for this reason. The first reason stays.
    pub(crate) fn stop(&self, report: Report) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(report);
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Programs run again; whether they had stopped.
    pub(crate) fn resume(&self) -> bool {
        self.stopped.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn take_fault(&self) -> Option<Report> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// SplitMix64: a counter, well mixed.
    fn random_u32(&self) -> u32 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.random.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 32) as u32
    }

    fn trace(&self, line: TraceLine) {
        self.traced.store(true, Ordering::Relaxed);
        let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        if trace.len() == TRACE_LINES {
            trace.pop_front();
        }
        trace.push_back(line);
    }

    pub(crate) fn take_trace(&self) -> Vec<TraceLine> {
        // Hosts ask after every event.
        if !self.traced.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        trace.drain(..).collect()
    }

    /// Whether runs are to be counted.
    #[inline]
    pub(crate) fn counts(&self) -> bool {
        self.stats.load(Ordering::Relaxed) != 0
    }

    /// Time for run statistics, ns; stands still without a stopwatch.
    pub(crate) fn stopwatch_ns(&self) -> u64 {
        self.stopwatch.map_or(0, |read| read())
    }
}

/// Runs are counted while one of these lives (`BPF_ENABLE_STATS`).
#[derive(Debug)]
pub(crate) struct StatsOn(Arc<Runtime>);

impl StatsOn {
    pub(crate) fn new(runtime: &Arc<Runtime>) -> Self {
        runtime.stats.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(runtime))
    }
}

impl Drop for StatsOn {
    fn drop(&mut self) {
        self.0.stats.fetch_sub(1, Ordering::Relaxed);
    }
}
