//! Applying a [`Fixup`] to an instruction, in numbers, so that any representation of instructions can use it.

use super::Fixup;

/// Parts of an instruction that relocation looks at and changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Insn {
    /// Operation code.
    pub code: u8,
    /// Destination register.
    pub dst: u8,
    /// Source register.
    pub src: u8,
    /// Offset.
    pub off: i16,
    /// Immediate; of a 64-bit immediate load the whole of it, sign not extended.
    pub imm: u64,
}

/// What the instruction becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patched {
    /// The same instruction with these parts.
    Insn(Insn),
    /// The instruction (both slots of a 64-bit immediate load, each) becomes this call of a helper that does not exist.
    Poison(Insn),
}

/// Why a fixup does not fit an instruction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The instruction is of no kind that relocations apply to.
    #[error("instruction {code:#04x} cannot be relocated")]
    Unsuited {
        /// Its code.
        code: u8,
    },
    /// The instruction does not hold the local value.
    #[error("instruction holds {found}, relocation expects {expected}")]
    Unexpected {
        /// What it holds.
        found: u64,
        /// What it should hold.
        expected: u64,
    },
    /// The new value does not fit.
    #[error("value {value} does not fit in the {part} of the instruction")]
    TooLarge {
        /// The value.
        value: u64,
        /// `offset` or `immediate`.
        part: &'static str,
    },
    /// A load or store whose size cannot be changed as the kernel's field needs.
    #[error("access of {local} bytes cannot become one of {target} bytes")]
    BadResize {
        /// Size of the object's field.
        local: u32,
        /// Size of the kernel's field.
        target: u32,
    },
}

impl Fixup {
    /// The instruction with the answer in it.
    ///
    /// # Errors
    /// [`PatchError`].
    pub fn patch(&self, insn: Insn) -> Result<Patched, PatchError> {
        todo!("{insn:?}")
    }
}
