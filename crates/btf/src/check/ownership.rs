//! Which structure owns which through lists and trees: freeing one frees what it owns, so that there may be no circle
//! (`btf_check_and_fixup_fields`, Linux 6.18).

use super::rule::{Refusal, Rule};
use super::special::{Found, What};
use super::table::Types;
use crate::TypeId;

/// `structures` are those with special fields, by id.
///
/// A circle needs structures that both have a list or tree and are in one. Linux forbids that one such holds another, which is more
/// than it must.
pub(super) fn check(types: &Types<'_>, structures: &[(TypeId, Vec<Found>)]) -> Result<(), Refusal> {
    let fields_of = |id: TypeId| {
        let at = structures.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(&structures[at].1)
    };
    let is_root = |field: &Found| matches!(field.what, What::Root { .. });
    let is_node = |field: &Found| matches!(field.what, What::ListNode | What::RbNode);
    for (id, fields) in structures {
        for field in fields {
            let What::Root { holds, .. } = field.what else { continue };
            let Some(held) = fields_of(holds) else {
                return types.refuse(*id, Rule::ContainedWithoutNode);
            };
            if fields.iter().any(is_node) && held.iter().any(is_root) {
                return types.refuse(*id, Rule::Ownership);
            }
        }
    }
    Ok(())
}
