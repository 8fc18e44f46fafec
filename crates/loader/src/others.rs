//! Programs that belong to no ops structure, and stand in an object beside some: which of them are loaded, as what, and which are left out.

use crate::programs::SkipReason;
use crate::sections::{self, Place, Section};
use btf::{Btf, Kind, TypeId};
use object::{Function, FunctionIndex, Object, Role, SectionKind};
use std::collections::{BTreeMap, BTreeSet};

/// Which programs of other kinds are loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// None: they are left out.
    #[default]
    LeaveOut,
    /// All whose kind is known.
    Load,
    /// Those of these sections, `?` or not; the others are left out.
    Sections(BTreeSet<String>),
}

/// What a program of another kind is loaded as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherKind {
    /// What its section says.
    pub section: Section,
    /// The function, tracepoint or iterator in the kernel's types; 0 for kinds without.
    pub target: TypeId,
}

/// What becomes of each program of another kind, by index.
pub(crate) type Fates = BTreeMap<u32, Result<OtherKind, SkipReason>>;

/// Decides for every program that belongs to no ops structure and is neither a socket filter nor a syscall program.
pub(crate) fn decide(object: &Object, others: &Others, kernel: &Btf) -> Fates {
    let mut fates = Fates::new();
    for (index, function) in object.programs() {
        if let Role::Program {
            kind: SectionKind::Other(name),
            autoload,
        } = &function.role
        {
            let fate = fate(function, name, *autoload, others, kernel);
            fates.insert(index.0, fate);
        }
    }
    fates
}

fn fate(
    function: &Function,
    name: &str,
    autoload: bool,
    others: &Others,
    kernel: &Btf,
) -> Result<OtherKind, SkipReason> {
    match others {
        Others::LeaveOut => return Err(SkipReason::OtherKind),
        Others::Load if !autoload => return Err(SkipReason::NotAskedFor),
        Others::Sections(asked) if !asked.contains(name) && !asked.contains(&function.section) => {
            return Err(SkipReason::OtherKind);
        }
        Others::Load | Others::Sections(_) => {}
    }
    let section = sections::section(name).ok_or(SkipReason::UnknownSection)?;
    let target = match &section.place {
        Place::Typed { name, is_typedef } => {
            let kind = if *is_typedef { Kind::Typedef } else { Kind::Func };
            kernel.find(name, kind).ok_or(SkipReason::NoTarget)?
        }
        _ => TypeId::VOID,
    };
    Ok(OtherKind { section, target })
}

/// The programs that are left out because of their kind.
pub(crate) fn left_out(fates: &Fates) -> impl Iterator<Item = FunctionIndex> {
    let left_out = fates.iter().filter(|(_, fate)| fate.is_err());
    left_out.map(|(index, _)| FunctionIndex(*index))
}
