//! One look at a type that is being resolved (the `…_resolve` of the kinds).

use super::resolve::{Step, Walk};
use super::rule::{Part, Refusal, Rule};
use super::table::{self, Record};
use super::{functions, members, tags};
use crate::{Kind, TypeId};

/// Looks at a type of which the first `next` members or variables have been seen.
pub(super) fn step(walk: &mut Walk<'_, '_>, record: &Record<'_>, next: u32) -> Result<Step, Refusal> {
    match record.kind {
        Kind::Ptr => reference(walk, record, true),
        Kind::Var => var(walk, record),
        Kind::Array => array(walk, record),
        Kind::Struct | Kind::Union => composite(walk, record, next),
        Kind::DataSec => datasec(walk, record, next),
        Kind::Func => functions::func(walk, record),
        Kind::DeclTag => tags::decl_tag(walk, record),
        _ => reference(walk, record, false),
    }
}

/// Pointers, qualifiers, typedefs and type tags. They may lead to `void`, to what is only declared and to a prototype.
fn reference(walk: &Walk<'_, '_>, record: &Record<'_>, is_pointer: bool) -> Result<Step, Refusal> {
    let target = record.target();
    let kind = referable(walk, record)?;
    if walk.must_visit(target, kind) {
        return Ok(Step::Visit(target, 0));
    }
    if is_pointer && let Some(further) = pointer_beyond(walk, target, kind) {
        return Ok(Step::Visit(further, 0));
    }
    if let Some(sized) = walk.size_of(target) {
        return Ok(Step::Done(sized.id, 0));
    }
    let end = if walk.is_resolved(target) {
        walk.resolved_to(target)
    } else {
        target
    };
    match walk.types.kind(end) {
        Some(Kind::Void | Kind::Fwd | Kind::FuncProto) => Ok(Step::Done(end, 0)),
        _ => walk.types.refuse(record.id, Rule::NoSize),
    }
}

/// The pointer at which a qualifier stopped in an earlier walk, if this walk must go on from it.
fn pointer_beyond(walk: &Walk<'_, '_>, id: TypeId, kind: Kind) -> Option<TypeId> {
    let resolved = walk.resolved_to(id);
    let is_pointer = table::is_modifier(kind) && walk.types.kind(resolved) == Some(Kind::Ptr);
    (is_pointer && walk.must_visit(resolved, Kind::Ptr)).then_some(resolved)
}

fn var(walk: &Walk<'_, '_>, record: &Record<'_>) -> Result<Step, Refusal> {
    let target = record.target();
    let kind = referable(walk, record)?;
    if walk.must_visit(target, kind) {
        return Ok(Step::Visit(target, 0));
    }
    if let Some(further) = pointer_beyond(walk, target, kind) {
        return Ok(Step::Visit(further, 0));
    }
    match walk.size_of(target) {
        Some(sized) => Ok(Step::Done(sized.id, 0)),
        None => walk.types.refuse(record.id, Rule::NoSize),
    }
}

/// The kind of what it refers to, if a type can refer to that.
fn referable(walk: &Walk<'_, '_>, record: &Record<'_>) -> Result<Kind, Refusal> {
    let target = record.target();
    match walk.types.kind(target) {
        None => walk.types.refuse(record.id, Rule::NoSuchType(target)),
        Some(kind) if table::is_source_only(kind) => walk.types.refuse(record.id, Rule::NotReferable(kind)),
        Some(kind) => Ok(kind),
    }
}

fn array(walk: &Walk<'_, '_>, record: &Record<'_>) -> Result<Step, Refusal> {
    let (element, index, len) = (TypeId(record.extra(0)), TypeId(record.extra(1)), record.extra(2));
    let refuse = |rule| walk.types.refuse(record.id, rule);
    let usable = |id| {
        let kind = walk.types.kind(id)?;
        (!table::has_no_size(kind) && !table::is_source_only(kind)).then_some(kind)
    };
    let Some(kind) = usable(index) else {
        return refuse(Rule::ArrayIndex);
    };
    if walk.must_visit(index, kind) {
        return Ok(Step::Visit(index, 0));
    }
    let is_plain = |id| walk.types.get(id).is_some_and(|record| record.is_plain_int());
    if !walk.size_of(index).is_some_and(|sized| is_plain(sized.id)) {
        return refuse(Rule::ArrayIndex);
    }
    let Some(kind) = usable(element) else {
        return refuse(Rule::ArrayElement);
    };
    if walk.must_visit(element, kind) {
        return Ok(Step::Visit(element, 0));
    }
    let Some(sized) = walk.size_of(element) else {
        return refuse(Rule::ArrayElement);
    };
    if sized.kind == Kind::Int && !is_plain(sized.id) {
        return refuse(Rule::ArrayOfBits);
    }
    match sized.size.checked_mul(len) {
        Some(size) => Ok(Step::Done(sized.id, size)),
        None => refuse(Rule::ArrayTooLarge),
    }
}

fn composite(walk: &Walk<'_, '_>, record: &Record<'_>, next: u32) -> Result<Step, Refusal> {
    // The member that was visited has its size now.
    if let Some(last) = next.checked_sub(1) {
        members::fits(walk, record, &record.member(last as usize))?;
    }
    for index in next..record.entries() {
        let member = record.member(index as usize);
        let kind = match walk.types.kind(member.ty) {
            None => {
                return walk
                    .types
                    .refuse_member(record.id, &member, Rule::NoSuchType(member.ty));
            }
            Some(kind) if table::has_no_size(kind) || table::is_source_only(kind) => {
                return walk.types.refuse_member(record.id, &member, Rule::MemberKind(kind));
            }
            Some(kind) => kind,
        };
        if walk.must_visit(member.ty, kind) {
            return Ok(Step::Visit(member.ty, index + 1));
        }
        members::fits(walk, record, &member)?;
    }
    Ok(Step::Done(TypeId::VOID, 0))
}

fn datasec(walk: &mut Walk<'_, '_>, record: &Record<'_>, next: u32) -> Result<Step, Refusal> {
    walk.begin_anew();
    for index in next..record.entries() {
        let at = index as usize * 3;
        let (ty, has) = (TypeId(record.extra(at)), record.extra(at + 2));
        let refuse = |rule| walk.types.refuse_part(record.id, Part::Variable(index), rule);
        let var = match walk.types.get(ty) {
            None => return refuse(Rule::NoSuchType(ty)),
            Some(var) if var.kind != Kind::Var => return refuse(Rule::NotAVariable(var.kind)),
            Some(var) => var,
        };
        // Linux does not look at the variable that it went away for when it comes back, but at the next.
        if walk.must_visit(ty, Kind::Var) {
            return Ok(Step::Visit(ty, index + 1));
        }
        match walk.size_of(var.target()) {
            None => return refuse(Rule::NoSize),
            Some(sized) if has < sized.size => {
                let limit = sized.size;
                return refuse(Rule::VarSize { has, limit });
            }
            Some(_) => {}
        }
    }
    Ok(Step::Done(TypeId::VOID, 0))
}
