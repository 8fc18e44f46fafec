//! Unregistering: the link goes first, so that no new socket gets the table; then every pin of it.

use super::pins::{self, PinName};
use super::{Host, HostError, State, Table, census};
use crate::Error;
use bpf::{Errno, Pinned};
use serde::Serialize;
use std::path::Path;

/// What was unregistered.
#[derive(Clone, Debug, Serialize)]
pub struct Unloaded {
    /// The algorithm.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// References that are left: sockets that still run on it, or a namespace whose default it is. They keep it alive until they let go.
    pub references_left: u32,
    /// The pins that were removed, versions and link.
    pub pins_removed: usize,
}

/// Why there is nothing to be done with tables of which none is live: they are dying, or only somebody's who never registered them.
pub(super) fn not_live(name: &str, tables: &[Table]) -> HostError {
    let references: u32 = tables.iter().map(|table| table.references).sum();
    let name = name.to_owned();
    if tables.iter().any(|table| table.state == State::Kept) {
        HostError::LinkGone { name }
    } else if references > 0 {
        HostError::Gone { name, references }
    } else {
        HostError::NotRegistered {
            name,
            registered: Vec::new(),
        }
    }
}

impl Host {
    /// Unregisters `name` and removes everything that is kept of it. Also clears what a killed load or swap left behind.
    ///
    /// # Errors
    /// [`HostError::NotRegistered`]; [`HostError::NotOurs`] if it is held by a link that somebody else keeps.
    pub fn unload(&self, name: &str) -> Result<Unloaded, Error> {
        Ok(self.unload_tables(name)?)
    }

    fn unload_tables(&self, name: &str) -> Result<Unloaded, HostError> {
        let _nobody_else = self.lock()?;
        let tables = self.tables_of(name)?;
        let kind = tables[0].kind.clone();
        let folder = pins::folder(&self.bpffs, &kind, name);
        let live = tables.iter().find(|table| table.state == State::Live);
        if let Some(live) = live {
            self.unregister(live, &folder)?;
        }
        let pins_removed = self.remove_folder(&folder)?;
        if live.is_none() && pins_removed == 0 {
            return Err(not_live(name, &tables));
        }
        // Counted before our own references are gone for good: what is left then belongs to others.
        let left = census::tables(self)?
            .into_iter()
            .filter(|table| table.name == name && table.kind == kind);
        let references_left = left.map(|table| table.references).sum();
        Ok(Unloaded {
            name: name.to_owned(),
            kind,
            references_left,
            pins_removed,
        })
    }

    fn unregister(&self, live: &Table, folder: &Path) -> Result<(), HostError> {
        match self.bpf.obj_get(&folder.join(PinName::Link.to_string())) {
            Ok(Pinned::Link(link)) => self
                .bpf
                .link_detach(&link)
                .map_err(HostError::system("detach the link")),
            Ok(_) | Err(Errno::ENOENT) if live.link_id.is_none() => {
                // Registered without a link (`bpftool struct_ops register`): deleting its element unregisters it.
                let map = self
                    .bpf
                    .map_by_id(live.map_id)
                    .map_err(HostError::system("open the ops map"))?;
                self.bpf
                    .map_delete(&map, &[0; 4])
                    .map_err(HostError::system("unregister the ops map"))
            }
            Ok(_) | Err(Errno::ENOENT) => Err(HostError::NotOurs {
                name: live.name.clone(),
                link_id: live.link_id,
            }),
            Err(errno) => Err(HostError::System {
                doing: "open the link's pin",
                errno,
            }),
        }
    }

    /// Removes all our pins in a folder; returns how many there were. A folder that is not there is empty.
    pub(super) fn remove_pins(&self, folder: &Path) -> Result<usize, HostError> {
        let pins = census::pins_in(self, folder)?;
        for pin in &pins {
            self.bpf
                .pin_remove(&pin.path)
                .map_err(HostError::system("remove a pin"))?;
        }
        Ok(pins.len())
    }

    /// Removes all our pins in a folder and the folder; returns how many pins there were.
    pub(super) fn remove_folder(&self, folder: &Path) -> Result<usize, HostError> {
        let pins = self.remove_pins(folder)?;
        // The folders above go with the last algorithm. What is not empty stays: other algorithms, or somebody else's pin.
        let ours = folder
            .ancestors()
            .take_while(|path| path.starts_with(pins::top(&self.bpffs)));
        for path in ours {
            match self.bpf.pin_dir_remove(path) {
                Ok(()) | Err(Errno::ENOENT) => {}
                Err(Errno::ENOTEMPTY) => break,
                Err(errno) => {
                    return Err(HostError::System {
                        doing: "remove a folder of the bpffs",
                        errno,
                    });
                }
            }
        }
        Ok(pins)
    }
}
