//! What is worth knowing beside a verdict.

use loader::PlanNote;
use serde::Serialize;

/// Something that is no error, and that the author of an object would want to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedNote {
    /// A stable word: `left_out` for a part that was not looked at, `bit_field` for an access that misses its bits, `no_records` for
    /// an object without `.BTF.ext`, `not_shared` for a map that only `load` shares by name, `registered` for a name that has a table
    /// now, `one_of_several` for an ops structure that can be registered where others of the object cannot.
    pub about: &'static str,
    /// The program that it concerns, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The source file of the line that it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The note as a sentence without final stop.
    pub message: String,
}

impl CheckedNote {
    /// A table of this name is registered: loading conflicts with it, a swap does not.
    pub(super) fn registered(name: &str, file: &str) -> Self {
        Self {
            about: "registered",
            program: None,
            file: None,
            line: None,
            message: format!(
                "{name} is registered now: `opswap swap {name} {file}` exchanges it, `opswap load {file} --as NAME` registers beside it"
            ),
        }
    }
}

impl CheckedNote {
    /// Of several ops structures some can be registered, and not all: `FILE:NAME` takes one alone.
    pub(super) fn another(message: String) -> Self {
        Self {
            about: "one_of_several",
            program: None,
            file: None,
            line: None,
            message,
        }
    }
}

impl From<&PlanNote> for CheckedNote {
    fn from(note: &PlanNote) -> Self {
        Self {
            about: note.about(),
            program: note.program().map(str::to_owned),
            file: note.source().map(|source| source.file.clone()),
            line: note.source().map(|source| source.line),
            message: note.to_string(),
        }
    }
}
