//! Maps. The kernel copies as many bytes of a key or value as the map has, so the sizes are compared before each call.

use crate::info;
use crate::syscall::{Extent, Pointer, bpf};
use bpf::attr::{Command, MapCreateAttr, MapElemAttr, Raw};
use bpf::{Errno, Fd, Map, MapCreate, UpdateFlags};

/// `key` and `value` (or `next_key`) of the attribute.
const KEY: usize = 8;
const VALUE: usize = 16;

pub(crate) fn create(args: &MapCreate<'_>) -> Result<i32, Errno> {
    bpf(
        Command::MapCreate,
        &mut MapCreateAttr::try_from(args)?.encode(),
        &mut [],
    )
}

pub(crate) fn lookup(map: &Fd<Map>, key: &[u8]) -> Result<Vec<u8>, Errno> {
    let info = info::map(map)?;
    // A storage map's key is a descriptor, of the size that its creator gave (four bytes).
    check(key.len(), info.key_size as usize)?;
    let cpus = crate::config::possible_cpus();
    let mut value = vec![0; info.transfer_size(cpus)];
    element(Command::MapLookupElem, map, Some(key), &mut value, 0)?;
    Ok(value)
}

pub(crate) fn update(map: &Fd<Map>, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
    let info = info::map(map)?;
    check(key.len(), info.key_size as usize)?;
    check(value.len(), info.transfer_size(crate::config::possible_cpus()))?;
    element(
        Command::MapUpdateElem,
        map,
        Some(key),
        &mut value.to_vec(),
        flags.bits(),
    )
}

pub(crate) fn delete(map: &Fd<Map>, key: &[u8]) -> Result<(), Errno> {
    check(key.len(), info::map(map)?.key_size as usize)?;
    element(Command::MapDeleteElem, map, Some(key), &mut [], 0)
}

pub(crate) fn next_key(map: &Fd<Map>, after: Option<&[u8]>) -> Result<Option<Vec<u8>>, Errno> {
    let size = info::map(map)?.key_size as usize;
    if let Some(key) = after {
        check(key.len(), size)?;
    }
    let mut next = vec![0; size];
    match element(Command::MapGetNextKey, map, after, &mut next, 0) {
        Ok(()) => Ok(Some(next)),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(crate) fn freeze(map: &Fd<Map>) -> Result<(), Errno> {
    let attr = MapElemAttr {
        map_fd: map.raw() as u32,
        ..MapElemAttr::default()
    };
    bpf(Command::MapFreeze, &mut attr.encode(), &mut []).map(drop)
}

fn check(given: usize, wanted: usize) -> Result<(), Errno> {
    if given == wanted { Ok(()) } else { Err(Errno::EINVAL) }
}

fn element(command: Command, map: &Fd<Map>, key: Option<&[u8]>, value: &mut [u8], flags: u64) -> Result<(), Errno> {
    let mut attr = MapElemAttr {
        map_fd: map.raw() as u32,
        flags,
        ..MapElemAttr::default()
    }
    .encode();
    let mut key = key.unwrap_or_default().to_vec();
    let pointer = |offset, memory| Pointer {
        within: None,
        offset,
        memory,
        extent: Extent::Implied,
    };
    let mut pointers = [pointer(KEY, &mut key), pointer(VALUE, value)];
    bpf(command, &mut attr, &mut pointers).map(drop)
}
