//! Outside judges made from the kernel's own source: bpftool with libbpf, and the BPF selftest programs.
//!
//! Debian's `linux-source-6.12` has the source; what is needed of it is unpacked and built once below the target
//! directory. Nothing of it (it is GPL) becomes part of this repository.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// bpftool of Linux 6.12 and its selftest programs, compiled for the running kernel.
#[derive(Debug)]
pub struct KernelTools {
    /// The unpacked source.
    source: PathBuf,
    /// Headers for programs: `vmlinux.h` of the running kernel, and libbpf's.
    include: PathBuf,
    /// Where compiled programs are kept.
    objects: PathBuf,
}

/// Why the tools could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelToolsError {
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {program}: {error}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// A program failed.
    #[error("{program} failed: {message}")]
    Failed {
        /// The program.
        program: String,
        /// The end of what it said.
        message: String,
    },
}

type Result<T> = std::result::Result<T, KernelToolsError>;

/// The archive of Debian's package.
const ARCHIVE: &str = "/usr/src/linux-source-6.12.tar.xz";
/// Its top directory.
const TOP: &str = "linux-source-6.12";
/// What bpftool and the selftest programs are built from.
const NEEDED: &[&str] = &[
    "Makefile",
    "include/uapi",
    "kernel/bpf/disasm.c",
    "kernel/bpf/disasm.h",
    "scripts/bpf_doc.py",
    "tools/arch/x86/include",
    "tools/arch/arm64/include",
    "tools/bpf/bpftool",
    "tools/build",
    "tools/include",
    "tools/lib",
    "tools/scripts",
    "tools/testing/selftests/bpf",
];
/// Headers of libbpf that programs include, beside the one that is generated.
const HEADERS: &[&str] = &[
    "bpf_helpers.h",
    "bpf_tracing.h",
    "bpf_core_read.h",
    "bpf_endian.h",
    "usdt.bpf.h",
];

/// The tools, or nothing (said on stderr) where they cannot be had: needs Linux as [`crate::linux_or_skip`] does, the
/// package `linux-source-6.12`, clang-19 and a C compiler. The first call takes about a minute.
///
/// # Panics
/// When something is missing and `OPSWAP_REQUIRE_LINUX=1`, or when building fails.
#[must_use]
pub fn kernel_tools_or_skip(purpose: &str) -> Option<KernelTools> {
    if !crate::linux_or_skip(purpose) {
        return None;
    }
    let tools = ["clang-19", "llvm-strip-19", "make", "gcc", "tar", "xz"];
    if !tools.iter().all(|tool| crate::tool_or_skip(tool, purpose)) {
        return None;
    }
    if !crate::gate::need(
        (!Path::new(ARCHIVE).exists()).then(|| format!("{ARCHIVE} is missing (package linux-source-6.12)")),
        purpose,
    ) {
        return None;
    }
    match KernelTools::make() {
        Ok(tools) => Some(tools),
        Err(error) => panic!("{purpose}: {error}"),
    }
}

impl KernelTools {
    /// Unpacks and builds what is not there yet; safe to call from several processes at once.
    fn make() -> Result<Self> {
        let base = target().join("testkit");
        fs::create_dir_all(&base).map_err(|error| file(&base, error))?;
        let lock_path = base.join("lock");
        let lock = File::create(&lock_path).map_err(|error| file(&lock_path, error))?;
        lock.lock().map_err(|error| file(&lock_path, error))?;

        let source = base.join(TOP);
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let per_kernel = base.join(format!("for-{}", release.trim()));
        let tools = Self {
            include: per_kernel.join("include"),
            objects: per_kernel.join("objects"),
            source,
        };
        if !tools.bpftool_path().exists() {
            tools.unpack(&base)?;
            tools.build_bpftool()?;
        }
        if !tools.include.join("vmlinux.h").exists() {
            tools.make_headers()?;
        }
        Ok(tools)
    }

    /// bpftool 7.5, which uses libbpf 1.5.
    pub fn bpftool(&self) -> Command {
        Command::new(self.bpftool_path())
    }

    /// The object of a selftest program, such as `bpf_cubic`, without debug information.
    ///
    /// # Errors
    /// What clang says.
    pub fn selftest(&self, name: &str) -> Result<PathBuf> {
        let source = self.selftests().join("progs").join(format!("{name}.c"));
        self.compile(&source)
    }

    /// Compiles a program against the running kernel's `vmlinux.h` and libbpf's headers; the object is kept for the
    /// next time. Sources of the same name are the same program.
    ///
    /// # Errors
    /// What clang says.
    pub fn compile(&self, source: &Path) -> Result<PathBuf> {
        self.compile_with(&self.include, source, &self.objects)
    }

    /// As [`KernelTools::compile`], with the `vmlinux.h` of the folder `types` and the object in the folder `objects`.
    ///
    /// # Errors
    /// What clang says.
    pub fn compile_with(&self, types: &Path, source: &Path, objects: &Path) -> Result<PathBuf> {
        fs::create_dir_all(objects).map_err(|error| file(objects, error))?;
        let name = source.file_stem().unwrap_or_default().to_string_lossy();
        let object = objects.join(format!("{name}.bpf.o"));
        let age = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
        if age(&object).is_some_and(|made| age(source).is_some_and(|changed| changed <= made)) {
            return Ok(object);
        }
        // Written under another name first: another process may be reading the old one, and another test be compiling the same.
        let (process, thread) = (std::process::id(), std::thread::current().id());
        let draft = objects.join(format!("{name}.{process}.{thread:?}"));
        let include = |path: PathBuf| format!("-I{}", path.display());
        run(Command::new("clang-19")
            .args([
                "-g",
                "-O2",
                "-mcpu=v3",
                "-target",
                "bpf",
                "-Wno-compare-distinct-pointer-types",
            ])
            .arg(format!("-D__TARGET_ARCH_{}", architecture()))
            .arg(include(types.to_owned()))
            .arg(include(self.include.clone()))
            .arg(include(self.selftests()))
            .arg(include(self.source.join("tools/include/uapi")))
            .arg("-c")
            .arg(source)
            .arg("-o")
            .arg(&draft))?;
        run(Command::new("llvm-strip-19").arg("-g").arg(&draft))?;
        fs::rename(&draft, &object).map_err(|error| file(&object, error))?;
        Ok(object)
    }

    /// The folder of the kernel's BPF selftests.
    pub fn selftests(&self) -> PathBuf {
        self.source.join("tools/testing/selftests/bpf")
    }

    fn bpftool_path(&self) -> PathBuf {
        self.source.join("tools/bpf/bpftool/bpftool")
    }

    fn unpack(&self, base: &Path) -> Result<()> {
        let members = NEEDED.iter().map(|name| format!("{TOP}/{name}"));
        run(Command::new("tar")
            .arg("-xJf")
            .arg(ARCHIVE)
            .arg("-C")
            .arg(base)
            .args(members))
    }

    fn build_bpftool(&self) -> Result<()> {
        let folder = self.source.join("tools/bpf/bpftool");
        run(Command::new("make")
            .args(["-j2", "-s", "CLANG=clang-19", "LLVM_STRIP=llvm-strip-19", "-C"])
            .arg(&folder)
            // cargo's own settings for make would confuse this one.
            .env_remove("MAKEFLAGS")
            .env_remove("CARGO_MAKEFLAGS"))
    }

    fn make_headers(&self) -> Result<()> {
        let libbpf = self.include.join("bpf");
        fs::create_dir_all(&libbpf).map_err(|error| file(&libbpf, error))?;
        let copy = |from: PathBuf, name: &str| {
            let to = libbpf.join(name);
            fs::copy(&from, &to).map_err(|error| file(&from, error))
        };
        for name in HEADERS {
            copy(self.source.join("tools/lib/bpf").join(name), name)?;
        }
        let generated = "bpf_helper_defs.h";
        copy(self.source.join("tools/bpf/bpftool/libbpf").join(generated), generated)?;
        let args = ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"];
        let types = output(self.bpftool().args(args))?;
        let header = self.include.join("vmlinux.h");
        fs::write(&header, types).map_err(|error| file(&header, error))
    }
}

/// The target directory of the build that this test belongs to.
fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
    }
}

/// The architecture as libbpf's headers call it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x86",
    }
}

fn run(command: &mut Command) -> Result<()> {
    output(command).map(|_| ())
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = text.lines().collect();
            let message = lines[lines.len().saturating_sub(20)..].join("\n");
            Err(KernelToolsError::Failed { program, message })
        }
        Err(error) => Err(KernelToolsError::Start { program, error }),
    }
}

fn file(path: &Path, error: io::Error) -> KernelToolsError {
    KernelToolsError::File {
        path: path.to_owned(),
        error,
    }
}
