//! The 8-byte slot as its five fields, before it has a meaning. RFC 9669 section 3.

use crate::opcode;

/// One slot of a program, fields unpacked (`struct bpf_insn`).
///
/// ```
/// let raw = isa::RawInsn::from_bytes([0xb7, 0x21, 0xfe, 0xff, 1, 0, 0, 0x80]);
/// assert_eq!((raw.dst, raw.src, raw.off, raw.imm), (1, 2, -2, i32::MIN + 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RawInsn {
    /// Opcode: class in the low three bits.
    pub code: u8,
    /// Destination register, four bits.
    pub dst: u8,
    /// Source register, four bits.
    pub src: u8,
    /// Offset.
    pub off: i16,
    /// Immediate.
    pub imm: i32,
}

/// A field of a slot, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Field {
    Dst,
    Src,
    Off,
    Imm,
}

impl RawInsn {
    /// Bytes in a slot.
    pub const BYTES: usize = 8;

    /// Unpack a little-endian slot.
    pub fn from_bytes(b: [u8; 8]) -> Self {
        Self {
            code: b[0],
            dst: b[1] & 0xf,
            src: b[1] >> 4,
            off: i16::from_le_bytes([b[2], b[3]]),
            imm: i32::from_le_bytes([b[4], b[5], b[6], b[7]]),
        }
    }

    /// The index into the load command's `fd_array` that the slot holds: of a map, or of the BTF of a called function's module.
    ///
    /// ```
    /// let insns = isa::encode(&isa::asm::assemble("r1 = map_idx(3) ll\nexit")?)?;
    /// assert_eq!((insns[0].fd_index(), insns[2].fd_index()), (Some(3), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fd_index(&self) -> Option<u32> {
        const CALL: u8 = opcode::class::JMP | opcode::jmp::CALL;
        match (self.code, self.src) {
            (opcode::LD_IMM64, opcode::pseudo::MAP_IDX | opcode::pseudo::MAP_IDX_VALUE) => Some(self.imm as u32),
            (CALL, opcode::call::KFUNC) => u32::try_from(self.off).ok().filter(|&index| index != 0),
            _ => None,
        }
    }

    /// Pack as a little-endian slot; only the low four bits of the register fields count.
    pub fn to_bytes(self) -> [u8; 8] {
        let [o0, o1] = self.off.to_le_bytes();
        let [i0, i1, i2, i3] = self.imm.to_le_bytes();
        let regs = self.dst & 0xf | self.src << 4;
        [self.code, regs, o0, o1, i0, i1, i2, i3]
    }
}

/// Unpack a whole program; `None` if the length is not a multiple of eight.
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<RawInsn>> {
    let (slots, rest) = bytes.as_chunks::<8>();
    rest.is_empty()
        .then(|| slots.iter().map(|s| RawInsn::from_bytes(*s)).collect())
}

/// Pack a whole program.
pub fn to_bytes(raw: &[RawInsn]) -> Vec<u8> {
    raw.iter().flat_map(|r| r.to_bytes()).collect()
}

impl Field {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dst => "dst",
            Self::Src => "src",
            Self::Off => "off",
            Self::Imm => "imm",
        }
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
