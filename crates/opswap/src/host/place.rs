//! The bpffs as a place: whether it is there, and whether it stays.

use super::census::{self, PinnedId};
use super::{Host, HostError};
use linux::bpffs::Lasting;
use std::path::{Path, PathBuf};

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

    /// What is registered by a link that is not kept here, with the other bpffs in which we keep it, if there is one.
    pub(super) fn not_ours(&self, name: &str, link_id: Option<u32>) -> HostError {
        HostError::NotOurs {
            name: name.to_owned(),
            link_id,
            kept_in: link_id.and_then(|id| self.kept_elsewhere(id)),
        }
    }

    fn kept_elsewhere(&self, link_id: u32) -> Option<PathBuf> {
        let mounts = if self.on_linux {
            linux::bpffs::mounts()
        } else {
            Ok(Vec::new())
        };
        let has_link = |place: &PathBuf| {
            let there = Self {
                bpffs: place.clone(),
                ..self.clone()
            };
            let kept = census::kept(&there);
            kept.is_ok_and(|kept| kept.pins.iter().any(|pin| pin.object == PinnedId::Link(link_id)))
        };
        mounts.unwrap_or_default().into_iter().find(has_link)
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

/// For [`HostError::NotOurs`]: who keeps it.
pub(super) fn whose(link_id: Option<u32>, kept_in: Option<&Path>) -> String {
    match (kept_in, link_id) {
        (Some(place), _) => format!("kept in another bpffs: {}", place.display()),
        (None, Some(id)) => format!("not kept by opswap: link {id} is somebody else's"),
        (None, None) => "not kept by opswap: it has no link".to_owned(),
    }
}
