//! `opswap build`: BPF C to an object.

use crate::failure::Failure;
use crate::output::Output;
use opswap::Compiled;
use serde::Serialize;
use std::ffi::OsString;
use std::path::Path;

#[derive(Serialize)]
struct Body {
    object: String,
    bytes: usize,
    clang: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    warnings: String,
}

/// Standard input, or standard output.
const STREAM: &str = "-";

pub(crate) fn run(source: &Path, object: Option<&Path>, flags: &[OsString], output: &Output) -> Result<(), Failure> {
    let from_input = source.as_os_str() == STREAM;
    if !from_input && source.extension().is_none_or(|ending| ending != "c") {
        return Err(Failure::Usage(format!(
            "{} does not end in .c; `build` compiles BPF C",
            source.display()
        )));
    }
    let object = match object {
        Some(object) => object.to_owned(),
        None if from_input => STREAM.into(),
        None => source.with_extension("o"),
    };
    if object.as_os_str() == STREAM {
        return to_output(source, flags, output);
    }
    let compiled = opswap::build(source.as_os_str(), &object, flags).map_err(opswap::Error::from)?;
    warn(&compiled, output);
    let body = Body {
        bytes: compiled.object.len(),
        clang: compiled.clang,
        warnings: compiled.warnings,
        object: object.to_string_lossy().into_owned(),
    };
    output.result(&body, || {
        text!("{}: {} bytes, by {}\n", body.object, body.bytes, body.clang)
    })
}

/// The object's bytes alone.
fn to_output(source: &Path, flags: &[OsString], output: &Output) -> Result<(), Failure> {
    if output.json() {
        return Err(Failure::Usage(
            "--json and the object cannot both go to standard output: -o OBJECT names a file".to_owned(),
        ));
    }
    let compiled = opswap::compile_word(source.as_os_str(), flags).map_err(opswap::Error::from)?;
    warn(&compiled, output);
    output.print_object(&compiled.object)
}

fn warn(compiled: &Compiled, output: &Output) {
    if !compiled.warnings.is_empty() {
        output.note_lines(&compiled.warnings);
    }
}
