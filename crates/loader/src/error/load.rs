//! Why a plan was not carried out: what the kernel refused.

use crate::map_rules::MapRule;
use crate::sharing::ShapeDifference;
use bpf::{BtfLoadError, Errno, MapMemory, ProgLoadError};
use std::path::PathBuf;

/// Why a plan could not be loaded. What had been created is gone again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The kernel refuses the object's types.
    #[error("the kernel refuses the object's types: {0}")]
    Btf(#[source] BtfLoadError),
    /// A map was not created.
    #[error("map `{map}` ({map_type}) was not created: {errno}{}{}", broken(*.rule), why(.memory.as_deref()))]
    Map {
        /// The map.
        map: String,
        /// Its type.
        map_type: bpf::MapType,
        /// What the kernel says.
        errno: Errno,
        /// The rule that it breaks, as far as we know it.
        rule: Option<&'static MapRule>,
        /// For `ENOMEM`: what there is for maps, where the kernel has a limit.
        memory: Option<Box<MapMemory>>,
    },
    /// A map did not take its initial value.
    #[error("map `{map}` did not take its initial value: {errno}{}", why(.memory.as_deref()))]
    MapValue {
        /// The map.
        map: String,
        /// What the kernel says.
        errno: Errno,
        /// For `ENOMEM`: what there is for maps, where the kernel has a limit.
        memory: Option<Box<MapMemory>>,
    },
    /// A slot of a map of maps or of a program array was not filled.
    #[error("map `{map}` did not take `{holds}` as its value {index}: {}", slot(*.errno))]
    MapSlot {
        /// The map.
        map: String,
        /// The slot.
        index: u32,
        /// The map or program that should stand there.
        holds: String,
        /// What the kernel says; none for something that was not created or loaded.
        errno: Option<Errno>,
    },
    /// A pinned map of this name is of another shape.
    #[error("the map pinned at {} is of another shape than `{map}`: {}", path.display(), listed(.differences))]
    PinnedMap {
        /// The map.
        map: String,
        /// The pin.
        path: PathBuf,
        /// In what they differ.
        differences: Vec<ShapeDifference>,
    },
    /// What is pinned under a map's name is no map.
    #[error("map `{map}` cannot be shared at {}: what is pinned there is no map", path.display())]
    PinnedOther {
        /// The map.
        map: String,
        /// The pin.
        path: PathBuf,
    },
    /// A map could not be pinned, or its pin not be opened.
    #[error("map `{map}` cannot be shared at {}: {errno}", path.display())]
    MapPin {
        /// The map.
        map: String,
        /// The pin.
        path: PathBuf,
        /// What the kernel says.
        errno: Errno,
    },
    /// A configuration value that the object needs is not to be had.
    #[error("`{name}`: {problem}")]
    Kconfig {
        /// The extern.
        name: String,
        /// Why.
        problem: KconfigProblem,
    },
    /// An address of the kernel that the object needs is not to be had.
    #[error("the kernel shows {} of variable `{name}`, which `{program}` needs", addresses(*.found))]
    NoAddress {
        /// The program that needs it.
        program: String,
        /// The extern.
        name: String,
        /// How many the kernel shows: none, or more than one, so that nobody can tell which is meant.
        found: usize,
    },
    /// The types of a module could not be opened.
    #[error("the types of module `{module}` cannot be opened: {errno}")]
    Module {
        /// The module.
        module: String,
        /// What the kernel says.
        errno: Errno,
    },
    /// A program was refused.
    #[error("program `{program}`: {source}")]
    Program {
        /// The program.
        program: String,
        /// The kernel's refusal.
        #[source]
        source: Box<ProgLoadError>,
    },
    /// The map of an ops structure was not created.
    #[error("ops structure `{ops}` ({kind}) was not created: {errno}")]
    Ops {
        /// The ops structure's variable.
        ops: String,
        /// Its kind.
        kind: String,
        /// What the kernel says.
        errno: Errno,
    },
}

fn listed(differences: &[ShapeDifference]) -> String {
    let words: Vec<String> = differences.iter().map(ShapeDifference::to_string).collect();
    words.join(", ")
}

fn addresses(found: usize) -> String {
    match found {
        0 => "no address".to_owned(),
        several => format!("{several} addresses"),
    }
}

fn broken(rule: Option<&MapRule>) -> String {
    rule.map_or_else(String::new, |rule| format!(": {}", rule.broken))
}

fn slot(errno: Option<Errno>) -> String {
    errno.map_or_else(|| "it is not loaded".to_owned(), |errno| errno.to_string())
}

fn why(memory: Option<&MapMemory>) -> String {
    memory.map_or_else(String::new, |memory| format!(": {memory}"))
}

/// Why a configuration value is not to be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KconfigProblem {
    /// The kernel's configuration cannot be read.
    #[error("the kernel's configuration cannot be read: {0}")]
    Unreadable(Errno),
    /// It is not set, and the extern is not weak.
    #[error("not set in the kernel's configuration (declare it __weak if it may be absent)")]
    NotSet,
    /// A name that is neither `CONFIG_…` nor one that the loader provides.
    #[error("neither CONFIG_… nor a name that the loader provides")]
    UnknownName,
    /// The value does not fit the extern's type.
    #[error("the value `{0}` does not fit the type of the extern")]
    Value(String),
}
