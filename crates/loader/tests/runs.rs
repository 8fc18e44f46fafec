//! A loaded program does what its source says: sub-programs, data, maps and configuration values end up where they
//! belong, in the embedded kernel and in Linux alike.

use bpf::{Bpf, TestRun};
use loader::{Plan, PlanOptions};
use std::sync::Arc;

fn check(kernel: Arc<dyn Bpf>) {
    let object = object::Object::parse(include_bytes!("data/linux/runs.bpf.o")).unwrap();
    let plan = Plan::new(&object, &kernel.kernel_btf().unwrap(), &PlanOptions::default()).unwrap();
    let loaded = plan.load(&kernel).unwrap_or_else(|error| panic!("{error}"));
    let run = || {
        let test = TestRun {
            data: &[0; 64],
            ..TestRun::default()
        };
        kernel
            .prog_test_run(loaded.program("run").unwrap(), &test)
            .unwrap()
            .retval
    };
    let value = |name: &str, key: u32| {
        kernel
            .map_lookup(loaded.map(name).unwrap(), &key.to_le_bytes())
            .unwrap()
    };
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());

    // middle(x) = (3x + 1) + (3(x + 1) + 1), with x from 100 on.
    assert_eq!((run(), run()), (605, 611));
    assert_eq!(word(&value(".data", 0)), 102);
    assert_eq!(word(&value(".bss", 0)), 611);
    assert_eq!(word(&value(".rodata", 0)), 3);
    assert_eq!(word(&value("array", 2)), 605 + 611);
    assert_eq!(word(&value("array", 1)), 0);
    let frozen = kernel.map_update(loaded.map(".rodata").unwrap(), &[0; 4], &[0; 4], bpf::UpdateFlags::ANY);
    assert_eq!(frozen, Err(bpf::Errno::EPERM));
}

#[test]
fn in_the_embedded_kernel() {
    check(Arc::new(kernel::Kernel::builder().build().unwrap()));
}

#[test]
fn in_linux() {
    if testkit::linux_or_skip("running a loaded socket filter") {
        check(Arc::new(linux::Linux::new()));
    }
}
