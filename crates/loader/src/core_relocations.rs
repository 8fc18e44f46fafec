//! CO-RE: the functions' instructions are changed to fit the kernel's types.
//!
//! Matching is `btf::core`'s; this module hands it instructions and puts them back. An instruction whose relocation
//! finds nothing becomes a call of a helper that does not exist, so that the kernel refuses it only if it can be
//! reached (`bpf_core_patch_insn` and `bpf_core_poison_insn` of libbpf, Linux 6.12).

use crate::error::{CoreProblem, PlanError};
use btf::core::{BitsMoved, Insn, Patched, RelocationKind, Resolver};
use isa::RawInsn;
use object::{CoreRecord, Function, FunctionIndex, Object};

/// `BPF_LD | BPF_DW | BPF_IMM`: the one instruction of two slots.
const LOAD_IMM64: u8 = 0x18;

/// What became of a function.
#[derive(Default)]
pub(crate) struct Applied {
    pub(crate) insns: Vec<RawInsn>,
    /// Relocations that found nothing: the slot, and the type or field where it can be named.
    pub(crate) missing: Vec<(u32, Option<String>)>,
    pub(crate) fixed_bits: Vec<FixedBits>,
}

/// A bit field that is elsewhere in the kernel, and an instruction that reads or writes it with a mask fixed by the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FixedBits {
    pub(crate) slot: u32,
    pub(crate) field: String,
    pub(crate) moved: BitsMoved,
}

/// The function's instructions with all CO-RE relocations carried out.
pub(crate) fn apply(
    object: &Object,
    index: FunctionIndex,
    resolver: Option<&mut Resolver<'_>>,
) -> Result<Applied, PlanError> {
    let Some(function) = object.function(index) else {
        return Ok(Applied::default());
    };
    let mut applied = Applied {
        insns: function.insns.clone(),
        ..Applied::default()
    };
    if function.core.is_empty() {
        return Ok(applied);
    }
    let insns = &mut applied.insns;
    let (btf, resolver) = object.btf.as_ref().zip(resolver).ok_or(PlanError::NoBtf)?;
    for record in &function.core {
        let fails = |problem: CoreProblem| PlanError::Core {
            function: function.name.clone(),
            slot: record.slot,
            source_line: object
                .source(index, record.slot)
                .map(|source| format!("{}:{}", source.file, source.line)),
            problem: Box::new(problem),
        };
        let relocation = record.record.relocation(btf);
        let fixup = resolver.resolve(&relocation).map_err(|error| fails(error.into()))?;
        let slot = record.slot as usize;
        let Some((before, wide)) = read(insns, slot) else {
            return Err(PlanError::Dangling {
                function: function.name.clone(),
                slot: record.slot,
            });
        };
        if let Some(moved) = fixup.bits.filter(|moved| moved.local != moved.target)
            && is_plain(function, record, before)
        {
            let field = resolver.path(&relocation).map_err(|error| fails(error.into()))?;
            applied.fixed_bits.push(FixedBits {
                slot: record.slot,
                field,
                moved,
            });
        }
        match fixup.patch(before).map_err(|error| fails(error.into()))? {
            Patched::Insn(after) => write(insns, slot, after, wide),
            Patched::Poison(call) => {
                applied.missing.push((record.slot, resolver.path(&relocation).ok()));
                write(insns, slot, call, false);
                if wide {
                    write(insns, slot + 1, call, false);
                }
            }
        }
    }
    Ok(applied)
}

/// Whether an instruction with the offset of a bit field belongs to a plain access: the compiler has then written the mask into the
/// instructions that follow. Who asks for the shifts as well (`BPF_CORE_READ_BITFIELD` of libbpf) has none: the offset is taken into a
/// register, or folded into loads on the line that asks.
fn is_plain(function: &Function, record: &CoreRecord, insn: Insn) -> bool {
    let line = |slot: u32| {
        let line = function.lines.iter().rev().find(|line| line.slot <= slot);
        line.map(|line| (line.file, line.line))
    };
    let mut asking = function.core.iter().filter(|other| {
        let field = (record.record.ty, record.record.access_offset);
        (other.record.ty, other.record.access_offset) == field && other.record.kind == RelocationKind::FieldLshiftU64
    });
    if is_access(insn.code) {
        asking.all(|other| line(other.slot) != line(record.slot))
    } else {
        asking.next().is_none()
    }
}

/// `BPF_LDX`, `BPF_ST`, `BPF_STX`: a load or a store.
fn is_access(code: u8) -> bool {
    matches!(code & 7, 1..=3)
}

/// The parts of the instruction at this slot, and whether it has two.
fn read(insns: &[RawInsn], slot: usize) -> Option<(Insn, bool)> {
    let first = insns.get(slot)?;
    let wide = first.code == LOAD_IMM64;
    let low = u64::from(first.imm as u32);
    let imm = if wide {
        u64::from(insns.get(slot + 1)?.imm as u32) << 32 | low
    } else {
        low
    };
    let insn = Insn {
        code: first.code,
        dst: first.dst,
        src: first.src,
        off: first.off,
        imm,
    };
    Some((insn, wide))
}

fn write(insns: &mut [RawInsn], slot: usize, insn: Insn, wide: bool) {
    insns[slot] = RawInsn {
        code: insn.code,
        dst: insn.dst,
        src: insn.src,
        off: insn.off,
        imm: insn.imm as u32 as i32,
    };
    if wide {
        insns[slot + 1].imm = (insn.imm >> 32) as u32 as i32;
    }
}
