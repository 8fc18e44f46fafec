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
    /// Immediate: the 64 bits of a 64-bit immediate load, otherwise 32 bits with their sign extended.
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

/// A helper that no kernel has: if the instruction can be reached, the verifier says `invalid func unknown#195896080`.
pub const POISON_HELPER: u32 = 0x0bad_2310;

const CALL: u8 = 0x85;
const LOAD_IMM64: u8 = 0x18;
const CLASS: u8 = 0x07;
const SIZE: u8 = 0x18;

impl Fixup {
    /// The instruction with the answer in it.
    ///
    /// # Errors
    /// [`PatchError`].
    pub fn patch(&self, insn: Insn) -> Result<Patched, PatchError> {
        let poison = Patched::Poison(Insn {
            code: CALL,
            dst: 0,
            src: 0,
            off: 0,
            imm: u64::from(POISON_HELPER),
        });
        match insn.code & CLASS {
            // ALU and ALU64 with an immediate.
            4 | 7 if insn.code & 0x08 == 0 => {
                if self.poisoned {
                    return Ok(poison);
                }
                self.expect(insn.imm)?;
                Ok(Patched::Insn(Insn {
                    imm: sign_extended(self.target),
                    ..insn
                }))
            }
            // LDX, ST, STX.
            1..=3 => {
                if self.poisoned {
                    return Ok(poison);
                }
                self.expect(insn.off as i64 as u64)?;
                let off = i16::try_from(self.target).map_err(|_| PatchError::TooLarge {
                    value: self.target,
                    part: "offset",
                })?;
                if self.resize.is_some_and(|resize| !resize.allowed) {
                    return Ok(poison);
                }
                Ok(Patched::Insn(Insn {
                    off,
                    code: self.resized(insn.code)?,
                    ..insn
                }))
            }
            0 if insn.code == LOAD_IMM64 && insn.src == 0 && insn.off == 0 => {
                if self.poisoned {
                    return Ok(poison);
                }
                self.expect(insn.imm)?;
                Ok(Patched::Insn(Insn {
                    imm: self.target,
                    ..insn
                }))
            }
            _ => Err(PatchError::Unsuited { code: insn.code }),
        }
    }

    /// Patches the instruction at the start of program bytes; true if it was poisoned.
    ///
    /// # Errors
    /// [`PatchError`], also if there are too few bytes.
    pub fn patch_bytes(&self, bytes: &mut [u8]) -> Result<bool, PatchError> {
        let code = bytes.first().copied().unwrap_or(0);
        let truncated = PatchError::Unsuited { code };
        let slots = if code == LOAD_IMM64 { 2 } else { 1 };
        let Some(bytes) = bytes.get_mut(..slots * 8) else {
            return Err(truncated);
        };
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let imm = if slots == 2 {
            // The second slot has nothing but the upper half.
            if bytes[8..12] != [0; 4] {
                return Err(truncated);
            }
            u64::from(word(12)) << 32 | u64::from(word(4))
        } else {
            sign_extended(u64::from(word(4)))
        };
        let off = i16::from_le_bytes([bytes[2], bytes[3]]);
        let insn = Insn {
            code,
            dst: bytes[1] & 15,
            src: bytes[1] >> 4,
            off,
            imm,
        };
        let (patched, poisoned) = match self.patch(insn)? {
            Patched::Insn(insn) => (insn, false),
            Patched::Poison(insn) => (insn, true),
        };
        for slot in 0..slots {
            let first = slot == 0 || poisoned;
            let at = slot * 8;
            bytes[at] = if first { patched.code } else { 0 };
            bytes[at + 1] = if first { patched.dst | patched.src << 4 } else { 0 };
            bytes[at + 2..at + 4].copy_from_slice(&if first { patched.off } else { 0 }.to_le_bytes());
            let imm = if first { patched.imm } else { patched.imm >> 32 } as u32;
            bytes[at + 4..at + 8].copy_from_slice(&imm.to_le_bytes());
        }
        Ok(poisoned)
    }

    fn expect(&self, found: u64) -> Result<(), PatchError> {
        if self.validate && found != self.local {
            return Err(PatchError::Unexpected {
                found,
                expected: self.local,
            });
        }
        Ok(())
    }

    /// The operation code for the size of the kernel's field.
    fn resized(&self, code: u8) -> Result<u8, PatchError> {
        let Some(resize) = self.resize else { return Ok(code) };
        let bad = PatchError::BadResize {
            local: resize.local,
            target: resize.target,
        };
        let bits = |bytes: u32| match bytes {
            1 => Some(0x10),
            2 => Some(0x08),
            4 => Some(0x00),
            8 => Some(0x18),
            _ => None,
        };
        if bits(resize.local) != Some(code & SIZE) {
            return Err(bad);
        }
        bits(resize.target).map(|size| code & !SIZE | size).ok_or(bad)
    }
}

/// The low 32 bits as the processor sees them.
fn sign_extended(value: u64) -> u64 {
    value as u32 as i32 as i64 as u64
}
