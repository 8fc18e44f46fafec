//! Pinning: a registration outlives the process when its link has a name in a bpffs.
//!
//! For each ops structure a directory of its variable's name with `link` (if it has one) and `map`.

use crate::attach::Attached;
use crate::error::PinError;
use bpf::{Bpf, Errno, ObjectRef};
use std::path::{Path, PathBuf};

impl Attached {
    /// Pins the links and maps of all ops structures below `dir`, which is made if it is missing; the registrations
    /// then stay when this is dropped. All or nothing.
    ///
    /// # Errors
    /// [`PinError`]; pins made before in this call are removed again, and the registrations still end with `self`.
    pub fn pin(&mut self, dir: &Path) -> Result<(), PinError> {
        let kernel = self.loaded.kernel.clone();
        let mut made = Made {
            kernel: &*kernel,
            pins: Vec::new(),
            directories: Vec::new(),
            keep: false,
        };
        for (registration, ops) in self.registrations.iter().zip(&self.loaded.ops) {
            let dir = dir.join(registration.ops());
            made.directory(registration.ops(), &dir)?;
            made.pin(registration.ops(), dir.join("map"), ObjectRef::Map(&ops.map))?;
            if let Some(link) = registration.link() {
                made.pin(registration.ops(), dir.join("link"), ObjectRef::Link(link))?;
            }
        }
        made.keep = true;
        drop(made);
        for registration in &mut self.registrations {
            registration.undo = None;
        }
        Ok(())
    }
}

/// Pins made so far; removed again unless all succeeded.
struct Made<'k> {
    kernel: &'k dyn Bpf,
    pins: Vec<PathBuf>,
    directories: Vec<PathBuf>,
    keep: bool,
}

impl Made<'_> {
    fn directory(&mut self, what: &str, path: &Path) -> Result<(), PinError> {
        let new = self.kernel.pin_list(path).is_err();
        self.kernel
            .pin_dir_create(path)
            .map_err(|errno| failed(what, path, errno))?;
        if new {
            self.directories.push(path.to_owned());
        }
        Ok(())
    }

    fn pin(&mut self, what: &str, path: PathBuf, object: ObjectRef<'_>) -> Result<(), PinError> {
        self.kernel
            .obj_pin(&path, object)
            .map_err(|errno| failed(what, &path, errno))?;
        self.pins.push(path);
        Ok(())
    }
}

fn failed(what: &str, path: &Path, errno: Errno) -> PinError {
    PinError {
        what: what.to_owned(),
        path: path.to_owned(),
        errno,
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // The first error is what the caller hears of; what cannot be removed stays and does no harm.
        for path in self.pins.iter().rev() {
            let _ = self.kernel.pin_remove(path);
        }
        for path in self.directories.iter().rev() {
            let _ = self.kernel.pin_dir_remove(path);
        }
    }
}
