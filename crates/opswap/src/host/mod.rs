//! Algorithms on a kernel that outlives this process: load, list, swap, roll back, unload.
//!
//! All state is read from the kernel: its maps, its links, and pins of both under the bpffs. Nothing is written anywhere else, so that two
//! tools, or a tool and a person with bpftool, never disagree about what is registered.

mod apply;
mod attach;
mod carry;
mod census;
pub(crate) mod folders;
pub(crate) mod load;
mod lock;
mod namespaces;
mod pins;
mod place;
pub(crate) mod shape;
mod sharing;
mod swap;
mod unload;

pub use apply::{Applied, Unchanged};
pub use attach::{Attach, Attached};
pub use carry::FieldValue;
pub use folders::{Foreign, ForeignWhy};
pub use load::{Loaded, Settings};
pub use namespaces::{Namespace, NotRenewed, Renewal};
pub use place::Place;
pub use shape::Filled;
pub use sharing::Shared;
pub use swap::Swapped;
pub use unload::{StillUsed, Unloaded};

use crate::Error;
use bpf::{Bpf, Errno};
use btf::Btf;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A kernel and the bpffs in which algorithms are kept.
#[derive(Clone)]
pub struct Host {
    bpf: Arc<dyn Bpf>,
    bpffs: PathBuf,
    /// Linux: there are file systems to mount, other users, namespaces.
    on_linux: bool,
    /// Whether namespaces are given the live table.
    renews: bool,
}

/// The kind that namespaces have a default of.
const TCP: &str = "tcp_congestion_ops";

/// One ops table that a kernel holds.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// The name that sockets choose it by; empty for a table that was created and not filled.
    pub name: String,
    /// The kind of ops structure: `tcp_congestion_ops`.
    pub kind: String,
    /// Whether it is used, and how it came that it is not.
    pub state: State,
    /// Which version of the algorithm it is, counted by opswap; absent for a table that opswap does not keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The map's id.
    #[serde(rename = "map")]
    pub map_id: u32,
    /// The map's name: that of the C variable.
    pub map_name: String,
    /// The link through which it is registered; absent if none holds it.
    #[serde(rename = "link", skip_serializing_if = "Option::is_none")]
    pub link_id: Option<u32>,
    /// References that the kernel itself holds: one for the registration, one for each socket that uses it.
    pub references: u32,
    /// Whether `rollback` would bring this version back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub previous: bool,
    /// Namespaces that give this table to new sockets, because it has the name of their default; as far as they can be entered, and looked at only
    /// by [`Host::list`] and [`Host::show`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_in: Vec<Namespace>,
    /// Our pins of the table and of its link.
    pub pins: Vec<PathBuf>,
    /// Its data fields that are not zero, without the name.
    pub fields: Vec<FieldValue>,
    /// The programs behind its function members.
    pub programs: Vec<Filled>,
}

/// Whether a table is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Registered: new sockets can get it.
    Live,
    /// A version that was live and is kept for a rollback.
    Kept,
    /// Valid but not registered and never live as far as its pins tell.
    Unused,
    /// Unregistered, and still used by somebody.
    Dying,
    /// Created and never filled.
    Empty,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Kept => "kept",
            Self::Unused => "unused",
            Self::Dying => "dying",
            Self::Empty => "empty",
        })
    }
}

/// What can go wrong with what a kernel keeps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The kernel has it, but not from a program.
    #[error("{name} is the kernel's own, not an ops structure that a program filled")]
    BuiltIn {
        /// The algorithm.
        name: String,
        /// The names that programs filled.
        registered: Vec<String>,
    },
    /// Its link is gone, by another hand than ours; versions of it are still kept.
    #[error("{name} is not registered any more: its link is gone; versions of it are still kept")]
    LinkGone {
        /// The algorithm.
        name: String,
    },
    /// It was unregistered before; somebody still refers to its table.
    #[error(
        "{name} is not registered any more; sockets, or namespaces whose default it is, keep its table alive (references: {references})"
    )]
    Gone {
        /// The algorithm.
        name: String,
        /// References of its tables that are left.
        references: u32,
    },
    /// A swap cannot give another name.
    #[error("a swap cannot set `{field}`: the new version must have the name of the registered one")]
    NameStays {
        /// The field, as it was to be set.
        field: String,
    },
    /// Another process changes what is kept in this bpffs, and does not come to an end.
    #[error("another opswap is changing what is kept in {}", .path.display())]
    Busy {
        /// The bpffs.
        path: PathBuf,
    },
    /// No table of this name is registered or kept.
    #[error("nothing named {name:?} is registered (registered: {})", listed(.registered))]
    NotRegistered {
        /// What was asked for.
        name: String,
        /// The names that there are.
        registered: Vec<String>,
    },
    /// A table is registered, but opswap does not hold the link: somebody else registered it.
    #[error("{name} is registered, but {}", place::whose(*.link_id, .kept_in.as_deref()))]
    NotOurs {
        /// The algorithm.
        name: String,
        /// Its link, if it has one.
        link_id: Option<u32>,
        /// Another bpffs in which opswap keeps it.
        kept_in: Option<PathBuf>,
    },
    /// Something of that name is registered already.
    #[error("{name} is registered already")]
    Exists {
        /// The algorithm.
        name: String,
    },
    /// The object has no program of a section that is to be attached.
    #[error("there is no program of section {section} to attach")]
    NothingToAttach {
        /// The section.
        section: String,
    },
    /// A program cannot be attached to what was asked for.
    #[error("a program of section {section} cannot be attached to {target}: it takes {takes}")]
    WrongTarget {
        /// The section.
        section: String,
        /// What was asked for.
        target: String,
        /// What it takes.
        takes: &'static str,
    },
    /// The kernel refuses to attach a program.
    #[error("program {program} cannot be attached to {target}: {errno}")]
    NotAttached {
        /// The program.
        program: String,
        /// The section it stands in.
        section: String,
        /// What it was to be attached to.
        target: String,
        /// What the kernel says.
        errno: Errno,
    },
    /// The object has nothing to register.
    #[error("{file}: the object has no ops structure")]
    NoTable {
        /// As the user wrote it.
        file: String,
    },
    /// The object for a swap must hold exactly one ops structure of the kind.
    #[error("{}", not_one(.kind, .names))]
    NotOneTable {
        /// The kind of the registered algorithm.
        kind: String,
        /// The object's ops structures of that kind, by variable.
        names: Vec<String>,
    },
    /// A folder of the bpffs in which pins would not be safe.
    #[error("{} is not safe to keep anything in: {}", .0.path.display(), .0.why)]
    ForeignFolder(Foreign),
    /// Something that opswap did not put there has a name that it needs.
    #[error("{} is in the way: {}", .0.path.display(), .0.why)]
    InTheWay(Foreign),
    /// The new version must not be the default of namespaces that have the old one as theirs.
    #[error("this version of {name} lacks the flag non_restricted, and {name} is the default of {}", spaces(.namespaces))]
    StillDefault {
        /// The algorithm.
        name: String,
        /// The namespaces.
        namespaces: Vec<Namespace>,
    },
    /// What should become the default of namespaces is not there.
    #[error("{name} cannot become the default of a namespace: the kernel does not offer it")]
    NoSuchDefault {
        /// What was asked for.
        name: String,
    },
    /// What should become the default of namespaces must not be it.
    #[error("{name} cannot become the default of {}: it is without the flag non_restricted", spaces(.namespaces))]
    RestrictedDefault {
        /// What was asked for.
        name: String,
        /// The namespaces.
        namespaces: Vec<Namespace>,
    },
    /// No earlier version is kept.
    #[error("no previous version of {name} is kept")]
    NoPrevious {
        /// The algorithm.
        name: String,
    },
    /// Another table than expected was behind the link: somebody swapped at the same time.
    #[error("{name} was changed by somebody else meanwhile: map {expected} was expected")]
    Stale {
        /// The algorithm.
        name: String,
        /// The map that was live when we looked.
        expected: u32,
    },
    /// The bpffs is not there.
    #[error("{} is no bpffs, and none can be mounted there: {errno}", .path.display())]
    NoBpffs {
        /// Where it was looked for.
        path: PathBuf,
        /// What the kernel says.
        errno: Errno,
    },
    /// The bpffs would have to be mounted, and the mount would end with this process, and what is kept in it.
    #[error(
        "no bpffs is mounted at {}, and one that is mounted now ends with this command: its mounts are its own, as under `ip netns exec` and `unshare --mount`",
        .path.display()
    )]
    Fleeting {
        /// Where it would be mounted.
        path: PathBuf,
    },
    /// A command of the kernel failed.
    #[error("cannot {doing}: {errno}")]
    System {
        /// What was to be done.
        doing: &'static str,
        /// What the kernel says.
        errno: Errno,
    },
}

impl HostError {
    /// For `map_err`: adds what was to be done.
    fn system(doing: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self::System { doing, errno }
    }
}

/// Whether sockets can choose it: built into Linux or of a module, if no table has the name.
fn linux_offers(name: &str) -> bool {
    let offered = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control");
    offered.is_ok_and(|names| names.split_whitespace().any(|offered| offered == name))
}

fn spaces(namespaces: &[Namespace]) -> String {
    let names: Vec<String> = namespaces.iter().map(Namespace::to_string).collect();
    names.join(", ")
}

/// For serde: what is zero is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

impl Host {
    /// Algorithms on `bpf`, kept under the bpffs that is mounted at `bpffs`.
    pub fn new(bpf: &Arc<dyn Bpf>, bpffs: &Path) -> Self {
        Self {
            bpf: Arc::clone(bpf),
            bpffs: bpffs.to_owned(),
            on_linux: false,
            renews: false,
        }
    }

    /// On the running Linux kernel. A bpffs that is not mounted is mounted when the first algorithm is kept, as bpftool and libbpf do.
    ///
    /// # Errors
    /// As [`crate::linux()`].
    pub fn on_linux(bpffs: &Path) -> Result<Self, Error> {
        Ok(Self {
            on_linux: true,
            renews: true,
            ..Self::new(&crate::linux()?, bpffs)
        })
    }

    /// Leaves the default congestion control of namespaces alone, whatever table they hold. Without this, a load, a swap and a rollback write
    /// `net.ipv4.tcp_congestion_control` anew in every namespace whose default is the algorithm, so that new sockets there get the live version.
    #[must_use]
    pub fn without_namespaces(self) -> Self {
        Self { renews: false, ..self }
    }

    /// What is below our folder of the bpffs and is none of ours; nothing of it is touched or followed.
    ///
    /// # Errors
    /// The bpffs cannot be read ([`HostError::System`]).
    pub fn foreign(&self) -> Result<Vec<Foreign>, Error> {
        Ok(census::kept(self)?.foreign)
    }

    /// Before the first pin: there must be a bpffs.
    fn mount(&self) -> Result<Mounted, HostError> {
        let no_bpffs = |errno| HostError::NoBpffs {
            path: self.bpffs.clone(),
            errno,
        };
        self.lasts()?;
        let by_us = self.on_linux
            && linux::bpffs::ensure_mounted(&self.bpffs).map_err(no_bpffs)? == linux::bpffs::Mounting::Mounted;
        // By the path that was mounted on: links on the way are not followed when it is unmounted.
        let path = || self.bpffs.canonicalize().unwrap_or_else(|_| self.bpffs.clone());
        Ok(Mounted(by_us.then(path)))
    }

    /// Every ops table of the kernel, whoever put it there, sorted by kind, name and version.
    ///
    /// # Errors
    /// The kernel does not let us look ([`HostError::System`]).
    pub fn list(&self) -> Result<Vec<Table>, Error> {
        let mut tables = census::tables(self)?;
        self.mark_defaults(&mut tables);
        Ok(tables)
    }

    /// The tables of one name: the live one first, then what is kept of it.
    ///
    /// # Errors
    /// [`HostError::NotRegistered`], with the names that there are.
    pub fn show(&self, name: &str) -> Result<Vec<Table>, Error> {
        let mut tables = self.tables_of(name)?;
        self.mark_defaults(&mut tables);
        Ok(tables)
    }

    fn tables_of(&self, name: &str) -> Result<Vec<Table>, HostError> {
        let (mut tables, others): (Vec<_>, Vec<_>) =
            census::tables(self)?.into_iter().partition(|table| table.name == name);
        if tables.is_empty() {
            let mut registered: Vec<String> = others
                .into_iter()
                .map(|table| table.name)
                .filter(|name| !name.is_empty())
                .collect();
            registered.sort();
            registered.dedup();
            let name = name.to_owned();
            return Err(if self.on_linux && linux_offers(&name) {
                HostError::BuiltIn { name, registered }
            } else {
                HostError::NotRegistered { name, registered }
            });
        }
        tables.sort_by_key(|table| (table.state != State::Live, std::cmp::Reverse(table.version)));
        Ok(tables)
    }

    fn kernel_btf(&self) -> Result<Btf, HostError> {
        self.bpf.kernel_btf().map_err(|error| HostError::System {
            doing: "read the kernel's types",
            errno: error.errno(),
        })
    }
}

fn not_one(kind: &str, names: &[String]) -> String {
    match names {
        [] => format!("a swap needs an ops structure of kind {kind}; the object has none"),
        [_] => format!(
            "a swap needs an object with one ops structure, of kind {kind}; this one has others, too: {}",
            names.join(", ")
        ),
        _ => format!(
            "a swap takes one ops structure of kind {kind}; the object has {}: {}",
            names.len(),
            names.join(", ")
        ),
    }
}

/// A bpffs that is unmounted again unless something was kept in it.
struct Mounted(Option<PathBuf>);

impl Mounted {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Another process may have begun to use it: then it stays.
            let _stays = linux::bpffs::unmount_unused(path);
        }
    }
}
