//! [`Kernel`] and its [`Builder`].

use crate::btf_object::{BtfObject, VMLINUX};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::config::Config;
use crate::env::{Runtime, TraceLine};
use crate::error::BuildError;
use crate::helpers::{Helpers, Native};
use crate::limits::Limits;
use crate::map::Map;
use crate::program::Program;
use crate::struct_ops::{Desc, Family, OpsLink};
use crate::tables::{Fds, Ids, Pins};
use crate::types;
use bpf::{FdTable, Report};
use btf::{Btf, Kind, TypeId};
use std::fmt;
use std::sync::{Arc, Mutex};
use verifier::CallContract;

/// A kernel in this process. All commands are methods of [`bpf::Bpf`]; put it in an `Arc` for the loader.
///
/// When it is dropped, everything that is registered without a link is unregistered and pins are gone; whoever holds a descriptor, or a socket with a table,
/// keeps that.
pub struct Kernel {
    pub(crate) config: Config,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) vmlinux: Arc<BtfObject>,
    pub(crate) descs: Vec<Arc<Desc>>,
    pub(crate) helpers: Helpers,
    pub(crate) kfuncs: Vec<KnownKfunc>,
    pub(crate) fds: Arc<Fds>,
    pub(crate) fd_table: Arc<dyn FdTable>,
    pub(crate) btfs: Ids<BtfObject>,
    pub(crate) progs: Ids<Program>,
    pub(crate) maps: Ids<Map>,
    /// Memory of all maps.
    pub(crate) map_budget: Arc<Budget>,
    pub(crate) links: Ids<OpsLink>,
    pub(crate) pins: Pins,
    /// One exchange or registration by a link at a time.
    pub(crate) exchange: Arc<Mutex<()>>,
}

/// A kernel function and who may call it.
pub(crate) struct KnownKfunc {
    pub(crate) name: &'static str,
    pub(crate) id: TypeId,
    pub(crate) contract: CallContract,
    pub(crate) native: Native,
    /// Ops structures whose programs may.
    pub(crate) kinds: Vec<TypeId>,
}

impl Kernel {
    /// Begins a kernel without families.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Its clock, which the host sets.
    pub fn clock(&self) -> &Clock {
        &self.runtime.clock
    }

    /// What it was built with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The kinds of operations structures that it has, by name.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.descs.iter().map(|desc| desc.family.name())
    }

    /// Whether no program runs any more, because one has run for too long ([`Limits::insns_per_call`]).
    #[inline]
    pub fn is_stopped(&self) -> bool {
        self.runtime.is_stopped()
    }

    /// Takes what stopped the programs, and lets them run again. After a test run that was given up (`ETIMEDOUT`) it says where that was.
    pub fn take_fault(&self) -> Option<Report> {
        self.runtime.resume();
        self.runtime.take_fault()
    }

    /// Takes the lines that programs have traced since the last time (`bpf_trace_printk`), oldest first.
    pub fn trace(&self) -> Vec<TraceLine> {
        self.runtime.take_trace()
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = self.kinds().collect();
        f.debug_struct("Kernel").field("kinds", &kinds).finish_non_exhaustive()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.pins.clear();
        for map in self.maps.all() {
            // An ops map that is registered without a link holds itself; nobody else could unregister it any more.
            if let Some(ops) = map.ops() {
                let _ = ops.delete();
            }
        }
    }
}

/// What a kernel is made of.
///
/// ```
/// let kernel = kernel::Kernel::builder().config(kernel::Config { hz: 100, ..Default::default() }).build()?;
/// kernel.clock().set_ns(5_000_000_000);
/// assert_eq!(kernel.kinds().count(), 0);
/// # Ok::<(), kernel::BuildError>(())
/// ```
#[derive(Default)]
pub struct Builder {
    config: Config,
    limits: Limits,
    clock: Clock,
    stopwatch: Option<fn() -> u64>,
    families: Vec<Box<dyn Family>>,
}

impl Builder {
    /// Settings other than the default ones.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Other limits than the default ones for what programs use.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A clock that others share.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Gives real time in ns, for the run times in program statistics. Without it, runs are counted and take no time.
    pub fn stopwatch(mut self, read_ns: fn() -> u64) -> Self {
        self.stopwatch = Some(read_ns);
        self
    }

    /// One more kind of operations structure.
    pub fn family(mut self, family: impl Family) -> Self {
        self.families.push(Box::new(family));
        self
    }

    /// The kernel.
    ///
    /// # Errors
    /// When a family contradicts itself or another one.
    pub fn build(self) -> Result<Kernel, BuildError> {
        let hz = self.config.hz;
        if !(1..=1_000_000).contains(&hz) {
            return Err(BuildError::Hz { hz });
        }
        let mut families = self.families;
        for (index, family) in families.iter().enumerate() {
            let kind = family.name();
            if families[..index].iter().any(|other| other.name() == kind) {
                return Err(BuildError::Twice { kind });
            }
        }
        let btf = types::build(families.iter().map(|family| &**family))?;
        let mut descs = Vec::new();
        for mut family in families.drain(..) {
            let kind = family.name();
            family.init(&btf).map_err(|_| BuildError::Init { kind })?;
            descs.push(Arc::new(Desc::new(&btf, Arc::from(family))?));
        }
        let kfuncs = kfuncs(&btf, &descs)?;
        let btfs = Ids::default();
        let vmlinux = btfs.add(|id| vmlinux(id, btf))?;
        let fds = Arc::new(Fds::default());
        Ok(Kernel {
            runtime: Arc::new(Runtime::new(
                self.clock,
                hz,
                self.config.seed,
                self.stopwatch,
                self.limits.insns_per_call,
            )),
            config: self.config,
            vmlinux,
            descs,
            helpers: Helpers::base(),
            kfuncs,
            fd_table: Arc::clone(&fds) as Arc<dyn FdTable>,
            fds,
            btfs,
            progs: Ids::default(),
            maps: Ids::default(),
            map_budget: Arc::new(Budget::new(self.limits.map_bytes)),
            links: Ids::default(),
            pins: Pins::default(),
            exchange: Arc::default(),
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("families", &self.families)
            .finish_non_exhaustive()
    }
}

fn vmlinux(id: u32, btf: Btf) -> Result<BtfObject, BuildError> {
    let size = u32::try_from(btf.to_bytes().len()).unwrap_or(u32::MAX);
    Ok(BtfObject {
        id,
        btf,
        size,
        name: VMLINUX,
    })
}

/// The families' kernel functions, each with the kinds that offer it.
fn kfuncs(btf: &Btf, descs: &[Arc<Desc>]) -> Result<Vec<KnownKfunc>, BuildError> {
    let mut known: Vec<KnownKfunc> = Vec::new();
    for desc in descs {
        for kfunc in desc.family.kfuncs() {
            let twice = || BuildError::Function {
                name: kfunc.name.to_owned(),
            };
            let mut ids = btf
                .find_all(kfunc.name)
                .filter(|id| btf.kind_of(*id) == Some(Kind::Func));
            let (Some(id), None) = (ids.next(), ids.next()) else {
                return Err(twice());
            };
            let contract = CallContract::from_btf(btf, id, kfunc.flags).ok_or_else(twice)?;
            match known.iter_mut().find(|known| known.id == id) {
                Some(same) if same.contract == contract => same.kinds.push(desc.ty),
                Some(_) => return Err(twice()),
                None => known.push(KnownKfunc {
                    name: kfunc.name,
                    id,
                    contract,
                    native: kfunc.native,
                    kinds: vec![desc.ty],
                }),
            }
        }
    }
    Ok(known)
}
