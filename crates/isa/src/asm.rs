//! An assembler: text with labels to instructions.
//!
//! It reads what [`Insn`]'s `Display` prints, and the forms of the kernel's verifier log and of llvm that say
//! the same. One instruction a line; `;`, `//` and a `#` after a space start a comment; `name:` before an
//! instruction is a label, `12:` checks that it stands in slot 12. It is for tests, examples and tools: no
//! directives, sections or relocations.
//!
//! ```
//! use isa::{Insn, asm::assemble};
//! let program = assemble(
//!     "       r0 = 10            ; count down
//!      again: r0 -= 1
//!             if r0 != 0 goto again
//!             exit",
//! )?;
//! assert_eq!(program[2].to_string(), "if r0 != 0x0 goto -2");
//!
//! let error = assemble("r0 = 1\n r0 = r11").unwrap_err();
//! assert_eq!(error.to_string(), "line 2, column 7: expected an operand, found `r11`");
//! # Ok::<(), isa::asm::AsmError>(())
//! ```

mod cursor;
mod lexer;
mod parser;

use std::collections::HashMap;

use self::parser::{Statement, Target};
use crate::{Call, EncodeReason, Imm64, Insn};

/// Assemble a program; one [`Insn`] per slot, as [`decode`](fn@crate::decode) gives.
///
/// Every program that assembles can be encoded.
///
/// # Errors
///
/// The first line that is not an instruction, or that names a label which does not exist or is too far.
pub fn assemble(text: &str) -> Result<Vec<Insn>, AsmError> {
    let mut program = Program::default();
    for (line, text) in text.lines().enumerate() {
        program.add_line(line + 1, text)?;
    }
    program.finish()
}

/// Where the text is wrong and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct AsmError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: AsmReason,
}

/// Why a line does not assemble.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AsmReason {
    /// A word or sign that does not belong there.
    #[error("expected {expected}, found `{found}`")]
    Unexpected {
        /// What could have stood there.
        expected: &'static str,
        /// What stands there; `end of line` if nothing does.
        found: String,
    },
    /// A number that no field can hold.
    #[error("{value} does not fit in {bits} bits")]
    OutOfRange {
        /// The number.
        value: i128,
        /// Size of the field.
        bits: u32,
    },
    /// The instruction takes registers of the other width.
    #[error("{register} has the wrong width here")]
    WrongWidth {
        /// The register as written.
        register: String,
    },
    /// The instruction works in place: both operands must be the same register.
    #[error("{found} must be {expected}: the instruction works in place")]
    NotInPlace {
        /// The first register.
        expected: String,
        /// The other one.
        found: String,
    },
    /// A label that stands nowhere.
    #[error("no label `{name}`")]
    UnknownLabel {
        /// The label.
        name: String,
    },
    /// A label that stands twice.
    #[error("label `{name}` stands twice")]
    DuplicateLabel {
        /// The label.
        name: String,
    },
    /// A slot number that is not the one the instruction has.
    #[error("this is slot {actual}, not {written}")]
    WrongSlot {
        /// The number in the text.
        written: u64,
        /// Where the instruction stands.
        actual: usize,
    },
    /// Well formed, but there is no such instruction.
    #[error(transparent)]
    Encode(EncodeReason),
}

/// A position in the text.
#[derive(Clone, Copy, Debug)]
struct Position {
    line: usize,
    column: usize,
}

impl Position {
    fn error(self, reason: AsmReason) -> AsmError {
        AsmError {
            line: self.line,
            column: self.column,
            reason,
        }
    }
}

/// The program so far.
#[derive(Default)]
struct Program<'a> {
    insns: Vec<Insn>,
    /// Where each slot was written.
    positions: Vec<Position>,
    labels: HashMap<&'a str, usize>,
    /// Slots whose offset waits for a label.
    open: Vec<(usize, &'a str, Position)>,
}

impl<'a> Program<'a> {
    fn add_line(&mut self, line: usize, text: &'a str) -> Result<(), AsmError> {
        for (position, statement) in parser::parse_line(line, text)? {
            match statement {
                Statement::Label(name) => {
                    if self.labels.insert(name, self.insns.len()).is_some() {
                        let name = name.to_owned();
                        return Err(position.error(AsmReason::DuplicateLabel { name }));
                    }
                }
                Statement::Slot(written) => {
                    let actual = self.insns.len();
                    if written != actual as u64 {
                        return Err(position.error(AsmReason::WrongSlot { written, actual }));
                    }
                }
                Statement::Insn(insn, target) => {
                    if let Some(Target::Label(name)) = target {
                        self.open.push((self.insns.len(), name, position));
                    }
                    self.insns.push(insn);
                    self.positions.push(position);
                    if insn.slots() == 2 {
                        self.insns.push(Insn::LoadImm64Hi);
                        self.positions.push(position);
                    }
                }
            }
        }
        Ok(())
    }

    /// Fill in the labels and see whether it is a program.
    fn finish(mut self) -> Result<Vec<Insn>, AsmError> {
        for (slot, name, position) in std::mem::take(&mut self.open) {
            let Some(&target) = self.labels.get(name) else {
                let name = name.to_owned();
                return Err(position.error(AsmReason::UnknownLabel { name }));
            };
            let distance = target as i64 - slot as i64 - 1;
            set_offset(&mut self.insns[slot], distance).map_err(|e| position.error(e))?;
        }
        if let Err(error) = crate::encode(&self.insns) {
            let reason = AsmReason::Encode(error.reason);
            return Err(self.positions[error.slot].error(reason));
        }
        Ok(self.insns)
    }
}

/// Point a jump, call or function address at a slot `distance` behind the next one.
fn set_offset(insn: &mut Insn, distance: i64) -> Result<(), AsmReason> {
    match insn {
        Insn::JumpIf { off, .. } | Insn::MayGoto { off } => {
            *off = i16::try_from(distance).map_err(|_| out_of_range(distance, 16))?;
        }
        Insn::Jump { off, .. }
        | Insn::Call(Call::Subprog { off })
        | Insn::LoadImm64 {
            imm: Imm64::Func { off },
            ..
        } => *off = i32::try_from(distance).map_err(|_| out_of_range(distance, 32))?,
        // The parser gives a target to no other instruction.
        _ => {}
    }
    Ok(())
}

fn out_of_range(value: impl Into<i128>, bits: u32) -> AsmReason {
    let value = value.into();
    AsmReason::OutOfRange { value, bits }
}
