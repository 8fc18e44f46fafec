//! The embedded kernel with the TCP family does what Linux 6.18 does: the suite that every kernel must pass.

use bpf::Bpf;
use std::path::Path;
use std::sync::Arc;

#[test]
fn as_linux() {
    let registry = Arc::new(tcp::ca::Registry::new());
    let kernel = kernel::Kernel::builder()
        .family(tcp_ca::TcpCa::new(&registry))
        .build()
        .unwrap();
    let pins = Path::new("/sys/fs/bpf/conformance");
    kernel.pin_dir_create(pins).unwrap();
    testkit::conformance(&kernel, pins);
    assert_eq!(registry.names(), ["reno"], "nothing is left registered");
}
