//! Maps that are shared by name (`LIBBPF_PIN_BY_NAME`): one that is pinned already is used if it fits, a new one is pinned.
//!
//! What fits is `map_is_reuse_compat` of libbpf (Linux 6.18). The pin of a shared map outlives what it was made for, as with libbpf; one that was made
//! for a load that came to nothing goes again.

use crate::error::LoadError;
use crate::maps::MapPlan;
use bpf::{Bpf, Errno, Fd, Map, MapFlags, MapInfo, MapType, ObjectRef, Pinned};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A directory for pins of shared maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinRoot {
    /// How the kernel is told of it: a path through an open descriptor, for one that nobody may exchange meanwhile.
    pub at: PathBuf,
    /// How people are told of it.
    pub shown: PathBuf,
}

impl From<&Path> for PinRoot {
    fn from(path: &Path) -> Self {
        Self {
            at: path.to_owned(),
            shown: path.to_owned(),
        }
    }
}

impl PinRoot {
    /// The pin of a map of this name.
    pub(crate) fn pin(&self, name: &str) -> MapPin {
        MapPin {
            at: self.at.join(name),
            shown: self.shown.join(name),
        }
    }
}

/// Where a map is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapPin {
    /// How the kernel is told of it.
    pub at: PathBuf,
    /// How people are told of it.
    pub shown: PathBuf,
}

/// How a loaded map is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedMap {
    /// Its pin.
    pub path: PathBuf,
    /// Whether it was there before, with what it holds.
    pub was_there: bool,
}

/// In what a pinned map is another than the object asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeDifference {
    /// The attribute: `type`, `key_size`, `value_size`, `max_entries`, `map_flags` or `map_extra`.
    pub attribute: &'static str,
    /// What the pinned map has.
    pub pinned: u64,
    /// What the object asks for.
    pub object: u64,
}

impl fmt::Display for ShapeDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            attribute,
            pinned,
            object,
        } = *self;
        match attribute {
            "type" => {
                let [pinned, object] = [pinned, object].map(|number| MapType(number as u32));
                write!(f, "type {pinned}, not {object}")
            }
            "map_flags" => write!(f, "map_flags {pinned:#x}, not {object:#x}"),
            _ => write!(f, "{attribute} {pinned}, not {object}"),
        }
    }
}

impl MapPlan {
    /// The map that is pinned under this map's name, if there is one, and if it has the same shape.
    pub(crate) fn shared(&self, kernel: &dyn Bpf, pin: &MapPin) -> Result<Option<Fd<Map>>, LoadError> {
        let failed = |errno| self.pin_failed(pin, errno);
        let map = match kernel.obj_get(&pin.at) {
            Ok(Pinned::Map(map)) => map,
            Ok(_) => {
                return Err(LoadError::PinnedOther {
                    map: self.name.clone(),
                    path: pin.shown.clone(),
                });
            }
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        let info = kernel.map_info(&map).map_err(failed)?;
        let differences = self.differences(&info, kernel);
        if differences.is_empty() {
            return Ok(Some(map));
        }
        Err(LoadError::PinnedMap {
            map: self.name.clone(),
            path: pin.shown.clone(),
            differences,
        })
    }

    fn differences(&self, pinned: &MapInfo, kernel: &dyn Bpf) -> Vec<ShapeDifference> {
        let mut flags = pinned.flags;
        // The kernel sets it itself there (`dev_map_init_map` of kernel/bpf/devmap.c, Linux 6.18).
        if [MapType::DEVMAP, MapType::DEVMAP_HASH].contains(&self.map_type)
            && !self.flags.contains(MapFlags::RDONLY_PROG)
        {
            flags.remove(MapFlags::RDONLY_PROG);
        }
        let pairs = [
            ("type", pinned.map_type.0.into(), self.map_type.0.into()),
            ("key_size", pinned.key_size.into(), self.key_size.into()),
            ("value_size", pinned.value_size.into(), self.value_size.into()),
            ("max_entries", pinned.max_entries.into(), self.entries(kernel).into()),
            ("map_flags", flags.bits().into(), self.flags.bits().into()),
            ("map_extra", pinned.map_extra, self.extra),
        ];
        let differ = pairs.into_iter().filter(|(_, pinned, object)| pinned != object);
        differ
            .map(|(attribute, pinned, object)| ShapeDifference {
                attribute,
                pinned,
                object,
            })
            .collect()
    }

    /// Pins a new map under its name; whether it is this one that is pinned now, and not one of somebody who was faster.
    pub(crate) fn share(&self, map: &Fd<Map>, pin: &MapPin, pins: &mut NewPins) -> Result<bool, LoadError> {
        match pins.kernel.obj_pin(&pin.at, ObjectRef::Map(map)) {
            Ok(()) => {
                pins.paths.push(pin.at.clone());
                Ok(true)
            }
            Err(Errno::EEXIST) => Ok(false),
            Err(errno) => Err(self.pin_failed(pin, errno)),
        }
    }

    fn pin_failed(&self, pin: &MapPin, errno: Errno) -> LoadError {
        LoadError::MapPin {
            map: self.name.clone(),
            path: pin.shown.clone(),
            errno,
        }
    }
}

/// Pins made for shared maps: removed again unless loading comes to a good end.
pub(crate) struct NewPins {
    kernel: Arc<dyn Bpf>,
    paths: Vec<PathBuf>,
}

impl NewPins {
    pub(crate) fn new(kernel: &Arc<dyn Bpf>) -> Self {
        Self {
            kernel: Arc::clone(kernel),
            paths: Vec::new(),
        }
    }

    pub(crate) fn keep(&mut self) {
        self.paths.clear();
    }
}

impl Drop for NewPins {
    fn drop(&mut self) {
        for path in &self.paths {
            // What stood in the way of loading is what the caller hears of.
            let _ = self.kernel.pin_remove(path);
        }
    }
}
