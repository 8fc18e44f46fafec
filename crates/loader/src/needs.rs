//! What programs refer to, through all functions that they call: so that what only left-out programs need is neither created nor asked for.

use object::{ExternIndex, FunctionIndex, MapIndex, Object, SlotContent, Target};
use std::collections::BTreeSet;

/// Maps and externs.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub(crate) maps: BTreeSet<MapIndex>,
    pub(crate) externs: BTreeSet<ExternIndex>,
}

impl Needs {
    /// A map and those that it holds at first.
    fn add_map(&mut self, object: &Object, map: MapIndex) {
        self.maps.insert(map);
        // One level is all that there is.
        let slots = object.map(map).map_or(&[][..], |map| &map.slots);
        self.maps.extend(slots.iter().filter_map(|slot| match slot.holds {
            SlotContent::Map(held) => Some(held),
            SlotContent::Program(_) => None,
        }));
    }
}

/// What these programs refer to.
pub(crate) fn of(object: &Object, programs: impl IntoIterator<Item = FunctionIndex>) -> Needs {
    let mut needs = Needs::default();
    let mut seen = BTreeSet::new();
    let mut open: Vec<FunctionIndex> = programs.into_iter().collect();
    while let Some(index) = open.pop() {
        let Some(function) = object.function(index).filter(|_| seen.insert(index.0)) else {
            continue;
        };
        for relocation in &function.relocations {
            match relocation.target {
                Target::Map(map) | Target::Data { map, .. } => needs.add_map(object, map),
                Target::ExternAddress(index) | Target::ExternCall(index) => {
                    needs.externs.insert(index);
                }
                Target::Call(function) | Target::FunctionAddress(function) => open.push(function),
            }
        }
    }
    needs
}
