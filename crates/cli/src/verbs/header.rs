//! `opswap header`: a kernel's types as a C header, to compile BPF programs against.

use super::kernel;
use crate::arguments::{Common, KernelName};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    kernel: &'static str,
    header: String,
}

pub(crate) fn run(common: &Common, output: &Output) -> Result<(), Failure> {
    let bpf = kernel(common, KernelName::Linux)?;
    let header = opswap::header(bpf.as_ref())?;
    let body = Body {
        kernel: bpf.name(),
        header,
    };
    output.result(&body, || Text::block(&body.header))
}
