//! What the kernel says of an object, and the walks over ids.

use crate::syscall::{Extent, Pointer, bpf};
use bpf::attr::{BtfInfoRaw, Command, IdAttr, InfoAttr, MapInfoRaw, ProgInfoRaw, Raw, c_name};
use bpf::{BtfInfo, BtfObject, Errno, Fd, IdKind, Link, LinkInfo, Map, MapInfo, Prog, ProgInfo};

/// `info_len` and `info` of the attribute.
const LEN: usize = 4;
const INFO: usize = 8;

/// Room for `struct bpf_link_info`, of whichever kind of link.
const LINK_INFO_BYTES: usize = 64;

pub(crate) fn map(map: &Fd<Map>) -> Result<MapInfo, Errno> {
    let mut bytes = vec![0; MapInfoRaw::SIZE];
    fetch(map.raw(), &mut bytes, None)?;
    Ok(MapInfo::from(&decoded::<MapInfoRaw>(&bytes)?))
}

pub(crate) fn link(link: &Fd<Link>) -> Result<LinkInfo, Errno> {
    let mut bytes = vec![0; LINK_INFO_BYTES];
    let length = fetch(link.raw(), &mut bytes, None)?;
    Ok(LinkInfo::from_raw(&bytes[..length.min(LINK_INFO_BYTES)]))
}

pub(crate) fn prog(prog: &Fd<Prog>) -> Result<ProgInfo, Errno> {
    let mut bytes = vec![0; ProgInfoRaw::SIZE];
    fetch(prog.raw(), &mut bytes, None)?;
    let count = decoded::<ProgInfoRaw>(&bytes)?.nr_map_ids;

    let mut request = ProgInfoRaw {
        nr_map_ids: count,
        ..ProgInfoRaw::default()
    }
    .encode();
    let mut ids = vec![0; count as usize * 4];
    fetch(prog.raw(), &mut request, Some((MAP_IDS, &mut ids)))?;
    let ids = ids.as_chunks::<4>().0.iter().map(|id| u32::from_ne_bytes(*id));
    Ok(decoded::<ProgInfoRaw>(&request)?.with_map_ids(ids.collect()))
}

/// Offset of `map_ids` in `struct bpf_prog_info`.
const MAP_IDS: usize = 56;

pub(crate) fn btf(btf: &Fd<BtfObject>) -> Result<BtfInfo, Errno> {
    let mut name = [0; 64];
    let mut bytes = BtfInfoRaw {
        name_len: name.len() as u32,
        ..BtfInfoRaw::default()
    }
    .encode();
    fetch(btf.raw(), &mut bytes, Some((BTF_NAME, &mut name)))?;
    Ok(decoded::<BtfInfoRaw>(&bytes)?.with_name(c_name(&name)))
}

/// Offset of `name` in `struct bpf_btf_info`.
const BTF_NAME: usize = 16;

/// The bytes of a BTF object.
pub(crate) fn btf_data(btf: &Fd<BtfObject>) -> Result<Vec<u8>, Errno> {
    let size = self::btf(btf)?.size;
    let mut data = vec![0; size as usize];
    let mut bytes = BtfInfoRaw {
        btf_size: size,
        ..BtfInfoRaw::default()
    }
    .encode();
    fetch(btf.raw(), &mut bytes, Some((0, &mut data)))?;
    Ok(data)
}

/// `BPF_OBJ_GET_INFO_BY_FD` into `bytes`, which may hold a length for `nested`, memory that the pointer at this offset of it shall point to.
/// How many bytes the kernel filled.
fn fetch(fd: i32, bytes: &mut [u8], nested: Option<(usize, &mut [u8])>) -> Result<usize, Errno> {
    let mut attr = InfoAttr {
        bpf_fd: fd as u32,
        ..InfoAttr::default()
    }
    .encode();
    let mut pointers = vec![Pointer {
        within: None,
        offset: INFO,
        memory: bytes,
        extent: Extent::Field { offset: LEN, unit: 1 },
    }];
    if let Some((offset, memory)) = nested {
        pointers.push(Pointer {
            within: Some(0),
            offset,
            memory,
            extent: Extent::Implied,
        });
    }
    bpf(Command::ObjGetInfoByFd, &mut attr, &mut pointers)?;
    Ok(decoded::<InfoAttr>(&attr)?.info_len as usize)
}

/// Decodes what the kernel wrote.
pub(crate) fn decoded<T: Raw>(bytes: &[u8]) -> Result<T, Errno> {
    T::decode(bytes).map_err(|_| Errno::EPROTO)
}

pub(crate) fn next_id(kind: IdKind, after: u32) -> Result<Option<u32>, Errno> {
    let command = match kind {
        IdKind::Prog => Command::ProgGetNextId,
        IdKind::Map => Command::MapGetNextId,
        IdKind::Link => Command::LinkGetNextId,
        IdKind::Btf => Command::BtfGetNextId,
    };
    let mut attr = IdAttr {
        start_id: after,
        ..IdAttr::default()
    }
    .encode();
    match bpf(command, &mut attr, &mut []) {
        Ok(_) => Ok(Some(decoded::<IdAttr>(&attr)?.next_id)),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(crate) fn by_id(kind: IdKind, id: u32) -> Result<i32, Errno> {
    let command = match kind {
        IdKind::Prog => Command::ProgGetFdById,
        IdKind::Map => Command::MapGetFdById,
        IdKind::Link => Command::LinkGetFdById,
        IdKind::Btf => Command::BtfGetFdById,
    };
    let attr = IdAttr {
        start_id: id,
        ..IdAttr::default()
    };
    bpf(command, &mut attr.encode(), &mut [])
}
