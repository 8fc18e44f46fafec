//! The proof that a program was verified, and what was learnt about it.
//!
//! Only [`verify`](crate::verify) makes a [`Verified`]; whoever runs programs without checks takes nothing else.

use isa::Insn;

use crate::{MapRef, MapShape};

/// A program that was found safe for one [`Environment`](crate::Environment).
#[derive(Clone, Debug)]
pub struct Verified {
    pub(crate) insns: Vec<Insn>,
    pub(crate) aux: Vec<Aux>,
    pub(crate) subprogs: Vec<Subprog>,
    pub(crate) maps: Vec<(MapRef, MapShape)>,
    pub(crate) stats: Stats,
}

/// What is known of one slot (`struct bpf_insn_aux_data`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aux {
    /// Some path reaches it.
    pub reached: bool,
    /// It loads through a pointer that may be null or stale: the load must be guarded and give 0 when the
    /// address cannot be read (`BPF_PROBE_MEM`).
    pub probe: bool,
}

/// A function of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subprog {
    /// Its name in the BTF; empty if unknown.
    pub name: String,
    /// First slot.
    pub start: u32,
    /// Slot after the last.
    pub end: u32,
    /// Bytes of stack it uses itself.
    pub stack_bytes: u32,
    /// Verified by its prototype alone, not in the context of each call.
    pub global: bool,
}

/// Work done (what Linux prints at log level 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Instructions looked at, on all paths together.
    pub insns_processed: u64,
    /// States kept for comparison.
    pub states_kept: u64,
    /// Paths cut short because an earlier state covers the rest.
    pub paths_pruned: u64,
    /// Bytes of stack of the deepest call path.
    pub stack_bytes: u32,
}

impl Verified {
    /// The instructions, one entry per slot.
    pub fn insns(&self) -> &[Insn] {
        &self.insns
    }

    /// What is known of each slot.
    pub fn aux(&self) -> &[Aux] {
        &self.aux
    }

    /// By slot: whether a load must be guarded. See [`Aux::probe`].
    pub fn probes(&self) -> impl ExactSizeIterator<Item = bool> + '_ {
        self.aux.iter().map(|aux| aux.probe)
    }

    /// The functions; the first is the program's entry.
    pub fn subprogs(&self) -> &[Subprog] {
        &self.subprogs
    }

    /// The maps that the program names, each reference once.
    pub fn maps(&self) -> &[(MapRef, MapShape)] {
        &self.maps
    }

    /// Work done.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
