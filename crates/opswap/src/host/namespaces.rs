//! Network namespaces whose default congestion control is an algorithm of ours, and giving them the table that is live.
//!
//! Writing `net.ipv4.tcp_congestion_control` looks the name up once: the namespace holds the table that had it then, and goes on giving that one to
//! new sockets after a swap, a rollback and an unload, until the file is written again (`tcp_set_default_congestion_control`, net/ipv4/tcp_cong.c,
//! Linux 6.18). So it is written again here, wherever that is safe.
//!
//! It is not safe in a namespace other than the first for a table without `non_restricted`: the kernel answers EPERM and loses a reference on
//! the table. What counts is the flag as the kernel has it now, and `tcp_allowed_congestion_control` lists the names that have it. In the first
//! namespace any name may be written, and the kernel then sets the flag.

use super::{Host, Table};
use bpf::{Errno, StructOpsValue};
use linux::netns;
use serde::{Serialize, Serializer};
use std::fmt;

const DEFAULT: &str = "/proc/sys/net/ipv4/tcp_congestion_control";
const ALLOWED: &str = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";
/// A setting that only the first namespace has (`ipv4_table` of net/ipv4/sysctl_net_ipv4.c).
const FIRST_ONLY: &str = "/proc/sys/net/ipv4/tcp_mem";

/// A network namespace, as far as it can be told apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Namespace {
    /// The name that `ip netns` knows, or where else it is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its number: that of `/proc/<pid>/ns/net`.
    pub inode: u64,
    /// A process that lives in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Whether it is the one that the system starts with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub initial: bool,
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.initial, &self.name, self.pid) {
            (true, ..) => f.write_str("the initial namespace"),
            (_, Some(name), _) => write!(f, "namespace {name}"),
            (_, None, Some(pid)) => write!(f, "the namespace of process {pid}"),
            (_, None, None) => write!(f, "namespace net:[{}]", self.inode),
        }
    }
}

impl Namespace {
    /// A few letters for a table.
    pub fn short(&self) -> String {
        match (self.initial, &self.name, self.pid) {
            (true, ..) => "initial".to_owned(),
            (_, Some(name), _) => name.clone(),
            (_, None, Some(pid)) => format!("pid {pid}"),
            (_, None, None) => format!("net:[{}]", self.inode),
        }
    }

    /// The words before a command that run it inside.
    pub fn command_prefix(&self) -> String {
        match (self.initial, &self.name, self.pid) {
            (false, Some(name), _) if !name.contains('/') => format!("ip netns exec {} ", quoted(name)),
            (false, Some(path), _) => format!("nsenter --net={} ", quoted(path)),
            (false, None, Some(pid)) => format!("nsenter --net --target {pid} "),
            _ => String::new(),
        }
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// What became of a namespace whose default is the algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Renewal {
    /// Which one.
    #[serde(flatten)]
    pub namespace: Namespace,
    /// Its default now; absent if it could not be entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether the default was written anew, so that new sockets there get the table that is live now.
    pub renewed: bool,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<NotRenewed>,
}

/// Why a namespace was left with the table that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotRenewed {
    /// The table is not for every namespace.
    Restricted,
    /// It cannot be entered.
    Closed(Errno),
    /// The setting cannot be written.
    Write(Errno),
    /// It was not asked for.
    NotAsked,
}

impl fmt::Display for NotRenewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restricted => f.write_str(
                "the algorithm is without the flag non_restricted, which Linux asks for there; the write would fail and cost a reference for good",
            ),
            Self::Closed(errno) => write!(f, "it cannot be entered: {errno}"),
            Self::Write(errno) => write!(f, "net.ipv4.tcp_congestion_control cannot be written there: {errno}"),
            Self::NotAsked => f.write_str("it was not asked for"),
        }
    }
}

impl Serialize for NotRenewed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The namespaces whose default is `name`, the first one first, and those that cannot be entered with what the kernel says.
struct Users {
    found: Vec<(netns::Namespace, Namespace)>,
    unreachable: Vec<Renewal>,
    hidden_processes: u32,
}

/// Looks into every namespace that can be entered; with each its default.
fn defaults() -> (Vec<(netns::Namespace, Namespace, String)>, Vec<Renewal>, u32) {
    let all = netns::all();
    let (mut found, mut unreachable) = (Vec::new(), Vec::new());
    for space in all.namespaces {
        let mut namespace = Namespace {
            name: space.name.clone(),
            inode: space.inode,
            pid: space.pid,
            initial: false,
        };
        let look = || (read(DEFAULT), std::path::Path::new(FIRST_ONLY).exists());
        match space.inside(look) {
            Ok((Some(default), initial)) => {
                namespace.initial = initial;
                found.push((space, namespace, default));
            }
            // One without IPv4 has no default; one that is gone needs none.
            Ok((None, _)) | Err(Errno::ENOENT) => {}
            Err(errno) => unreachable.push(Renewal {
                namespace,
                default: None,
                renewed: false,
                why: Some(NotRenewed::Closed(errno)),
            }),
        }
    }
    found.sort_by_key(|(_, namespace, _)| (!namespace.initial, namespace.inode));
    (found, unreachable, all.hidden_processes)
}

fn read(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim_end().to_owned())
}

/// Whether every namespace may have it as its default, as the kernel has it now.
pub(super) fn is_allowed(name: &str) -> bool {
    read(ALLOWED).is_some_and(|names| names.split_whitespace().any(|allowed| allowed == name))
}

/// The namespaces whose default is `name`.
fn users(name: &str) -> Users {
    let (found, unreachable, hidden_processes) = defaults();
    let found = found.into_iter().filter(|(_, _, default)| default == name);
    Users {
        found: found.map(|(space, namespace, _)| (space, namespace)).collect(),
        unreachable,
        hidden_processes,
    }
}

/// The namespaces that hold `name` and must not hold it once it is without `non_restricted`. If the first namespace has it too and will be written, the
/// kernel sets the flag.
pub(super) fn who_would_lose(name: &str, written: bool) -> Vec<Namespace> {
    let found = users(name).found;
    if written && found.iter().any(|(_, namespace)| namespace.initial) {
        return Vec::new();
    }
    let others = found.into_iter().map(|(_, namespace)| namespace);
    others.filter(|namespace| !namespace.initial).collect()
}

impl Host {
    /// After another table got the name: what became of the namespaces whose default it is, and how many processes did not let us see theirs.
    pub(super) fn renew(&self, name: &str, kind: &str) -> (Vec<Renewal>, u32) {
        self.write_defaults(name, kind, self.renews.then_some(name))
    }

    /// After no table has the name any more.
    pub(super) fn after_unload(&self, name: &str, kind: &str, fallback: Option<&str>) -> (Vec<Renewal>, u32) {
        self.write_defaults(name, kind, fallback)
    }

    fn write_defaults(&self, name: &str, kind: &str, wanted: Option<&str>) -> (Vec<Renewal>, u32) {
        if !self.on_linux || kind != super::TCP {
            return (Vec::new(), 0);
        }
        let users = users(name);
        let hidden_processes = users.hidden_processes;
        let renewals = match wanted {
            Some(wanted) => renew(name, wanted, users),
            None => left_alone(name, users),
        };
        (renewals, hidden_processes)
    }

    /// Says of each table in which namespaces new sockets get it.
    pub(super) fn mark_defaults(&self, tables: &mut [Table]) {
        if self.on_linux {
            mark(tables, |map_id| self.references(map_id));
        }
    }

    /// The references on a table now.
    fn references(&self, map_id: u32) -> Option<u32> {
        let map = self.bpf.map_by_id(map_id).ok()?;
        let value = self.bpf.map_lookup(&map, &[0; 4]).ok()?;
        StructOpsValue::parse(&value, 0).map(|value| value.refcnt)
    }
}

/// Gives every namespace whose default is `name` the default `wanted` (the same name, for the table that has it now).
fn renew(name: &str, wanted: &str, users: Users) -> Vec<Renewal> {
    let mut renewals = Vec::new();
    for (space, namespace) in users.found {
        let initial = namespace.initial;
        let written = move || {
            // Somebody may have chosen another one since we looked.
            let now = read(DEFAULT).unwrap_or_default();
            if now != name {
                return (now, None);
            }
            if !initial && !is_allowed(wanted) {
                return (now, Some(Err(NotRenewed::Restricted)));
            }
            match std::fs::write(DEFAULT, wanted) {
                Ok(()) => (wanted.to_owned(), Some(Ok(()))),
                Err(error) => (now, Some(Err(NotRenewed::Write(error.into())))),
            }
        };
        let (default, outcome) = match space.inside(written) {
            Ok((_, None)) | Err(Errno::ENOENT) => continue,
            Ok((default, Some(outcome))) => (Some(default), outcome),
            Err(errno) => (None, Err(NotRenewed::Closed(errno))),
        };
        renewals.push(Renewal {
            namespace,
            default,
            renewed: outcome.is_ok(),
            why: outcome.err(),
        });
    }
    renewals.extend(users.unreachable);
    renewals
}

/// The same for a caller that changes nothing: who has it, and why it was left alone.
fn left_alone(name: &str, users: Users) -> Vec<Renewal> {
    let left = users.found.into_iter().map(|(_, namespace)| Renewal {
        namespace,
        default: Some(name.to_owned()),
        renewed: false,
        why: Some(NotRenewed::NotAsked),
    });
    left.chain(users.unreachable).collect()
}

/// Says of each table in which namespaces new sockets get it.
fn mark(tables: &mut [Table], references: impl Fn(u32) -> Option<u32>) {
    if tables.iter().all(|table| table.name.is_empty()) {
        return;
    }
    let (found, ..) = defaults();
    for (space, namespace, default) in found {
        let of_name = |table: &&mut Table| table.name == default && table.kind == super::TCP && table.references > 0;
        let candidates: Vec<u32> = tables.iter_mut().filter(of_name).map(|table| table.map_id).collect();
        let held = match candidates[..] {
            [] => continue,
            [only] => Some(only),
            _ => handed_out(&space, &candidates, &references),
        };
        if let Some(table) = tables.iter_mut().find(|table| Some(table.map_id) == held) {
            table.default_in.push(namespace);
        }
    }
}

/// How many sockets tell tables apart: more than others are likely to open at the same moment.
const PROBES: u32 = 5;
const TRIES: u32 = 4;

/// Which of several tables of one name a namespace gives to new sockets: the one whose references grow by as many sockets as are opened there. They
/// connect to nothing, so that no program runs. `None` if it cannot be told for all that others open meanwhile.
fn handed_out(space: &netns::Namespace, maps: &[u32], references: &impl Fn(u32) -> Option<u32>) -> Option<u32> {
    let count = || -> Vec<u32> { maps.iter().map(|map| references(*map).unwrap_or(0)).collect() };
    for _ in 0..TRIES {
        let before = count();
        let sockets = space.inside(|| netns::tcp_sockets(PROBES)).ok()?.ok()?;
        let during = count();
        drop(sockets);
        let grown: Vec<u32> = before
            .iter()
            .zip(&during)
            .zip(maps)
            .filter(|((before, during), _)| during.saturating_sub(**before) >= PROBES)
            .map(|(_, map)| *map)
            .collect();
        if let [only] = grown[..] {
            return Some(only);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Namespace;

    #[test]
    fn a_namespace_is_told_by_what_is_known_of_it() {
        let namespace = |name: Option<&str>, pid, initial| Namespace {
            name: name.map(str::to_owned),
            inode: 7,
            pid,
            initial,
        };
        for (namespace, shown, short, prefix) in [
            (
                namespace(Some("web"), Some(3), false),
                "namespace web",
                "web",
                "ip netns exec web ",
            ),
            (
                namespace(Some("it's"), None, false),
                "namespace it's",
                "it's",
                "ip netns exec 'it'\\''s' ",
            ),
            (
                namespace(Some("/run/docker/netns/1"), None, false),
                "namespace /run/docker/netns/1",
                "/run/docker/netns/1",
                "nsenter --net=/run/docker/netns/1 ",
            ),
            (
                namespace(None, Some(3), false),
                "the namespace of process 3",
                "pid 3",
                "nsenter --net --target 3 ",
            ),
            (namespace(None, None, false), "namespace net:[7]", "net:[7]", ""),
            (
                namespace(Some("web"), Some(1), true),
                "the initial namespace",
                "initial",
                "",
            ),
        ] {
            assert_eq!(
                (namespace.to_string().as_str(), namespace.short().as_str()),
                (shown, short)
            );
            assert_eq!(namespace.command_prefix(), prefix);
        }
    }
}
