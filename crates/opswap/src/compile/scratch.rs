//! A folder for one compilation. It goes away with its owner; what a killed process left is swept up by the next.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder that goes away with its owner.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> io::Result<Self> {
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

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Only our own files are in it; a failure leaves a few kilobytes in the temporary folder.
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}

/// Removes folders that processes left behind which were killed while they compiled.
fn sweep() {
    let hour = Duration::from_secs(3600);
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
