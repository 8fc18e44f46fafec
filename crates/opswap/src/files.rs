//! Files that a user names: read without waiting and no more than they say they hold; written whole or not at all.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system refuses.
    #[error("{error}")]
    Io {
        /// What it says.
        #[source]
        error: io::Error,
    },
    /// A directory, a pipe, a device, or a file whose content is made while it is read.
    #[error("it is no file that holds an object or a source, but {what}")]
    NoFile {
        /// What it is.
        what: &'static str,
    },
    /// Larger than it could sensibly be.
    #[error("it has {bytes} bytes; {max} are the most that are read")]
    TooLarge {
        /// Its size, as far as known.
        bytes: u64,
        /// How many may be.
        max: u64,
    },
    /// This process may not have so much memory.
    #[error(
        "there is not enough memory to read its {bytes} bytes and what they describe (`ulimit -v` and the memory of a cgroup limit a process)"
    )]
    NoMemory {
        /// How many were asked for.
        bytes: u64,
    },
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io { error }
    }
}

/// Whether a path is a regular file of at most `max` bytes. Nothing is opened: opening a pipe would wait for its writer, and some devices
/// do something when they are opened.
pub(crate) fn inspect(path: &Path, max: u64) -> Result<u64, ReadError> {
    regular(&std::fs::metadata(path)?, max)
}

fn regular(metadata: &Metadata, max: u64) -> Result<u64, ReadError> {
    let kind = metadata.file_type();
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() || kind.is_socket() {
        "a pipe (`-` reads standard input)"
    } else if !kind.is_file() {
        "a device"
    } else if metadata.len() == 0 && is_made_up(metadata) {
        "one whose content the kernel makes while it is read"
    } else {
        let bytes = metadata.len();
        return if bytes > max {
            Err(ReadError::TooLarge { bytes, max })
        } else {
            Ok(bytes)
        };
    };
    Err(ReadError::NoFile { what })
}

/// Files of /proc are regular ones without a size; some wait when they are read (kmsg), some never end (self/pagemap).
fn is_made_up(metadata: &Metadata) -> bool {
    std::fs::metadata("/proc").is_ok_and(|proc| proc.dev() == metadata.dev())
}

/// The bytes of a regular file, at most `max`, and never more than it said it has when it was opened.
pub(crate) fn read(path: &Path, max: u64) -> Result<Vec<u8>, ReadError> {
    inspect(path, max)?;
    // What the path names may have been exchanged since.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    let bytes = regular(&file.metadata()?, max)?;
    let mut content = Vec::new();
    content
        .try_reserve_exact(bytes as usize)
        .map_err(|_| ReadError::NoMemory { bytes })?;
    file.take(bytes).read_to_end(&mut content)?;
    with_room(content)
}

/// The bytes of a stream, at most `max`.
pub(crate) fn read_stream(stream: impl Read, max: u64) -> Result<Vec<u8>, ReadError> {
    let mut content = Vec::new();
    let mut stream = stream.take(max + 1);
    let mut piece = [0; 64 << 10];
    loop {
        let bytes = match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        content.try_reserve(bytes).map_err(|_| ReadError::NoMemory {
            bytes: (content.len() + bytes) as u64,
        })?;
        content.extend_from_slice(&piece[..bytes]);
    }
    let bytes = content.len() as u64;
    if bytes > max {
        return Err(ReadError::TooLarge { bytes, max });
    }
    with_room(content)
}

/// Sections, types and instructions take up to ten times an object's size before the verifier asks for memory of its own; an allocation that
/// fails on the way would end the process, so that all of it is asked for here and given back.
fn with_room(content: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    const TIMES: usize = 12;
    let mut probe = Vec::<u8>::new();
    let fits = probe.try_reserve_exact(content.len().saturating_mul(TIMES)).is_ok();
    // A probe that nobody looks at would be optimised away.
    std::hint::black_box(&mut probe);
    if fits {
        Ok(content)
    } else {
        let bytes = content.len() as u64;
        Err(ReadError::NoMemory { bytes })
    }
}

/// Writes a file whole or not at all: beside it first, then in its place. What it held before stays if that fails, and its
/// permissions stay in any case. A link is followed; pipes and character devices (`/dev/null`) are written to.
///
/// # Errors
/// What the system says; a directory and a disk are refused.
///
/// ```
/// let folder = std::env::temp_dir();
/// assert!(opswap::write_file(&folder, b"x").is_err());
/// ```
pub fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let before = match std::fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match &before {
        Some(there) if there.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Some(there) if there.file_type().is_block_device() => {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is a disk"));
        }
        Some(there) if !there.is_file() => return OpenOptions::new().write(true).open(path)?.write_all(content),
        _ => {}
    }
    let target = match &before {
        Some(_) => path.canonicalize()?,
        None => path.to_owned(),
    };
    let (mut file, beside) = create_beside(&target)?;
    let written = file.write_all(content).and_then(|()| {
        if let Some(before) = &before {
            file.set_permissions(std::fs::Permissions::from_mode(before.mode() & 0o7777))?;
        }
        std::fs::rename(&beside, &target)
    });
    if written.is_err() {
        // The error is the one of the writing.
        let _left_behind = std::fs::remove_file(&beside);
    }
    written
}

/// A new file in the folder of `target`.
fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    for attempt in 0..1000 {
        let beside = target.with_file_name(format!(".opswap-{}-{attempt}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            other => return Ok((other?, beside)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_files_are_refused_and_kernel_files_with_a_size_are_read() {
        for (path, named) in [
            ("/proc/kmsg", "kernel makes"),
            ("/proc/self/pagemap", "kernel makes"),
            ("/proc/self/environ", "kernel makes"),
            ("/dev/zero", "a device"),
            ("/dev", "a directory"),
            ("/proc/self/fd", "a directory"),
        ] {
            if Path::new(path).exists() {
                let error = read(path.as_ref(), 1 << 20).unwrap_err();
                assert!(error.to_string().contains(named), "{path}: {error}");
            }
        }
        let btf = Path::new("/sys/kernel/btf/vmlinux");
        if btf.exists() {
            assert_eq!(read(btf, 64 << 20).unwrap()[..2], [0x9f, 0xeb]);
        }
    }

    #[test]
    fn streams_end_at_their_limit() {
        assert_eq!(read_stream(&b"abc"[..], 3).unwrap(), b"abc");
        let endless = read_stream(io::repeat(7), 1 << 20).unwrap_err();
        assert!(matches!(endless, ReadError::TooLarge { .. }), "{endless}");
    }

    #[test]
    fn a_file_is_written_whole_or_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write_file(&path("new"), b"one").unwrap();
        std::os::unix::fs::symlink("new", path("link")).unwrap();
        std::fs::set_permissions(path("new"), std::fs::Permissions::from_mode(0o640)).unwrap();
        write_file(&path("link"), b"two").unwrap();
        assert_eq!(std::fs::read(path("new")).unwrap(), b"two");
        assert!(path("link").is_symlink());
        assert_eq!(std::fs::metadata(path("new")).unwrap().mode() & 0o777, 0o640);
        std::fs::create_dir(path("folder")).unwrap();
        assert!(write_file(&path("folder"), b"x").is_err());
        assert!(write_file(&path("none/file"), b"x").is_err());
        write_file("/dev/null".as_ref(), b"x").unwrap();
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["folder", "link", "new"]);
    }
}
