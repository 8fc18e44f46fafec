//! A kernel's types as a C header.

use crate::Error;
use bpf::Bpf;

/// The types of `kernel` as `vmlinux.h`: complete, in an order that compiles, with CO-RE asked for on every structure.
///
/// # Errors
/// The kernel's types cannot be read.
pub fn header(kernel: &dyn Bpf) -> Result<String, Error> {
    crate::kinds::kernel_btf(kernel)?.to_c().map_err(|error| Error::Header {
        kernel: kernel.name(),
        error,
    })
}

/// The header of the running kernel, or of the embedded one where there is none: for sources that include `vmlinux.h`.
pub(crate) fn running_kernel() -> Option<String> {
    let linux = crate::linux().ok().and_then(|linux| header(linux.as_ref()).ok());
    linux.or_else(|| crate::embedded().and_then(|embedded| header(embedded.as_ref())).ok())
}
