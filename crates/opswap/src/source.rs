//! An algorithm as a user names it, turned into the bytes of an object: a shipped name, a `.bpf.o`, or a `.bpf.c`.

use crate::compile::{CompileError, compile};
use crate::selection::{self, Selection};
use crate::shipped;
use std::io;
use std::path::{Path, PathBuf};

/// The bytes of an object and where they came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// As the user wrote it.
    pub word: String,
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
    #[error("there is no file {word:?} and no shipped algorithm of that name (shipped: {})", shipped::names().join(", "))]
    Unknown {
        /// As the user wrote it.
        word: String,
    },
    /// The file could not be read.
    #[error("{}: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The file is larger than any object or source could sensibly be.
    #[error("{} has {bytes} bytes; {max} are the most that are read", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// How many may be.
        max: u64,
    },
    /// A directory, a pipe, a device.
    #[error("{} is no file that holds an object or a source, but {what}", .path.display())]
    NoFile {
        /// What was named.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The source did not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Objects with full debug information have a few megabytes.
const OBJECT_BYTES_MAX: u64 = 256 << 20;

/// A source is written by people; a kernel's whole header has three megabytes.
const SOURCE_BYTES_MAX: u64 = 64 << 20;

/// Whether a path is a file of a sensible size: opening a pipe would wait for its writer.
pub(crate) fn inspect(path: &Path, is_source: bool) -> Result<(), SourceError> {
    let metadata = std::fs::metadata(path).map_err(|error| SourceError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    let path = path.to_owned();
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "a directory"
        } else {
            "a pipe or a device"
        };
        return Err(SourceError::NoFile { path, what });
    }
    let (bytes, max) = (
        metadata.len(),
        if is_source { SOURCE_BYTES_MAX } else { OBJECT_BYTES_MAX },
    );
    if bytes > max {
        return Err(SourceError::TooLarge { path, bytes, max });
    }
    Ok(())
}

impl Source {
    /// Finds what `word` names. A shipped name wins over a file of that name without an ending; `./cubic` names the file. `FILE:NAME` chooses one ops
    /// structure of an object that has several; a file whose name has a colon is found as it is.
    ///
    /// # Errors
    /// See [`SourceError`].
    ///
    /// ```
    /// let cubic = opswap::Source::find("cubic").unwrap();
    /// assert_eq!(&cubic.object[..4], b"\x7fELF");
    /// assert!(opswap::Source::find("no_such_algorithm").is_err());
    /// ```
    pub fn find(word: &str) -> Result<Self, SourceError> {
        let is_there = |file: &str| shipped::object(file).is_some() || Path::new(file).exists();
        let Selection { file, ops } = selection::split(word, is_there);
        let ops = ops.map(str::to_owned);
        if let Some(object) = shipped::object(file) {
            return Ok(Self {
                word: word.to_owned(),
                object: object.to_vec(),
                ops,
                warnings: String::new(),
            });
        }
        let path = Path::new(file);
        let unreadable = |error| SourceError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let is_source = path.extension().is_some_and(|ending| ending == "c");
        match inspect(path, is_source) {
            Err(SourceError::Unreadable { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SourceError::Unknown { word: word.to_owned() });
            }
            other => other?,
        }
        if is_source {
            let compiled = compile(path, crate::header::running_kernel)?;
            return Ok(Self {
                word: word.to_owned(),
                object: compiled.object,
                ops,
                warnings: compiled.warnings,
            });
        }
        let object = std::fs::read(path).map_err(unreadable)?;
        Ok(Self {
            word: word.to_owned(),
            object,
            ops,
            warnings: String::new(),
        })
    }

    /// Reads the object, so that a file that is none is found before anything is done with it.
    ///
    /// # Errors
    /// [`crate::Error::Object`], with section, offset and reason.
    pub fn validate(&self) -> Result<(), crate::Error> {
        match object::Object::parse(&self.object) {
            Ok(_) => Ok(()),
            Err(error) => Err(crate::Error::Object {
                file: self.word.clone(),
                error: Box::new(error),
            }),
        }
    }

    /// The name by which the kernel calls its maps: the file's up to the first dot, as libbpf does.
    pub(crate) fn object_name(&self) -> String {
        let file = Path::new(&self.word).file_name().unwrap_or_default().to_string_lossy();
        file.split('.').next().unwrap_or_default().to_owned()
    }
}
