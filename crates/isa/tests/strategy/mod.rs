//! Any instruction that exists, for property tests.

use isa::{AluOp, AtomicOp, Call, EndianKind, Imm64, Insn, JmpOp, Reg, Size, Src, Width};
use proptest::prelude::*;
use proptest::sample::select;

/// A whole program: instructions with the second slots in place.
pub(crate) fn program() -> impl Strategy<Value = Vec<Insn>> {
    proptest::collection::vec(insn(), 0..20).prop_map(|insns| {
        insns
            .into_iter()
            .flat_map(|insn| {
                let hi = (insn.slots() == 2).then_some(Insn::LoadImm64Hi);
                std::iter::once(insn).chain(hi)
            })
            .collect()
    })
}

/// Any instruction but the second slot of one.
pub(crate) fn insn() -> impl Strategy<Value = Insn> {
    prop_oneof![
        4 => (width(), alu_op(), reg(), src())
            .prop_map(|(width, op, dst, src)| Insn::Alu { width, op, dst, src }),
        1 => (width(), reg(), reg(), select(&[Size::B, Size::H][..]))
            .prop_map(|(width, dst, src, from)| Insn::MovSx { width, dst, src, from }),
        1 => (reg(), reg()).prop_map(|(dst, src)| Insn::MovSx {
            width: Width::W64,
            dst,
            src,
            from: Size::W
        }),
        1 => (width(), reg()).prop_map(|(width, dst)| Insn::Neg { width, dst }),
        1 => (
            reg(),
            select(&[EndianKind::ToLe, EndianKind::ToBe, EndianKind::Bswap][..]),
            select(&[16, 32, 64][..])
        )
            .prop_map(|(dst, kind, bits)| Insn::Endian { dst, kind, bits }),
        1 => (reg(), reg(), any::<u16>(), any::<u16>())
            .prop_map(|(dst, src, to, from)| Insn::AddrSpaceCast { dst, src, to, from }),
        2 => (reg(), imm64()).prop_map(|(dst, imm)| Insn::LoadImm64 { dst, imm }),
        2 => memory(),
        2 => (select(&[Size::W, Size::DW][..]), atomic_op(), reg(), any::<i16>(), reg())
            .prop_map(|(size, op, base, off, src)| Insn::Atomic { op, size, base, off, src }),
        1 => (select(&[Size::B, Size::H, Size::W][..]), proptest::option::of(reg()), any::<i32>())
            .prop_map(|(size, index, off)| Insn::LegacyLoad { size, index, off }),
        1 => any::<i16>().prop_map(|off| Insn::Jump { off: off.into(), long: false }),
        1 => any::<i32>().prop_map(|off| Insn::Jump { off, long: true }),
        4 => (width(), jmp_op(), reg(), src(), any::<i16>())
            .prop_map(|(width, op, dst, src, off)| Insn::JumpIf { width, op, dst, src, off }),
        1 => any::<i16>().prop_map(|off| Insn::MayGoto { off }),
        1 => call().prop_map(Insn::Call),
        1 => Just(Insn::Exit),
    ]
}

fn memory() -> impl Strategy<Value = Insn> {
    let any_size = || select(&Size::ALL[..]);
    prop_oneof![
        (any_size(), reg(), reg(), any::<i16>(), any::<bool>()).prop_map(|(size, dst, base, off, sx)| Insn::Load {
            size,
            sx: sx && size != Size::DW,
            dst,
            base,
            off
        }),
        (any_size(), reg(), any::<i16>(), src()).prop_map(|(size, base, off, src)| Insn::Store {
            size,
            base,
            off,
            src
        }),
        (any_size(), reg(), reg(), any::<i16>()).prop_map(|(size, dst, base, off)| Insn::LoadAcquire {
            size,
            dst,
            base,
            off
        }),
        (any_size(), reg(), reg(), any::<i16>()).prop_map(|(size, base, src, off)| Insn::StoreRelease {
            size,
            base,
            off,
            src
        }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        any::<u32>().prop_map(Call::Helper),
        any::<i32>().prop_map(|off| Call::Subprog { off }),
        (any::<u32>(), any::<i16>()).prop_map(|(btf_id, module)| Call::Kfunc { btf_id, module }),
    ]
}

fn imm64() -> impl Strategy<Value = Imm64> {
    prop_oneof![
        any::<u64>().prop_map(Imm64::Value),
        any::<i32>().prop_map(Imm64::MapFd),
        (any::<i32>(), any::<u32>()).prop_map(|(fd, off)| Imm64::MapValue { fd, off }),
        (any::<u32>(), any::<i32>()).prop_map(|(id, module_fd)| Imm64::BtfId { id, module_fd }),
        any::<i32>().prop_map(|off| Imm64::Func { off }),
        any::<u32>().prop_map(Imm64::MapIdx),
        (any::<u32>(), any::<u32>()).prop_map(|(idx, off)| Imm64::MapIdxValue { idx, off }),
    ]
}

fn reg() -> impl Strategy<Value = Reg> {
    select(&Reg::ALL[..])
}

fn width() -> impl Strategy<Value = Width> {
    select(&[Width::W32, Width::W64][..])
}

fn src() -> impl Strategy<Value = Src> {
    prop_oneof![reg().prop_map(Src::Reg), any::<i32>().prop_map(Src::Imm)]
}

fn alu_op() -> impl Strategy<Value = AluOp> {
    select(&AluOp::ALL[..])
}

fn jmp_op() -> impl Strategy<Value = JmpOp> {
    select(&JmpOp::ALL[..])
}

fn atomic_op() -> impl Strategy<Value = AtomicOp> {
    (0..6, any::<bool>()).prop_map(|(op, fetch)| match op {
        0 => AtomicOp::Add { fetch },
        1 => AtomicOp::Or { fetch },
        2 => AtomicOp::And { fetch },
        3 => AtomicOp::Xor { fetch },
        4 => AtomicOp::Xchg,
        _ => AtomicOp::CmpXchg,
    })
}
