//! What is registered or kept, read from the kernel alone: its ops maps, its links, and our pins of both.

use super::folders::{Folder, Foreign, ForeignWhy, Missing};
use super::pins::{self, PinName, TOP};
use super::{Host, HostError, State, Table};
use bpf::{Bpf, Errno, Fd, IdKind, Map, MapInfo, MapType, OpsState, PinEntry, PinEntryKind, Pinned, StructOpsValue};
use btf::Btf;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One pin of ours that could be opened.
pub(super) struct Pin {
    /// As the user knows it.
    pub(super) path: PathBuf,
    pub(super) name: PinName,
    pub(super) object: PinnedId,
}

impl Pin {
    /// The algorithm in whose folder it is.
    fn algorithm(&self) -> Option<String> {
        pins::unescape(self.path.parent()?.file_name()?.to_str()?)
    }
}

/// What stands behind a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PinnedId {
    Map(u32),
    Link(u32),
}

/// What is below our folder: pins of ours, and things that are none.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) pins: Vec<Pin>,
    pub(super) foreign: Vec<Foreign>,
}

/// Every ops table of the kernel, sorted by kind, name and version.
pub(super) fn tables(host: &Host) -> Result<Vec<Table>, HostError> {
    let kernel = host.kernel_btf()?;
    let links = links(host.bpf.as_ref())?;
    let pins = kept(host)?.pins;
    let mut tables = Vec::new();
    for id in host
        .bpf
        .ids(IdKind::Map)
        .map_err(HostError::system("read the ids of maps"))?
    {
        // A map may go away between the two calls.
        let Some(map) = found(host.bpf.map_by_id(id), "open a map")? else {
            continue;
        };
        let info = host
            .bpf
            .map_info(&map)
            .map_err(HostError::system("read the facts of a map"))?;
        if info.map_type == MapType::STRUCT_OPS
            && let Some(table) = table(host.bpf.as_ref(), &kernel, &map, &info, &links, &pins)?
        {
            tables.push(table);
        }
    }
    tables.sort_by(|a, b| (&a.kind, &a.name, a.version, a.map_id).cmp(&(&b.kind, &b.name, b.version, b.map_id)));
    mark_previous(&mut tables, &pins);
    Ok(tables)
}

/// Marks the versions that a rollback would bring back: our link is there, and of the versions that are kept beside the live one it is the first.
fn mark_previous(tables: &mut [Table], pins: &[Pin]) {
    let of_map = |map_id: u32| pins.iter().filter(move |pin| pin.object == PinnedId::Map(map_id));
    let previous: Vec<u32> = tables
        .iter()
        .filter(|live| live.state == State::Live)
        .filter(|live| {
            live.link_id
                .is_some_and(|id| pins.iter().any(|pin| pin.object == PinnedId::Link(id)))
        })
        .filter_map(|live| {
            let kept = tables
                .iter()
                .filter(|table| table.state == State::Kept && table.name == live.name && table.kind == live.kind);
            let ranked = kept.filter_map(|table| {
                Some((
                    of_map(table.map_id).filter_map(|pin| pin.name.rank()).max()?,
                    table.map_id,
                ))
            });
            ranked.max().map(|(_, map_id)| map_id)
        })
        .collect();
    for table in tables {
        table.previous = previous.contains(&table.map_id);
    }
}

fn table(
    bpf: &dyn Bpf,
    kernel: &Btf,
    map: &Fd<Map>,
    info: &MapInfo,
    links: &BTreeMap<u32, u32>,
    pins: &[Pin],
) -> Result<Option<Table>, HostError> {
    let Some(shape) = super::shape::Shape::of_value_type(kernel, info.btf_vmlinux_value_type_id) else {
        return Ok(None); // a type of a module that we do not know
    };
    let Some(bytes) = found(bpf.map_lookup(map, &[0; 4]), "look an ops map up")? else {
        return Ok(None);
    };
    let Some(value) = StructOpsValue::parse(&bytes, shape.data_offset) else {
        return Ok(None);
    };
    let link_id = links
        .iter()
        .find(|(_, map_id)| **map_id == info.id)
        .map(|(link_id, _)| *link_id);
    let ours: Vec<&Pin> = pins.iter().filter(|pin| pin.object == PinnedId::Map(info.id)).collect();
    // A table that was created and not filled has no name: that of its map could be taken for an algorithm's. Of a kind without names it is the name
    // that opswap keeps it under, since a new version's variable may have another one.
    let kept_as = || ours.iter().find_map(|pin| pin.algorithm());
    let name = shape
        .name(&value.data)
        .or_else(kept_as)
        .unwrap_or_else(|| info.name.clone());
    let state = state(&value, link_id.is_some(), &ours);
    let link_pins: Vec<&Pin> = pins
        .iter()
        .filter(|pin| link_id.is_some_and(|id| pin.object == PinnedId::Link(id)))
        .collect();
    // Links of programs that were attached beside it.
    let beside = |pin: &&Pin| {
        let is_neighbour = |link: &&Pin| link.path.parent() == pin.path.parent();
        matches!(pin.name, PinName::Attached(_)) && link_pins.iter().any(is_neighbour)
    };
    let attached: Vec<&Pin> = pins.iter().filter(beside).collect();
    Ok(Some(Table {
        name,
        previous: false,
        default_in: Vec::new(),
        fields: super::carry::fields(&shape, &value.data),
        programs: super::shape::programs(&shape.functions, &value.data),
        kind: shape.kind,
        state,
        version: ours.iter().find_map(|pin| pin.name.number()),
        map_id: info.id,
        map_name: info.name.clone(),
        link_id,
        references: value.refcnt,
        pins: [&link_pins[..], &ours[..], &attached[..]]
            .concat()
            .into_iter()
            .map(|pin| pin.path.clone())
            .collect(),
    }))
}

/// A table with a link is live; what the pin is called only tells apart what is not. A table that was registered by a link is `Ready` again when
/// the link is gone, whoever still refers to it.
fn state(value: &StructOpsValue, linked: bool, pins: &[&Pin]) -> State {
    match value.state {
        OpsState::InUse => State::Live,
        OpsState::Ready if linked => State::Live,
        OpsState::Ready
            if pins
                .iter()
                .any(|pin| matches!(pin.name, PinName::Version(_) | PinName::Back(_))) =>
        {
            State::Kept
        }
        OpsState::Ready if value.refcnt > 0 => State::Dying,
        OpsState::Ready => State::Unused,
        OpsState::ToBeFree => State::Dying,
        OpsState::Init | OpsState::Unknown(_) => State::Empty,
    }
}

/// Link id → id of the map that it holds now.
pub(super) fn links(bpf: &dyn Bpf) -> Result<BTreeMap<u32, u32>, HostError> {
    let mut links = BTreeMap::new();
    for id in bpf
        .ids(IdKind::Link)
        .map_err(HostError::system("read the ids of links"))?
    {
        let Some(link) = found(settled(|| bpf.link_by_id(id)), "open a link")? else {
            continue;
        };
        let info = bpf
            .link_info(&link)
            .map_err(HostError::system("read the facts of a link"))?;
        // A detached link still has an id, and map id 0.
        if let Some(map_id) = info.map_id.filter(|map_id| *map_id != 0) {
            links.insert(id, map_id);
        }
    }
    Ok(links)
}

/// A link that somebody is making just now has an id, and no descriptor yet: `bpf_link_by_id` of kernel/bpf/syscall.c (Linux 6.18) says EAGAIN until it is
/// settled, or gone because it could not be made. One that takes longer is not there.
fn settled<T>(open: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    for _ in 0..SETTLE_TRIES {
        match open() {
            Err(Errno::EAGAIN) => std::thread::sleep(SETTLE_PAUSE),
            opened => return opened,
        }
    }
    Err(Errno::ENOENT)
}

const SETTLE_TRIES: u32 = 200;
const SETTLE_PAUSE: std::time::Duration = std::time::Duration::from_millis(1);

/// Everything below our folder, whatever the kind and the algorithm.
pub(super) fn kept(host: &Host) -> Result<Kept, HostError> {
    let mut kept = Kept::default();
    let Some(top) = believed(host.folder(&[TOP]), &mut kept)? else {
        return Ok(kept);
    };
    for kind in folders(host, &top, &mut kept)? {
        for algorithm in folders(host, &kind, &mut kept)? {
            let inside = pins_in(host, &algorithm)?;
            kept.pins.extend(inside.pins);
            kept.foreign.extend(inside.foreign);
        }
    }
    Ok(kept)
}

/// The kinds of which something is kept.
pub(super) fn kinds_kept(host: &Host) -> Result<Vec<String>, HostError> {
    let mut kept = Kept::default();
    let Some(top) = believed(host.folder(&[TOP]), &mut kept)? else {
        return Ok(Vec::new());
    };
    let entries = list(host, &top)?;
    Ok(entries.iter().filter_map(|entry| pins::unescape(&entry.name)).collect())
}

/// A folder that is somebody else's is noted and passed over.
fn believed(folder: Result<Folder, Missing>, kept: &mut Kept) -> Result<Option<Folder>, HostError> {
    match folder {
        Ok(folder) => Ok(Some(folder)),
        Err(Missing::Absent) => Ok(None),
        Err(Missing::Foreign(foreign)) => {
            kept.foreign.push(foreign);
            Ok(None)
        }
        Err(Missing::Failed(error)) => Err(error),
    }
}

fn folders(host: &Host, above: &Folder, kept: &mut Kept) -> Result<Vec<Folder>, HostError> {
    let mut folders = Vec::new();
    for entry in list(host, above)? {
        if entry.kind == PinEntryKind::Directory {
            folders.extend(believed(above.child(&entry.name), kept)?);
        } else {
            kept.foreign.push(Foreign {
                path: above.shown(&entry.name),
                why: ForeignWhy::OutOfPlace,
            });
        }
    }
    Ok(folders)
}

/// What is in one algorithm's folder; nothing if there is no such folder.
pub(super) fn pins_in(host: &Host, folder: &Folder) -> Result<Kept, HostError> {
    let mut kept = Kept::default();
    for entry in list(host, folder)? {
        let path = folder.shown(&entry.name);
        match pin(host, folder, &entry)? {
            Ok(Some((name, object))) => kept.pins.push(Pin { path, name, object }),
            Ok(None) => {}
            Err(why) => kept.foreign.push(Foreign { path, why }),
        }
    }
    Ok(kept)
}

/// Opens one entry; `None` if it is gone by now.
fn pin(
    host: &Host,
    folder: &Folder,
    entry: &PinEntry,
) -> Result<Result<Option<(PinName, PinnedId)>, ForeignWhy>, HostError> {
    if entry.kind != PinEntryKind::Pin {
        return Ok(Err(ForeignWhy::OutOfPlace));
    }
    let Some(name) = PinName::parse(&entry.name) else {
        return Ok(Err(ForeignWhy::Name));
    };
    let object = match host.bpf.obj_get(&folder.at(&entry.name)) {
        Ok(Pinned::Map(map)) => {
            let info = host.bpf.map_info(&map);
            let info = info.map_err(HostError::system("read the facts of a map"))?;
            if info.map_type != MapType::STRUCT_OPS || name.number().is_none() {
                return Ok(Err(ForeignWhy::Object));
            }
            PinnedId::Map(info.id)
        }
        Ok(Pinned::Link(link)) => {
            if name.number().is_some() {
                return Ok(Err(ForeignWhy::Object));
            }
            let info = host.bpf.link_info(&link);
            PinnedId::Link(info.map_err(HostError::system("read the facts of a link"))?.id)
        }
        Ok(Pinned::Prog(_)) | Err(Errno::EPROTO) => return Ok(Err(ForeignWhy::Object)),
        Err(Errno::ENOENT) => return Ok(Ok(None)),
        Err(errno) => return Ok(Err(ForeignWhy::Closed(errno))),
    };
    Ok(Ok(Some((name, object))))
}

fn list(host: &Host, folder: &Folder) -> Result<Vec<PinEntry>, HostError> {
    Ok(found(host.bpf.pin_list(&folder.itself()), "list pins")?.unwrap_or_default())
}

/// What is not there any more is no error in a census.
fn found<T>(result: Result<T, Errno>, doing: &'static str) -> Result<Option<T>, HostError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(HostError::System { doing, errno }),
    }
}

#[cfg(test)]
mod tests {
    use super::{SETTLE_TRIES, settled};
    use bpf::Errno;
    use std::cell::Cell;

    #[test]
    fn a_link_that_is_being_made_is_waited_for() {
        let asked = Cell::new(0);
        let ready_after = |times: u32| {
            asked.set(0);
            settled(|| {
                asked.set(asked.get() + 1);
                if asked.get() > times {
                    Ok(asked.get())
                } else {
                    Err(Errno::EAGAIN)
                }
            })
        };
        assert_eq!(ready_after(0), Ok(1));
        assert_eq!(ready_after(2), Ok(3));
        assert_eq!(ready_after(SETTLE_TRIES), Err(Errno::ENOENT));
        assert_eq!(settled(|| Err::<(), _>(Errno::EPERM)), Err(Errno::EPERM));
    }
}
