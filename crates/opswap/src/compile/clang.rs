//! Which clang, and what it must be told about this machine.

use super::CompileError;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

/// A clang that compiles for BPF.
#[derive(Debug)]
pub(super) struct Clang {
    /// How it is called.
    pub(super) name: String,
    /// Its llvm-strip, if there is one.
    strip: Option<OsString>,
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

impl Clang {
    pub(super) fn find() -> Result<Self, CompileError> {
        let name = find_clang()?;
        let path = Path::new(&name);
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let strip = path
            .with_file_name(file.replacen("clang", "llvm-strip", 1))
            .into_os_string();
        let works = Command::new(&strip)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        Ok(Self {
            strip: works.then_some(strip),
            name,
        })
    }

    /// What is compiled from our headers is named as ours and not by the folder, which is gone when a verifier talks of it. The lines
    /// themselves are copied out of the debug information, which makes objects much larger where nobody strips it.
    pub(super) fn keep_lines_of(&self, folder: &Path) -> Vec<OsString> {
        let mut map = OsString::from("-ffile-prefix-map=");
        map.push(folder);
        map.push("=");
        map.push(super::said::OURS);
        let embed = ["-gdwarf-5", "-gembed-source"].map(OsString::from);
        let embed = embed.into_iter().filter(|_| self.strip.is_some());
        [map].into_iter().chain(embed).collect()
    }

    /// Takes the DWARF sections out, which nobody needs after BTF was made from them; without llvm-strip the object is only larger.
    pub(super) fn strip(&self, object: &Path) {
        if let Some(tool) = &self.strip {
            let _larger_but_right = Command::new(tool)
                .arg("-g")
                .arg(object)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// Flags of the user for every compilation: `$OPSWAP_CFLAGS`, words between spaces.
pub(super) fn flags_of_user() -> Vec<String> {
    let flags = std::env::var("OPSWAP_CFLAGS").unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

/// The macro that libbpf's headers want.
pub(super) fn target_architecture() -> String {
    let name = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "x86_64" => "x86",
        "riscv64" => "riscv",
        "s390x" => "s390",
        "powerpc64" => "powerpc",
        "loongarch64" => "loongarch",
        other => other,
    };
    format!("-D__TARGET_ARCH_{name}")
}

/// Where Debian keeps the headers of one machine, such as asm/types.h; clang looks there for the machine's own target, not for BPF.
pub(super) fn multiarch() -> Option<&'static str> {
    let folder = match std::env::consts::ARCH {
        "x86_64" => "/usr/include/x86_64-linux-gnu",
        "aarch64" => "/usr/include/aarch64-linux-gnu",
        "riscv64" => "/usr/include/riscv64-linux-gnu",
        "s390x" => "/usr/include/s390x-linux-gnu",
        "powerpc64" => "/usr/include/powerpc64le-linux-gnu",
        "loongarch64" => "/usr/include/loongarch64-linux-gnu",
        _ => return None,
    };
    Some(folder)
}
