//! The two kernels, as one type: whatever takes an `Arc<dyn Bpf>` works on both.

use crate::Error;
use bpf::Bpf;
use kernel::{BuildError, Kernel, Limits};
use std::sync::Arc;
use tcp::ca::Registry;

/// A kernel inside this process, with the family `tcp_congestion_ops` and the registry in which its congestion controls stand.
///
/// ```
/// let embedded = opswap::Embedded::new()?;
/// assert!(embedded.registry.find("reno").is_some());
/// let names: Vec<String> = opswap::kinds(embedded.kernel.as_ref())?.into_iter().map(|kind| kind.name).collect();
/// assert_eq!(names, ["tcp_congestion_ops"]);
/// # Ok::<(), opswap::Error>(())
/// ```
#[derive(Clone)]
pub struct Embedded {
    /// The kernel.
    pub kernel: Arc<Kernel>,
    /// What is registered in it, for sockets of crate `tcp` to choose from.
    pub registry: Arc<Registry>,
}

impl Embedded {
    /// A kernel with nothing loaded and the registry with the built-in Reno.
    ///
    /// # Errors
    /// [`Error::Embedded`]: a fault of ours.
    pub fn new() -> Result<Self, Error> {
        Self::with(Limits::default())
    }

    /// The same with other limits for what programs use.
    ///
    /// # Errors
    /// As [`Embedded::new`].
    pub fn with(limits: Limits) -> Result<Self, Error> {
        let registry = Arc::new(Registry::new());
        let builder = Kernel::builder().limits(limits);
        let built = builder.family(tcp_ca::TcpCa::new(&registry)).build();
        let kernel = Arc::new(built.map_err(|error: BuildError| Error::Embedded(Box::new(error)))?);
        Ok(Self { kernel, registry })
    }
}

/// A kernel inside this process, to check objects on. It registers nothing: for that, [`Embedded`] keeps a registry.
///
/// # Errors
/// As [`Embedded::new`].
pub fn embedded() -> Result<Arc<dyn Bpf>, Error> {
    Ok(Embedded::new()?.kernel)
}

/// The running Linux kernel.
///
/// # Errors
/// [`Error::NotYet`] on a system that is not Linux.
pub fn linux() -> Result<Arc<dyn Bpf>, Error> {
    if cfg!(target_os = "linux") {
        Ok(Arc::new(linux::Linux::new()))
    } else {
        Err(Error::NotYet {
            what: "the kernel `linux`",
            why: "is only there on Linux; `--kernel embedded` works everywhere",
        })
    }
}
