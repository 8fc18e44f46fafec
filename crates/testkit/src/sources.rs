//! Outside judges from Debian's `linux-source-6.12`: bpftool 7.5, and the kernel's own BPF selftests as objects.
//!
//! What is needed of the archive is unpacked once into `<target>/testkit/`, bpftool is built there, programs are compiled there with clang-19
//! against the running kernel's types. The first use takes a minute or two, later ones nothing. Nothing of it is part of the repository.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ARCHIVE: &str = "/usr/src/linux-source-6.12.tar.xz";
const FOLDER: &str = "linux-source-6.12";
const CLANG: &str = "clang-19";

/// What bpftool and the selftests are made of.
const NEEDED: &[&str] = &[
    "tools/arch",
    "tools/bpf/bpftool",
    "tools/build",
    "tools/include",
    "tools/lib/bpf",
    "tools/lib/string.c",
    "tools/lib/str_error_r.c",
    "tools/scripts",
    "tools/testing/selftests/bpf/*.h",
    "tools/testing/selftests/bpf/progs",
    "tools/testing/selftests/bpf/bpf_testmod",
    "kernel/bpf/disasm.c",
    "kernel/bpf/disasm.h",
    "include/uapi/linux/bpf.h",
    "include/uapi/linux/bpf_common.h",
    "scripts/bpf_doc.py",
    "Makefile",
];

/// Why an outside judge is not there.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The Debian package is not installed.
    #[error("{ARCHIVE} is missing (Debian: linux-source-6.12)")]
    NoArchive,
    /// A program of the system failed.
    #[error("{command}: {text}")]
    Failed {
        /// What was run.
        command: String,
        /// The end of what it said.
        text: String,
    },
    /// A file could not be written or read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// bpftool 7.5, which knows links and says why something failed; Debian 12's own 7.1 does not.
///
/// # Errors
/// When it is not there and cannot be built.
pub fn bpftool() -> Result<PathBuf, SourceError> {
    let cache = cache()?;
    let _lock = lock(&cache)?;
    build_bpftool(&cache)
}

/// The kernel's selftest programs, compiled when asked for.
#[derive(Debug)]
pub struct Selftests {
    source: PathBuf,
    headers: PathBuf,
    objects: PathBuf,
}

impl Selftests {
    /// Unpacks, builds the tool and writes the running kernel's `vmlinux.h`, all unless it is there.
    ///
    /// # Errors
    /// When the package is missing or something fails.
    pub fn prepare() -> Result<Self, SourceError> {
        let cache = cache()?;
        let _lock = lock(&cache)?;
        let tool = build_bpftool(&cache)?;
        let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let objects = cache.join(format!("selftests-{}", release.trim()));
        fs::create_dir_all(&objects)?;
        let header = objects.join("vmlinux.h");
        if !header.exists() {
            let dump = ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"];
            let output = run(Command::new(tool).args(dump))?;
            write_whole(&header, &output.stdout)?;
        }
        Ok(Self {
            source: cache.join(FOLDER).join("tools/testing/selftests/bpf"),
            headers: cache.join("bpftool/libbpf/include"),
            objects,
        })
    }

    /// The object of `progs/<name>.c`.
    ///
    /// # Errors
    /// With the end of what clang says.
    pub fn object(&self, name: &str) -> Result<PathBuf, SourceError> {
        self.compile(&self.source.join("progs").join(format!("{name}.c")), name)
    }

    /// The object of another C file that is written like the selftests (it may include `vmlinux.h` and libbpf's headers); `name` must be unique.
    ///
    /// # Errors
    /// With the end of what clang says.
    pub fn compile(&self, file: &Path, name: &str) -> Result<PathBuf, SourceError> {
        let object = self.objects.join(format!("{name}.bpf.o"));
        let is_newer = |object: &Path| -> io::Result<bool> {
            Ok(fs::metadata(object)?.modified()? >= fs::metadata(file)?.modified()?)
        };
        if is_newer(&object).unwrap_or(false) {
            return Ok(object);
        }
        let unfinished = self.objects.join(format!("{name}.{}.tmp", std::process::id()));
        let mut clang = Command::new(CLANG);
        clang
            .args([
                "-g",
                "-O2",
                "-target",
                "bpf",
                "-mcpu=v3",
                "-D__TARGET_ARCH_x86",
                "-Wno-everything",
            ])
            .arg("-I")
            .arg(&self.objects)
            .arg("-I")
            .arg(&self.headers)
            .arg("-I")
            .arg(&self.source)
            .arg("-I")
            .arg(self.source.join("../../../include/uapi"))
            .args([
                OsStr::new("-c"),
                file.as_os_str(),
                OsStr::new("-o"),
                unfinished.as_os_str(),
            ]);
        run(&mut clang)?;
        fs::rename(unfinished, &object)?;
        Ok(object)
    }
}

/// `<target>/testkit`: the test runs from `<target>/<profile>/deps`.
fn cache() -> Result<PathBuf, SourceError> {
    let test = std::env::current_exe()?;
    let target = test.ancestors().find(|path| path.join("CACHEDIR.TAG").exists());
    let cache = target.unwrap_or(&std::env::temp_dir()).join("testkit");
    fs::create_dir_all(&cache)?;
    Ok(cache)
}

/// Tests of several processes may come here at once.
fn lock(cache: &Path) -> Result<fs::File, SourceError> {
    let file = fs::File::create(cache.join("lock"))?;
    file.lock()?;
    Ok(file)
}

fn unpack(cache: &Path) -> Result<PathBuf, SourceError> {
    let source = cache.join(FOLDER);
    let done = source.join(".unpacked");
    if done.exists() {
        return Ok(source);
    }
    if !Path::new(ARCHIVE).exists() {
        return Err(SourceError::NoArchive);
    }
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(cache).args(["--wildcards", "-xf", ARCHIVE]);
    tar.args(NEEDED.iter().map(|path| format!("{FOLDER}/{path}")));
    run(&mut tar)?;
    fs::write(done, "")?;
    Ok(source)
}

fn build_bpftool(cache: &Path) -> Result<PathBuf, SourceError> {
    let output = cache.join("bpftool");
    let tool = output.join("bpftool");
    let done = output.join(".built");
    if done.exists() {
        return Ok(tool);
    }
    let source = unpack(cache)?;
    fs::create_dir_all(&output)?;
    let mut make = Command::new("make");
    make.arg("-C")
        .arg(source.join("tools/bpf/bpftool"))
        .arg(format!("OUTPUT={}/", output.display()))
        .arg("-j2")
        .arg(&tool);
    // We may ourselves be run by a make or cargo that left its own settings.
    for variable in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CARGO_MAKEFLAGS"] {
        make.env_remove(variable);
    }
    run(&mut make)?;
    fs::write(done, "")?;
    Ok(tool)
}

fn run(command: &mut Command) -> Result<Output, SourceError> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| SourceError::Failed {
        command: shown.clone(),
        text: error.to_string(),
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = text.lines().rev().take(20).collect();
    Err(SourceError::Failed {
        command: shown,
        text: last.into_iter().rev().collect::<Vec<_>>().join("\n"),
    })
}

/// Never a half-written file under the final name.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    fs::write(&unfinished, bytes)?;
    fs::rename(unfinished, path)
}
