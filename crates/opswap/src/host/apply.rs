//! Loading, or swapping if something of that name is live already, or nothing if the live table is the same: what a unit file or a deployment
//! script wants, which may run any number of times.
//!
//! What is the same is read from the kernel, as everything here: two tables are the same if their data members are, if the same function members are
//! filled, by programs of the same tag (a checksum of the instructions, `bpf_prog_calc_tag` of kernel/bpf/core.c, Linux 6.18), and if these use maps
//! of the same shape and, where only they read them, the same contents. What a program may write has changed since it was loaded, so that nobody can tell what it began
//! with: a table whose programs have variables that begin with other than zero is never the same, and is swapped.

use super::carry::carry_over;
use super::load::{Settings, algorithm, prepare};
use super::shape::{NAME, Shape, programs};
use super::swap::Swapped;
use super::{Host, HostError, Loaded, Renewal, State, Table, census};
use crate::{Error, Source};
use bpf::{Fd, Map, MapFlags, MapType};
use loader::{Initial, MapPlan};
use serde::Serialize;

/// What applying came to.
#[derive(Clone, Debug)]
pub enum Applied {
    /// Nothing of that name was live: all ops structures of the object are now.
    Loaded(Vec<Loaded>),
    /// Another version was live.
    Swapped(Swapped),
    /// The same was live, and stays.
    Unchanged(Unchanged),
}

/// What was there already.
#[derive(Clone, Debug, Serialize)]
pub struct Unchanged {
    /// The algorithm.
    pub name: String,
    /// Namespaces whose default it is, and that held an older table of it until now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Renewal>,
    /// The table that is live.
    #[serde(skip)]
    pub table: Table,
}

/// Somebody else who applies at the same time makes it necessary to look again; twice is already unlikely.
const TRIES: u32 = 3;

/// All of a table that can be compared.
#[derive(Debug, PartialEq, Eq)]
struct Likeness {
    /// Data members, one after the other.
    data: Vec<Vec<u8>>,
    /// Function members, the tags of their programs, and the maps of these.
    functions: Vec<(String, [u8; 8], Vec<MapLikeness>)>,
}

#[derive(Debug, PartialEq, Eq)]
struct MapLikeness {
    map_type: MapType,
    sizes: [u32; 3],
    flags: MapFlags,
    /// Of a map that programs only read.
    contents: Option<Vec<u8>>,
}

impl Host {
    /// Makes `source` the live version of its algorithm: loads it, or swaps it in if the algorithm is live, or leaves everything as it is if the live
    /// table is the same as the object's would be after a swap.
    ///
    /// # Errors
    /// As [`Host::load`] and [`Host::swap`].
    pub fn apply(&self, source: &Source, settings: &Settings) -> Result<Applied, Error> {
        for _ in 1..TRIES {
            match self.apply_once(source, settings) {
                Err(Error::Host(HostError::Exists { .. } | HostError::Stale { .. })) => {}
                done => return done,
            }
        }
        self.apply_once(source, settings)
    }

    fn apply_once(&self, source: &Source, settings: &Settings) -> Result<Applied, Error> {
        let plan = crate::check::plan(source, &self.bpf, &settings.options())?;
        let wanted: Vec<(String, String)> = plan
            .ops()
            .iter()
            .map(|ops| (ops.kind.clone(), algorithm(ops)))
            .collect();
        let is_live = |table: &&Table| {
            table.state == State::Live
                && wanted
                    .iter()
                    .any(|(kind, name)| *kind == table.kind && *name == table.name)
        };
        let tables = census::tables(self)?;
        let Some(live) = tables.iter().find(is_live) else {
            return Ok(Applied::Loaded(self.load(source, settings)?));
        };
        if wanted.len() > 1 {
            let names = plan.ops().iter().map(|ops| ops.name.clone()).collect();
            return Err(HostError::NotOneTable {
                kind: live.kind.clone(),
                names,
            }
            .into());
        }
        // A swap gives the new table the live one's name by itself.
        let settings = Settings {
            set: settings.set.iter().filter(|set| set.field != NAME).cloned().collect(),
            rename: None,
            attach: Vec::new(),
        };
        // What others keep ends with them: it is not what was asked for, however much it is the same. The swap tells so.
        if live.version.is_some() && !begins_written(plan.maps()) && self.is_same(live, source, &settings)? {
            let live = live.clone();
            return Ok(Applied::Unchanged(self.unchanged(live, tables)));
        }
        Ok(Applied::Swapped(self.swap(&live.name, source, &settings)?))
    }

    /// The table is right; a namespace may still give an older one to new sockets.
    fn unchanged(&self, table: Table, mut tables: Vec<Table>) -> Unchanged {
        let older = |other: &Table| {
            other.name == table.name
                && other.kind == table.kind
                && other.map_id != table.map_id
                && !other.default_in.is_empty()
        };
        self.mark_defaults(&mut tables);
        let mut namespaces = Vec::new();
        if tables.iter().any(older) {
            namespaces = self.renew(&table.name, &table.kind).0;
            namespaces.retain(|one| one.default.is_some());
        }
        Unchanged {
            name: table.name.clone(),
            namespaces,
            table,
        }
    }

    fn is_same(&self, live: &Table, source: &Source, settings: &Settings) -> Result<bool, Error> {
        let Some((shape, old)) = self.table_of(live.map_id)? else {
            return Ok(false);
        };
        let settings = Settings {
            rename: shape.has_name().then(|| live.name.clone()),
            ..settings.clone()
        };
        let loaded = prepare(&self.bpf, source, &settings, None, |new| {
            if let [new] = new {
                carry_over(&shape, &old, new, &settings.set);
            }
        })?;
        let [new] = loaded.ops() else {
            return Ok(false);
        };
        let info = self
            .bpf
            .map_info(&new.map)
            .map_err(HostError::system("read the facts of the table"))?;
        let Some((_, new)) = self.table_of(info.id)? else {
            return Ok(false);
        };
        let (old, new) = (self.likeness(&shape, &old)?, self.likeness(&shape, &new)?);
        Ok(old.is_some() && old == new)
    }

    /// `None` if a program went away meanwhile.
    fn likeness(&self, shape: &Shape, table: &[u8]) -> Result<Option<Likeness>, HostError> {
        let system = HostError::system;
        let data = shape.values.iter();
        let data = data.map(|member| {
            table
                .get(member.offset..member.offset + member.size)
                .unwrap_or_default()
                .to_vec()
        });
        let mut functions = Vec::new();
        for filled in programs(&shape.functions, table) {
            let Ok(program) = self.bpf.prog_by_id(filled.program_id) else {
                return Ok(None);
            };
            let info = self
                .bpf
                .prog_info(&program)
                .map_err(system("read the facts of a program"))?;
            let mut maps = Vec::new();
            for id in info.map_ids {
                let map = self.bpf.map_by_id(id).map_err(system("open a map"))?;
                maps.push(self.map_likeness(&map)?);
            }
            functions.push((filled.member, info.tag, maps));
        }
        Ok(Some(Likeness {
            data: data.collect(),
            functions,
        }))
    }

    fn map_likeness(&self, map: &Fd<Map>) -> Result<MapLikeness, HostError> {
        let info = self
            .bpf
            .map_info(map)
            .map_err(HostError::system("read the facts of a map"))?;
        let is_read_only = info.map_type == MapType::ARRAY && info.flags.contains(MapFlags::RDONLY_PROG);
        let contents = if is_read_only {
            let contents = self.bpf.map_lookup(map, &[0; 4]);
            Some(contents.map_err(HostError::system("look a map of constants up"))?)
        } else {
            None
        };
        Ok(MapLikeness {
            map_type: info.map_type,
            sizes: [info.key_size, info.value_size, info.max_entries],
            flags: info.flags,
            contents,
        })
    }
}

/// Whether a variable that programs may write begins with other than zero.
fn begins_written(maps: &[MapPlan]) -> bool {
    let is_zero = |map: &MapPlan| match &map.initial {
        Initial::Bytes { bytes, .. } => bytes.iter().all(|byte| *byte == 0),
        _ => true,
    };
    maps.iter()
        .any(|map| !map.flags.contains(MapFlags::RDONLY_PROG) && !is_zero(map))
}
