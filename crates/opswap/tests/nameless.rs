//! A kind whose tables carry no name, which only a kernel of this test has: it is loaded, swapped and unloaded by the name that `load` gave, whatever
//! the variable of a later version is called.

use bpf::Errno;
use btf::{BtfType, Builder};
use kernel::{Family, Kernel, Member, Module, Stub, Table};
use opswap::{Bpf, Error, FieldValue, Host, HostError, Settings, Source, State};
use std::sync::{Arc, Mutex};

/// The operations structure.
#[derive(BtfType)]
#[repr(C)]
#[btf(name = "lamp_ops")]
struct LampOps {
    level: Option<unsafe extern "C" fn(hour: u32) -> i32>,
    watts: u32,
    colour: u32,
}

/// One table at a time.
#[derive(Debug, Default)]
struct Lamps(Mutex<Option<Module>>);

// SAFETY: `level` gets a number and returns one, and nobody calls it.
unsafe impl Family for Lamps {
    fn name(&self) -> &'static str {
        "lamp_ops"
    }

    fn add_types(&self, types: &mut Builder) {
        types.add_rust::<LampOps>();
    }

    fn stub(&self, member: &str) -> Option<Stub> {
        (member == "level").then_some(Stub::PLAIN)
    }

    fn init_member(&self, member: &Member, _user: &[u8], _kernel: &mut [u8]) -> Result<bool, Errno> {
        Ok(matches!(member.name.as_str(), "watts" | "colour"))
    }

    fn reg(&self, _table: &Table, module: Module) -> Result<(), Errno> {
        self.0.lock().unwrap().replace(module);
        Ok(())
    }

    fn update(&self, _new: &Table, module: Module, _old: &Table) -> Result<(), Errno> {
        self.0.lock().unwrap().replace(module);
        Ok(())
    }

    fn has_update(&self) -> bool {
        true
    }

    fn unreg(&self, _table: &Table) {
        self.0.lock().unwrap().take();
    }
}

fn source(name: &str) -> Source {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    Source::find(format!("{folder}/{name}.bpf.o")).expect("it is there")
}

fn set(words: &[&str]) -> Settings {
    Settings {
        set: words.iter().map(|word| word.parse().expect("FIELD=VALUE")).collect(),
        ..Settings::default()
    }
}

#[test]
fn the_name_that_load_gives_is_the_name_for_everything() {
    let kernel: Arc<dyn Bpf> = Arc::new(Kernel::builder().family(Lamps::default()).build().expect("a kernel"));
    let host = Host::new(&kernel, "/sys/fs/bpf".as_ref());
    let states = |name: &str| -> Vec<(Option<u32>, State)> {
        let tables = host.show(name).expect("it is there");
        tables.iter().map(|table| (table.version, table.state)).collect()
    };

    let loaded = host.load(&source("lamp1"), &set(&["watts=40"])).expect("accepted");
    let name = loaded[0].name.as_str();
    assert_eq!(name, "a_lamp_with_a_l", "what the kernel shows");
    assert_eq!(states(name), [(Some(1), State::Live)]);

    let swapped = host
        .swap(name, &source("lamp2"), &Settings::default())
        .expect("accepted");
    let watts = FieldValue {
        field: "watts".to_owned(),
        value: "40".to_owned(),
    };
    assert_eq!(swapped.carried_over, [watts], "the new one has a colour of its own");
    assert_eq!(states(name), [(Some(2), State::Live), (Some(1), State::Kept)]);

    let swapped = host.swap(name, &source("lamp1"), &set(&["watts=0"])).expect("accepted");
    let colour = FieldValue {
        field: "colour".to_owned(),
        value: "7".to_owned(),
    };
    assert_eq!(swapped.carried_over, [colour], "what was set is not carried over");
    assert_eq!(host.rollback(name).expect("one is kept").to, 2);

    host.unload(name).expect("it is registered");
    assert!(host.list().expect("the kernel answers").is_empty());
    assert!(matches!(
        host.unload(name),
        Err(Error::Host(HostError::NotRegistered { .. }))
    ));
}
