//! Exchanging the table behind a link, and back again. The order of steps makes every moment a sound one to be killed at:
//!
//! 1. the new table is loaded and validated by the kernel, and pinned as `new<N>`: the old one is live;
//! 2. the link is updated, expecting the table that was live: a compare-and-swap;
//! 3. `new<N>` becomes `v<N>`. Killed before that, the link still says which table is live;
//! 4. versions other than the live one and the one before it are unpinned.
//!
//! A rollback updates the link and then renames the version that it took away to `back<N>`.

use super::carry::{FieldValue, carry_over};
use super::census::{Kept, Pin, PinnedId, pins_in};
use super::folders::{Folder, Foreign, Missing};
use super::load::{Settings, prepare};
use super::namespaces::{self, Renewal};
use super::pins::{self, PinName};
use super::shape::{NAME, Shape};
use super::{Host, HostError, State, Table};
use crate::{Error, Source};
use bpf::{Fd, Link, LinkUpdate, LinkUpdateError, Map, ObjectRef, Pinned, StructOpsValue};
use serde::Serialize;
use std::path::PathBuf;
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
    /// The name that the object gives its table, if it is another than the one that a swap keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_name: Option<String>,
    /// Maps of the object that are shared by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<super::Shared>,
    /// Namespaces whose default it is, and whether they give the live version to new sockets now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Renewal>,
    /// Processes that did not let us see in which namespace they live.
    #[serde(skip_serializing_if = "super::is_zero")]
    pub hidden_processes: u32,
    /// Programs that were attached when the algorithm was loaded: they go on with the object, and the maps, of that load.
    #[serde(skip_serializing_if = "super::is_zero")]
    pub attached_before: u32,
    /// How long the exchange itself took, in milliseconds; the old table was in use until then, the new one from then on.
    pub took_ms: f64,
}

/// What we hold of an algorithm: its link and its versions, as the kernel has them now.
struct Held {
    kind: String,
    folder: Folder,
    link: Fd<Link>,
    link_id: u32,
    live_map_id: u32,
    pins: Vec<Pin>,
    /// What else is in the folder.
    foreign: Vec<Foreign>,
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
        let live = PinnedId::Map(self.live_map_id);
        let is_map = |pin: &Pin| matches!(pin.object, PinnedId::Map(_));
        self.pins.iter().filter(move |pin| is_map(pin) && pin.object != live)
    }

    /// How the kernel is told of a pin.
    fn at(&self, name: PinName) -> PathBuf {
        self.folder.at(&name.to_string())
    }

    /// The version to go back to.
    fn previous(&self) -> Option<&Pin> {
        let kept = self.others().filter(|pin| pin.name.rank().is_some());
        kept.max_by_key(|pin| pin.name.rank())
    }

    /// The number of the next version: none that a pin has, or something of somebody else's that has a name of ours.
    fn next_number(&self) -> u32 {
        let foreign = self.foreign.iter().filter_map(Foreign::pin_name);
        let names = self.pins.iter().map(|pin| pin.name).chain(foreign);
        names.filter_map(PinName::number).max().unwrap_or(0).saturating_add(1)
    }

    /// Refuses a name that something of somebody else's has: it is neither replaced nor removed.
    fn free(&self, wanted: PinName) -> Result<(), HostError> {
        let in_the_way = self.foreign.iter().find(|foreign| foreign.pin_name() == Some(wanted));
        match in_the_way {
            Some(foreign) => Err(HostError::InTheWay(foreign.clone())),
            None => Ok(()),
        }
    }

    /// How many programs are attached beside the table.
    fn attached(&self) -> u32 {
        let attached = |pin: &&Pin| matches!((pin.name, pin.object), (PinName::Attached(_), PinnedId::Link(_)));
        self.pins.iter().filter(attached).count() as u32
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
    /// Whatever loading can fail with: then nothing has changed. [`HostError::Stale`] if somebody swapped meanwhile, [`HostError::StillDefault`] if the new
    /// version lacks `non_restricted` and a namespace other than the first has the old one as its default.
    pub fn swap(&self, name: &str, source: &Source, settings: &Settings) -> Result<Swapped, Error> {
        let (kind, seen, old) = {
            let _nobody_else = self.lock()?;
            let held = self.hold(name)?;
            let old = self.table_of(held.live_map_id)?;
            (held.kind, held.live_map_id, old)
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
        let mut object_name = None;
        if has_name {
            let plan = crate::check::plan(source, &self.bpf, &Settings::default().options())?;
            let own = plan.ops().first().map(super::load::algorithm);
            object_name = own.filter(|own| own != name);
        }
        let mut carried_over = Vec::new();
        let shared = self.shared_folder(source)?;
        let mut loaded = prepare(&self.bpf, source, &settings, shared.as_ref(), |new| {
            if let (Some((shape, old)), [new]) = (&old, new) {
                carried_over = carry_over(shape, old, new, &settings.set);
            }
        })?;
        let map = super::load::only_table(&loaded, &kind)?;
        // Verifying took its time: another process may have swapped meanwhile.
        let _nobody_else = self.lock()?;
        let mut held = self.hold(name)?;
        if held.live_map_id != seen {
            return Err(HostError::Stale {
                name: name.to_owned(),
                expected: seen,
            }
            .into());
        }
        let swapped = self.exchange_for_new(name, &mut held, map)?;
        loaded.keep_shared();
        Ok(Swapped {
            carried_over,
            object_name,
            shared: super::sharing::facts(&loaded),
            ..swapped
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
    /// [`HostError::NoPrevious`], [`HostError::Stale`], [`HostError::StillDefault`].
    pub fn rollback(&self, name: &str) -> Result<Swapped, Error> {
        let _nobody_else = self.lock()?;
        let mut held = self.hold(name)?;
        Ok(self.exchange_for_previous(name, &mut held)?)
    }

    fn hold(&self, name: &str) -> Result<Held, HostError> {
        let tables = self.tables_of(name)?;
        let live = tables.iter().find(|table| table.state == State::Live);
        let Some(Table { kind, link_id, .. }) = live else {
            return Err(super::unload::not_live(name, &tables));
        };
        let not_ours = || self.not_ours(name, *link_id);
        let folder = match self.folder(&pins::names(kind, name).each_ref().map(String::as_str)) {
            Ok(folder) => folder,
            Err(Missing::Failed(error)) => return Err(error),
            Err(Missing::Absent | Missing::Foreign(_)) => return Err(not_ours()),
        };
        let Kept { pins, foreign } = pins_in(self, &folder)?;
        let link = self.link_pin(&folder)?.ok_or_else(not_ours)?;
        let info = self
            .bpf
            .link_info(&link)
            .map_err(HostError::system("read the facts of the link"))?;
        let live_map_id = info.map_id.filter(|id| *id != 0).ok_or_else(not_ours)?;
        Ok(Held {
            kind: kind.clone(),
            folder,
            link,
            link_id: info.id,
            live_map_id,
            pins,
            foreign,
        })
    }

    /// Without its pin, which somebody removed, the live version could not be gone back to: it gets a new one.
    fn pin_live(&self, held: &mut Held) -> Result<(), HostError> {
        if held.live().is_some() {
            return Ok(());
        }
        let map = self
            .bpf
            .map_by_id(held.live_map_id)
            .map_err(HostError::system("open the live version"))?;
        let name = PinName::Version(held.next_number());
        self.bpf
            .obj_pin(&held.at(name), ObjectRef::Map(&map))
            .map_err(HostError::system("pin the live version"))?;
        held.pins.push(Pin {
            path: held.folder.shown(&name.to_string()),
            name,
            object: PinnedId::Map(held.live_map_id),
        });
        Ok(())
    }

    fn exchange_for_new(&self, name: &str, held: &mut Held, map: &Fd<Map>) -> Result<Swapped, HostError> {
        self.keeps_defaults(name, held, map)?;
        self.pin_live(held)?;
        if let Some(number) = held.live().and_then(|live| live.name.number()) {
            held.free(PinName::Version(number))?;
        }
        let to = held.next_number();
        let pin = PinName::New(to);
        self.bpf
            .obj_pin(&held.at(pin), ObjectRef::Map(map))
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
        let took = match self.exchange(name, held, map) {
            Ok(took) => took,
            Err(error) => {
                // Nothing was exchanged; without its pin the new table goes away.
                let _stays_unused = self.bpf.pin_remove(&held.at(pin));
                return Err(error);
            }
        };
        self.rename(held, pin, PinName::Version)?;
        // What was live until now is the one to go back to, whatever a killed swap or a rollback left it named.
        if let Some(live) = held.live() {
            self.rename(held, live.name, PinName::Version)?;
        }
        for pin in held.others() {
            self.bpf
                .pin_remove(&held.at(pin.name))
                .map_err(HostError::system("remove the pin of an older version"))?;
        }
        self.swapped(name, held, to, map, took)
    }

    fn exchange_for_previous(&self, name: &str, held: &mut Held) -> Result<Swapped, HostError> {
        let no_previous = || HostError::NoPrevious { name: name.to_owned() };
        let previous = held.previous().ok_or_else(no_previous)?.name;
        let opened = self
            .bpf
            .obj_get(&held.at(previous))
            .map_err(HostError::system("open the previous version"))?;
        let Pinned::Map(map) = opened else {
            return Err(no_previous());
        };
        self.keeps_defaults(name, held, &map)?;
        self.pin_live(held)?;
        if let Some(number) = held.live().and_then(|live| live.name.number()) {
            held.free(PinName::Back(number))?;
        }
        if let Some(number) = previous.number() {
            held.free(PinName::Version(number))?;
        }
        let took = self.exchange(name, held, &map)?;
        if let Some(live) = held.live() {
            self.rename(held, live.name, PinName::Back)?;
        }
        self.rename(held, previous, PinName::Version)?;
        self.swapped(name, held, previous.number().unwrap_or(0), &map, took)
    }

    /// Refuses an exchange that would leave a namespace with a default that it must not have: the next write of its sysctl would fail, and cost the kernel a
    /// reference for good.
    fn keeps_defaults(&self, name: &str, held: &Held, new: &Fd<Map>) -> Result<(), HostError> {
        if !self.on_linux || held.kind != super::TCP {
            return Ok(());
        }
        let info = self.bpf.map_info(new);
        let new = self.is_unrestricted(info.map_err(HostError::system("read the facts of a map"))?.id)?;
        // The kernel sets the flag itself where the first namespace was given the table.
        let old = namespaces::is_allowed(name) || self.is_unrestricted(held.live_map_id)?;
        if new || !old {
            return Ok(());
        }
        let namespaces = namespaces::who_would_lose(name, self.renews);
        if namespaces.is_empty() {
            return Ok(());
        }
        Err(HostError::StillDefault {
            name: name.to_owned(),
            namespaces,
        })
    }

    fn is_unrestricted(&self, map_id: u32) -> Result<bool, HostError> {
        let Some((shape, table)) = self.table_of(map_id)? else {
            return Ok(false);
        };
        let flags = loader::rules::flags(&shape.kind, "flags");
        let bit = flags
            .iter()
            .find(|(name, _)| *name == "non_restricted")
            .map_or(0, |(_, bit)| *bit);
        Ok(shape.number("flags", &table).is_some_and(|flags| flags & bit != 0))
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

    /// Gives a pin another name with the same number; one that has it already keeps it.
    fn rename(&self, held: &Held, from: PinName, to: fn(u32) -> PinName) -> Result<(), HostError> {
        let Some(to) = from.number().map(to).filter(|to| *to != from) else {
            return Ok(());
        };
        self.bpf
            .pin_rename(&held.at(from), &held.at(to))
            .map_err(HostError::system("rename a pin"))
    }

    fn swapped(&self, name: &str, held: &Held, to: u32, map: &Fd<Map>, took: Duration) -> Result<Swapped, HostError> {
        let info = self
            .bpf
            .map_info(map)
            .map_err(HostError::system("read the facts of a map"))?;
        let (namespaces, hidden_processes) = self.renew(name, &held.kind);
        Ok(Swapped {
            name: name.to_owned(),
            namespaces,
            hidden_processes,
            from: held.live_number(),
            to,
            link_id: held.link_id,
            map_id: info.id,
            carried_over: Vec::new(),
            object_name: None,
            shared: Vec::new(),
            attached_before: held.attached(),
            took_ms: took.as_secs_f64() * 1e3,
        })
    }
}
