//! BPF C to an object: finds a clang, gives it the right flags and a folder of headers, keeps what it says.

use crate::source::{SourceError, inspect};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Flags that make an object for both kernels: debug information becomes BTF, and every supported kernel takes v3.
const FLAGS: &[&str] = &["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall"];

/// Why there is no object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// No clang was found that can make BPF objects.
    #[error("no clang that compiles for BPF was found (looked for {})", .tried.join(", "))]
    NoClang {
        /// Program names that were tried.
        tried: Vec<String>,
    },
    /// clang refused the source; its own words.
    #[error("clang refused {}\n{output}", .source_file.display())]
    Refused {
        /// The source.
        source_file: PathBuf,
        /// What clang printed.
        output: String,
    },
    /// The object would take the source's place.
    #[error("{} is the source: the object must go into another file", .path.display())]
    Overwrites {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("cannot write {}: {error}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A file could not be read, a program not be started.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// What came of a compilation.
#[derive(Debug)]
pub struct Compiled {
    /// The object's bytes.
    pub object: Vec<u8>,
    /// Warnings, as clang printed them; empty if there were none.
    pub warnings: String,
    /// The clang that was used.
    pub clang: String,
}

/// Compiles `source` in a folder of its own; nothing is written beside the source.
///
/// The source may include `opswap_tcp.h` (shipped) and `vmlinux.h`, which is then made from `kernel_header`,
/// called only if the source mentions it.
///
/// # Errors
/// No clang, a source that clang refuses, files that cannot be read or written.
pub fn compile(source: &Path, kernel_header: impl FnOnce() -> Option<String>) -> Result<Compiled, CompileError> {
    let file_error = |path: &Path| {
        let path = path.to_owned();
        move |error| CompileError::File { path, error }
    };
    let text = std::fs::read_to_string(source).map_err(file_error(source))?;
    let clang = find_clang()?;
    let folder = Scratch::new().map_err(file_error(&std::env::temp_dir()))?;
    write(&folder.0.join("opswap_tcp.h"), crate::shipped::HEADER)?;
    if text.contains("vmlinux.h")
        && let Some(header) = kernel_header()
    {
        write(&folder.0.join("vmlinux.h"), &header)?;
    }
    let object = folder.0.join("object.o");
    let mut command = Command::new(&clang);
    command
        .args(FLAGS)
        .arg(target_architecture())
        .arg("-I")
        .arg(&folder.0)
        .arg("-c")
        .arg(source)
        .arg("-o")
        .arg(&object);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(file_error(Path::new(&clang)))?;
    // clang repeats the file's name as it is: one with a line break in it would make lines of its own among clang's.
    let name = source.to_string_lossy();
    let said = String::from_utf8_lossy(&output.stderr).replace(&*name, &lab::printable::line(&name));
    if !output.status.success() {
        return Err(CompileError::Refused {
            source_file: source.to_owned(),
            output: said,
        });
    }
    strip(&clang, &object);
    let bytes = std::fs::read(&object).map_err(file_error(&object))?;
    Ok(Compiled {
        object: bytes,
        warnings: said,
        clang,
    })
}

/// The clang that would be used: `$OPSWAP_CLANG`, else the newest of Debian's names, else `clang`.
///
/// # Errors
/// [`CompileError::NoClang`] with the names that were tried.
pub fn find_clang() -> Result<String, CompileError> {
    let named = std::env::var("OPSWAP_CLANG").ok().filter(|name| !name.is_empty());
    let tried: Vec<String> = match named {
        Some(name) => vec![name],
        None => (14..=24)
            .rev()
            .map(|version| format!("clang-{version}"))
            .chain(["clang".to_owned()])
            .collect(),
    };
    tried
        .iter()
        .find(|name| compiles_for_bpf(name))
        .cloned()
        .ok_or(CompileError::NoClang { tried })
}

fn compiles_for_bpf(clang: &str) -> bool {
    let printed = Command::new(clang)
        .args(["-print-targets"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    printed.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .any(|line| line.trim().starts_with("bpf "))
    })
}

/// Takes the DWARF sections out, which nobody needs after BTF was made from them; without llvm-strip the object is only larger.
fn strip(clang: &str, object: &Path) {
    let tool = clang.replace("clang", "llvm-strip");
    let _larger_but_right = Command::new(tool)
        .arg("-g")
        .arg(object)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// The macro that libbpf's headers want.
fn target_architecture() -> OsString {
    let name = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "x86_64" => "x86",
        other => other,
    };
    format!("-D__TARGET_ARCH_{name}").into()
}

fn write(path: &Path, text: &str) -> Result<(), CompileError> {
    std::fs::write(path, text).map_err(|error| CompileError::Write {
        path: path.to_owned(),
        error,
    })
}

/// Removes folders that processes left behind which were killed while they compiled.
fn sweep() {
    let hour = std::time::Duration::from_secs(3600);
    let entries = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for entry in entries {
        let old = |meta: std::fs::Metadata| meta.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > hour));
        if is_scratch(&entry.file_name().to_string_lossy()) && entry.metadata().is_ok_and(old) {
            // Another user's stays.
            let _left_behind = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// `opswap-<process>-<number>`
fn is_scratch(name: &str) -> bool {
    let number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = name.strip_prefix("opswap-").and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(process, attempt)| number(process) && number(attempt))
}

/// A folder that goes away with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        sweep();
        for attempt in 0..1000 {
            let folder = std::env::temp_dir().join(format!("opswap-{}-{attempt}", std::process::id()));
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Only our own files are in it; a failure leaves a few kilobytes in the temporary folder.
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}

/// Compiles `source` and writes the object to `object`.
///
/// # Errors
/// As [`compile`]; the source is no file, the object cannot be written or would take the source's place.
pub fn build(source: &Path, object: &Path) -> Result<Compiled, SourceError> {
    inspect(source, true)?;
    let same = |path: &Path| path.canonicalize().ok();
    if same(source) == same(object) {
        let path = object.to_owned();
        return Err(CompileError::Overwrites { path }.into());
    }
    let compiled = compile(source, crate::header::running_kernel)?;
    std::fs::write(object, &compiled.object).map_err(|error| CompileError::Write {
        path: object.to_owned(),
        error,
    })?;
    Ok(compiled)
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_our_folders_are_swept() {
        for (name, ours) in [
            ("opswap-12-0", true),
            ("opswap-12-", false),
            ("opswap--1", false),
            ("opswap-my-notes", false),
            ("opswap", false),
            ("x-opswap-1-2", false),
        ] {
            assert_eq!(super::is_scratch(name), ours, "{name}");
        }
    }
}
