//! An ops structure without its section is a variable like any other, and what its members name seems to be used by nobody. Its author needs to know
//! which variable it is and where it stands.

use crate::error::{Elsewhere, PlanError};
use crate::options::PlanOptions;
use btf::{Btf, Def, Kind};
use object::Object;

/// Adds the variable that was probably meant to an error about a program that no ops structure uses; other errors stay as they are.
pub(crate) fn found(error: PlanError, object: &Object, kernel: &Btf, options: &PlanOptions) -> PlanError {
    match error {
        PlanError::Unreferenced { program, elsewhere } => PlanError::Unreferenced {
            program,
            elsewhere: elsewhere.or_else(|| variable(object.btf.as_ref()?, kernel, options)),
        },
        other => other,
    }
}

/// The first variable with a value whose type this kernel has as an ops structure, outside the sections of those.
pub(crate) fn variable(btf: &Btf, kernel: &Btf, options: &PlanOptions) -> Option<Elsewhere> {
    let is_kind = |name: &str| {
        let value = format!("bpf_struct_ops_{name}");
        let mut types = std::iter::once(kernel).chain(options.modules.iter().map(|module| &module.btf));
        types.any(|types| types.find(&value, Kind::Struct).is_some())
    };
    let sections = btf.types().filter_map(|ty| match ty.def {
        Def::DataSec(section) => Some((ty.name, section)),
        _ => None,
    });
    // What stands in `.bss` names no program. The names of sections are those of libbpf's `SEC_DEF`s (Linux 6.18).
    let of_data = sections.filter(|(name, _)| {
        let known = name.trim_start_matches('?');
        !name.starts_with(".bss") && known != ".struct_ops" && known != ".struct_ops.link"
    });
    let mut variables = of_data.flat_map(|(section, of)| of.vars().map(move |place| (section, place.ty)));
    variables.find_map(|(section, variable)| {
        let ty = btf.type_by_id(variable)?;
        let structure = btf.resolve(ty.target()?).ok()?;
        let kind = btf::core::essential(structure.name);
        (structure.kind() == Kind::Struct && is_kind(kind)).then(|| Elsewhere {
            variable: ty.name.to_owned(),
            kind: kind.to_owned(),
            section: section.to_owned(),
        })
    })
}
