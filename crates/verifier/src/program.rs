//! What is to be verified: decoded instructions and, for global functions and messages, the program's BTF.
//!
//! The caller has decoded the instructions (`isa::decode`, or `isa::decode_loosely` to be no stricter than Linux); an
//! instruction that does not decode at all becomes a rejection with [`Rejection::from_decode`](crate::Rejection::from_decode).

use btf::{Btf, TypeId};
use isa::{DecodeError, DecodeReason, Insn};

/// A program as it was handed to `BPF_PROG_LOAD`.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Instructions, one entry per 8-byte slot.
    pub insns: &'a [Insn],
    /// Slots that are wrong if a path comes to them, in order (`isa::Loose::odd`).
    pub odd: &'a [DecodeError],
    /// Types, functions and lines, if the program came with them.
    pub debug: Option<ProgramDebug<'a>>,
}

/// The program's BTF and what `.BTF.ext` said about it.
#[derive(Clone, Copy, Debug)]
pub struct ProgramDebug<'a> {
    /// The types.
    pub btf: &'a Btf,
    /// Functions in order of their slot; the first is at slot 0.
    pub funcs: &'a [FuncInfo],
    /// Source lines in order of their slot.
    pub lines: &'a [LineInfo],
}

/// Which `FUNC` starts at a slot (`struct bpf_func_info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuncInfo {
    /// First slot of the function.
    pub slot: u32,
    /// Its `FUNC` in the program's BTF.
    pub type_id: TypeId,
}

/// Which source line starts at a slot (`struct bpf_line_info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineInfo {
    /// First slot of the line.
    pub slot: u32,
    /// Offset of the file's name in the BTF strings.
    pub file_name_off: u32,
    /// Offset of the line's text in the BTF strings.
    pub line_off: u32,
    /// Line number in the upper 22 bits, column in the lower 10.
    pub line_col: u32,
}

/// A place in the program's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// File as the compiler named it.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1; 0 if unknown.
    pub column: u32,
    /// Text of the line with its indentation, as the compiler read it.
    pub text: String,
}

impl<'a> Program<'a> {
    /// A program without debug information.
    pub fn new(insns: &'a [Insn]) -> Self {
        Self {
            insns,
            odd: &[],
            debug: None,
        }
    }

    /// What is wrong with a slot that should be an instruction.
    pub(crate) fn oddity(&self, slot: usize) -> Option<DecodeReason> {
        let index = self.odd.binary_search_by_key(&slot, |odd| odd.slot).ok()?;
        Some(self.odd[index].reason)
    }

    /// The source line of a slot.
    pub fn source_line(&self, slot: usize) -> Option<SourceLine> {
        let debug = self.debug?;
        let after = debug.lines.partition_point(|info| info.slot as usize <= slot);
        let info = debug.lines.get(after.checked_sub(1)?)?;
        Some(SourceLine {
            file: debug.btf.string(info.file_name_off)?.to_owned(),
            line: info.line_col >> 10,
            column: info.line_col & 0x3ff,
            text: debug.btf.string(info.line_off)?.trim_end().to_owned(),
        })
    }

    /// Name of the function that starts at a slot; empty if unknown.
    pub fn function_name(&self, slot: usize) -> &'a str {
        let Some(debug) = self.debug else {
            return "";
        };
        let info = debug.funcs.iter().find(|info| info.slot as usize == slot);
        info.map_or("", |info| debug.btf.name_of(info.type_id))
    }
}
