//! The folders below the bpffs in which pins are kept: opened and looked at before anything in them is believed or touched.
//!
//! Pins decide what is live. Whoever can put a link or a folder in their place, or take them away, decides it too. So on Linux each folder on the way
//! must be a folder, ours or root's, and writable to nobody else, and what is in it is reached through its descriptor. What is not so is
//! named ([`Foreign`]) and left alone.

use super::pins::{self, PinName, TOP};
use super::{Host, HostError};
use bpf::Errno;
use linux::bpffs::{Distrust, FolderError};
use serde::{Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// A folder with pins.
pub(crate) struct Folder {
    /// As the user knows it.
    shown: PathBuf,
    /// On Linux; a kernel in this process has no file system that others could reach.
    open: Option<linux::bpffs::Folder>,
}

/// Something below the folder `opswap` of the bpffs that opswap did not put there; it is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Foreign {
    /// Where.
    pub path: PathBuf,
    /// Why it is none of ours.
    pub why: ForeignWhy,
}

impl Foreign {
    /// The name of ours that it has in an algorithm's folder.
    pub(super) fn pin_name(&self) -> Option<PinName> {
        PinName::parse(self.path.file_name()?.to_str()?)
    }
}

/// Why something is not believed to be opswap's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignWhy {
    /// A folder that somebody else controls.
    Distrusted(Distrust),
    /// A file or a link where only folders are, or a folder where only pins are.
    OutOfPlace,
    /// A name that opswap does not give.
    Name,
    /// It is pinned under a name of ours, and is not what opswap gives that name: a link, or an ops table.
    Object,
    /// The kernel does not let us open it.
    Closed(Errno),
}

impl fmt::Display for ForeignWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distrusted(why) => why.fmt(f),
            Self::OutOfPlace => f.write_str("opswap puts no such thing there"),
            Self::Name => f.write_str("opswap gives no such name"),
            Self::Object => f.write_str("it is not what opswap pins under that name"),
            Self::Closed(errno) => write!(f, "it cannot be opened: {errno}"),
        }
    }
}

impl Serialize for ForeignWhy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How things can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// There is a bpffs, and its folders are ours or can be made.
    AsItIs,
    /// A bpffs can be mounted.
    AfterMounting,
}

/// Why there is no folder to work in.
pub(super) enum Missing {
    /// It is not there, or no bpffs is.
    Absent,
    /// It is somebody else's.
    Foreign(Foreign),
    /// It cannot be asked.
    Failed(HostError),
}

impl Folder {
    /// How the kernel is told of something in it.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        match &self.open {
            Some(open) => open.path().join(name),
            None => self.shown.join(name),
        }
    }

    /// The folder itself, for the kernel.
    pub(super) fn itself(&self) -> PathBuf {
        self.open
            .as_ref()
            .map_or_else(|| self.shown.clone(), linux::bpffs::Folder::path)
    }

    /// Whether there is a pin of this name, of nobody but us and root.
    pub(super) fn has_pin(&self, name: &str) -> Result<bool, FolderError> {
        self.open.as_ref().map_or(Ok(false), |open| open.has_pin(name))
    }

    /// How the user is told of it.
    pub(super) fn shown_itself(&self) -> &Path {
        &self.shown
    }

    /// Locks it until it is closed; whether it could be done at once.
    pub(super) fn try_lock(&self) -> Result<bool, Errno> {
        self.open.as_ref().map_or(Ok(true), linux::bpffs::Folder::try_lock)
    }

    /// Whether both are the same folder, whatever they are called.
    pub(super) fn is(&self, other: &Self) -> bool {
        let ids = |folder: &Self| folder.open.as_ref().and_then(linux::bpffs::Folder::identity);
        ids(self) == ids(other)
    }

    /// How the user is told of something in it.
    pub(super) fn shown(&self, name: &str) -> PathBuf {
        self.shown.join(name)
    }

    /// A folder in it.
    pub(super) fn child(&self, name: &str) -> Result<Self, Missing> {
        self.step(name, |open| open.child(name))
    }

    fn step(
        &self,
        name: &str,
        step: impl FnOnce(&linux::bpffs::Folder) -> Result<linux::bpffs::Folder, FolderError>,
    ) -> Result<Self, Missing> {
        let shown = self.shown.join(name);
        let open = self.open.as_ref().map(step).transpose();
        match open {
            Ok(open) => Ok(Self { shown, open }),
            Err(error) => Err(missing(&shown, error)),
        }
    }
}

fn missing(path: &Path, error: FolderError) -> Missing {
    match error {
        FolderError::Distrusted(why) => Missing::Foreign(Foreign {
            path: path.to_owned(),
            why: ForeignWhy::Distrusted(why),
        }),
        FolderError::System(Errno::ENOENT) => Missing::Absent,
        FolderError::System(errno) => Missing::Failed(HostError::System {
            doing: "open a folder of the bpffs",
            errno,
        }),
    }
}

impl Host {
    /// The bpffs itself.
    pub(super) fn root(&self) -> Result<Folder, Missing> {
        let shown = self.bpffs.clone();
        if !self.on_linux {
            return Ok(Folder { shown, open: None });
        }
        match linux::bpffs::Folder::root(&shown) {
            Ok(open) => Ok(Folder {
                shown,
                open: Some(open),
            }),
            // A folder on which no bpffs is mounted yet holds no pins.
            Err(FolderError::System(Errno::EINVAL)) => Err(Missing::Absent),
            Err(FolderError::System(errno @ Errno::ENOTDIR)) => {
                Err(Missing::Failed(HostError::NoBpffs { path: shown, errno }))
            }
            Err(error) => Err(missing(&shown, error)),
        }
    }

    /// A folder below the bpffs, by the names on the way.
    pub(super) fn folder(&self, names: &[&str]) -> Result<Folder, Missing> {
        names.iter().try_fold(self.root()?, |folder, name| folder.child(name))
    }

    /// The same, made where it is not there.
    pub(super) fn make_folder(&self, names: &[&str]) -> Result<Folder, HostError> {
        let refused = |missing| match missing {
            Missing::Absent => HostError::NoBpffs {
                path: self.bpffs.clone(),
                errno: Errno::ENOENT,
            },
            Missing::Foreign(foreign) => HostError::ForeignFolder(foreign),
            Missing::Failed(error) => error,
        };
        let mut folder = self.root().map_err(refused)?;
        for name in names {
            if folder.open.is_none() {
                let made = self.bpf.pin_dir_create(&folder.at(name));
                if let Err(errno) = made.or_else(|errno| if errno == Errno::EEXIST { Ok(()) } else { Err(errno) }) {
                    return Err(HostError::System {
                        doing: "make a folder in the bpffs",
                        errno,
                    });
                }
            }
            folder = folder.step(name, |open| open.make_child(name)).map_err(refused)?;
        }
        Ok(folder)
    }

    /// Whether tables of this kind could be kept, and if so, whether a bpffs has to be mounted first. Nothing is changed by asking.
    pub(crate) fn can_keep(&self, kind: &str) -> Result<Keeping, HostError> {
        let no_bpffs = |errno| HostError::NoBpffs {
            path: self.bpffs.clone(),
            errno,
        };
        if !linux::bpffs::is_bpffs(&self.bpffs) {
            self.lasts()?;
            linux::bpffs::can_mount(&self.bpffs).map_err(no_bpffs)?;
            return Ok(Keeping::AfterMounting);
        }
        let refused = |missing| match missing {
            Missing::Absent => no_bpffs(Errno::ENOENT),
            Missing::Foreign(foreign) => HostError::ForeignFolder(foreign),
            Missing::Failed(error) => error,
        };
        let mut folder = self.root().map_err(refused)?;
        for name in &pins::names(kind, "")[..2] {
            match folder.child(name) {
                Ok(child) => folder = child,
                Err(Missing::Absent) => break,
                Err(other) => return Err(refused(other)),
            }
        }
        let writable = folder.open.as_ref().map_or(Ok(()), linux::bpffs::Folder::writable);
        writable.map_err(HostError::system("make a folder in the bpffs"))?;
        Ok(Keeping::AsItIs)
    }

    /// Removes a folder and those above it up to `opswap` itself, as far as they are empty.
    pub(super) fn remove_empty_folders(&self, names: &[&str]) -> Result<(), HostError> {
        debug_assert_eq!(names.first(), Some(&TOP));
        for depth in (0..names.len()).rev() {
            let Ok(parent) = self.folder(&names[..depth]) else {
                continue;
            };
            if let Err(Missing::Foreign(_)) = parent.child(names[depth]) {
                break;
            }
            match self.bpf.pin_dir_remove(&parent.at(names[depth])) {
                Ok(()) | Err(Errno::ENOENT) => {}
                // Other algorithms, somebody else's pin, or something that is no folder.
                Err(Errno::ENOTEMPTY | Errno::ENOTDIR) => break,
                Err(errno) => {
                    return Err(HostError::System {
                        doing: "remove a folder of the bpffs",
                        errno,
                    });
                }
            }
        }
        Ok(())
    }
}
