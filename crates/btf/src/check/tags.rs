//! Tags: on what declaration tags may be (`btf_decl_tag_resolve`), and that type tags stand before qualifiers (`btf_check_type_tags`).

use super::resolve::{Step, Walk};
use super::rule::{Refusal, Rule};
use super::table::{self, Record, Types};
use crate::{Kind, TypeId};

/// Qualifiers in a row.
const CHAIN_MAX: usize = 32;

pub(super) fn decl_tag(walk: &Walk<'_, '_>, record: &Record<'_>) -> Result<Step, Refusal> {
    let target = record.target();
    let refuse = |rule| walk.types.refuse(record.id, rule);
    let tagged = walk.types.get(target).filter(|tagged| {
        matches!(
            tagged.kind,
            Kind::Func | Kind::Struct | Kind::Union | Kind::Var | Kind::Typedef
        )
    });
    let Some(tagged) = tagged else {
        return refuse(Rule::TagTarget);
    };
    if walk.must_visit(target, tagged.kind) {
        return Ok(Step::Visit(target, 0));
    }
    let component = record.extra(0) as i32;
    if component != -1 {
        let parts = match tagged.kind {
            Kind::Struct | Kind::Union => tagged.entries(),
            // A function that was stopped at, not visited, may still lead to no prototype; whatever it leads to has a number there.
            Kind::Func => walk.types.get(tagged.target()).map_or(0, |proto| proto.entries()),
            _ => 0,
        };
        if component as u32 >= parts {
            return refuse(Rule::TagComponent(component));
        }
    }
    Ok(Step::Done(target, 0))
}

/// Type tags come before the qualifiers of a pointer.
pub(super) fn precede_modifiers(types: &Types<'_>) -> Result<(), Refusal> {
    // All chains that begin at or below this id are known to be good.
    let mut good = TypeId(0);
    for first in types.all() {
        if !table::is_modifier(first.kind) {
            continue;
        }
        let mut in_tags = first.kind == Kind::TypeTag;
        let mut current = Some(first);
        let mut left = CHAIN_MAX;
        while let Some(record) = current.filter(|record| table::is_modifier(record.kind)) {
            let Some(fewer) = left.checked_sub(1) else {
                return types.refuse(first.id, Rule::QualifierChain);
            };
            left = fewer;
            match (record.kind == Kind::TypeTag, in_tags) {
                (true, false) => return types.refuse(first.id, Rule::TagOrder),
                (true, true) => {}
                (false, _) => in_tags = false,
            }
            if record.id <= good {
                break;
            }
            current = types.get(record.target());
        }
        good = first.id;
    }
    Ok(())
}
