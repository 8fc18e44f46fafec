//! An algorithm as a user names it, turned into the bytes of an object: a shipped name, a `.bpf.o`, or a `.bpf.c`.

use crate::compile::{CompileError, compile};
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
    /// The file is larger than any object could sensibly be.
    #[error("{} has {bytes} bytes; an object has at most {}", .path.display(), OBJECT_BYTES_MAX)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The source did not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Objects with full debug information have a few megabytes.
const OBJECT_BYTES_MAX: u64 = 256 << 20;

impl Source {
    /// Finds what `word` names. A shipped name wins over a file of that name without an ending; `./cubic` names the file.
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
        if let Some(object) = shipped::object(word) {
            return Ok(Self {
                word: word.to_owned(),
                object: object.to_vec(),
                warnings: String::new(),
            });
        }
        let path = Path::new(word);
        if path.extension().is_some_and(|ending| ending == "c") && path.exists() {
            let compiled = compile(path, crate::header::running_kernel)?;
            return Ok(Self {
                word: word.to_owned(),
                object: compiled.object,
                warnings: compiled.warnings,
            });
        }
        let unreadable = |error| SourceError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let metadata = match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SourceError::Unknown { word: word.to_owned() });
            }
            found => found.map_err(unreadable)?,
        };
        if metadata.len() > OBJECT_BYTES_MAX {
            return Err(SourceError::TooLarge {
                path: path.to_owned(),
                bytes: metadata.len(),
            });
        }
        let object = std::fs::read(path).map_err(unreadable)?;
        Ok(Self {
            word: word.to_owned(),
            object,
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
