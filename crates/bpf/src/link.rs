//! Links of ops maps: what the kernel says of one, and the exchange of the table behind it.

use std::path::Path;

use crate::{Errno, Fd, LinkType, Map};

/// What the kernel says of a link (`struct bpf_link_info`, the parts common to all and those of struct_ops).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkInfo {
    /// Which kind of link.
    pub link_type: LinkType,
    /// The kernel's number for it.
    pub id: u32,
    /// Its program; 0 for a link of an ops map.
    pub prog_id: u32,
    /// For a struct_ops link: the map that new users get, 0 once it is detached. `None` for other kinds.
    pub map_id: Option<u32>,
}

/// What a program that belongs to no ops structure is attached to, by a link of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTarget<'a> {
    /// A cgroup, by its path.
    Cgroup(&'a Path),
    /// A network interface of this process's namespace, by its name.
    Interface(&'a str),
    /// What the program was loaded for: a function, tracepoint or iterator of the kernel's types.
    Kernel,
    /// A raw tracepoint, by its name.
    RawTracepoint(&'a str),
    /// A tracepoint: its folder in the tracefs (`sched/sched_switch`).
    Tracepoint {
        /// The category: the first folder.
        category: &'a str,
        /// The event: the second.
        event: &'a str,
    },
    /// The beginning or the end of a function of the kernel, by a probe.
    Kprobe {
        /// The function.
        function: &'a str,
        /// Where it returns.
        at_return: bool,
    },
}

/// The arguments of `BPF_LINK_UPDATE` for an ops map.
#[derive(Clone, Copy, Debug)]
pub struct LinkUpdate<'a> {
    /// The table to exchange to: created with [`crate::MapFlags::LINK`], given its value, and with the same name in its data.
    pub new: &'a Fd<Map>,
    /// With a map here the update is a compare-and-swap (`BPF_F_REPLACE`): if the link holds another one, nothing changes.
    pub expected: Option<&'a Fd<Map>>,
}

/// Why the table behind a link was not exchanged. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkUpdateError {
    /// The link holds this very map already. Never passed to the kernel: Linux 6.12 to 6.18 at least would add the table to its list a
    /// second time and stop with `list_add double add` (`tcp_update_congestion_control`, net/ipv4/tcp_cong.c).
    #[error("the link already holds map {map_id}")]
    SameMap {
        /// Id of the map.
        map_id: u32,
    },
    /// Compare-and-swap: the link does not hold the map that was expected (the kernel says EPERM).
    #[error("the link holds map {found}, not map {expected} as expected")]
    Stale {
        /// Id of the expected map.
        expected: u32,
        /// Id of the map that the link held just after.
        found: u32,
    },
    /// The kernel's refusal: `EINVAL` when the map has no value yet, is no ops map of the same kind with `BPF_F_LINK`, or has another name in its data;
    /// `ENOLINK` when the link is detached.
    #[error(transparent)]
    Refused(#[from] Errno),
}

impl LinkUpdateError {
    /// The number that a C program would see.
    pub fn errno(&self) -> Errno {
        match self {
            Self::SameMap { .. } => Errno::EINVAL,
            Self::Stale { .. } => Errno::EPERM,
            Self::Refused(errno) => *errno,
        }
    }
}
