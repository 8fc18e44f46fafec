//! Two network namespaces joined by a veth pair, for real TCP that touches nothing outside.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where connections come from: 10.77.0.1.
    Client,
    /// Where they go: 10.77.0.2.
    Server,
}

impl Side {
    /// Its address.
    pub fn address(self) -> Ipv4Addr {
        match self {
            Self::Client => Ipv4Addr::new(10, 77, 0, 1),
            Self::Server => Ipv4Addr::new(10, 77, 0, 2),
        }
    }
}

/// The pair; both namespaces are removed when it is dropped.
#[derive(Debug)]
pub struct NetPair {
    client: String,
    server: String,
}

/// Beginning of the namespaces' names; the process follows.
const PREFIX: &str = "oswt-";

impl NetPair {
    /// Makes both namespaces and joins them. Ask [`crate::linux_or_skip`] and [`crate::tool_or_skip`] for `ip` first.
    ///
    /// # Panics
    /// When `ip` fails; what it had made is removed.
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        remove_orphans();
        let name = crate::unique_name("").replace('_', "-");
        let pair = Self {
            client: format!("{PREFIX}{name}-c"),
            server: format!("{PREFIX}{name}-s"),
        };
        let Self { client, server } = &pair;
        ip(&["netns", "add", client]);
        ip(&["netns", "add", server]);
        ip(&[
            "link", "add", "veth0", "netns", client, "type", "veth", "peer", "name", "veth0", "netns", server,
        ]);
        for side in [Side::Client, Side::Server] {
            let namespace = pair.namespace(side);
            let address = format!("{}/24", side.address());
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
            ip(&["-n", namespace, "address", "add", &address, "dev", "veth0"]);
            ip(&["-n", namespace, "link", "set", "veth0", "up"]);
        }
        pair
    }

    /// Name of a namespace, for `ip netns exec`.
    pub fn namespace(&self, side: Side) -> &str {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// Runs something inside a namespace, on a thread of its own; sockets that it opens stay there.
    ///
    /// # Panics
    /// When the namespace cannot be entered, or with the panic of what runs.
    pub fn inside<T: Send>(&self, side: Side, run: impl FnOnce() -> T + Send) -> T {
        let path = format!("/run/netns/{}", self.namespace(side));
        let entered = || {
            enter(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            run()
        };
        let result = std::thread::scope(|scope| scope.spawn(entered).join());
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for NetPair {
    fn drop(&mut self) {
        remove(&self.client);
        remove(&self.server);
    }
}

fn enter(path: &str) -> io::Result<()> {
    let namespace = File::open(path)?;
    Ok(move_into_link_name_space(
        namespace.as_fd(),
        Some(LinkNameSpaceType::Network),
    )?)
}

fn ip(words: &[&str]) {
    let output = Command::new("ip").args(words).output().expect("ip (iproute2)");
    assert!(
        output.status.success(),
        "ip {}: {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn remove(namespace: &str) {
    let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
}

/// Removes namespaces of test processes that were killed.
fn remove_orphans() {
    let Ok(entries) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if crate::names::is_of_dead_process(&name, PREFIX) {
            remove(&name);
        }
    }
}
