//! The form in which programs are interpreted: one [`Op`] a slot, one [`Code`] for each thing to do.
//!
//! Width, operand kind and size are resolved into the code, constants are extended to 64 bits and jump targets
//! are slots, so that the loop in `interpret` decides once an instruction, on one byte.

use isa::{AluOp, JmpOp, Size, Src, Width};

/// One slot, ready to run.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Op {
    pub(crate) code: Code,
    /// Result, left operand, or base of a store.
    pub(crate) dst: u8,
    /// Right operand, or base of a load.
    pub(crate) src: u8,
    /// The slot to jump to, the offset of a memory access, or the number of an atomic operation's or a call's
    /// entry in the side table.
    pub(crate) off: i32,
    /// The constant, extended as the operation needs it.
    pub(crate) imm: u64,
}

/// Declares [`Code`] and the tables from instruction to code.
macro_rules! codes {
    (
        alu { $($alu:ident: $alu_r64:ident $alu_i64:ident $alu_r32:ident $alu_i32:ident,)* }
        jump { $($jmp:ident: $jmp_r64:ident $jmp_i64:ident $jmp_r32:ident $jmp_i32:ident,)* }
        memory { $($size:ident: $load:ident $load_sx:ident $probe:ident $probe_sx:ident $store:ident $store_imm:ident
            $acquire:ident $release:ident,)* }
        other { $($other:ident,)* }
    ) => {
        /// What to do. `R`/`I`: right operand is a register or a constant; the number is the width.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Code {
            $($alu_r64, $alu_i64, $alu_r32, $alu_i32,)*
            $($jmp_r64, $jmp_i64, $jmp_r32, $jmp_i32,)*
            $($load, $load_sx, $probe, $probe_sx, $store, $store_imm, $acquire, $release,)*
            $($other,)*
        }

        impl Code {
            pub(crate) fn alu(op: AluOp, width: Width, src: Src) -> Self {
                match (op, width, src) {
                    $(
                        (AluOp::$alu, Width::W64, Src::Reg(_)) => Self::$alu_r64,
                        (AluOp::$alu, Width::W64, Src::Imm(_)) => Self::$alu_i64,
                        (AluOp::$alu, Width::W32, Src::Reg(_)) => Self::$alu_r32,
                        (AluOp::$alu, Width::W32, Src::Imm(_)) => Self::$alu_i32,
                    )*
                }
            }

            pub(crate) fn jump(op: JmpOp, width: Width, src: Src) -> Self {
                match (op, width, src) {
                    $(
                        (JmpOp::$jmp, Width::W64, Src::Reg(_)) => Self::$jmp_r64,
                        (JmpOp::$jmp, Width::W64, Src::Imm(_)) => Self::$jmp_i64,
                        (JmpOp::$jmp, Width::W32, Src::Reg(_)) => Self::$jmp_r32,
                        (JmpOp::$jmp, Width::W32, Src::Imm(_)) => Self::$jmp_i32,
                    )*
                }
            }

            pub(crate) fn load(size: Size, sx: bool, probe: bool) -> Self {
                match (size, sx, probe) {
                    $(
                        (Size::$size, false, false) => Self::$load,
                        (Size::$size, true, false) => Self::$load_sx,
                        (Size::$size, false, true) => Self::$probe,
                        (Size::$size, true, true) => Self::$probe_sx,
                    )*
                }
            }

            pub(crate) fn store(size: Size, src: Src) -> Self {
                match (size, src) {
                    $(
                        (Size::$size, Src::Reg(_)) => Self::$store,
                        (Size::$size, Src::Imm(_)) => Self::$store_imm,
                    )*
                }
            }

            pub(crate) fn acquire(size: Size) -> Self {
                match size {
                    $(Size::$size => Self::$acquire,)*
                }
            }

            pub(crate) fn release(size: Size) -> Self {
                match size {
                    $(Size::$size => Self::$release,)*
                }
            }
        }
    };
}

codes! {
    alu {
        Add: AddR64 AddI64 AddR32 AddI32,
        Sub: SubR64 SubI64 SubR32 SubI32,
        Mul: MulR64 MulI64 MulR32 MulI32,
        Div: DivR64 DivI64 DivR32 DivI32,
        SDiv: SDivR64 SDivI64 SDivR32 SDivI32,
        Or: OrR64 OrI64 OrR32 OrI32,
        And: AndR64 AndI64 AndR32 AndI32,
        Lsh: LshR64 LshI64 LshR32 LshI32,
        Rsh: RshR64 RshI64 RshR32 RshI32,
        Mod: ModR64 ModI64 ModR32 ModI32,
        SMod: SModR64 SModI64 SModR32 SModI32,
        Xor: XorR64 XorI64 XorR32 XorI32,
        Mov: MovR64 MovI64 MovR32 MovI32,
        Arsh: ArshR64 ArshI64 ArshR32 ArshI32,
    }
    jump {
        Eq: EqR64 EqI64 EqR32 EqI32,
        Ne: NeR64 NeI64 NeR32 NeI32,
        Gt: GtR64 GtI64 GtR32 GtI32,
        Ge: GeR64 GeI64 GeR32 GeI32,
        Lt: LtR64 LtI64 LtR32 LtI32,
        Le: LeR64 LeI64 LeR32 LeI32,
        SGt: SGtR64 SGtI64 SGtR32 SGtI32,
        SGe: SGeR64 SGeI64 SGeR32 SGeI32,
        SLt: SLtR64 SLtI64 SLtR32 SLtI32,
        SLe: SLeR64 SLeI64 SLeR32 SLeI32,
        Set: SetR64 SetI64 SetR32 SetI32,
    }
    memory {
        B: LoadB LoadSxB ProbeB ProbeSxB StoreB StoreImmB AcquireB ReleaseB,
        H: LoadH LoadSxH ProbeH ProbeSxH StoreH StoreImmH AcquireH ReleaseH,
        W: LoadW LoadSxW ProbeW ProbeSxW StoreW StoreImmW AcquireW ReleaseW,
        DW: LoadDW LoadSxDW ProbeDW ProbeSxDW StoreDW StoreImmDW AcquireDW ReleaseDW,
    }
    other {
        Neg64,
        Neg32,
        // dst = sign-extended src; the last two clear the upper half.
        MovSxB64,
        MovSxH64,
        MovSxW64,
        MovSxB32,
        MovSxH32,
        SwapH,
        SwapW,
        SwapDW,
        TruncateH,
        TruncateW,
        TruncateDW,
        LoadImm64,
        AtomicW,
        AtomicDW,
        Jump,
        MayGoto,
        CallOut,
        CallSubprog,
        Exit,
        // A slot that is never executed: dead code, or the second half of a LoadImm64.
        Unreachable,
    }
}
