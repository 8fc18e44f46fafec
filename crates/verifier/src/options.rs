//! How much work a verification may take.
//!
//! The defaults are Linux's (`include/linux/bpf_verifier.h`, `include/linux/bpf.h`, 6.12).

/// Options of one verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Bounds of the work.
    pub limits: Limits,
    /// Where states are kept, so that a path can end where an earlier one covers the rest.
    pub keeping: Keeping,
    /// Accesses of memory other than the stack must be aligned too (`BPF_F_STRICT_ALIGNMENT`), as on machines that cannot do others.
    pub strict_alignment: bool,
}

/// Where states are kept. The verdict is the same everywhere but for [`Limits`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeping {
    /// Where it is likely to save work, by Linux's rules.
    #[default]
    Sparse,
    /// Wherever one can be compared (`BPF_F_TEST_STATE_FREQ`). For tests of the verifier itself.
    Everywhere,
    /// Nowhere: each path is followed to its end. For tests of the verifier itself.
    Nowhere,
}

/// Bounds of the work. A program that needs more is rejected, not half verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Slots of a program (`BPF_COMPLEXITY_LIMIT_INSNS`).
    pub program_slots_max: usize,
    /// Instructions that are looked at on all paths together (`BPF_COMPLEXITY_LIMIT_INSNS`).
    pub insns_processed_max: u64,
    /// Branches that wait to be followed (`BPF_COMPLEXITY_LIMIT_JMP_SEQ`).
    pub pending_branches_max: usize,
    /// Functions of a program (`BPF_MAX_SUBPROGS`).
    pub subprogs_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            program_slots_max: 1_000_000,
            insns_processed_max: 1_000_000,
            pending_branches_max: 8192,
            subprogs_max: 256,
        }
    }
}

/// Bytes of stack that all functions on a call path may use together, and each alone (include/linux/filter.h).
pub const MAX_BPF_STACK: u32 = 512;

/// Functions that may be active at once (include/linux/bpf_verifier.h).
pub const MAX_CALL_FRAMES: usize = 8;
