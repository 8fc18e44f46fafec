//! Pins: a tree of names in memory that hold objects, with the rules of a bpffs (`kernel/bpf/inode.c`, Linux 6.12).

use crate::tables::Object;
use bpf::{Errno, PinEntry, PinEntryKind};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where the file system is mounted; it begins empty.
const MOUNT: &str = "/sys/fs/bpf";

/// Longest name.
const NAME_MAX: usize = 255;

/// The pins of one kernel.
#[derive(Debug)]
pub(crate) struct Pins {
    nodes: Mutex<BTreeMap<PathBuf, Node>>,
}

#[derive(Debug)]
enum Node {
    Directory,
    Pin(Object),
}

impl Default for Pins {
    fn default() -> Self {
        Self {
            nodes: Mutex::new([(PathBuf::from(MOUNT), Node::Directory)].into()),
        }
    }
}

impl Pins {
    pub(crate) fn pin(&self, path: &Path, object: Object) -> Result<(), Errno> {
        let path = normal(path)?;
        let mut nodes = self.lock();
        parent_is_directory(&nodes, &path)?;
        if nodes.contains_key(&path) {
            return Err(Errno::EEXIST);
        }
        check_name(&path)?;
        nodes.insert(path, Node::Pin(object));
        Ok(())
    }

    pub(crate) fn get(&self, path: &Path) -> Result<Object, Errno> {
        match self.lock().get(&normal(path)?) {
            Some(Node::Pin(object)) => Ok(object.clone()),
            Some(Node::Directory) => Err(Errno::EACCES),
            None => Err(Errno::ENOENT),
        }
    }

    pub(crate) fn remove(&self, path: &Path) -> Result<(), Errno> {
        let path = normal(path)?;
        let mut nodes = self.lock();
        match nodes.get(&path) {
            None => return Err(Errno::ENOENT),
            Some(Node::Directory) => return Err(Errno::EISDIR),
            Some(Node::Pin(_)) => {}
        }
        let gone = nodes.remove(&path);
        drop(nodes);
        // Without the lock: the object may end with it.
        drop(gone);
        Ok(())
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), Errno> {
        let (from, to) = (normal(from)?, normal(to)?);
        let mut nodes = self.lock();
        match (nodes.get(&from), nodes.get(&to)) {
            (None, _) => return Err(Errno::ENOENT),
            (Some(Node::Directory), _) => return Err(Errno::EPERM),
            (Some(Node::Pin(_)), Some(Node::Directory)) => return Err(Errno::EISDIR),
            (Some(Node::Pin(_)), _) => {}
        }
        parent_is_directory(&nodes, &to)?;
        check_name(&to)?;
        if from == to {
            return Ok(());
        }
        let replaced = match nodes.remove(&from) {
            Some(pin) => nodes.insert(to, pin),
            None => None,
        };
        drop(nodes);
        drop(replaced);
        Ok(())
    }

    pub(crate) fn create_directory(&self, path: &Path) -> Result<(), Errno> {
        let path = normal(path)?;
        if !path.starts_with(MOUNT) {
            return Err(Errno::EPERM);
        }
        let mut nodes = self.lock();
        let mut missing = Vec::new();
        for part in path.ancestors() {
            match nodes.get(part) {
                None => missing.push(part.to_owned()),
                Some(Node::Directory) => break,
                Some(Node::Pin(_)) => return Err(Errno::ENOTDIR),
            }
        }
        missing.iter().try_for_each(|part| check_name(part))?;
        nodes.extend(missing.into_iter().map(|part| (part, Node::Directory)));
        Ok(())
    }

    pub(crate) fn remove_directory(&self, path: &Path) -> Result<(), Errno> {
        let path = normal(path)?;
        let mut nodes = self.lock();
        match nodes.get(&path) {
            None => return Err(Errno::ENOENT),
            Some(Node::Pin(_)) => return Err(Errno::ENOTDIR),
            Some(Node::Directory) if path == Path::new(MOUNT) => return Err(Errno::EBUSY),
            Some(Node::Directory) => {}
        }
        if nodes.keys().any(|other| other.parent() == Some(&path)) {
            return Err(Errno::ENOTEMPTY);
        }
        nodes.remove(&path);
        Ok(())
    }

    pub(crate) fn list(&self, path: &Path) -> Result<Vec<PinEntry>, Errno> {
        let path = normal(path)?;
        let nodes = self.lock();
        match nodes.get(&path) {
            None => return Err(Errno::ENOENT),
            Some(Node::Pin(_)) => return Err(Errno::ENOTDIR),
            Some(Node::Directory) => {}
        }
        let inside = nodes.iter().filter(|(other, _)| other.parent() == Some(&path));
        let mut entries: Vec<PinEntry> = inside
            .filter_map(|(other, node)| {
                Some(PinEntry {
                    name: other.file_name()?.to_string_lossy().into_owned(),
                    kind: match node {
                        Node::Directory => PinEntryKind::Directory,
                        Node::Pin(_) => PinEntryKind::Pin,
                    },
                })
            })
            .collect();
        entries.sort();
        Ok(entries)
    }

    /// Removes everything; what it held ends if nobody else holds it.
    pub(crate) fn clear(&self) {
        let nodes = std::mem::take(&mut *self.lock());
        drop(nodes);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An absolute path without `.` and `//`; `..` is not followed.
fn normal(path: &Path) -> Result<PathBuf, Errno> {
    let usual = |part: &Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if !path.is_absolute() || !path.components().all(|part| usual(&part)) {
        return Err(Errno::EINVAL);
    }
    Ok(path.components().collect())
}

fn parent_is_directory(nodes: &BTreeMap<PathBuf, Node>, path: &Path) -> Result<(), Errno> {
    if !path.starts_with(MOUNT) {
        return Err(Errno::EINVAL);
    }
    match path.parent().and_then(|parent| nodes.get(parent)) {
        Some(Node::Directory) => Ok(()),
        Some(Node::Pin(_)) => Err(Errno::ENOTDIR),
        None => Err(Errno::ENOENT),
    }
}

/// Names with a dot are kept for the kernel (`bpf_lookup`).
fn check_name(path: &Path) -> Result<(), Errno> {
    let name = path.file_name().unwrap_or_default();
    if name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    if name.as_encoded_bytes().contains(&b'.') {
        return Err(Errno::EPERM);
    }
    Ok(())
}
