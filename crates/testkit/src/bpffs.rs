//! A bpffs of a test's own, so that nothing of the machine's is touched.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Beginning of the directories' names; the process follows.
const PREFIX: &str = "oswt-fs-";

/// A mounted bpffs, unmounted when dropped.
pub struct Bpffs(PathBuf);

impl Bpffs {
    /// Mounts one in the directory for temporary files.
    ///
    /// # Panics
    /// When it cannot be mounted: ask [`crate::linux_or_skip`] first.
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        remove_orphans();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("{PREFIX}{:x}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        let status = Command::new("mount").args(["-t", "bpf", "bpf"]).arg(&path).status();
        assert!(status.is_ok_and(|status| status.success()), "mount a bpffs");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Lazily: a failing test may still hold something in it.
fn remove(path: &Path) {
    let _ = Command::new("umount").arg("-l").arg(path).output();
    let _ = std::fs::remove_dir(path);
}

/// Removes what test processes left that were killed, and with it what was pinned there.
fn remove_orphans() {
    let entries = std::fs::read_dir(std::env::temp_dir());
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if crate::names::is_of_dead_process(&name, PREFIX) {
            remove(&entry.path());
        }
    }
}
