//! Replaceable, verified functions in a process of your own: an algorithm is loaded into the embedded kernel, exchanged for another, brought back and
//! unloaded, by the same calls as on a Linux host. `cargo run -p opswap --example in_process`

use opswap::{Bpf, Embedded, Host, Settings, Source};
use std::sync::Arc;

fn main() -> Result<(), opswap::Error> {
    let embedded = Embedded::new()?;
    let kernel: Arc<dyn Bpf> = embedded.kernel.clone();
    // The pins of an embedded kernel are names in its memory; the path is a custom only.
    let host = Host::new(&kernel, "/sys/fs/bpf".as_ref());

    let loaded = host.load(&Source::find("reno")?, &Settings::default())?;
    let name = loaded[0].name.as_str();
    // A socket that chooses now keeps this table through every exchange.
    let chosen = embedded.registry.find(name);
    show("loaded", &host)?;

    host.swap(name, &Source::find("cubic")?, &Settings::default())?;
    show("swapped", &host)?;
    host.rollback(name)?;
    show("rolled back", &host)?;

    drop(chosen);
    host.unload(name)?;
    show("unloaded", &host)?;
    assert!(embedded.registry.find(name).is_none());
    Ok(())
}

fn show(what: &str, host: &Host) -> Result<(), opswap::Error> {
    let tables = host.list()?;
    let states: Vec<String> = tables
        .iter()
        .map(|table| format!("{} v{} {}", table.name, table.version.unwrap_or(0), table.state))
        .collect();
    eprintln!("{what:<12} {}", states.join(", "));
    Ok(())
}
