//! The file system that holds pins: where it is mounted, pins and directories in it.
//!
//! The kernel takes no dots in the names there. Nothing is mounted unless [`ensure_mounted`] is called.

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

/// Where a bpffs is mounted in this mount namespace.
///
/// # Errors
/// When `/proc/self/mountinfo` cannot be read.
pub fn mounts() -> Result<Vec<PathBuf>, Errno> {
    let text = std::fs::read("/proc/self/mountinfo")?;
    Ok(parse_mounts(&text)
        .into_iter()
        .filter(|(_, is_bpffs)| *is_bpffs)
        .map(|(path, _)| path)
        .collect())
}

/// Whether a path, which may not exist yet, is on a bpffs.
pub fn is_bpffs(path: &Path) -> bool {
    let Some(existing) = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok()) else {
        return false;
    };
    let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mounts = parse_mounts(&text);
    // The longest mount point wins; of several at one place the last.
    let holder = mounts
        .iter()
        .filter(|(at, _)| existing.starts_with(at))
        .max_by_key(|(at, _)| at.as_os_str().len());
    holder.is_some_and(|(_, is_bpffs)| *is_bpffs)
}

/// Mount points, and whether they are a bpffs. The fifth word of a line is the place, the one after ` - ` the type (proc(5)).
fn parse_mounts(text: &[u8]) -> Vec<(PathBuf, bool)> {
    let line = |line: &[u8]| {
        let mut words = line.split(|byte| *byte == b' ');
        let place = unescape(words.nth(4)?);
        let kind = words.skip_while(|word| *word != b"-").nth(1)?;
        Some((PathBuf::from(std::ffi::OsString::from_vec(place)), kind == b"bpf"))
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
        let kind = if entry.file_type()?.is_dir() {
            PinEntryKind::Directory
        } else {
            PinEntryKind::Pin
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
            31 1 0:30 / /run/a\\040b rw - bpf none rw\n";
        let mounts = parse_mounts(text);
        assert_eq!(mounts.len(), 3);
        assert_eq!(mounts[1], (PathBuf::from("/sys/fs/bpf"), true));
        assert_eq!(mounts[2], (PathBuf::from("/run/a b"), true));
        assert!(!mounts[0].1);
    }
}
