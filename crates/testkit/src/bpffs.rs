//! A bpffs of a test's own, so that nothing of the machine's is touched.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted bpffs, unmounted when dropped.
pub struct Bpffs(PathBuf);

impl Bpffs {
    /// Mounts one in the directory for temporary files.
    ///
    /// # Panics
    /// When it cannot be mounted: ask [`crate::linux_or_skip`] first.
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(crate::unique_name("oswt_fs_"));
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
        // Lazily: a failing test may still hold something in it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}
