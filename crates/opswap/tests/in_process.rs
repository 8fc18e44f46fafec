//! What the command does on a Linux host, an application does on the embedded kernel by the same calls.

use opswap::{Bpf, Embedded, Error, Host, HostError, Settings, Source, State};
use std::sync::Arc;

fn states(host: &Host) -> Vec<(u32, State)> {
    let tables = host.list().expect("the kernel answers");
    tables
        .iter()
        .map(|table| (table.version.unwrap_or(0), table.state))
        .collect()
}

#[test]
fn load_swap_rollback_unload() {
    let embedded = Embedded::new().expect("a kernel");
    let kernel: Arc<dyn Bpf> = embedded.kernel.clone();
    let host = Host::new(&kernel, "/sys/fs/bpf".as_ref());
    let source = |name: &str| Source::find(name).expect("it is shipped");

    let loaded = host
        .load(&source("reno"), &Settings::default())
        .expect("it is accepted");
    let name = loaded[0].name.as_str();
    let first = embedded.registry.find(name).expect("sockets can choose it");
    assert_eq!(states(&host), [(1, State::Live)]);

    host.swap(name, &source("cubic"), &Settings::default())
        .expect("it is accepted");
    assert_eq!(states(&host), [(1, State::Kept), (2, State::Live)]);
    let second = embedded.registry.find(name).expect("sockets can choose it");
    assert_ne!(first.as_ptr(), second.as_ptr(), "a new socket gets the new table");

    host.rollback(name).expect("the previous version is kept");
    assert_eq!(states(&host), [(1, State::Live), (2, State::Kept)]);
    let again = embedded.registry.find(name).expect("sockets can choose it");
    assert_eq!(first.as_ptr(), again.as_ptr(), "the very table of before");

    drop((first, second, again));
    host.unload(name).expect("it is registered");
    assert_eq!(states(&host), []);
    assert!(embedded.registry.find(name).is_none());
    assert!(matches!(
        host.unload(name),
        Err(Error::Host(HostError::NotRegistered { .. }))
    ));
}
