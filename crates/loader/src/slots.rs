//! Initial slots of maps of maps and of program arrays: filled when what they hold is there.
//!
//! As `init_map_in_map_slots` and `init_prog_array_slots` of libbpf (Linux 6.18), but that all maps are created first, so that none of them needs a place
//! held for it. A map that was pinned before keeps what it holds.

use crate::error::LoadError;
use crate::load::{Loaded, LoadedMap};
use crate::plan::Plan;
use bpf::{Bpf, Fd, MapType, Prog, UpdateFlags};
use object::{FunctionIndex, SlotContent};

impl Plan {
    /// Puts the maps into the maps that hold them.
    pub(crate) fn fill_map_slots(&self, maps: &[LoadedMap], kernel: &dyn Bpf) -> Result<(), LoadError> {
        self.fill(maps, kernel, false, &|holds| match holds {
            SlotContent::Map(index) => maps.iter().find(|map| map.index == index).map(|map| map.map.raw()),
            SlotContent::Program(_) => None,
        })
    }

    /// Puts the programs into the arrays that hold them.
    pub(crate) fn fill_program_slots<'a>(
        &self,
        loaded: &Loaded,
        program: &dyn Fn(FunctionIndex) -> Option<&'a Fd<Prog>>,
    ) -> Result<(), LoadError> {
        let kernel = &*loaded.kernel;
        self.fill(&loaded.maps, kernel, true, &|holds| match holds {
            SlotContent::Program(index) => program(index).map(Fd::raw),
            SlotContent::Map(_) => None,
        })
    }

    fn fill(
        &self,
        maps: &[LoadedMap],
        kernel: &dyn Bpf,
        of_programs: bool,
        descriptor: &dyn Fn(SlotContent) -> Option<i32>,
    ) -> Result<(), LoadError> {
        for (plan, loaded) in self.maps.iter().zip(maps) {
            let was_there = loaded.shared.as_ref().is_some_and(|shared| shared.was_there);
            if was_there || (plan.map_type == MapType::PROG_ARRAY) != of_programs {
                continue;
            }
            for slot in &plan.slots {
                let failed = |errno| LoadError::MapSlot {
                    map: plan.name.clone(),
                    index: slot.index,
                    holds: slot.name.clone(),
                    errno,
                };
                let content = descriptor(slot.holds).ok_or_else(|| failed(None))?;
                kernel
                    .map_update(
                        &loaded.map,
                        &slot.index.to_le_bytes(),
                        &content.to_le_bytes(),
                        UpdateFlags::ANY,
                    )
                    .map_err(|errno| failed(Some(errno)))?;
            }
        }
        Ok(())
    }
}
