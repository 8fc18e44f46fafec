//! The file system that holds pins: where it is mounted, pins and directories in it.
//!
//! The kernel takes no dots in the names there. Nothing is mounted unless [`ensure_mounted`] is called.

mod folder;
mod lasting;

pub use folder::{Distrust, Folder, FolderError};
pub use lasting::{Lasting, lasting};

use crate::syscall::{self, Extent, Pointer, bpf};
use crate::{Linux, syscall::mount_bpffs};
use bpf::attr::{Command, ObjAttr, Raw};
use bpf::{Errno, ObjectRef, PinEntry, PinEntryKind, Pinned};
use std::ffi::CString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where tools expect it.
pub const USUAL: &str = "/sys/fs/bpf";

/// What [`ensure_mounted`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mounting {
    /// It was there.
    AlreadyMounted,
    /// We mounted it.
    Mounted,
}

/// Mounts a bpffs at `path` (usually [`USUAL`]), an existing directory, unless there is one. What a directory holds is never covered by a mount.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`, `ENOENT` when the directory is missing, `ENOTEMPTY` when there is something in it.
pub fn ensure_mounted(path: &Path) -> Result<Mounting, Errno> {
    let path = path.canonicalize()?;
    if is_bpffs(&path) {
        return Ok(Mounting::AlreadyMounted);
    }
    if std::fs::read_dir(&path)?.next().is_some() {
        return Err(Errno::ENOTEMPTY);
    }
    mount_bpffs(&c_path(&path)?)?;
    Ok(Mounting::Mounted)
}

/// Whether [`ensure_mounted`] could do it, as far as shows without doing it.
///
/// # Errors
/// As [`ensure_mounted`].
pub fn can_mount(path: &Path) -> Result<(), Errno> {
    if std::fs::read_dir(path)?.next().is_some() {
        return Err(Errno::ENOTEMPTY);
    }
    match crate::Capabilities::current().has(crate::Capability::SysAdmin) {
        true => Ok(()),
        false => Err(Errno::EPERM),
    }
}

/// Unmounts a bpffs that [`ensure_mounted`] mounted and nothing was put into.
///
/// # Errors
/// `ENOTEMPTY`, and `EBUSY` while somebody has it open.
pub fn unmount_unused(path: &Path) -> Result<(), Errno> {
    // Two files that the kernel makes have a dot, which no pin can have.
    let is_pin = |name: &std::ffi::OsStr| !name.as_bytes().contains(&b'.');
    for entry in std::fs::read_dir(path)? {
        if is_pin(&entry?.file_name()) {
            return Err(Errno::ENOTEMPTY);
        }
    }
    Ok(rustix::mount::unmount(path, rustix::mount::UnmountFlags::NOFOLLOW).map_err(std::io::Error::from)?)
}

/// Where a bpffs is mounted in this mount namespace.
///
/// # Errors
/// When `/proc/self/mountinfo` cannot be read.
pub fn mounts() -> Result<Vec<PathBuf>, Errno> {
    let text = std::fs::read("/proc/self/mountinfo")?;
    let mounts = parse_mounts(&text).into_iter().filter(Mount::is_bpffs);
    Ok(mounts.map(|mount| mount.place).collect())
}

/// Whether a path, which may not exist yet, is on a bpffs.
pub fn is_bpffs(path: &Path) -> bool {
    let Some(existing) = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok()) else {
        return false;
    };
    let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    holder(&parse_mounts(&text), &existing).is_some_and(Mount::is_bpffs)
}

/// The mount that a path is on: the longest mount point wins; of several at one place the last.
fn holder<'a>(mounts: &'a [Mount], existing: &Path) -> Option<&'a Mount> {
    mounts
        .iter()
        .filter(|mount| existing.starts_with(&mount.place))
        .max_by_key(|mount| mount.place.as_os_str().len())
}

/// A line of `/proc/<pid>/mountinfo`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Its number, which no other mount of any mount namespace has.
    id: u32,
    /// The file system's device: the same wherever it is mounted.
    device: String,
    /// The groups that it gives its new mounts to and takes them from.
    groups: Groups,
    /// Which part of the file system is mounted.
    pub(crate) root: PathBuf,
    /// Where.
    pub(crate) place: PathBuf,
    /// The file system's type.
    pub(crate) kind: String,
}

/// How a mount takes part in mount propagation (mount_namespaces(7)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Groups {
    /// The group that it shares mounts with.
    shared: Option<u32>,
    /// The group that it only takes mounts from.
    master: Option<u32>,
}

impl Mount {
    fn is_bpffs(&self) -> bool {
        self.kind == "bpf"
    }
}

/// The first word of a line is the number, the third the device, the fourth the part, the fifth the place; from the seventh on come the groups, after ` - `
/// the type (proc(5)).
pub(crate) fn parse_mounts(text: &[u8]) -> Vec<Mount> {
    let path = |word: &[u8]| PathBuf::from(std::ffi::OsString::from_vec(unescape(word)));
    let line = |line: &[u8]| {
        let mut words = line.split(|byte| *byte == b' ');
        let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse().ok();
        let id = number(words.next()?)?;
        let device = String::from_utf8_lossy(words.nth(1)?).into_owned();
        let root = path(words.next()?);
        let place = path(words.next()?);
        let mut groups = Groups::default();
        for word in words.by_ref().skip(1).take_while(|word| *word != b"-") {
            if let Some(group) = word.strip_prefix(b"shared:") {
                groups.shared = number(group);
            } else if let Some(group) = word.strip_prefix(b"master:") {
                groups.master = number(group);
            }
        }
        let kind = words.next()?;
        Some(Mount {
            id,
            device,
            groups,
            root,
            place,
            kind: String::from_utf8_lossy(kind).into_owned(),
        })
    };
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// `\040` is a space.
fn unescape(word: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let octal = after.first_chunk::<3>().filter(|_| *first == b'\\');
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = &after[3..];
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

fn c_path(path: &Path) -> Result<CString, Errno> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)
}

pub(crate) fn pin(path: &Path, object: ObjectRef<'_>) -> Result<(), Errno> {
    object_call(Command::ObjPin, path, object.raw()).map(drop)
}

pub(crate) fn get(linux: &Linux, path: &Path) -> Result<Pinned, Errno> {
    let raw = object_call(Command::ObjGet, path, 0)?;
    // What it is shows in the description of the descriptor: each kind has a line of its own.
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{raw}"));
    let has = |name: &str| {
        text.as_ref()
            .is_ok_and(|text| text.lines().any(|line| line.starts_with(name)))
    };
    if has("link_type:") {
        Ok(Pinned::Link(linux.adopt(raw)))
    } else if has("map_type:") {
        Ok(Pinned::Map(linux.adopt(raw)))
    } else if has("prog_type:") {
        Ok(Pinned::Prog(linux.adopt(raw)))
    } else {
        syscall::close(raw);
        Err(Errno::EPROTO)
    }
}

fn object_call(command: Command, path: &Path, fd: i32) -> Result<i32, Errno> {
    let mut path = c_path(path)?.into_bytes_with_nul();
    let mut attr = ObjAttr {
        bpf_fd: fd as u32,
        ..ObjAttr::default()
    }
    .encode();
    let mut pointers = [Pointer {
        within: None,
        offset: 0,
        memory: &mut path,
        extent: Extent::CString,
    }];
    bpf(command, &mut attr, &mut pointers)
}

pub(crate) fn remove(path: &Path) -> Result<(), Errno> {
    Ok(std::fs::remove_file(path)?)
}

pub(crate) fn create_dir(path: &Path) -> Result<(), Errno> {
    if !is_bpffs(path) {
        return Err(Errno::EPERM);
    }
    Ok(std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?)
}

pub(crate) fn list(path: &Path) -> Result<Vec<PinEntry>, Errno> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let kind = match entry.file_type()? {
            kind if kind.is_dir() => PinEntryKind::Directory,
            kind if kind.is_file() => PinEntryKind::Pin,
            _ => PinEntryKind::Other,
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        entries.push(PinEntry { name, kind });
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read() {
        let text = b"22 1 0:20 / /sys rw - sysfs sysfs rw\n\
            30 22 0:29 / /sys/fs/bpf rw,nosuid shared:9 - bpf bpf rw,mode=700\n\
            31 1 0:30 / /run/a\\040b rw - bpf none rw\n\
            32 1 0:4 net:[4026532008] /run/netns/web rw shared:7 - nsfs nsfs rw\n";
        let mounts = parse_mounts(text);
        assert_eq!(mounts.len(), 4);
        let seen = |index: usize| (mounts[index].place.to_str().unwrap(), mounts[index].kind.as_str());
        assert_eq!((seen(1), seen(2)), (("/sys/fs/bpf", "bpf"), ("/run/a b", "bpf")));
        assert!(mounts[1].is_bpffs() && !mounts[0].is_bpffs());
        assert_eq!(
            (seen(3), mounts[3].root.to_str()),
            (("/run/netns/web", "nsfs"), Some("net:[4026532008]"))
        );
    }
}
