//! What `check` says of objects of many shapes, on both kernels.

mod agree;
mod attach;
mod map_rules;
mod others;
mod shared;
mod source;
mod values;
mod variables;
mod verdicts;

use opswap::Bpf;
use std::sync::Arc;

/// The embedded kernel, and Linux where it can be asked.
pub(crate) fn kernels(purpose: &str) -> Vec<Arc<dyn Bpf>> {
    let mut kernels = vec![opswap::embedded().expect("a kernel")];
    if testkit::linux_or_skip(purpose) {
        kernels.push(opswap::linux().expect("this is Linux"));
    }
    kernels
}
