//! The verification: follows every path of every function, one instruction at a time.
//!
//! `do_check`, `do_check_common` and `is_state_visited` of Linux 6.12's `kernel/bpf/verifier.c`. What an
//! instruction needs and does is in [`check`](crate::check); which paths are alike in [`states`](crate::states).

use isa::{Call, Imm64, Insn};

use crate::cfg::{Broken, Shape};
use crate::environment::{Environment, MapRef, MapShape};
use crate::failure::{Failure, Feature, Internal, Rejection, Step, Unsupported};
use crate::liveness::Liveness;
use crate::memory;
use crate::options::{Keeping, Options};
use crate::program::Program;
use crate::provenance::Provenance;
use crate::reason::Reason;
use crate::state::State;
use crate::states::{Keep, States, Visit};
use crate::subprogs::Functions;
use crate::trail::{Trail, Trails};
use crate::value::{MapIndex, Null, Reference, Value};
use crate::verified::{Aux, Stats, Verified};

/// Branches of a path that a rejection tells.
const PATH_MAX: usize = 32;

/// What is held of each slot of a program from the beginning, at most, in bytes.
const SLOT_BYTES: usize = 256;
/// After so many instructions it is seen whether there is memory for the next ones.
const MEMORY_EVERY: u64 = 256;
/// Two copies of the largest state (8 KiB, about) an instruction: one that is kept, one that waits.
const MEMORY_STEP: usize = MEMORY_EVERY as usize * (16 << 10);
/// The trail and the provenance of numbers hold so much of each instruction, and move when they grow.
const TRACE_BYTES: usize = 32;

/// Why the verification stops.
#[derive(Debug)]
pub(crate) enum Halt {
    Broken(Reason),
    Unsupported(Feature),
    Internal(Internal),
    Memory,
}

impl From<Reason> for Halt {
    fn from(reason: Reason) -> Self {
        Self::Broken(reason)
    }
}

impl From<Feature> for Halt {
    fn from(feature: Feature) -> Self {
        Self::Unsupported(feature)
    }
}

impl From<Internal> for Halt {
    fn from(internal: Internal) -> Self {
        Self::Internal(internal)
    }
}

/// Outcome of a check.
pub(crate) type Checked<T = ()> = Result<T, Halt>;

/// What is known of the access of an instruction on all paths so far, to see that they agree
/// (`save_aux_ptr_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessKind {
    /// Plain memory: stack, map value, memory.
    Plain,
    /// The context.
    Ctx,
    /// A kernel structure; guarded or not.
    Struct { guarded: bool },
}

/// A verification under way.
pub(crate) struct Verifier<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) env: &'a dyn Environment,
    pub(crate) options: &'a Options,
    pub(crate) shape: Shape,
    pub(crate) functions: Functions,
    pub(crate) liveness: Liveness,
    pub(crate) graph: Provenance,
    pub(crate) trails: Trails,
    pub(crate) maps: Vec<(MapRef, MapShape)>,
    /// By slot: what kind of memory it accesses, and the value it did it through first.
    pub(crate) accesses: Vec<Option<(AccessKind, Value)>>,
    pub(crate) aux: Vec<Aux>,
    pub(crate) states: States,
    pub(crate) pending: Vec<Pending>,
    /// The current path.
    pub(crate) state: State,
    /// Where it is.
    pub(crate) slot: usize,
    pub(crate) stats: Stats,
    /// Numbers for pointers that may be null and for references.
    numbers: u32,
    /// Work at the time when a state was last kept.
    kept_at: Work,
    jumps: u64,
}

/// A branch to be followed later.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) state: State,
    pub(crate) slot: usize,
}

/// Counters of work.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    jumps: u64,
    insns: u64,
}

/// Where the current path goes after an instruction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// To this slot.
    Slot(usize),
    /// Nowhere: the program ended.
    End,
}

/// Verify `program`.
pub(crate) fn run(program: &Program<'_>, env: &dyn Environment, options: &Options) -> Result<Verified, Failure> {
    if !memory::has_room(program.insns.len() * SLOT_BYTES) {
        return Err(Failure::Memory);
    }
    let broken = |Broken { slot, reason }| reject(program, reason, slot, Vec::new());
    let shape = Shape::of(program.insns, &options.limits).map_err(broken)?;
    let functions = Functions::of(program, &shape, env).map_err(broken)?;
    let arguments = |call: &Call| match *call {
        Call::Helper(id) => env.helper(id).map_or(5, |contract| contract.args.len()),
        Call::Kfunc { btf_id, module } => env.kfunc(btf::TypeId(btf_id), module).map_or(5, |c| c.args.len()),
        Call::Subprog { .. } => 5,
    };
    let slots = program.insns.len();
    let mut verifier = Verifier {
        program,
        env,
        options,
        liveness: Liveness::of(program.insns, &shape, arguments),
        shape,
        functions,
        graph: Provenance::new(),
        trails: Trails::default(),
        maps: Vec::new(),
        accesses: vec![None; slots],
        aux: vec![Aux::default(); slots],
        states: States::new(slots),
        pending: Vec::new(),
        state: State::new(0),
        slot: 0,
        stats: Stats::default(),
        numbers: 0,
        kept_at: Work::default(),
        jumps: 0,
    };
    match verifier.all() {
        Ok(()) => Ok(verifier.finish()),
        Err(halt) => Err(verifier.failure(halt)),
    }
}

fn reject(program: &Program<'_>, reason: Reason, slot: Option<usize>, path: Vec<Step>) -> Failure {
    Failure::Rejected(Box::new(Rejection {
        reason,
        slot: slot.and_then(|slot| u32::try_from(slot).ok()),
        insn: slot.and_then(|slot| program.insns.get(slot).copied()),
        source: slot.and_then(|slot| program.source_line(slot)),
        path,
    }))
}

impl<'a> Verifier<'a> {
    /// Everything: the program's maps, the entry, then each global function that is called.
    fn all(&mut self) -> Checked {
        self.find_maps()?;
        self.find_kfuncs()?;
        self.find_exception_callback()?;
        self.entry_state();
        self.paths()?;
        while let Some(subprog) = self.functions.next_unverified() {
            self.global_state(subprog)?;
            self.paths()?;
        }
        (self.slot, self.state) = (0, State::new(0));
        self.stats.stack_bytes = self.functions.check_stack_depth(self.program.insns, &self.shape)?;
        Ok(())
    }

    fn finish(self) -> Verified {
        Verified {
            insns: self.program.insns.to_vec(),
            aux: self.aux,
            subprogs: self.functions.describe(self.program, &self.shape),
            maps: self.maps,
            stats: self.stats,
        }
    }

    fn failure(&self, halt: Halt) -> Failure {
        match halt {
            Halt::Broken(reason) => {
                let path = self.path(self.state.trail);
                reject(self.program, reason, Some(self.slot), path)
            }
            Halt::Unsupported(feature) => {
                let slot = u32::try_from(self.slot).ok();
                Unsupported { feature, slot }.into()
            }
            Halt::Internal(internal) => internal.into(),
            Halt::Memory => Failure::Memory,
        }
    }

    fn path(&self, trail: Trail) -> Vec<Step> {
        let steps = self.trails.list(trail, PATH_MAX);
        steps
            .into_iter()
            .map(|(slot, taken)| Step {
                slot,
                taken,
                source: self.program.source_line(slot as usize),
            })
            .collect()
    }

    /// Resolve the maps that the program names (`resolve_pseudo_ldimm64`).
    fn find_maps(&mut self) -> Checked {
        for (slot, insn) in self.program.insns.iter().enumerate() {
            let Insn::LoadImm64 { imm, .. } = *insn else {
                continue;
            };
            self.slot = slot;
            let map = match imm {
                Imm64::MapFd(fd) | Imm64::MapValue { fd, .. } => MapRef::Fd(fd),
                Imm64::MapIdx(index) | Imm64::MapIdxValue { idx: index, .. } => MapRef::Index(index),
                // Linux looks up the variable also where no path comes by.
                Imm64::BtfId { .. } => return Err(Feature::Insn("the address of a kernel variable").into()),
                Imm64::Value(_) | Imm64::Func { .. } => continue,
            };
            if self.maps.iter().all(|known| known.0 != map) {
                let shape = self.env.map(map).ok_or(Reason::UnknownMap)?;
                self.maps.push((map, shape));
            }
            // Also where no path comes by.
            if let Imm64::MapValue { off, .. } | Imm64::MapIdxValue { off, .. } = imm {
                self.check_direct_value(map, off)?;
            }
        }
        Ok(())
    }

    /// Kernel functions must exist also where no path comes by; whether this program may call them matters only where one does
    /// (`add_kfunc_call`, which leaves 0 to later).
    fn find_kfuncs(&mut self) -> Checked {
        for (slot, insn) in self.program.insns.iter().enumerate() {
            let Insn::Call(Call::Kfunc { btf_id, module }) = *insn else {
                continue;
            };
            self.slot = slot;
            let id = btf::TypeId(btf_id);
            let is_function = match module {
                0 => self
                    .env
                    .kernel_btf()
                    .type_by_id(id)
                    .is_some_and(|ty| ty.kind() == btf::Kind::Func),
                _ => false,
            };
            let later = btf_id == 0 && module == 0;
            if !is_function && !later && self.env.kfunc(id, module).is_none() {
                return Err(self.unknown_kfunc(btf_id).into());
            }
        }
        Ok(())
    }

    /// A program may name a function for its exceptions, which has rules of its own (`bpf_find_exception_callback_insn_off`).
    fn find_exception_callback(&self) -> Checked {
        let debug = self.program.debug.filter(|debug| !debug.funcs.is_empty());
        let named = debug.is_some_and(|debug| {
            let mut tags = debug.btf.decl_tags(debug.funcs[0].type_id);
            tags.any(|(text, component)| component.is_none() && text.starts_with("exception_callback:"))
        });
        if named {
            return Err(Feature::Insn("a callback for exceptions").into());
        }
        Ok(())
    }

    /// A kernel function that may not be called, with its name where the kernel has one.
    pub(crate) fn unknown_kfunc(&self, btf_id: u32) -> Reason {
        let function = self.env.kernel_btf().type_by_id(btf::TypeId(btf_id));
        let function = function.filter(|ty| ty.kind() == btf::Kind::Func);
        Reason::UnknownKfunc {
            btf_id,
            name: function.map(|ty| ty.name.to_owned()),
        }
    }

    /// Index of the first reference to the same map.
    pub(crate) fn map_index(&self, map: MapRef) -> Checked<MapIndex> {
        let missing = Internal::Missing {
            what: "map of instruction",
            index: self.slot,
        };
        let Some(named) = self.maps.iter().find(|known| known.0 == map) else {
            return Err(missing.into());
        };
        let first = self.maps.iter().position(|known| known.1.identity == named.1.identity);
        // Only as many as there are instructions, and those in a program with that many maps.
        first
            .and_then(|at| u16::try_from(at).ok())
            .map(MapIndex)
            .ok_or(missing.into())
    }

    /// Shape of a map.
    pub(crate) fn map(&self, index: MapIndex) -> &MapShape {
        &self.maps[usize::from(index.0)].1
    }

    /// Follow all paths from the current state.
    fn paths(&mut self) -> Checked {
        self.states = States::new(self.program.insns.len());
        self.pending.clear();
        self.kept_at = Work {
            jumps: self.jumps,
            insns: self.stats.insns_processed,
        };
        loop {
            if !self.visit_point()? {
                match self.step()? {
                    Next::Slot(slot) => {
                        self.slot = slot;
                        continue;
                    }
                    Next::End => {}
                }
            }
            self.states.end(&self.state);
            let Some(next) = self.pending.pop() else {
                return Ok(());
            };
            (self.state, self.slot) = (next.state, next.slot);
        }
    }

    /// Count the work, and compare with earlier states. True if the path ends here.
    fn visit_point(&mut self) -> Checked<bool> {
        self.stats.insns_processed += 1;
        if self.stats.insns_processed > self.options.limits.insns_processed_max {
            let max = self.options.limits.insns_processed_max;
            return Err(Reason::TooComplex { max }.into());
        }
        if self.stats.insns_processed.is_multiple_of(MEMORY_EVERY)
            && !memory::has_room(MEMORY_STEP + self.stats.insns_processed as usize * TRACE_BYTES)
        {
            return Err(Halt::Memory);
        }
        let slot = self.slot;
        self.aux[slot].reached = true;
        self.jumps += u64::from(matches!(
            self.program.insns[slot],
            Insn::Jump { .. } | Insn::JumpIf { .. } | Insn::Call(_) | Insn::Exit
        ));
        if !self.shape.compare[slot] {
            return Ok(false);
        }
        let (jumps, insns) = (
            self.jumps - self.kept_at.jumps,
            self.stats.insns_processed - self.kept_at.insns,
        );
        // Linux's heuristics of where a state is worth being kept.
        let mut keep = match (self.options.keeping, jumps, insns) {
            (Keeping::Nowhere, ..) | (Keeping::Sparse, ..2, _) | (Keeping::Sparse, _, ..8) => Keep::No,
            (Keeping::Sparse, ..20, ..100) => Keep::UnlessLooping,
            (Keeping::Sparse | Keeping::Everywhere, ..) => Keep::Yes,
        };
        if self.states.any_at(slot) {
            let live = self.live();
            match self.states.visit(slot, &self.state, &live, &mut self.graph, &mut keep) {
                Visit::Covered => {
                    self.stats.paths_pruned += 1;
                    return Ok(true);
                }
                Visit::Loop => return Err(Reason::InfiniteLoop.into()),
                Visit::New => {}
            }
        }
        if keep != Keep::No {
            self.states.keep(slot, &mut self.state);
            self.stats.states_kept += 1;
            self.kept_at = Work {
                jumps: self.jumps,
                insns: self.stats.insns_processed,
            };
        }
        Ok(false)
    }

    /// What is live at the current point, by frame.
    fn live(&mut self) -> Vec<(u16, u64)> {
        let mut live = Vec::with_capacity(self.state.frames.len());
        for (index, frame) in self.state.frames.iter().enumerate() {
            let callsite = self.state.frames.get(index + 1).and_then(|callee| callee.callsite);
            let (insns, shape) = (self.program.insns, &self.shape);
            live.push(match callsite {
                None => (
                    self.liveness.regs_at(self.slot),
                    self.liveness.stack_at(self.slot, frame.subprog, insns, shape),
                ),
                Some(call) => (
                    // R0 to R5 do not survive the call.
                    self.liveness.regs_at(call as usize + 1) & !0x3f,
                    self.liveness
                        .stack_during_call(call as usize, frame.subprog, insns, shape),
                ),
            });
        }
        live
    }

    /// A new number for pointers that are null together, or a reference.
    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// Nullness of a new pointer.
    pub(crate) fn new_null(&mut self, nullable: bool) -> Null {
        if nullable {
            Null::Maybe(self.number())
        } else {
            Null::Never
        }
    }

    /// A new reference, acquired at the current instruction.
    pub(crate) fn new_reference(&mut self) -> Reference {
        let reference = Reference(self.number());
        self.state.references.push((reference, self.slot as u32));
        reference
    }

    /// Follow the current path from `slot` later, as it is now; gives its state to be adjusted.
    pub(crate) fn fork(&mut self, slot: usize) -> Checked<&mut State> {
        if self.pending.len() >= self.options.limits.pending_branches_max {
            let max = self.options.limits.pending_branches_max;
            return Err(Reason::TooManyBranches { max }.into());
        }
        self.states.fork(&self.state);
        self.pending.push(Pending {
            state: self.state.clone(),
            slot,
        });
        let last = self.pending.len() - 1;
        Ok(&mut self.pending[last].state)
    }
}
