//! `opswap build`: BPF C to an object.

use crate::failure::Failure;
use crate::output::Output;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Body {
    object: PathBuf,
    bytes: usize,
    clang: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    warnings: String,
}

pub(crate) fn run(source: &Path, object: Option<&Path>, output: &Output) -> Result<(), Failure> {
    if source.extension().is_none_or(|ending| ending != "c") {
        return Err(Failure::Usage(format!(
            "{} does not end in .c; `build` compiles BPF C",
            source.display()
        )));
    }
    let object = object.map_or_else(|| source.with_extension("o"), Path::to_owned);
    let compiled = opswap::build(source, &object).map_err(opswap::Error::from)?;
    if !compiled.warnings.is_empty() {
        output.note_lines(&compiled.warnings);
    }
    let body = Body {
        bytes: compiled.object.len(),
        clang: compiled.clang,
        warnings: compiled.warnings,
        object,
    };
    output.result(&body, || {
        text!("{}: {} bytes, by {}\n", body.object.display(), body.bytes, body.clang)
    })
}
