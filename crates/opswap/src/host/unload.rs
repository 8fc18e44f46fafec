//! Unregistering: the link goes first, so that no new socket gets the table; then every pin of it.

use super::folders::{Folder, ForeignWhy, Missing};
use super::namespaces::{self, Renewal};
use super::pins::{self, PinName};
use super::{Host, HostError, State, Table, census};
use crate::Error;
use bpf::{Errno, Fd, Link, Pinned};
use serde::Serialize;

/// What was unregistered.
#[derive(Clone, Debug, Serialize)]
pub struct Unloaded {
    /// The algorithm.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Tables of it that somebody still uses: each goes when its last user lets go.
    pub still_used: Vec<StillUsed>,
    /// Namespaces whose default it was, and what became of that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Renewal>,
    /// Processes that did not let us see in which namespace they live.
    #[serde(skip_serializing_if = "super::is_zero")]
    pub hidden_processes: u32,
    /// The pins that were removed, versions and link.
    pub pins_removed: usize,
}

/// A table that outlives its registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StillUsed {
    /// Which version it was; absent for one that opswap did not keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The map's id.
    #[serde(rename = "map")]
    pub map_id: u32,
    /// References on this table: one for each socket, and one for each namespace whose default it is.
    pub references: u32,
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
    /// Unregisters `name` and removes everything that is kept of it. Also clears what a killed load or swap left behind. A namespace whose default
    /// it is goes on giving its table to new sockets; [`Unloaded::namespaces`] names those.
    ///
    /// # Errors
    /// [`HostError::NotRegistered`]; [`HostError::NotOurs`] if it is held by a link that somebody else keeps.
    pub fn unload(&self, name: &str) -> Result<Unloaded, Error> {
        Ok(self.unload_tables(name, None)?)
    }

    /// As [`Host::unload`], and gives the default `fallback` to every namespace whose default was `name`: also to those that still hold a table of it that
    /// was unregistered before.
    ///
    /// # Errors
    /// As [`Host::unload`]; [`HostError::NoSuchDefault`], [`HostError::RestrictedDefault`] before anything is changed.
    pub fn unload_to(&self, name: &str, fallback: &str) -> Result<Unloaded, Error> {
        Ok(self.unload_tables(name, Some(fallback))?)
    }

    fn unload_tables(&self, name: &str, fallback: Option<&str>) -> Result<Unloaded, HostError> {
        let _nobody_else = self.lock()?;
        let tables = match self.tables_of(name) {
            Err(error @ HostError::System { errno, .. }) if errno.is_denied() => {
                return self.unload_kept(name, fallback)?.ok_or(error);
            }
            // Links of programs that were attached beside a table may be left where somebody took the table's pins away.
            Err(error @ (HostError::NotRegistered { .. } | HostError::BuiltIn { .. })) => {
                let unloaded = self.unload_kept(name, fallback)?;
                return unloaded.filter(|unloaded| unloaded.pins_removed > 0).ok_or(error);
            }
            tables => tables?,
        };
        let kind = tables[0].kind.clone();
        if let Some(fallback) = fallback {
            self.can_fall_back(name, fallback)?;
        }
        let names = pins::names(&kind, name);
        let live = tables.iter().find(|table| table.state == State::Live);
        if let Some(live) = live {
            self.unregister(live, &names)?;
        }
        let pins_removed = self.remove_folder(&names)?;
        let (namespaces, hidden_processes) = self.after_unload(name, &kind, fallback);
        let renewed = namespaces.iter().any(|one| one.renewed);
        if live.is_none() && pins_removed == 0 && !renewed {
            return Err(not_live(name, &tables));
        }
        let version = |map_id| tables.iter().find(|table| table.map_id == map_id)?.version;
        let left = census::tables(self)?.into_iter();
        let left = left.filter(|table| table.name == name && table.kind == kind && table.references > 0);
        let still_used = left
            .map(|table| StillUsed {
                version: version(table.map_id),
                map_id: table.map_id,
                references: table.references,
            })
            .collect();
        Ok(Unloaded {
            name: name.to_owned(),
            kind,
            still_used,
            namespaces,
            hidden_processes,
            pins_removed,
        })
    }

    /// Without the right to look at tables by their ids: what is kept is found by its folder. `None` if nothing is kept.
    fn unload_kept(&self, name: &str, fallback: Option<&str>) -> Result<Option<Unloaded>, HostError> {
        for kind in census::kinds_kept(self)? {
            let names = pins::names(&kind, name);
            let Ok(folder) = self.folder(&names.each_ref().map(String::as_str)) else {
                continue;
            };
            if let Some(fallback) = fallback {
                self.can_fall_back(name, fallback)?;
            }
            if let Some(link) = self.link_pin(&folder)? {
                self.bpf
                    .link_detach(&link)
                    .map_err(HostError::system("detach the link"))?;
            }
            drop(folder);
            let pins_removed = self.remove_folder(&names)?;
            let (namespaces, hidden_processes) = self.after_unload(name, &kind, fallback);
            return Ok(Some(Unloaded {
                name: name.to_owned(),
                kind,
                still_used: Vec::new(),
                namespaces,
                hidden_processes,
                pins_removed,
            }));
        }
        Ok(None)
    }

    /// The link that is pinned as that of the registration.
    pub(super) fn link_pin(&self, folder: &Folder) -> Result<Option<Fd<Link>>, HostError> {
        let closed = HostError::system("open the link's pin");
        let census::Kept { pins, foreign } = census::pins_in(self, folder)?;
        if !pins.iter().any(|pin| pin.name == PinName::Link) {
            // One that is there and cannot be opened, as in a bpffs that is read-only, is not somebody else's for that.
            let mut links = foreign.iter().filter(|one| one.pin_name() == Some(PinName::Link));
            let refused = links.find_map(|one| match one.why {
                ForeignWhy::Closed(errno) => Some(errno),
                _ => None,
            });
            return refused.map_or(Ok(None), |errno| Err(closed(errno)));
        }
        match self.bpf.obj_get(&folder.at(&PinName::Link.to_string())) {
            Ok(Pinned::Link(link)) => Ok(Some(link)),
            Ok(_) | Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(closed(errno)),
        }
    }

    fn can_fall_back(&self, name: &str, fallback: &str) -> Result<(), HostError> {
        if !self.on_linux || fallback == name || !super::linux_offers(fallback) {
            return Err(HostError::NoSuchDefault {
                name: fallback.to_owned(),
            });
        }
        if namespaces::is_allowed(fallback) {
            return Ok(());
        }
        let namespaces = namespaces::who_would_lose(name, true);
        if namespaces.is_empty() {
            return Ok(());
        }
        Err(HostError::RestrictedDefault {
            name: fallback.to_owned(),
            namespaces,
        })
    }

    fn unregister(&self, live: &Table, names: &[String; 3]) -> Result<(), HostError> {
        let link_pin = match self.folder(&names.each_ref().map(String::as_str)) {
            Ok(folder) => self.link_pin(&folder)?,
            Err(Missing::Failed(error)) => return Err(error),
            Err(Missing::Absent | Missing::Foreign(_)) => None,
        };
        // A link of ours may have been detached, and the name registered anew by somebody else.
        let id = link_pin.as_ref().map(|link| self.bpf.link_info(link)).transpose();
        let id = id
            .map_err(HostError::system("read the facts of the link"))?
            .map(|info| info.id);
        match link_pin {
            Some(link) if id == live.link_id => self
                .bpf
                .link_detach(&link)
                .map_err(HostError::system("detach the link")),
            _ if live.link_id.is_none() => {
                // Registered without a link (`bpftool struct_ops register`): deleting its element unregisters it.
                let map = self
                    .bpf
                    .map_by_id(live.map_id)
                    .map_err(HostError::system("open the ops map"))?;
                self.bpf
                    .map_delete(&map, &[0; 4])
                    .map_err(HostError::system("unregister the ops map"))
            }
            _ => Err(self.not_ours(&live.name, live.link_id)),
        }
    }

    /// Removes all our pins in a folder; returns how many there were.
    pub(super) fn remove_pins(&self, folder: &Folder) -> Result<usize, HostError> {
        let pins = census::pins_in(self, folder)?.pins;
        for pin in &pins {
            self.bpf
                .pin_remove(&folder.at(&pin.name.to_string()))
                .map_err(HostError::system("remove a pin"))?;
        }
        Ok(pins.len())
    }

    /// Removes all our pins of an algorithm and its folder; returns how many pins there were. What is not ours stays, and so does its folder.
    pub(super) fn remove_folder(&self, names: &[String; 3]) -> Result<usize, HostError> {
        let names = names.each_ref().map(String::as_str);
        let pins = match self.folder(&names) {
            Ok(folder) => self.remove_pins(&folder)?,
            Err(Missing::Absent | Missing::Foreign(_)) => 0,
            Err(Missing::Failed(error)) => return Err(error),
        };
        self.remove_empty_folders(&names)?;
        Ok(pins)
    }
}
