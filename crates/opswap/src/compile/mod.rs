//! BPF C to an object: a clang, the right flags, a folder of headers for what the source includes and the system lacks, and help where clang refuses.

mod causes;
mod clang;
mod headers;
mod said;
mod scratch;

pub use causes::Cause;
pub use clang::find_clang;

use crate::files::write_file;
use crate::source::{STANDARD_INPUT, SourceError, inspect_source, standard_input};
use clang::Clang;
use scratch::Scratch;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A source.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// In a file; what it includes with quotes is looked for beside it.
    File(&'a Path),
    /// The text itself; what it includes with quotes is looked for in the working directory.
    Text(&'a [u8]),
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
    /// clang refused the source.
    #[error("clang refused {}\n{output}", .source_file.display())]
    Refused {
        /// The source.
        source_file: PathBuf,
        /// What clang printed.
        output: String,
        /// What we know of the reasons, in the order of the lines.
        causes: Vec<Cause>,
    },
    /// clang crashed.
    #[error("{clang} itself broke off while it compiled {}: a fault of the compiler{}", .source_file.display(), in_function(.function))]
    Crashed {
        /// The clang.
        clang: String,
        /// The source.
        source_file: PathBuf,
        /// The function that it was at, if it says so.
        function: Option<String>,
    },
    /// What clang wrote is no object.
    #[error("{clang} made no object of {}: one of the flags asks for something else", .source_file.display())]
    NoObject {
        /// The clang.
        clang: String,
        /// The source.
        source_file: PathBuf,
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

fn in_function(function: &Option<String>) -> String {
    function
        .as_ref()
        .map(|function| format!(" (in `{function}`)"))
        .unwrap_or_default()
}

/// Flags that make an object for both kernels: debug information becomes BTF, and every supported kernel takes v3. A function that is
/// declared nowhere is an error of every clang, since no program can call it; before 16 it was a warning.
const FLAGS: &[&str] = &[
    "-target",
    "bpf",
    "-mcpu=v3",
    "-O2",
    "-g",
    "-Wall",
    "-Werror=implicit-function-declaration",
    // No copy of the source in the folder for temporary files when clang crashes.
    "-fno-crash-diagnostics",
];

/// Compiles a source in a folder of its own; nothing is written beside it.
///
/// `flags` come after ours and those of `$OPSWAP_CFLAGS` (words between spaces), so that `-mcpu=v4` or `-O1` replace them. Headers that the
/// source includes and that are found neither beside it nor by `-I` nor in the system are supplied: `opswap_tcp.h`, libbpf's, those of the
/// kernel's selftests that congestion controls use, and `vmlinux.h`, with the types of the running kernel.
///
/// # Errors
/// No clang, a source that clang refuses, files that cannot be read or written.
pub fn compile(input: Input<'_>, flags: &[OsString]) -> Result<Compiled, CompileError> {
    let clang = Clang::find()?;
    let folder = Scratch::new().map_err(|error| CompileError::File {
        path: std::env::temp_dir(),
        error,
    })?;
    headers::write(folder.path())?;
    let object = folder.path().join("object.o");
    let source_file = match input {
        Input::File(path) => path.to_owned(),
        Input::Text(_) => PathBuf::from("standard input"),
    };
    let mut command = command(&clang, flags, input, folder.path(), &object);
    let mut output = run(&mut command, input, &clang)?;
    let mut said = said::tidy(&output.stderr, folder.path(), &source_file);
    // The types of a kernel are three megabytes: made when they are missed, wherever in the tree of headers that is.
    if !output.status.success()
        && said.contains("'vmlinux.h' file not found")
        && let Some(header) = crate::header::running_kernel()
    {
        headers::write_one(folder.path(), "vmlinux.h", &header)?;
        output = run(&mut command, input, &clang)?;
        said = said::tidy(&output.stderr, folder.path(), &source_file);
    }
    if !output.status.success() {
        let causes = causes::find(&String::from_utf8_lossy(&output.stderr));
        if causes.is_empty()
            && let Some(crash) = said::crash(&output.stderr, output.status)
        {
            return Err(CompileError::Crashed {
                clang: clang.name,
                source_file,
                function: crash.function,
            });
        }
        return Err(CompileError::Refused {
            source_file,
            output: said,
            causes,
        });
    }
    clang.strip(&object);
    match std::fs::read(&object) {
        Ok(bytes) if bytes.starts_with(b"\x7fELF") => Ok(Compiled {
            object: bytes,
            warnings: said,
            clang: clang.name,
        }),
        _ => Err(CompileError::NoObject {
            clang: clang.name,
            source_file,
        }),
    }
}

fn command(clang: &Clang, flags: &[OsString], input: Input<'_>, folder: &Path, object: &Path) -> Command {
    let mut command = Command::new(&clang.name);
    command
        .args(FLAGS)
        .args(clang.keep_lines_of(folder))
        .arg(clang::target_architecture())
        .args(clang::flags_of_user())
        .args(flags);
    // After everything that the user and the system have.
    for late in [folder.as_os_str()]
        .into_iter()
        .chain(clang::multiarch().map(OsStr::new))
    {
        command.arg("-idirafter").arg(late);
    }
    command.args(["-c", "-x", "c"]);
    match input {
        // A name that begins with a dash is no flag.
        Input::File(path) if path.as_os_str().as_encoded_bytes().starts_with(b"-") => {
            command.arg(Path::new(".").join(path))
        }
        Input::File(path) => command.arg(path),
        Input::Text(_) => command.arg("-"),
    };
    command.arg("-o").arg(object);
    command
}

fn run(command: &mut Command, input: Input<'_>, clang: &Clang) -> Result<Output, CompileError> {
    let failed = |error| CompileError::File {
        path: PathBuf::from(&clang.name),
        error,
    };
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let Input::Text(text) = input else {
        return command.stdin(Stdio::null()).output().map_err(failed);
    };
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        // clang may say more than a pipe holds before it has read everything; that it stops reading is told by its exit code.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(text)));
        child.wait_with_output()
    })
    .map_err(failed)
}

/// Compiles the source that `word` names, a file or `-` for standard input; `flags` as in [`compile`].
///
/// # Errors
/// As [`compile`]; the source is no file.
pub fn compile_word(word: &OsStr, flags: &[OsString]) -> Result<Compiled, SourceError> {
    if word == STANDARD_INPUT {
        return Ok(compile(Input::Text(&standard_input()?), flags)?);
    }
    let source = Path::new(word);
    inspect_source(source)?;
    Ok(compile(Input::File(source), flags)?)
}

/// The same, and writes the object to `object`, whole or not at all.
///
/// # Errors
/// As [`compile_word`]; the object cannot be written or would take the source's place.
pub fn build(word: &OsStr, object: &Path, flags: &[OsString]) -> Result<Compiled, SourceError> {
    if let (Ok(source), Ok(object)) = (Path::new(word).canonicalize(), object.canonicalize())
        && source == object
    {
        return Err(CompileError::Overwrites { path: object }.into());
    }
    let compiled = compile_word(word, flags)?;
    write_file(object, &compiled.object).map_err(|error| CompileError::Write {
        path: object.to_owned(),
        error,
    })?;
    Ok(compiled)
}
