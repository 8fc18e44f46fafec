//! Exchanging the table behind a link, and back again. The order of steps makes every moment a sound one to be killed at:
//!
//! 1. the new table is loaded and validated by the kernel, and pinned as `new<N>`: the old one is live;
//! 2. the link is updated, expecting the table that was live: a compare-and-swap;
//! 3. `new<N>` becomes `v<N>`. Killed before that, the link still says which table is live;
//! 4. versions other than the live one and the one before it are unpinned.
//!
//! A rollback updates the link and then renames the version that it took away to `back<N>`.

use super::carry::{FieldValue, carry_over};
use super::census::{Pin, PinnedId, pins_in};
use super::load::{Settings, prepare};
use super::pins::{self, PinName};
use super::shape::{NAME, Shape};
use super::{Host, HostError, State, Table};
use crate::{Error, Source};
use bpf::{Fd, Link, LinkUpdate, LinkUpdateError, Map, Pinned, StructOpsValue};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An exchange that was done.
#[derive(Clone, Debug, Serialize)]
pub struct Swapped {
    /// The algorithm.
    pub name: String,
    /// The version that was live.
    pub from: u32,
    /// The version that is live now.
    pub to: u32,
    /// The link.
    #[serde(rename = "link")]
    pub link_id: u32,
    /// The map that is live now.
    #[serde(rename = "map")]
    pub map_id: u32,
    /// Fields that the new version has from the old one; empty after a rollback, which changes no table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub carried_over: Vec<FieldValue>,
    /// How long the exchange itself took, in milliseconds; the old table was in use until then, the new one from then on.
    pub took_ms: f64,
}

/// What we hold of an algorithm: its link and its versions, as the kernel has them now.
struct Held {
    folder: PathBuf,
    link: Fd<Link>,
    link_id: u32,
    live_map_id: u32,
    pins: Vec<Pin>,
}

impl Held {
    /// The pin of the live version, if opswap keeps one.
    fn live(&self) -> Option<&Pin> {
        self.pins
            .iter()
            .find(|pin| pin.object == PinnedId::Map(self.live_map_id))
    }

    /// Versions that are not live.
    fn others(&self) -> impl Iterator<Item = &Pin> {
        self.pins
            .iter()
            .filter(|pin| pin.name.number().is_some() && pin.object != PinnedId::Map(self.live_map_id))
    }

    /// The version to go back to: the newest that was live before, else the one that a rollback took away.
    /// A version that never was live (`new<N>` of a killed swap) is none.
    fn previous(&self) -> Option<&Pin> {
        let rank = |pin: &&Pin| match pin.name {
            PinName::Version(number) => Some((1, number)),
            PinName::Back(number) => Some((0, number)),
            PinName::New(_) | PinName::Link => None,
        };
        self.others().filter(|pin| rank(pin).is_some()).max_by_key(rank)
    }

    fn live_number(&self) -> u32 {
        self.live().and_then(|pin| pin.name.number()).unwrap_or(0)
    }
}

impl Host {
    /// Loads `source`, which must hold one table of the same kind, and exchanges it for the live one. The kernel demands that the name stay, so the
    /// new table gets it whatever name the object has. Data fields of the old table carry over ([`Swapped::carried_over`]): a field that `settings` sets
    /// has that value, one that the object leaves zero keeps the old one, of flags each bit. Sockets that run keep the old table; new ones get the new one.
    ///
    /// # Errors
    /// Whatever loading can fail with: then nothing has changed. [`HostError::Stale`] if somebody swapped meanwhile.
    pub fn swap(&self, name: &str, source: &Source, settings: &Settings) -> Result<Swapped, Error> {
        let (kind, seen, old) = {
            let _nobody_else = self.lock()?;
            let (kind, held) = self.hold(name)?;
            let old = self.table_of(held.live_map_id)?;
            (kind, held.live_map_id, old)
        };
        let has_name = old.as_ref().is_some_and(|(shape, _)| shape.has_name());
        if let Some(set) = settings.set.iter().find(|set| has_name && set.field == NAME) {
            return Err(HostError::NameStays {
                field: set.field.clone(),
            }
            .into());
        }
        super::load::holds_one_table(source, &kind)?;
        let settings = Settings {
            rename: has_name.then(|| name.to_owned()),
            ..settings.clone()
        };
        let mut carried_over = Vec::new();
        let loaded = prepare(&self.bpf, source, &settings, |new| {
            if let (Some((shape, old)), [new]) = (&old, new) {
                carried_over = carry_over(shape, old, new, &settings.set);
            }
        })?;
        let map = super::load::only_table(&loaded, &kind)?;
        // Verifying took its time: another process may have swapped meanwhile.
        let _nobody_else = self.lock()?;
        let (_, held) = self.hold(name)?;
        if held.live_map_id != seen {
            return Err(HostError::Stale {
                name: name.to_owned(),
                expected: seen,
            }
            .into());
        }
        Ok(Swapped {
            carried_over,
            ..self.exchange_for_new(name, held, map)?
        })
    }

    /// The layout and the bytes of a table; `None` for a kind of a module, whose layout is not known here.
    pub(super) fn table_of(&self, map_id: u32) -> Result<Option<(Shape, Vec<u8>)>, HostError> {
        let map = self
            .bpf
            .map_by_id(map_id)
            .map_err(HostError::system("open the ops map"))?;
        let info = self
            .bpf
            .map_info(&map)
            .map_err(HostError::system("read the facts of a map"))?;
        let Some(shape) = Shape::of_value_type(&self.kernel_btf()?, info.btf_vmlinux_value_type_id) else {
            return Ok(None);
        };
        let value = self
            .bpf
            .map_lookup(&map, &[0; 4])
            .map_err(HostError::system("look an ops map up"))?;
        Ok(StructOpsValue::parse(&value, shape.data_offset).map(|value| (shape, value.data)))
    }

    /// Brings the previous version back. A second rollback brings back the one that the first took away.
    ///
    /// # Errors
    /// [`HostError::NoPrevious`], [`HostError::Stale`].
    pub fn rollback(&self, name: &str) -> Result<Swapped, Error> {
        let _nobody_else = self.lock()?;
        let (_, held) = self.hold(name)?;
        Ok(self.exchange_for_previous(name, &held)?)
    }

    fn hold(&self, name: &str) -> Result<(String, Held), HostError> {
        let tables = self.tables_of(name)?;
        let live = tables.iter().find(|table| table.state == State::Live);
        let Some(Table { kind, link_id, .. }) = live else {
            return Err(super::unload::not_live(name, &tables));
        };
        let folder = pins::folder(&self.bpffs, kind, name);
        let not_ours = || HostError::NotOurs {
            name: name.to_owned(),
            link_id: *link_id,
        };
        let Ok(Pinned::Link(link)) = self.bpf.obj_get(&folder.join(PinName::Link.to_string())) else {
            return Err(not_ours());
        };
        let info = self
            .bpf
            .link_info(&link)
            .map_err(HostError::system("read the facts of the link"))?;
        let live_map_id = info.map_id.filter(|id| *id != 0).ok_or_else(not_ours)?;
        let pins = pins_in(self, &folder)?;
        Ok((
            kind.clone(),
            Held {
                folder,
                link,
                link_id: info.id,
                live_map_id,
                pins,
            },
        ))
    }

    fn exchange_for_new(&self, name: &str, held: Held, map: &Fd<Map>) -> Result<Swapped, HostError> {
        let newest = held.pins.iter().filter_map(|pin| pin.name.number()).max().unwrap_or(0);
        let to = newest.saturating_add(1);
        let pin = held.folder.join(PinName::New(to).to_string());
        self.bpf
            .obj_pin(&pin, bpf::ObjectRef::Map(map))
            .map_err(|errno| match errno {
                bpf::Errno::EEXIST => HostError::Stale {
                    name: name.to_owned(),
                    expected: held.live_map_id,
                },
                errno => HostError::System {
                    doing: "pin the new version",
                    errno,
                },
            })?;
        let took = match self.exchange(name, &held, map) {
            Ok(took) => took,
            Err(error) => {
                // Nothing was exchanged; without its pin the new table goes away.
                let _stays_unused = self.bpf.pin_remove(&pin);
                return Err(error);
            }
        };
        self.rename(&pin, &held.folder.join(PinName::Version(to).to_string()))?;
        // What was live until now is the one to go back to, whatever a killed swap or a rollback left it named.
        if let Some(live) = held.live() {
            self.rename_to(live, PinName::Version)?;
        }
        for pin in held.others() {
            self.bpf
                .pin_remove(&pin.path)
                .map_err(HostError::system("remove the pin of an older version"))?;
        }
        self.swapped(name, &held, to, map, took)
    }

    fn exchange_for_previous(&self, name: &str, held: &Held) -> Result<Swapped, HostError> {
        let no_previous = || HostError::NoPrevious { name: name.to_owned() };
        let previous = held.previous().ok_or_else(no_previous)?;
        let opened = self
            .bpf
            .obj_get(&previous.path)
            .map_err(HostError::system("open the previous version"))?;
        let Pinned::Map(map) = opened else {
            return Err(no_previous());
        };
        let took = self.exchange(name, held, &map)?;
        if let Some(live) = held.live() {
            self.rename_to(live, PinName::Back)?;
        }
        self.rename_to(previous, PinName::Version)?;
        self.swapped(name, held, previous.name.number().unwrap_or(0), &map, took)
    }

    /// The exchange itself: atomic, and only if the table that we saw is still the one behind the link.
    fn exchange(&self, name: &str, held: &Held, map: &Fd<Map>) -> Result<Duration, HostError> {
        let stale = || HostError::Stale {
            name: name.to_owned(),
            expected: held.live_map_id,
        };
        let expected = self.bpf.map_by_id(held.live_map_id).map_err(|_| stale())?;
        let begin = Instant::now();
        let update = LinkUpdate {
            new: map,
            expected: Some(&expected),
        };
        match self.bpf.link_update(&held.link, &update) {
            Ok(()) => Ok(begin.elapsed()),
            Err(LinkUpdateError::Stale { .. } | LinkUpdateError::SameMap { .. }) => Err(stale()),
            Err(LinkUpdateError::Refused(errno)) => Err(HostError::System {
                doing: "update the link",
                errno,
            }),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), HostError> {
        self.bpf.pin_rename(from, to).map_err(HostError::system("rename a pin"))
    }

    /// Gives a pin another name with the same number; one that has it already keeps it.
    fn rename_to(&self, pin: &Pin, name: fn(u32) -> PinName) -> Result<(), HostError> {
        let Some(wanted) = pin.name.number().map(name).filter(|wanted| *wanted != pin.name) else {
            return Ok(());
        };
        self.rename(&pin.path, &pin.path.with_file_name(wanted.to_string()))
    }

    fn swapped(&self, name: &str, held: &Held, to: u32, map: &Fd<Map>, took: Duration) -> Result<Swapped, HostError> {
        let info = self
            .bpf
            .map_info(map)
            .map_err(HostError::system("read the facts of a map"))?;
        Ok(Swapped {
            name: name.to_owned(),
            from: held.live_number(),
            to,
            link_id: held.link_id,
            map_id: info.id,
            carried_over: Vec::new(),
            took_ms: took.as_secs_f64() * 1e3,
        })
    }
}
