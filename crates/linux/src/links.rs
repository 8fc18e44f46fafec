//! Links: of ops maps (creating, exchanging the table, detaching), and of programs that are attached beside them.

use crate::syscall::{Extent, Pointer, bpf};
use crate::{Linux, info, perf};
use bpf::attr::{Command, LinkCreateAttr, LinkDetachAttr, LinkUpdateAttr, REPLACE, Raw, RawTracepointAttr};
use bpf::{AttachType, Bpf, Errno, Fd, Link, LinkTarget, LinkUpdate, LinkUpdateError, Map, Prog};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use std::os::fd::AsRawFd;

/// How often an update without expectation is tried again because another process exchanged the table in between.
const RACES: u32 = 16;

pub(crate) fn create_struct_ops(map: &Fd<Map>) -> Result<i32, Errno> {
    let attr = LinkCreateAttr {
        map_fd: map.raw() as u32,
        attach_type: AttachType::STRUCT_OPS.0,
        ..LinkCreateAttr::default()
    };
    bpf(Command::LinkCreate, &mut attr.encode(), &mut [])
}

/// Attaches a program that belongs to no ops structure.
pub(crate) fn create(prog: &Fd<Prog>, attach_type: AttachType, target: &LinkTarget<'_>) -> Result<i32, Errno> {
    // Open until the link is made: the link then holds the cgroup or the event itself.
    let (cgroup, event);
    let mut attach_type = attach_type;
    let target_fd = match target {
        LinkTarget::Cgroup(path) => {
            // A cgroup is a folder: whatever else has the path is not waited for.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            cgroup = rustix::fs::open(*path, flags, Mode::empty()).map_err(std::io::Error::from)?;
            cgroup.as_raw_fd() as u32
        }
        LinkTarget::Interface(name) => interface_index(name)?,
        LinkTarget::Kernel => 0,
        LinkTarget::RawTracepoint(name) => return raw_tracepoint(prog, name),
        LinkTarget::Tracepoint { .. } | LinkTarget::Kprobe { .. } => {
            event = perf::event(target)?;
            attach_type = AttachType::PERF_EVENT;
            event.as_raw_fd() as u32
        }
    };
    let attr = LinkCreateAttr {
        // A program stands where an ops map would.
        map_fd: prog.raw() as u32,
        target_fd,
        attach_type: attach_type.0,
        ..LinkCreateAttr::default()
    };
    bpf(Command::LinkCreate, &mut attr.encode(), &mut [])
}

fn raw_tracepoint(prog: &Fd<Prog>, name: &str) -> Result<i32, Errno> {
    let attr = RawTracepointAttr {
        prog_fd: prog.raw() as u32,
        ..RawTracepointAttr::default()
    };
    let mut name = [name.as_bytes(), &[0]].concat();
    let pointer = Pointer {
        within: None,
        offset: 0,
        memory: &mut name,
        extent: Extent::CString,
    };
    bpf(Command::RawTracepointOpen, &mut attr.encode(), &mut [pointer])
}

/// Asked of a socket, not of /sys: that shows the network namespace in which it was mounted, which need not be this process's.
fn interface_index(name: &str) -> Result<u32, Errno> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    let index = socket.and_then(|socket| rustix::net::netdevice::name_to_index(&socket, name));
    Ok(index.map_err(std::io::Error::from)?)
}

/// Exchanges the table, never to the one that the link holds already: that would stop the kernel (see [`LinkUpdateError::SameMap`]).
///
/// So that no other process can make it the same one between our look and the call, the call is always a compare-and-swap: without
/// an expectation of the caller's, against the map that we just saw.
pub(crate) fn update(linux: &Linux, link: &Fd<Link>, update: &LinkUpdate<'_>) -> Result<(), LinkUpdateError> {
    let new = info::map(update.new)?.id;
    let expected = update.expected.map(info::map).transpose()?.map(|map| map.id);
    for _ in 0..RACES {
        let Some(held) = info::link(link)?.map_id else {
            return Err(Errno::EINVAL.into());
        };
        if held == new {
            return Err(LinkUpdateError::SameMap { map_id: new });
        }
        if let Some(expected) = expected.filter(|expected| *expected != held) {
            return Err(LinkUpdateError::Stale { expected, found: held });
        }
        let result = match (update.expected, held) {
            (Some(old), _) => replace(link, update.new, Some(old)),
            // A detached link holds nothing, and never will again; the kernel says so.
            (None, 0) => replace(link, update.new, None),
            (None, _) => linux
                .map_by_id(held)
                .and_then(|old| replace(link, update.new, Some(&old))),
        };
        let Err(errno) = result else {
            return Ok(());
        };
        let found = info::link(link)?.map_id.unwrap_or(0);
        if errno != Errno::EPERM || found == held {
            return Err(errno.into());
        }
    }
    Err(Errno::EAGAIN.into())
}

fn replace(link: &Fd<Link>, new: &Fd<Map>, old: Option<&Fd<Map>>) -> Result<(), Errno> {
    let attr = LinkUpdateAttr {
        link_fd: link.raw() as u32,
        new_map_fd: new.raw() as u32,
        flags: if old.is_some() { REPLACE } else { 0 },
        old_map_fd: old.map_or(0, |old| old.raw() as u32),
    };
    bpf(Command::LinkUpdate, &mut attr.encode(), &mut []).map(drop)
}

pub(crate) fn detach(link: &Fd<Link>) -> Result<(), Errno> {
    let attr = LinkDetachAttr {
        link_fd: link.raw() as u32,
    };
    bpf(Command::LinkDetach, &mut attr.encode(), &mut []).map(drop)
}
