//! Which ops structures of an object are created: those that the object says, or the one that the caller names.

use crate::error::PlanError;
use crate::options::PlanOptions;
use crate::rules;
use object::{Object, OpsStructure};

/// The ops structures that are to be created, as the object has them.
pub(crate) fn chosen(object: &Object, options: &PlanOptions) -> Result<Vec<OpsStructure>, PlanError> {
    let no_such = |name: &String| PlanError::NoSuchOps {
        name: name.clone(),
        names: object.ops.iter().map(|ops| ops.name.clone()).collect(),
    };
    if let Some(only) = &options.only {
        let called = |ops: &&OpsStructure| ops.name == *only;
        let named = |ops: &&OpsStructure| algorithm(object, ops).is_some_and(|name| name == only.as_bytes());
        // The variable's name is unique in an object, the algorithm's need not be.
        let found = object.ops.iter().find(called).or_else(|| object.ops.iter().find(named));
        return Ok(vec![found.ok_or_else(|| no_such(only))?.clone()]);
    }
    for name in options.autocreate.keys() {
        if !object.ops.iter().any(|ops| ops.name == *name) {
            return Err(no_such(name));
        }
    }
    let created = |ops: &&OpsStructure| options.autocreate.get(&ops.name).copied().unwrap_or(ops.autocreate);
    Ok(object.ops.iter().filter(created).cloned().collect())
}

/// The text of the member that holds the name, as the object has it.
fn algorithm<'o>(object: &Object, ops: &'o OpsStructure) -> Option<&'o [u8]> {
    let composite = object.btf.as_ref()?.type_by_id(ops.ty)?.composite()?;
    let (_, member) = composite.member_named(rules::name_member(&ops.kind)?)?;
    let bytes = ops.bytes.get(member.byte_offset() as usize..)?;
    bytes.split(|byte| *byte == 0).next()
}
