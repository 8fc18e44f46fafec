//! The family of `struct tcp_congestion_ops`: all that struct_ops must know of TCP, as `net/ipv4/bpf_tcp_ca.c` of Linux 6.12 is; details that differ in
//! 6.18 were asked of that kernel.
//!
//! One line makes a kernel's programs congestion controls of our TCP:
//!
//! ```
//! use std::sync::Arc;
//! let registry = Arc::new(tcp::ca::Registry::new());
//! let kernel = kernel::Kernel::builder().family(tcp_ca::TcpCa::new(&registry)).build()?;
//! assert!(kernel.kinds().eq(["tcp_congestion_ops"]));
//! // What is registered in the kernel now stands in `registry`, for sockets to choose.
//! # Ok::<(), kernel::BuildError>(())
//! ```
//!
//! Functions of Linux's own algorithms (`cubictcp_…`, `bbr_…`) that its programs may call are not here, nor are socket options but `TCP_CONGESTION`.
//! Unsafe code is in `src/family.rs`: the promise that the types are what TCP hands to the operations, and the functions that programs call.
#![deny(unsafe_code)]

mod access;
mod calls;
#[expect(
    unsafe_code,
    reason = "vouches for TCP's types and makes pointers of what programs pass"
)]
mod family;
mod members;

use crate::access::Writable;
use btf::TypeId;
use kernel::{Helper, Kfunc};
use std::sync::{Arc, Weak};
use tcp::ca::Registry;

/// The family: give it to [`kernel::Builder::family`].
///
/// It does not keep the registry alive; when that is gone, tables cannot be registered any more (`ENODEV`).
#[derive(Debug)]
pub struct TcpCa {
    registry: Weak<Registry>,
    ids: Ids,
    writable: Writable,
    helpers: Vec<Helper>,
    kfuncs: Vec<Kfunc>,
}

/// Types that rules are about.
#[derive(Clone, Copy, Debug, Default)]
struct Ids {
    sock: TypeId,
    sock_common: TypeId,
    tcp_sock: TypeId,
}

impl TcpCa {
    /// The family for algorithms that stand in this registry.
    pub fn new(registry: &Arc<Registry>) -> Self {
        Self {
            registry: Arc::downgrade(registry),
            ids: Ids::default(),
            writable: Writable::default(),
            helpers: Vec::new(),
            kfuncs: calls::kfuncs(),
        }
    }
}
