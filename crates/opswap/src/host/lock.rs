//! One change at a time: who changes what is kept in a bpffs holds a lock on our folder in it.
//!
//! On our folder, and not on the bpffs: there everybody may open the root, and keep us waiting. The lock ends with its process. The folder comes and goes
//! with what is kept in it, so that after locking it must still be the one that the name leads to.

use super::folders::{Folder, Missing};
use super::pins::TOP;
use super::{Host, HostError};
use std::time::Duration;

/// A change takes some tens of milliseconds; ten seconds are waited for others.
const TRIES: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(10);

/// The right to change something. When it ends, an empty folder goes.
pub(super) struct Lock<'h> {
    host: &'h Host,
    /// Opened in time: at the end there may be no descriptor left.
    root: Folder,
    _folder: Folder,
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // Mostly there is something in it.
        let _stays = self.host.bpf.pin_dir_remove(&self.root.at(TOP));
    }
}

impl Host {
    /// Keeps other processes from changing what is kept in this bpffs until the lock is dropped. Without a bpffs there is nothing to guard, and
    /// where our folder cannot be had, whatever comes next tells why.
    ///
    /// # Errors
    /// [`HostError::Busy`] when another process holds it for longer than any change takes.
    pub(super) fn lock(&self) -> Result<Option<Lock<'_>>, HostError> {
        if !self.on_linux || !linux::bpffs::is_bpffs(&self.bpffs) {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let (Ok(root), Ok(folder)) = (self.root(), self.make_folder(&[TOP])) else {
                return Ok(None);
            };
            match folder.try_lock() {
                Ok(false) => std::thread::sleep(PAUSE),
                Ok(true) => match self.folder(&[TOP]) {
                    Ok(now) if now.is(&folder) => {
                        return Ok(Some(Lock {
                            host: self,
                            root,
                            _folder: folder,
                        }));
                    }
                    Ok(_) | Err(Missing::Absent) => {} // it was removed meanwhile
                    Err(Missing::Foreign(_)) => return Ok(None),
                    Err(Missing::Failed(error)) => return Err(error),
                },
                Err(_) => return Ok(None), // a kernel without locks there
            }
        }
        Err(HostError::Busy {
            path: self.bpffs.clone(),
        })
    }
}
