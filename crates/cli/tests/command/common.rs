//! Running the command as a user would, and looking at what it says.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The command, with nothing of our environment that would change its answers.
pub(crate) fn opswap(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opswap"));
    command
        .args(words)
        .stdin(Stdio::null())
        .env_remove("OPSWAP_BPFFS")
        .env_remove("OPSWAP_CLANG")
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS");
    command
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

/// Runs it.
pub(crate) fn run(words: &[&str]) -> Ran {
    opswap(words).output().expect("the command starts").into()
}

/// Runs it with `--json`; what it prints must be one object with schema 1 and no null in it, whatever the exit code.
pub(crate) fn json(words: &[&str]) -> (i32, serde_json::Value) {
    let ran = run(&[words, &["--json"]].concat());
    let value: serde_json::Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{words:?}: {error}: {ran:?}"));
    assert_eq!(value["schema"], 1, "{words:?}");
    assert!(value["notes"].is_array(), "{words:?}: {value}");
    assert!(!has_null(&value), "{words:?}: {value}");
    assert_eq!(ran.err, "", "{words:?} with --json says nothing beside its object");
    (ran.code, value)
}

fn has_null(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => true,
        serde_json::Value::Array(values) => values.iter().any(has_null),
        serde_json::Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

/// A shipped object's file.
pub(crate) fn shipped(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../algorithms/objects");
    folder.join(format!("{name}.bpf.o")).to_string_lossy().into_owned()
}
