//! The bpffs as a place: whether it is there, and whether it stays.

use super::{Host, HostError};
use linux::bpffs::Lasting;

/// What is known of the bpffs in which a [`Host`] keeps things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whether it is mounted; if not, the first load does it.
    pub mounted: bool,
    /// Whether it stays when this process ends, with what is kept in it: not if only its own mount namespace has it. `None` if that cannot be told.
    pub lasts: Option<bool>,
}

impl Host {
    /// Looks at the bpffs. A kernel within this process has its own, which is there and ends with it.
    pub fn place(&self) -> Place {
        if !self.on_linux {
            return Place {
                mounted: true,
                lasts: Some(false),
            };
        }
        Place {
            mounted: linux::bpffs::is_bpffs(&self.bpffs),
            lasts: match linux::bpffs::lasting(&self.bpffs) {
                Lasting::Yes => Some(true),
                Lasting::No => Some(false),
                Lasting::CannotTell => None,
            },
        }
    }

    /// Before a mount: it must not be one that ends with this process. One that somebody else mounted in this mount namespace is as good as they wanted it.
    pub(super) fn lasts(&self) -> Result<(), HostError> {
        match self.place() {
            Place {
                mounted: false,
                lasts: Some(false),
            } => Err(HostError::Fleeting {
                path: self.bpffs.clone(),
            }),
            _ => Ok(()),
        }
    }
}
