//! Kernel functions and variables that the object calls or reads: found in the kernel's types by name.
//!
//! Follows `bpf_object__resolve_ksym_func_btf_id` and `bpf_object__resolve_ksym_var_btf_id` of libbpf (Linux 6.12).

use crate::error::PlanError;
use btf::{Btf, Def, Kind, TypeId};
use object::{Extern, ExternIndex, ExternKind, Function, Object, Target};

/// What an extern turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// A place in the `.kconfig` map.
    Kconfig { offset: u32 },
    /// A function or variable of the kernel or of a module.
    Type { id: TypeId, module: Option<usize> },
    /// A symbol of which only the address is asked for; looked up when loading.
    Address,
    /// Weak and not there.
    Missing,
}

/// Resolves all externs, in the object's order; those that only left-out programs need are not looked for.
pub(crate) fn resolve(
    object: &Object,
    kernel: &Btf,
    modules: &[bpf::ModuleBtf],
    is_left_out: &dyn Fn(ExternIndex) -> bool,
) -> Result<Vec<Resolved>, PlanError> {
    let local = object.btf.as_ref();
    object
        .externs
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let local = local.ok_or(PlanError::NoBtf)?;
            let needed = |error| needed_by(object, ExternIndex(index as u32), error);
            match item.kind {
                ExternKind::Function { .. } | ExternKind::Variable { .. } if is_left_out(ExternIndex(index as u32)) => {
                    Ok(Resolved::Missing)
                }
                ExternKind::Kconfig { offset, .. } => Ok(Resolved::Kconfig { offset }),
                ExternKind::Variable { ty: TypeId::VOID } => Ok(Resolved::Address),
                ExternKind::Variable { ty } => symbol(item, "variable", ty, local, kernel, modules).map_err(needed),
                ExternKind::Function { proto } => {
                    symbol(item, "function", proto, local, kernel, modules).map_err(needed)
                }
            }
        })
        .collect()
}

/// Names the first function that refers to an extern in an error about it.
fn needed_by(object: &Object, index: ExternIndex, mut error: PlanError) -> PlanError {
    if let PlanError::NoKernelSymbol { program, .. } | PlanError::KernelSymbolType { program, .. } = &mut error {
        let refers = |function: &&Function| {
            let mut targets = function.relocations.iter().map(|relocation| relocation.target);
            targets.any(|target| matches!(target, Target::ExternAddress(of) | Target::ExternCall(of) if of == index))
        };
        *program = object
            .functions
            .iter()
            .find(refers)
            .map(|function| function.name.clone());
    }
    error
}

fn symbol(
    item: &Extern,
    what: &'static str,
    declared: TypeId,
    local: &Btf,
    kernel: &Btf,
    modules: &[bpf::ModuleBtf],
) -> Result<Resolved, PlanError> {
    // Only functions may be declared with a flavour.
    let (kind, name) = match item.kind {
        ExternKind::Function { .. } => (Kind::Func, item.essential_name()),
        ExternKind::Variable { .. } | ExternKind::Kconfig { .. } => (Kind::Var, item.name.as_str()),
    };
    let own = kernel.find(name, kind).map(|id| (id, None, kernel));
    let found = own.or_else(|| {
        modules
            .iter()
            .enumerate()
            .find_map(|(index, module)| Some((module.btf.find(name, kind)?, Some(index), &module.btf)))
    });
    let Some((id, module, btf)) = found else {
        let name = item.name.clone();
        return if item.weak {
            Ok(Resolved::Missing)
        } else {
            Err(PlanError::NoKernelSymbol {
                program: None,
                what,
                name,
            })
        };
    };
    if !fits(local, declared, btf, id) {
        // A weak function of another type counts as missing, so that a flavour can be tried.
        return if item.weak && kind == Kind::Func {
            Ok(Resolved::Missing)
        } else {
            let name = item.name.clone();
            Err(PlanError::KernelSymbolType {
                program: None,
                what,
                name,
            })
        };
    }
    Ok(Resolved::Type { id, module })
}

/// Whether the kernel's function or variable has the type that the object declares.
fn fits(local: &Btf, declared: TypeId, kernel: &Btf, symbol: TypeId) -> bool {
    let actual = match kernel.type_by_id(symbol).map(|ty| ty.def) {
        Some(Def::Func { proto, .. }) => Some(proto),
        Some(Def::Var { ty, .. }) => kernel.skip_mods_and_typedefs(ty).ok(),
        _ => None,
    };
    actual.is_some_and(|actual| btf::core::types_are_compat(local, declared, kernel, actual).unwrap_or(false))
}
