//! The decoded instruction: one enum, and the small types it is made of.
//!
//! Names follow RFC 9669 and the kernel; the enum has a variant for each *kind of effect* rather than for
//! each opcode, so that a `match` over it is a complete statement about the instruction set.

/// One instruction, or the second slot of one.
///
/// Values that [`decode`](fn@crate::decode) never produces (a [`MovSx`](Self::MovSx) from
/// [`Size::DW`], say) can be written down but not encoded: [`encode`](fn@crate::encode) refuses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Insn {
    /// `dst = dst op src`, or `dst = src` for [`AluOp::Mov`]. A 32-bit operation works on the low halves and
    /// clears the upper half of `dst`; a 64-bit one sign-extends an immediate. RFC 9669 section 4.1.
    Alu {
        /// 32 or 64 bits.
        width: Width,
        /// Which operation.
        op: AluOp,
        /// Left operand and result.
        dst: Reg,
        /// Right operand.
        src: Src,
    },
    /// `dst = (sN)src`: move with sign extension from [`Size::B`], [`Size::H`] or, at 64 bits, [`Size::W`].
    MovSx {
        /// How far the sign is extended; at 32 bits the upper half becomes zero.
        width: Width,
        /// Result.
        dst: Reg,
        /// Source, of which the low `from` bytes count.
        src: Reg,
        /// Size of the source value.
        from: Size,
    },
    /// `dst = -dst`.
    Neg {
        /// 32 or 64 bits.
        width: Width,
        /// Operand and result.
        dst: Reg,
    },
    /// Byte order of the low `bits` bits of `dst`; the bits above become zero. RFC 9669 section 4.2.
    Endian {
        /// Operand and result.
        dst: Reg,
        /// To little endian, to big endian, or swap unconditionally.
        kind: EndianKind,
        /// 16, 32 or 64.
        bits: u8,
    },
    /// `dst = addr_space_cast(src, to, from)`: convert an arena pointer between address spaces. Linux only.
    AddrSpaceCast {
        /// Result.
        dst: Reg,
        /// The pointer.
        src: Reg,
        /// Number of the new address space.
        to: u16,
        /// Number of the old address space.
        from: u16,
    },
    /// `dst = imm ll`: a 64-bit constant, or something the loader must turn into one. Takes two slots.
    LoadImm64 {
        /// Result.
        dst: Reg,
        /// The constant.
        imm: Imm64,
    },
    /// The second slot of a [`LoadImm64`](Self::LoadImm64). Never executed, never a jump target.
    LoadImm64Hi,
    /// `dst = *(uN *)(base + off)`, or `*(sN *)` when `sx`.
    Load {
        /// Bytes read.
        size: Size,
        /// Whether the value is sign-extended to 64 bits (else zero-extended).
        sx: bool,
        /// Result.
        dst: Reg,
        /// Register with the address.
        base: Reg,
        /// Bytes added to the address.
        off: i16,
    },
    /// `*(uN *)(base + off) = src`.
    Store {
        /// Bytes written.
        size: Size,
        /// Register with the address.
        base: Reg,
        /// Bytes added to the address.
        off: i16,
        /// Value; an immediate is sign-extended.
        src: Src,
    },
    /// An atomic read-modify-write of `*(uN *)(base + off)`. RFC 9669 section 5.3.
    Atomic {
        /// Which operation, and whether the old value comes back.
        op: AtomicOp,
        /// [`Size::W`] or [`Size::DW`].
        size: Size,
        /// Register with the address.
        base: Reg,
        /// Bytes added to the address.
        off: i16,
        /// Operand; also gets the old value of a fetching operation (of `CmpXchg`, R0 does).
        src: Reg,
    },
    /// `dst = load_acquire((uN *)(base + off))`. Linux 6.15 and later.
    LoadAcquire {
        /// Bytes read.
        size: Size,
        /// Result, zero-extended.
        dst: Reg,
        /// Register with the address.
        base: Reg,
        /// Bytes added to the address.
        off: i16,
    },
    /// `store_release((uN *)(base + off), src)`. Linux 6.15 and later.
    StoreRelease {
        /// Bytes written.
        size: Size,
        /// Register with the address.
        base: Reg,
        /// Bytes added to the address.
        off: i16,
        /// Value.
        src: Reg,
    },
    /// `r0 = *(uN *)skb[index + off]`: the packet access of classic BPF. RFC 9669 section 5.5.
    LegacyLoad {
        /// [`Size::B`], [`Size::H`] or [`Size::W`].
        size: Size,
        /// Register added to the offset (`BPF_IND`), or none (`BPF_ABS`).
        index: Option<Reg>,
        /// Offset in the packet.
        off: i32,
    },
    /// `goto off`.
    Jump {
        /// Slots to skip, counted from the next slot.
        off: i32,
        /// Encoded as `gotol` (class JMP32, 32-bit offset; version 4) instead of `goto` (16-bit offset).
        long: bool,
    },
    /// `if dst op src goto off`.
    JumpIf {
        /// Compare 32 or 64 bits.
        width: Width,
        /// Which comparison.
        op: JmpOp,
        /// Left operand.
        dst: Reg,
        /// Right operand; an immediate is sign-extended to 64 bits.
        src: Src,
        /// Slots to skip, counted from the next slot.
        off: i16,
    },
    /// `may_goto off`: go on a bounded number of times, then jump. Linux 6.9 and later.
    MayGoto {
        /// Slots to skip, counted from the next slot.
        off: i16,
    },
    /// `call`.
    Call(Call),
    /// `exit`: return R0 to the caller.
    Exit,
}

/// A register. R0 returns values, R1 to R5 carry arguments, R6 to R9 survive calls, R10 is the read-only
/// frame pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Reg {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
}

/// Width of an arithmetic operation or a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// 32 bits; written `wN`.
    W32,
    /// 64 bits; written `rN`.
    W64,
}

/// Size of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// 1 byte.
    B,
    /// 2 bytes.
    H,
    /// 4 bytes.
    W,
    /// 8 bytes.
    DW,
}

/// Right operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Src {
    /// A register.
    Reg(Reg),
    /// A constant.
    Imm(i32),
}

/// Arithmetic. Division by zero gives 0, remainder by zero leaves `dst`; shift counts are taken modulo the
/// width; `SDiv` and `SMod` truncate towards zero. RFC 9669 section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AluOp {
    Add,
    Sub,
    Mul,
    Div,
    SDiv,
    Or,
    And,
    Lsh,
    Rsh,
    Mod,
    SMod,
    Xor,
    Mov,
    Arsh,
}

/// Comparison; the `S…` ones are signed, `Set` is `dst & src != 0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum JmpOp {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    SGt,
    SGe,
    SLt,
    SLe,
    Set,
}

/// What [`Insn::Endian`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndianKind {
    /// Host to little endian.
    ToLe,
    /// Host to big endian.
    ToBe,
    /// Swap whatever the host is (class ALU64, version 4).
    Bswap,
}

/// What [`Insn::Atomic`] does. `fetch` stores the old value in `src`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AtomicOp {
    /// `+=`
    Add {
        /// Give the old value back.
        fetch: bool,
    },
    /// `|=`
    Or {
        /// Give the old value back.
        fetch: bool,
    },
    /// `&=`
    And {
        /// Give the old value back.
        fetch: bool,
    },
    /// `^=`
    Xor {
        /// Give the old value back.
        fetch: bool,
    },
    /// Exchange with `src`.
    Xchg,
    /// Store `src` if the value equals R0; the old value goes to R0.
    CmpXchg,
}

/// Operand of [`Insn::LoadImm64`]; which one is told by the `src` field. RFC 9669 section 5.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Imm64 {
    /// A plain constant (0).
    Value(u64),
    /// A map by file descriptor (1).
    MapFd(i32),
    /// Address inside the value of a map (2).
    MapValue {
        /// File descriptor of the map.
        fd: i32,
        /// Byte offset in the value.
        off: u32,
    },
    /// Address of a variable of the kernel or a module (3).
    BtfId {
        /// BTF id of the variable.
        id: u32,
        /// File descriptor of the module's BTF; 0 for the kernel's.
        module_fd: i32,
    },
    /// Address of a subprogram, for callbacks (4).
    Func {
        /// Slots from the slot after the *first* one to the subprogram.
        off: i32,
    },
    /// A map by index in `fd_array` (5).
    MapIdx(u32),
    /// Address inside the value of a map given by index in `fd_array` (6).
    MapIdxValue {
        /// Index in `fd_array`.
        idx: u32,
        /// Byte offset in the value.
        off: u32,
    },
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// A helper, by its number.
    Helper(u32),
    /// A subprogram of this program.
    Subprog {
        /// Slots to skip, counted from the next slot.
        off: i32,
    },
    /// A kernel function.
    Kfunc {
        /// BTF id of the FUNC.
        btf_id: u32,
        /// Index of the module's BTF in `fd_array`; 0 for the kernel's.
        module: i16,
    },
}

impl Insn {
    /// Slot that a jump, conditional jump or `may_goto` at `slot` goes to, as a signed number because a
    /// program that was not verified may jump before its start. `None` for every other instruction.
    ///
    /// ```
    /// let back = isa::Insn::Jump { off: -3, long: false };
    /// assert_eq!(back.jump_target(5), Some(3));
    /// assert_eq!(isa::Insn::Exit.jump_target(5), None);
    /// ```
    pub fn jump_target(&self, slot: usize) -> Option<i64> {
        let off = match *self {
            Self::Jump { off, .. } => i64::from(off),
            Self::JumpIf { off, .. } | Self::MayGoto { off } => i64::from(off),
            _ => return None,
        };
        Some(slot as i64 + 1 + off)
    }

    /// Slot of the subprogram that this instruction at `slot` calls or takes the address of.
    pub fn subprog_target(&self, slot: usize) -> Option<i64> {
        match *self {
            Self::Call(Call::Subprog { off })
            | Self::LoadImm64 {
                imm: Imm64::Func { off },
                ..
            } => Some(slot as i64 + 1 + i64::from(off)),
            _ => None,
        }
    }

    /// Slots that the instruction takes: two for a 64-bit immediate load, zero for its second half, else one.
    pub fn slots(&self) -> usize {
        match self {
            Self::LoadImm64 { .. } => 2,
            Self::LoadImm64Hi => 0,
            _ => 1,
        }
    }
}

impl AluOp {
    /// All operations.
    pub const ALL: [Self; 14] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::SDiv,
        Self::Or,
        Self::And,
        Self::Lsh,
        Self::Rsh,
        Self::Mod,
        Self::SMod,
        Self::Xor,
        Self::Mov,
        Self::Arsh,
    ];
}

impl JmpOp {
    /// All comparisons.
    pub const ALL: [Self; 11] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
        Self::SGt,
        Self::SGe,
        Self::SLt,
        Self::SLe,
        Self::Set,
    ];
}

impl Reg {
    /// All registers in order.
    pub const ALL: [Self; 11] = [
        Self::R0,
        Self::R1,
        Self::R2,
        Self::R3,
        Self::R4,
        Self::R5,
        Self::R6,
        Self::R7,
        Self::R8,
        Self::R9,
        Self::R10,
    ];

    /// The frame pointer.
    pub const FP: Self = Self::R10;

    /// Register of a number, if there is one.
    pub fn new(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its number, to index an array of 11.
    pub fn index(self) -> usize {
        self as usize
    }
}

impl Width {
    /// 32 or 64.
    pub fn bits(self) -> u32 {
        match self {
            Self::W32 => 32,
            Self::W64 => 64,
        }
    }
}

impl Size {
    /// All sizes, smallest first.
    pub const ALL: [Self; 4] = [Self::B, Self::H, Self::W, Self::DW];

    /// 1, 2, 4 or 8.
    pub fn bytes(self) -> u32 {
        match self {
            Self::B => 1,
            Self::H => 2,
            Self::W => 4,
            Self::DW => 8,
        }
    }

    /// 8, 16, 32 or 64.
    pub fn bits(self) -> u32 {
        self.bytes() * 8
    }

    /// Size of so many bytes, if there is one.
    pub fn from_bytes(bytes: u32) -> Option<Self> {
        match bytes {
            1 => Some(Self::B),
            2 => Some(Self::H),
            4 => Some(Self::W),
            8 => Some(Self::DW),
            _ => None,
        }
    }
}

impl AtomicOp {
    /// Whether the old value comes back: in R0 for `CmpXchg`, in the source register else.
    pub fn fetches(self) -> bool {
        match self {
            Self::Add { fetch } | Self::Or { fetch } | Self::And { fetch } | Self::Xor { fetch } => fetch,
            Self::Xchg | Self::CmpXchg => true,
        }
    }
}

impl JmpOp {
    /// The comparison that is true exactly when this one is false; `Set` has none.
    pub fn negated(self) -> Option<Self> {
        Some(match self {
            Self::Eq => Self::Ne,
            Self::Ne => Self::Eq,
            Self::Gt => Self::Le,
            Self::Ge => Self::Lt,
            Self::Lt => Self::Ge,
            Self::Le => Self::Gt,
            Self::SGt => Self::SLe,
            Self::SGe => Self::SLt,
            Self::SLt => Self::SGe,
            Self::SLe => Self::SGt,
            Self::Set => return None,
        })
    }

    /// The comparison with its operands exchanged: `a op b` is `b op.swapped() a`.
    pub fn swapped(self) -> Self {
        match self {
            Self::Eq => Self::Eq,
            Self::Ne => Self::Ne,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::SGt => Self::SLt,
            Self::SGe => Self::SLe,
            Self::SLt => Self::SGt,
            Self::SLe => Self::SGe,
            Self::Set => Self::Set,
        }
    }
}
