//! `opswap new`: a first program to start from.

use crate::arguments::Like;
use crate::failure::Failure;
use crate::output::Output;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Body {
    source: PathBuf,
    header: PathBuf,
    like: &'static str,
}

pub(crate) fn run(name: &str, like: Like, output: &Output) -> Result<(), Failure> {
    let template = like.template();
    let created = opswap::new_program(name, template, Path::new("")).map_err(opswap::Error::from)?;
    let body = Body {
        source: created.source,
        header: created.header,
        like: template.name(),
    };
    output.result(&body, || {
        let source = body.source.display();
        text!(
            "{}: a congestion control like {}, complete; it includes {}\nnext: opswap check {}\n      opswap try {}\n      sudo opswap load {}\n",
            source,
            body.like,
            body.header.display(),
            source,
            source,
            source
        )
    })
}
