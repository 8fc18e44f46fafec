//! A directory of a bpffs that was opened and found to be safe: whoever else may write to the file system cannot change what it holds.
//!
//! A name can be made to mean another directory between a look and a use; a descriptor cannot. So a directory is opened first, without following
//! links, then looked at, and what is in it is reached through the descriptor ([`Folder::path`]).

use bpf::Errno;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno as Os;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// An open directory.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
}

/// Why a directory is not to be trusted with pins: somebody else could take them away or put others in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It is a symbolic link, or no directory.
    NoFolder,
    /// It is a symbolic link or a directory where a pin should be.
    NoPin,
    /// It belongs to a user who is neither root nor the one we run as.
    Owner {
        /// That user's number.
        uid: u32,
    },
    /// Others may write to it.
    Writable {
        /// The permission bits.
        mode: u32,
    },
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFolder => f.write_str("it is no folder, or a symbolic link"),
            Self::NoPin => f.write_str("it is no pin, or a symbolic link"),
            Self::Owner { uid } => write!(f, "it belongs to user {uid}"),
            Self::Writable { mode } => write!(f, "others may write to it (mode {mode:03o})"),
        }
    }
}

/// Why a directory was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderError {
    /// It is there, and not to be trusted.
    Distrusted(Distrust),
    /// It cannot be opened.
    System(Errno),
}

impl From<Os> for FolderError {
    fn from(error: Os) -> Self {
        match error {
            // A link gives ELOOP, or ENOTDIR when a directory was asked for.
            Os::LOOP | Os::NOTDIR => Self::Distrusted(Distrust::NoFolder),
            other => Self::System(std::io::Error::from(other).into()),
        }
    }
}

/// `BPF_FS_MAGIC` of `include/uapi/linux/magic.h`.
const MAGIC: u64 = 0xcafe_4a11;

impl Folder {
    /// A directory that the user named, on a bpffs; links in its path are followed. Others may write to it and to those above it if they are
    /// sticky, as a bpffs is by default: then they cannot touch what is ours.
    ///
    /// # Errors
    /// `ENOTDIR`, and `EINVAL` on another file system; [`Distrust`].
    pub fn root(path: &Path) -> Result<Self, FolderError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = rustix::fs::open(path, flags, Mode::empty());
        let fd = open.map_err(|error| FolderError::System(std::io::Error::from(error).into()))?;
        if !is_bpffs(&fd)? {
            return Err(FolderError::System(Errno::EINVAL));
        }
        let mut above = rustix::io::fcntl_dupfd_cloexec(&fd, 0)?;
        let file_system = rustix::fs::fstat(&fd)?.st_dev;
        loop {
            let facts = rustix::fs::fstat(&above)?;
            trusted(&facts, true)?;
            let next = rustix::fs::openat(&above, "..", flags, Mode::empty());
            let Ok(next) = next else {
                break; // a folder that we may not see is above the mount, or keeps others out as well
            };
            let upper = rustix::fs::fstat(&next)?;
            if upper.st_dev != file_system || upper.st_ino == facts.st_ino {
                break;
            }
            above = next;
        }
        Ok(Self { fd })
    }

    /// A directory in this one.
    ///
    /// # Errors
    /// `ENOENT`; [`Distrust`].
    pub fn child(&self, name: &str) -> Result<Self, FolderError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => {
                trusted(&rustix::fs::fstat(&fd)?, false)?;
                Ok(Self { fd })
            }
            // One that we may not open is somebody else's, if its owner says so.
            Err(Os::ACCESS) => {
                let facts = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
                trusted(&facts, false)?;
                Err(FolderError::System(Errno::EACCES))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A directory in this one, which is made for its owner only if it is not there.
    ///
    /// # Errors
    /// As [`Folder::child`], and what making it can fail with.
    pub fn make_child(&self, name: &str) -> Result<Self, FolderError> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::RWXU) {
            Ok(()) | Err(Os::EXIST) => self.child(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a pin of this name is here, and nobody but us and root put it there; the kernel follows links to pins.
    ///
    /// # Errors
    /// [`Distrust`] of what has the name.
    pub fn has_pin(&self, name: &str) -> Result<bool, FolderError> {
        let facts = match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(facts) => facts,
            Err(Os::NOENT) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
            return Err(FolderError::Distrusted(Distrust::NoPin));
        }
        match owner(&facts) {
            None => Ok(true),
            Some(distrust) => Err(FolderError::Distrusted(distrust)),
        }
    }

    /// Whether this process may make and remove things in it.
    ///
    /// # Errors
    /// `EACCES`; `EROFS` in a file system that is read-only.
    pub fn writable(&self) -> Result<(), Errno> {
        let asked = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        let answer = rustix::fs::accessat(&self.fd, ".", asked, AtFlags::EACCESS);
        Ok(answer.map_err(std::io::Error::from)?)
    }

    /// Locks it against others who do the same, until it is closed or the process ends; `false` if somebody has it.
    ///
    /// # Errors
    /// Where there are no such locks.
    pub fn try_lock(&self) -> Result<bool, Errno> {
        match rustix::fs::flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Os::WOULDBLOCK) => Ok(false),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }

    /// File system and number: the same for every descriptor of one directory.
    pub fn identity(&self) -> Option<(u64, u64)> {
        let facts = rustix::fs::fstat(&self.fd).ok()?;
        Some((facts.st_dev, facts.st_ino))
    }

    /// A path that leads to this very directory as long as it is open, whatever becomes of its name.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.fd.as_fd().as_raw_fd()))
    }
}

fn is_bpffs(fd: &OwnedFd) -> Result<bool, FolderError> {
    // The width of the field differs between machines.
    #[allow(clippy::unnecessary_cast, reason = "32 bits on some machines")]
    Ok(rustix::fs::fstatfs(fd)?.f_type as u64 & 0xffff_ffff == MAGIC)
}

/// Somebody else than root and us.
fn owner(facts: &rustix::fs::Stat) -> Option<Distrust> {
    let uid = facts.st_uid;
    (uid != 0 && uid != rustix::process::geteuid().as_raw()).then_some(Distrust::Owner { uid })
}

/// Owner, kind and permissions; `sticky` also lets others write where they cannot remove what is not theirs.
fn trusted(facts: &rustix::fs::Stat, sticky: bool) -> Result<(), FolderError> {
    let distrust = |distrust| Err(FolderError::Distrusted(distrust));
    if FileType::from_raw_mode(facts.st_mode) != FileType::Directory {
        return distrust(Distrust::NoFolder);
    }
    if let Some(why) = owner(facts) {
        return distrust(why);
    }
    let mode = facts.st_mode & 0o7777;
    if mode & 0o022 != 0 && !(sticky && mode & 0o1000 != 0) {
        return distrust(Distrust::Writable { mode });
    }
    Ok(())
}
