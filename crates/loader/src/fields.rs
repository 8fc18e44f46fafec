//! Giving a field of an ops structure another value, from text, before anything is loaded.

use crate::error::{PlanError, SetProblem};
use crate::options::{PlanOptions, SetField};
use crate::rules;
use btf::{Btf, Def, Member};
use object::{Object, OpsStructure};

/// Gives the chosen ops structures the fields that the options set.
pub(crate) fn set(
    object: &Object,
    mut chosen: Vec<OpsStructure>,
    options: &PlanOptions,
) -> Result<Vec<OpsStructure>, PlanError> {
    let rename = options.rename.as_ref().map(|name| SetField {
        ops: None,
        field: "name".to_owned(),
        value: name.clone(),
    });
    // An explicit field has the last word.
    for set in rename.iter().chain(&options.set) {
        let ops = find(&mut chosen, set)?;
        let btf = object.btf.as_ref().ok_or(PlanError::NoBtf)?;
        apply(btf, ops, set).map_err(|problem| PlanError::Set {
            ops: ops.name.clone(),
            field: set.field.clone(),
            value: set.value.clone(),
            problem: Box::new(problem),
        })?;
    }
    Ok(chosen)
}

fn find<'o>(chosen: &'o mut [OpsStructure], set: &SetField) -> Result<&'o mut OpsStructure, PlanError> {
    let names: Vec<String> = chosen.iter().map(|ops| ops.name.clone()).collect();
    match &set.ops {
        Some(name) => chosen
            .iter_mut()
            .find(|ops| ops.name == *name)
            .ok_or_else(|| PlanError::NoSuchOps {
                name: name.clone(),
                names,
            }),
        None => match chosen {
            [one] => Ok(one),
            _ => Err(PlanError::WhichOps {
                field: set.field.clone(),
                names,
            }),
        },
    }
}

fn apply(btf: &Btf, ops: &mut OpsStructure, set: &SetField) -> Result<(), SetProblem> {
    let composite = btf
        .type_by_id(ops.ty)
        .and_then(|ty| ty.composite())
        .ok_or(SetProblem::NoSuchField { known: Vec::new() })?;
    let no_such = || SetProblem::NoSuchField {
        known: composite.members().map(|member| member.name.to_owned()).collect(),
    };
    let (index, member) = composite.member_named(&set.field).ok_or_else(no_such)?;
    let ty = btf.resolve(member.ty).map_err(|_| SetProblem::NotData)?;
    if btf.bit_field(&member).is_some() {
        return Err(SetProblem::NotData);
    }
    match ty.def {
        Def::Ptr(_) if set.value == "null" => {
            ops.programs.retain(|assigned| assigned.member != index as u32);
            write(ops, &member, &[0; 8])
        }
        Def::Int(int) => {
            let number = number(btf, ops, set)?;
            let bytes = fit(number, int.size, int.encoding.signed)?;
            write(ops, &member, &bytes)
        }
        Def::Enum(e) => {
            let number = match e.value_of(&set.value) {
                Some(value) => i128::from(value as i64),
                None => number(btf, ops, set)?,
            };
            let bytes = fit(number, e.size, e.signed)?;
            write(ops, &member, &bytes)
        }
        Def::Array(array) if is_char(btf, array.element) => {
            let room = array.len.saturating_sub(1);
            if set.value.len() > room as usize {
                return Err(SetProblem::TooLong { room });
            }
            let len = array.len as usize;
            if len > ops.bytes.len() {
                return Err(SetProblem::NotData);
            }
            let mut bytes = set.value.as_bytes().to_vec();
            bytes.resize(len, 0);
            write(ops, &member, &bytes)
        }
        _ => Err(SetProblem::NotData),
    }
}

fn is_char(btf: &Btf, ty: btf::TypeId) -> bool {
    matches!(btf.resolve(ty).map(|ty| ty.def), Ok(Def::Int(int)) if int.size == 1)
}

/// Numbers and names joined by `|`, or by `,` which needs no quotes in a shell. Names are enumerators of the object's types or flags of the kind.
fn number(btf: &Btf, ops: &OpsStructure, set: &SetField) -> Result<i128, SetProblem> {
    set.value.split(['|', ',']).try_fold(0, |sum, word| {
        let word = word.trim();
        plain_number(word)
            .or_else(|| rules::flag(&ops.kind, &set.field, word).map(i128::from))
            .or_else(|| enumerator(btf, word))
            .map(|value| sum | value)
            .ok_or_else(|| SetProblem::NoSuchName {
                name: word.to_owned(),
                known: rules::flags(&ops.kind, &set.field)
                    .iter()
                    .map(|(name, _)| *name)
                    .collect(),
            })
    })
}

fn plain_number(word: &str) -> Option<i128> {
    let (digits, negative) = match word.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (word, false),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse::<u64>().ok()?,
    };
    Some(if negative {
        -i128::from(value)
    } else {
        i128::from(value)
    })
}

fn enumerator(btf: &Btf, name: &str) -> Option<i128> {
    btf.types().find_map(|ty| {
        let e = ty.enumeration()?;
        let value = e.value_of(name)?;
        Some(if e.signed {
            i128::from(value as i64)
        } else {
            i128::from(value)
        })
    })
}

/// The number as little-endian bytes of this size.
fn fit(number: i128, size: u32, signed: bool) -> Result<Vec<u8>, SetProblem> {
    if !matches!(size, 1 | 2 | 4 | 8) {
        return Err(SetProblem::NotData);
    }
    let bits = size * 8;
    let (least, most) = if signed {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    } else {
        (0, (1i128 << bits) - 1)
    };
    if !(least..=most).contains(&number) {
        return Err(SetProblem::Range { least, most });
    }
    Ok(number.to_le_bytes()[..size as usize].to_vec())
}

fn write(ops: &mut OpsStructure, member: &Member<'_>, bytes: &[u8]) -> Result<(), SetProblem> {
    let start = member.byte_offset() as usize;
    ops.bytes
        .get_mut(start..start + bytes.len())
        .ok_or(SetProblem::NotData)?
        .copy_from_slice(bytes);
    Ok(())
}
