//! The embedded kernels of one run: each algorithm has a kernel of its own, so that two versions of one name can meet; all follow the
//! simulation's clock.

use crate::run::{RunError, Source, SourceKind, Warning};
use kernel::{Clock, Config, Kernel, Limits, TraceLine};
use loader::{Attached, Bpf as _, Incomplete, PlanOptions, RegisterError};
use net::Time;
use std::sync::Arc;
use tcp::ca::{OpsRef, Registry};
use tcp_ca::TcpCa;

/// Why the embedded kernel gives no table of operations.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The object is damaged, or the kernel refuses it.
    #[error(transparent)]
    Register(#[from] Box<RegisterError>),
    /// A run needs one congestion control for each algorithm that it is given.
    #[error("{}", not_one(.names))]
    NotOne {
        /// The algorithms that it registers.
        names: Vec<String>,
    },
    /// A fault of ours: the kernel cannot be made.
    #[error("fault in the embedded kernel: {0}")]
    Kernel(#[from] kernel::BuildError),
}

/// The kernels of one run. When it goes, everything that was registered goes with it; sockets keep the tables they use.
#[derive(Debug)]
pub(crate) struct Embedded {
    clock: Clock,
    config: Config,
    limits: Limits,
    /// The kernels, by the algorithm that each has.
    kernels: Vec<(String, Arc<Kernel>)>,
    /// What is registered, and where: TCP looks up other algorithms there while it runs.
    registered: Vec<(Attached, Arc<Registry>)>,
}

impl Embedded {
    pub(crate) fn new(hz: u32, seed: u64, limits: Limits) -> Self {
        Self {
            clock: Clock::default(),
            config: Config {
                hz,
                seed,
                ..Config::default()
            },
            limits,
            kernels: Vec::new(),
            registered: Vec::new(),
        }
    }

    /// The present, for all kernels.
    pub(crate) fn set_time(&self, now: Time) {
        self.clock.set_ns(now.as_nanos());
    }

    /// The table for `source`.
    pub(crate) fn table(&mut self, source: &Source) -> Result<OpsRef, EmbeddedError> {
        match &source.kind {
            SourceKind::NativeReno => Ok(OpsRef::from_static(&tcp::reno::RENO)),
            SourceKind::Table(table) => Ok(table.clone()),
            SourceKind::Object { bytes, ops } => self.load(&source.label, bytes, ops.as_deref()),
        }
    }

    /// Whether a program of one of them ran for too long.
    pub(crate) fn is_stopped(&self) -> bool {
        self.kernels.iter().any(|(_, kernel)| kernel.is_stopped())
    }

    /// The report of that.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        for (label, kernel) in &self.kernels {
            if let Some(report) = kernel.take_fault() {
                return Err(RunError::RanTooLong {
                    label: label.clone(),
                    report: Box::new(report),
                });
            }
        }
        Ok(())
    }

    /// The lines that programs have printed since the last time, with their algorithm.
    pub(crate) fn take_trace(&self) -> impl Iterator<Item = (&str, TraceLine)> {
        let kernels = self.kernels.iter();
        kernels.flat_map(|(label, kernel)| kernel.trace().into_iter().map(move |line| (label.as_str(), line)))
    }

    /// What the kernels have refused while programs ran.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let refused = self.kernels.iter().filter_map(|(label, kernel)| {
            let memory = kernel.map_memory().filter(|memory| memory.refused.is_some())?;
            Some(Warning::MapMemory {
                label: label.clone(),
                memory,
            })
        });
        refused.collect()
    }

    fn load(&mut self, label: &str, bytes: &[u8], ops: Option<&str>) -> Result<OpsRef, EmbeddedError> {
        let registry = Arc::new(Registry::new());
        let kernel = Kernel::builder()
            .config(self.config.clone())
            .limits(self.limits)
            .clock(self.clock.clone())
            .family(TcpCa::new(&registry))
            .build()?;
        let kernel = Arc::new(kernel);
        self.kernels.push((label.to_owned(), Arc::clone(&kernel)));
        let kernel: Arc<dyn loader::Bpf> = kernel;
        let options = PlanOptions {
            only: ops.map(str::to_owned),
            ..PlanOptions::default()
        };
        let attached = loader::register(bytes, &kernel, &options, Incomplete::LeaveOut).map_err(Box::new)?;
        let native = Registry::new().names();
        let names: Vec<String> = registry
            .names()
            .into_iter()
            .filter(|name| !native.contains(name))
            .collect();
        let [name] = names.as_slice() else {
            return Err(EmbeddedError::NotOne { names });
        };
        let table = registry.find(name).ok_or(EmbeddedError::NotOne { names: Vec::new() })?;
        self.registered.push((attached, registry));
        Ok(table)
    }
}

fn not_one(names: &[String]) -> String {
    if names.is_empty() {
        return "the object has no congestion control".to_owned();
    }
    format!(
        "the object has {} congestion controls, and a run takes one: {}",
        names.len(),
        names.join(", ")
    )
}
