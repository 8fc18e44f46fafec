//! Network namespaces (namespaces(7)): those that this process can find, and doing something inside one.
//!
//! A namespace has no name of its own: it is told apart by its inode, and found where a process lives in it (`/proc/<pid>/ns/net`) or where it is
//! mounted (`ip netns` does so in `/run/netns`). One that only an open descriptor, a socket or a thread beside a process's first keeps is not found.

use crate::bpffs::parse_mounts;
use bpf::Errno;
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where `ip netns` mounts them.
const NAMED: [&str; 2] = ["/run/netns", "/var/run/netns"];

/// A network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its number, unique while it exists.
    pub inode: u64,
    /// The name that `ip netns` gave it, or where else it is mounted.
    pub name: Option<String>,
    /// The first process that lives in it.
    pub pid: Option<u32>,
    /// Where it can be opened.
    path: PathBuf,
}

/// What [`all`] found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// By inode.
    pub namespaces: Vec<Namespace>,
    /// How many processes did not let us see in which namespace they live.
    pub hidden_processes: u32,
}

/// Every namespace that this process can find.
pub fn all() -> Found {
    let mut found = Found::default();
    let mut by_inode: BTreeMap<u64, Namespace> = BTreeMap::new();
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<u32> = pids
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    for pid in pids {
        let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
        match std::fs::metadata(&path) {
            Ok(facts) => {
                by_inode.entry(facts.ino()).or_insert(Namespace {
                    inode: facts.ino(),
                    name: None,
                    pid: Some(pid),
                    path,
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => found.hidden_processes += 1,
            Err(_) => {} // it has ended
        }
    }
    for (inode, path) in mounted() {
        let namespace = by_inode.entry(inode).or_insert(Namespace {
            inode,
            name: None,
            pid: None,
            path: path.clone(),
        });
        namespace.name.get_or_insert_with(|| name(&path));
    }
    found.namespaces = by_inode.into_values().collect();
    found
}

/// Namespaces that are mounted somewhere: the root of such a mount is called `net:[<inode>]`.
fn mounted() -> Vec<(u64, PathBuf)> {
    let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    let inode = |root: &Path| root.to_str()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok();
    let namespaces = parse_mounts(&text).into_iter().filter(|mount| mount.kind == "nsfs");
    namespaces
        .filter_map(|mount| Some((inode(&mount.root)?, mount.place)))
        .collect()
}

fn name(path: &Path) -> String {
    let named = NAMED.iter().find_map(|folder| path.strip_prefix(folder).ok());
    named.unwrap_or(path).to_string_lossy().into_owned()
}

impl Namespace {
    /// Runs something inside, on a thread of its own. Sockets that it opens stay there; `/proc/sys/net` is the namespace's.
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_ADMIN`, `ENOENT` when it is gone.
    pub fn inside<T: Send>(&self, run: impl FnOnce() -> T + Send) -> Result<T, Errno> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file =
            std::fs::File::from(rustix::fs::open(&self.path, flags, Mode::empty()).map_err(std::io::Error::from)?);
        // Another process may have the number by now, and another mount the place.
        if file.metadata()?.ino() != self.inode {
            return Err(Errno::ENOENT);
        }
        // Where a thread is already it may stay, whatever its rights.
        let own = std::fs::metadata("/proc/thread-self/ns/net").is_ok_and(|facts| facts.ino() == self.inode);
        let entered = || {
            if own {
                return Ok(run());
            }
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).map_err(std::io::Error::from)?;
            Ok(run())
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, entered)?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Opens TCP sockets in the calling thread's namespace; they connect to nothing.
///
/// # Errors
/// `EMFILE`, or `EAFNOSUPPORT` where there is no IPv4.
pub fn tcp_sockets(count: u32) -> Result<Vec<OwnedFd>, Errno> {
    let open = |_| {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        Ok(socket.map_err(std::io::Error::from)?)
    };
    (0..count).map(open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_is_among_them() {
        let own = std::fs::metadata("/proc/self/ns/net").map(|facts| facts.ino());
        let Ok(own) = own else {
            return eprintln!("SKIPPED, not tested: no /proc here");
        };
        assert!(all().namespaces.iter().any(|namespace| namespace.inode == own));
    }

    #[test]
    fn mounted_ones_have_the_name_of_ip_netns() {
        for (path, wanted) in [
            ("/run/netns/web", "web"),
            ("/var/run/netns/a b", "a b"),
            ("/run/docker/netns/1", "/run/docker/netns/1"),
        ] {
            assert_eq!(name(Path::new(path)), wanted);
        }
    }
}
