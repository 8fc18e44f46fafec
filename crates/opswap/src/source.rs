//! An algorithm as a user names it, turned into the bytes of an object: a shipped name, a `.bpf.o`, a `.bpf.c`, or standard input.

use crate::compile::{CompileError, Input, compile};
use crate::files::{ReadError, inspect, read, read_stream};
use crate::selection::{self, Selection};
use crate::shipped;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The bytes of an object and where they came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// As the user wrote it.
    pub word: OsString,
    /// The object.
    pub object: Vec<u8>,
    /// The one ops structure of the object that is meant, by the variable's name or the algorithm's; without it, all that it has.
    pub ops: Option<String>,
    /// What clang warned of, if it was compiled just now; else empty.
    pub warnings: String,
}

/// Why an algorithm was not found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Neither a shipped name nor a file.
    #[error("there is no file {} and no shipped algorithm of that name (shipped: {})", .word.display(), shipped::names().join(", "))]
    Unknown {
        /// As the user wrote it.
        word: OsString,
    },
    /// The file could not be read, or is none that would be.
    #[error("{}: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: ReadError,
    },
    /// Standard input holds nothing, or was read before: it can stand for one file of a command.
    #[error("standard input is empty (`-` can stand for one file)")]
    NoInput,
    /// The source did not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Objects with full debug information have a few megabytes.
const OBJECT_BYTES_MAX: u64 = 256 << 20;

/// A source is written by people; a kernel's whole header has three megabytes.
const SOURCE_BYTES_MAX: u64 = 64 << 20;

/// The word for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

impl Source {
    /// Finds what `word` names. A shipped name wins over a file of that name without an ending; `./cubic` names the file. `-` is standard
    /// input: an object, if it begins like one, else a source. `FILE:NAME` chooses one ops structure of an object that has several; a file whose
    /// name has a colon is found as it is.
    ///
    /// # Errors
    /// See [`SourceError`].
    ///
    /// ```
    /// let cubic = opswap::Source::find("cubic").unwrap();
    /// assert_eq!(&cubic.object[..4], b"\x7fELF");
    /// assert!(opswap::Source::find("no_such_algorithm").is_err());
    /// ```
    pub fn find(word: impl AsRef<OsStr>) -> Result<Self, SourceError> {
        let word = word.as_ref();
        let Selection { file, ops } = selection::split(word, is_there);
        let (object, warnings) = bytes(file).map_err(|error| not_there(word, error))?;
        Ok(Self {
            word: word.to_owned(),
            object,
            ops: ops.map(str::to_owned),
            warnings,
        })
    }

    /// What the user wrote, as text: bytes that are none become U+FFFD.
    pub fn label(&self) -> String {
        self.word.to_string_lossy().into_owned()
    }

    /// Reads the object, so that a file that is none is found before anything is done with it.
    ///
    /// # Errors
    /// [`crate::Error::Object`], with section, offset and reason.
    pub fn validate(&self) -> Result<(), crate::Error> {
        match object::Object::parse(&self.object) {
            Ok(_) => Ok(()),
            Err(error) => Err(crate::Error::Object {
                file: self.label(),
                error: Box::new(error),
            }),
        }
    }

    /// What a load leaves out of this object, as notes: programs that belong to no ops structure, but for those of the sections that are `attached`. Empty
    /// for a file that is no object.
    pub fn left_out(&self, attached: &[String]) -> Vec<crate::CheckedNote> {
        let Ok(object) = object::Object::parse(&self.object) else {
            return Vec::new();
        };
        let others = object.programs().filter_map(|(_, function)| match &function.role {
            object::Role::Program {
                kind: object::SectionKind::Other(section),
                ..
            } => Some((function, section)),
            _ => None,
        });
        let left_out =
            others.filter(|(function, section)| !attached.contains(section) && !attached.contains(&function.section));
        let note = |function: &object::Function| loader::PlanNote::ProgramLeftOut {
            program: function.name.clone(),
            section: function.section.clone(),
            reason: loader::SkipReason::OtherKind,
        };
        left_out.map(|(function, _)| (&note(function)).into()).collect()
    }

    /// Maps that a kernel which ends with its process cannot share by name, as notes.
    pub fn not_shared(&self) -> Vec<crate::CheckedNote> {
        let Ok(object) = object::Object::parse(&self.object) else {
            return Vec::new();
        };
        let shared = object
            .maps
            .into_iter()
            .filter(|map| map.pinning == object::Pinning::ByName);
        shared
            .map(|map| (&loader::PlanNote::NotShared { map: map.name }).into())
            .collect()
    }

    /// The name by which the kernel calls its maps: the file's up to the first dot, as libbpf does.
    pub(crate) fn object_name(&self) -> String {
        if matches!(self.word.as_encoded_bytes(), [b'-'] | [b'-', b':', ..]) {
            return "stdin".to_owned();
        }
        let file = Path::new(&self.word).file_name().unwrap_or_default().to_string_lossy();
        file.split('.').next().unwrap_or_default().to_owned()
    }
}

fn is_there(file: &OsStr) -> bool {
    file == STANDARD_INPUT || file.to_str().and_then(shipped::object).is_some() || Path::new(file).exists()
}

/// The object that a word names, and what clang warned of.
fn bytes(word: &OsStr) -> Result<(Vec<u8>, String), SourceError> {
    let compiled = |input| compile(input, &[]).map(|compiled| (compiled.object, compiled.warnings));
    if let Some(object) = word.to_str().and_then(shipped::object) {
        return Ok((object.to_vec(), String::new()));
    }
    if word == STANDARD_INPUT {
        let bytes = standard_input()?;
        return if bytes.starts_with(b"\x7fELF") {
            Ok((bytes, String::new()))
        } else {
            Ok(compiled(Input::Text(&bytes))?)
        };
    }
    let path = Path::new(word);
    if path.extension().is_some_and(|ending| ending == "c") {
        inspect_source(path)?;
        return Ok(compiled(Input::File(path))?);
    }
    Ok((read(path, OBJECT_BYTES_MAX).map_err(unreadable(path))?, String::new()))
}

/// The bytes of a file's name as hexadecimal digits, if they are no text, so that what is printed of it is not exact.
pub(crate) fn exact(word: &OsStr) -> Option<String> {
    let digits = word.as_encoded_bytes().iter().map(|byte| format!("{byte:02x}"));
    word.to_str().is_none().then(|| digits.collect())
}

/// All of standard input.
pub(crate) fn standard_input() -> Result<Vec<u8>, SourceError> {
    let bytes =
        read_stream(std::io::stdin().lock(), OBJECT_BYTES_MAX).map_err(unreadable(Path::new("standard input")))?;
    if bytes.is_empty() {
        Err(SourceError::NoInput)
    } else {
        Ok(bytes)
    }
}

/// Whether a path is a source that clang may be given.
pub(crate) fn inspect_source(path: &Path) -> Result<(), SourceError> {
    inspect(path, SOURCE_BYTES_MAX).map_err(unreadable(path))?;
    Ok(())
}

fn unreadable(path: &Path) -> impl FnOnce(ReadError) -> SourceError {
    let path = path.to_owned();
    |error| SourceError::Unreadable { path, error }
}

/// The file that a name without its ending means, if there is one.
pub(crate) fn with_ending(word: &OsStr) -> Option<String> {
    let word = word.to_str()?;
    let mut files = ["bpf.c", "bpf.o", "c", "o"]
        .map(|ending| format!("{word}.{ending}"))
        .into_iter();
    files.find(|file| Path::new(file).is_file())
}

/// A file that is not there may be a name that was mistyped.
fn not_there(word: &OsStr, error: SourceError) -> SourceError {
    match error {
        SourceError::Unreadable {
            error: ReadError::Io { error },
            ..
        } if error.kind() == ErrorKind::NotFound => SourceError::Unknown { word: word.to_owned() },
        other => other,
    }
}
