//! Maps that objects share by name in the bpffs (`LIBBPF_PIN_BY_NAME`): `load`, `swap` and `apply` use the pinned one if it fits, and pin a new one.
//!
//! They lie in the bpffs itself, where libbpf has them, so that programs of other tools find them. As with libbpf, nobody's end takes their pins away: they
//! are not counted among an algorithm's own, and `unload` leaves them. Whoever put a map there decides what programs read, so that only root's and our own is used.

use super::folders::{Folder, Missing};
use super::{Foreign, ForeignWhy, Host, HostError};
use crate::{Error, Source};
use bpf::Errno;
use linux::bpffs::FolderError;
use loader::{MapPlan, PinRoot};
use object::Pinning;
use serde::Serialize;
use std::path::PathBuf;

/// A map that is shared by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// The variable in the object.
    pub map: String,
    /// Its pin, which stays when the algorithm is unloaded.
    pub pin: PathBuf,
    /// Whether it was there before, with what it holds.
    pub was_there: bool,
}

/// Whether maps of the object are to be shared. What is wrong with the object is found by whoever loads it.
pub(super) fn wanted(source: &Source) -> bool {
    let object = object::Object::parse(&source.object);
    object.is_ok_and(|object| object.maps.iter().any(|map| map.pinning == Pinning::ByName))
}

/// The maps of a loaded object that are shared.
pub(super) fn facts(loaded: &loader::Loaded) -> Vec<Shared> {
    let shared = loaded.maps().iter().filter_map(|map| Some((map, map.shared.as_ref()?)));
    shared
        .map(|(map, shared)| Shared {
            map: map.name.clone(),
            pin: shared.path.clone(),
            was_there: shared.was_there,
        })
        .collect()
}

impl Host {
    /// Where they lie; `None` if the object shares none. It must stay open as long as pins are made or removed there.
    pub(super) fn shared_folder(&self, source: &Source) -> Result<Option<Folder>, HostError> {
        if !wanted(source) {
            return Ok(None);
        }
        self.root().map(Some).map_err(|missing| match missing {
            Missing::Absent => HostError::NoBpffs {
                path: self.bpffs.clone(),
                errno: Errno::ENOENT,
            },
            Missing::Foreign(foreign) => HostError::ForeignFolder(foreign),
            Missing::Failed(error) => error,
        })
    }
}

impl Folder {
    /// For the loader.
    pub(super) fn pin_root(&self) -> PinRoot {
        PinRoot {
            at: self.itself(),
            shown: self.shown_itself().to_owned(),
        }
    }

    /// Refuses pins that somebody else put where these maps would be shared.
    pub(super) fn trusts(&self, maps: &[MapPlan]) -> Result<(), Error> {
        for map in maps.iter().filter(|map| map.pin.is_some()) {
            let why = match self.has_pin(&map.name) {
                Ok(_) => continue,
                Err(FolderError::Distrusted(why)) => ForeignWhy::Distrusted(why),
                Err(FolderError::System(errno)) => ForeignWhy::Closed(errno),
            };
            let path = self.shown(&map.name);
            return Err(HostError::InTheWay(Foreign { path, why }).into());
        }
        Ok(())
    }
}
