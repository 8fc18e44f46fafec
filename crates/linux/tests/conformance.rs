//! The suite for every kernel, on the running Linux kernel: it is the judge, so a failure here means that the suite is wrong.

use linux::Linux;

#[test]
fn linux_is_as_measured() {
    if !testkit::linux_or_skip("conformance") {
        return;
    }
    let linux = Linux::new();
    let pins = testkit::Bpffs::new();
    testkit::conformance(&linux, pins.path());
}
