//! Functions and prototypes (`btf_func_check`, `btf_func_proto_check`).
//!
//! A prototype may leave its arguments without names, as that of a function pointer does; a function has a body, and so its arguments
//! have names.

use super::names;
use super::resolve::{Step, Walk};
use super::rule::{Part, Refusal, Rule};
use super::table::{self, Record};
use crate::{Kind, TypeId};

pub(super) fn func(walk: &Walk<'_, '_>, record: &Record<'_>) -> Result<Step, Refusal> {
    let target = record.target();
    let Some(proto) = walk.types.get(target).filter(|proto| proto.kind == Kind::FuncProto) else {
        return walk.types.refuse(record.id, Rule::FuncWithoutProto(target.0));
    };
    for index in 0..proto.entries() {
        let (name, ty) = argument(&proto, index);
        if name == 0 && !ty.is_void() {
            return walk
                .types
                .refuse_part(record.id, Part::Argument(index + 1), Rule::UnnamedArgument);
        }
    }
    Ok(Step::Done(target, 0))
}

/// Checks a prototype; resolves the types of its arguments and its return value, which it may be the first to name.
pub(super) fn proto(walk: &mut Walk<'_, '_>, record: &Record<'_>) -> Result<(), Refusal> {
    let ret = record.target();
    if !ret.is_void() {
        has_size(walk, record, ret, Part::Return)?;
    }
    let mut count = record.entries();
    if let Some(last) = count.checked_sub(1) {
        let (name, ty) = argument(record, last);
        if ty.is_void() {
            if name != 0 {
                return walk
                    .types
                    .refuse_part(record.id, Part::Argument(count), Rule::NamedVariadic);
            }
            count = last;
        }
    }
    for index in 0..count {
        let (name, ty) = argument(record, index);
        let part = Part::Argument(index + 1);
        let kind = walk.types.kind(ty);
        if kind.is_some_and(|kind| !table::is_source_only(kind)) && name != 0 {
            let found = if table::name_is_inside(walk.types.strings, name) {
                names::identifier(walk.types.name(name))
            } else {
                Err(Rule::NameOutside(name))
            };
            if let Err(rule) = found {
                return walk.types.refuse_part(record.id, part, rule);
            }
        }
        has_size(walk, record, ty, part)?;
    }
    Ok(())
}

fn has_size(walk: &mut Walk<'_, '_>, record: &Record<'_>, ty: TypeId, part: Part) -> Result<(), Refusal> {
    let refuse = |walk: &Walk<'_, '_>, rule| walk.types.refuse_part(record.id, part, rule);
    match walk.types.kind(ty) {
        None => return refuse(walk, Rule::NoSuchType(ty)),
        Some(Kind::Void) => return refuse(walk, Rule::Void),
        Some(kind) if table::is_source_only(kind) => return refuse(walk, Rule::NotReferable(kind)),
        Some(_) => {}
    }
    walk.resolve(ty)?;
    match walk.size_of(ty) {
        Some(_) => Ok(()),
        None => refuse(walk, Rule::NoSize),
    }
}

fn argument(proto: &Record<'_>, index: u32) -> (u32, TypeId) {
    let at = index as usize * 2;
    (proto.extra(at), TypeId(proto.extra(at + 1)))
}
