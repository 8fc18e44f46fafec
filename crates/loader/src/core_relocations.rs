//! CO-RE: the functions' instructions are changed to fit the kernel's types.
//!
//! Matching is `btf::core`'s; this module hands it instructions and puts them back. An instruction whose relocation
//! finds nothing becomes a call of a helper that does not exist, so that the kernel refuses it only if it can be
//! reached (`bpf_core_patch_insn` and `bpf_core_poison_insn` of libbpf, Linux 6.12).

use crate::error::{CoreProblem, PlanError};
use btf::core::{Insn, Patched, Resolver};
use isa::RawInsn;
use object::{FunctionIndex, Object};

/// `BPF_LD | BPF_DW | BPF_IMM`: the one instruction of two slots.
const LOAD_IMM64: u8 = 0x18;

/// The function's instructions with all CO-RE relocations carried out, and how many found nothing.
pub(crate) fn apply(
    object: &Object,
    index: FunctionIndex,
    resolver: Option<&mut Resolver<'_>>,
) -> Result<(Vec<RawInsn>, u32), PlanError> {
    let Some(function) = object.function(index) else {
        return Ok((Vec::new(), 0));
    };
    let mut insns = function.insns.clone();
    let mut poisoned = 0;
    if function.core.is_empty() {
        return Ok((insns, poisoned));
    }
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
        let fixup = resolver
            .resolve(&record.record.relocation(btf))
            .map_err(|error| fails(error.into()))?;
        let slot = record.slot as usize;
        let Some((before, wide)) = read(&insns, slot) else {
            return Err(PlanError::Dangling {
                function: function.name.clone(),
                slot: record.slot,
            });
        };
        match fixup.patch(before).map_err(|error| fails(error.into()))? {
            Patched::Insn(after) => write(&mut insns, slot, after, wide),
            Patched::Poison(call) => {
                poisoned += 1;
                write(&mut insns, slot, call, false);
                if wide {
                    write(&mut insns, slot + 1, call, false);
                }
            }
        }
    }
    Ok((insns, poisoned))
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
