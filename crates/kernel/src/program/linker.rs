//! Verified instructions to code that can run: addresses of helpers, kernel functions, maps and values, the same that the verifier was told of.

use crate::map::Map;
use crate::program::environment::World;
use crate::program::load::map_ref;
use crate::program::refusal;
use bpf::ProgLoadError;
use btf::TypeId;
use isa::Imm64;
use std::sync::Arc;
use verifier::{MapRef, Verified};
use vm::{HelperFn, Linker, Mark};

pub(super) struct Link<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) maps: &'a [(MapRef, Arc<Map>)],
}

impl Link<'_> {
    /// The map and the offset in its value that an immediate names the address of.
    fn direct(&self, imm: &Imm64) -> Option<(&Map, u32)> {
        let (Imm64::MapValue { off, .. } | Imm64::MapIdxValue { off, .. }) = *imm else {
            return None;
        };
        let reference = map_ref(imm)?;
        let (_, map) = self.maps.iter().find(|(known, _)| *known == reference)?;
        Some((map, off))
    }

    pub(super) fn link(&self, verified: &Verified) -> Result<vm::Program, ProgLoadError> {
        let mark = |slot: usize| match verified.aux().get(slot) {
            Some(aux) if !aux.reached => Mark::Dead,
            Some(aux) if aux.probe => Mark::Probe,
            _ => Mark::Plain,
        };
        // Values whose address is in the instructions have one from now on.
        for insn in verified.insns() {
            if let isa::Insn::LoadImm64 { imm, .. } = insn
                && let Some((map, offset)) = self.direct(imm)
            {
                map.direct_address(offset)
                    .map_err(|errno| refusal::no_memory(errno, &self.world.kernel.map_budget.state()))?;
            }
        }
        vm::Program::build(verified.insns(), mark, self).map_err(|error| match error {
            vm::BuildError::Unsupported { slot, insn } => refusal::unsupported_insn(slot, &insn),
            other => refusal::internal(other.to_string()),
        })
    }
}

impl Linker for Link<'_> {
    fn helper(&self, id: u32) -> Option<HelperFn> {
        self.world.find_helper(id)?.native.map(crate::Native::get)
    }

    fn kfunc(&self, btf_id: u32, module: i16) -> Option<HelperFn> {
        Some(self.world.find_kfunc(TypeId(btf_id), module)?.native.get())
    }

    fn imm64(&self, imm: &Imm64) -> Option<u64> {
        let reference = map_ref(imm)?;
        let (_, map) = self.maps.iter().find(|(known, _)| *known == reference)?;
        match *imm {
            // Helpers get a map as the address of ours; the program's list of maps keeps it alive.
            Imm64::MapFd(_) | Imm64::MapIdx(_) => Some(Arc::as_ptr(map).expose_provenance() as u64),
            Imm64::MapValue { off, .. } | Imm64::MapIdxValue { off, .. } => map.direct_address(off).ok()?,
            Imm64::Value(_) | Imm64::BtfId { .. } | Imm64::Func { .. } => None,
        }
    }
}
