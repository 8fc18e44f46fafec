//! Fields: from a path (`sk.__sk_common.skc_state`) to a place, and from an offset back to a name.
//!
//! Anonymous structures and unions are looked into, as C does. The reverse way is for messages: a verifier knows
//! offsets and a reader wants `tcp_sock.srtt_us`.

use std::fmt::Write as _;

use crate::error::{FieldError, LayoutError};
use crate::layout::DEPTH_MAX;
use crate::types::{Composite, Def, Member};
use crate::{Btf, TypeId};

/// A place inside a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// The type of what is there.
    pub ty: TypeId,
    /// Where it starts, in bits from the start of the outermost type.
    pub bit_offset: u32,
    /// Number of bits if it is a bit field.
    pub bits: Option<u8>,
}

impl Field {
    /// Where it starts, in whole bytes.
    pub fn byte_offset(&self) -> u32 {
        self.bit_offset / 8
    }
}

/// A name for an offset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldAt {
    /// `member.member[2].member`, as a C programmer would write it; empty if the type itself is meant.
    pub path: String,
    /// The innermost field.
    pub field: Field,
    /// How many bytes into that field the offset is.
    pub rest: u32,
}

impl Btf {
    /// The field that a path like `a.b[2].c` names inside a structure or union, typedefs and modifiers aside.
    ///
    /// # Errors
    /// [`FieldError`] with the component that is not there.
    pub fn field(&self, id: TypeId, path: &str) -> Result<Field, FieldError> {
        let mut at = Field {
            ty: id,
            bit_offset: 0,
            bits: None,
        };
        let mut done = 0;
        for step in steps(path)? {
            let before = || {
                if done == 0 {
                    self.name_of(id).to_owned()
                } else {
                    path[..done].to_owned()
                }
            };
            match step {
                Step::Member { name, end } => {
                    let ty = self.resolve(at.ty)?;
                    let composite = ty.composite().ok_or_else(|| FieldError::NotComposite {
                        before: before(),
                        member: name.to_owned(),
                    })?;
                    let found = self.member(composite, name)?.ok_or_else(|| FieldError::NoMember {
                        owner: if ty.name.is_empty() {
                            before()
                        } else {
                            ty.name.to_owned()
                        },
                        member: name.to_owned(),
                    })?;
                    let bit_offset = add(at.bit_offset, found.bit_offset, id)?;
                    at = Field { bit_offset, ..found };
                    done = end;
                }
                Step::Element { index, end } => {
                    let Def::Array(array) = self.resolve(at.ty)?.def else {
                        return Err(FieldError::NoElement {
                            before: before(),
                            index,
                        });
                    };
                    if array.len != 0 && index >= array.len {
                        return Err(FieldError::NoElement {
                            before: before(),
                            index,
                        });
                    }
                    let bits = u64::from(self.size_of(array.element)?) * u64::from(index) * 8;
                    let bits = u32::try_from(bits).map_err(|_| LayoutError::TooLarge(id))?;
                    at = Field {
                        ty: array.element,
                        bit_offset: add(at.bit_offset, bits, id)?,
                        bits: None,
                    };
                    done = end;
                }
            }
        }
        Ok(at)
    }

    /// A member by name, in anonymous members too. Offsets are from the start of `composite`.
    ///
    /// # Errors
    /// Anonymous members nested too deeply.
    pub fn member(&self, composite: Composite<'_>, name: &str) -> Result<Option<Field>, LayoutError> {
        // Each anonymous type is entered once: the input may nest them so that there are exponentially many ways.
        let mut entered: Vec<TypeId> = Vec::new();
        let mut todo = vec![(composite, 0u32)];
        while let Some((composite, base)) = todo.pop() {
            let mut inner = Vec::new();
            for member in composite.members() {
                let bit_offset = add(base, member.bit_offset, member.ty)?;
                if member.name == name && !name.is_empty() {
                    return Ok(Some(self.as_field(member, base)));
                }
                if member.name.is_empty()
                    && let ty = self.resolve(member.ty)?
                    && let Some(anonymous) = ty.composite()
                    && !entered.contains(&ty.id)
                {
                    entered.push(ty.id);
                    inner.push((anonymous, bit_offset));
                }
            }
            todo.extend(inner.into_iter().rev());
        }
        Ok(None)
    }

    fn as_field(&self, member: Member<'_>, base: u32) -> Field {
        let (start, bits) = match self.bit_field(&member) {
            Some((start, bits)) => (start, Some(bits)),
            None => (member.bit_offset, None),
        };
        Field {
            ty: member.ty,
            bit_offset: base.saturating_add(start),
            bits,
        }
    }

    /// The innermost named field at an offset in bytes, or nothing if there is padding or the type has no fields. Of a
    /// union the first member that reaches there counts, of bit fields the first in that byte.
    pub fn field_at(&self, id: TypeId, offset: u32) -> Option<FieldAt> {
        let mut path = String::new();
        let mut at = Field {
            ty: id,
            bit_offset: 0,
            bits: None,
        };
        let mut rest = offset;
        for _ in 0..DEPTH_MAX {
            match self.resolve(at.ty).ok()?.def {
                Def::Struct(composite) | Def::Union(composite) if at.bits.is_none() => {
                    let found = composite
                        .members()
                        .map(|member| (member, self.as_field(member, 0)))
                        .find(|(_, field)| {
                            let size = match field.bits {
                                Some(bits) => (field.bit_offset % 8 + u32::from(bits)).div_ceil(8),
                                None => self.size_of(field.ty).unwrap_or(0),
                            };
                            (field.byte_offset()..field.byte_offset().saturating_add(size)).contains(&rest)
                        });
                    let (member, field) = found?;
                    if !member.name.is_empty() {
                        let dot = if path.is_empty() { "" } else { "." };
                        let _ = write!(path, "{dot}{}", member.name);
                    }
                    rest -= field.byte_offset();
                    at = Field {
                        bit_offset: at.bit_offset.checked_add(field.bit_offset)?,
                        ..field
                    };
                }
                Def::Array(array) => {
                    let size = self.size_of(array.element).ok().filter(|&size| size != 0)?;
                    let index = rest / size;
                    let _ = write!(path, "[{index}]");
                    rest %= size;
                    let bits = index.checked_mul(size)?.checked_mul(8)?;
                    at = Field {
                        ty: array.element,
                        bit_offset: at.bit_offset.checked_add(bits)?,
                        bits: None,
                    };
                }
                _ => return Some(FieldAt { path, field: at, rest }),
            }
        }
        None
    }

    /// A name for an offset in a type for use in messages: `tcp_sock.srtt_us`, `tcp_sock.icsk_ca_priv[3]+2`, or
    /// `tcp_sock+6` where there is no field.
    pub fn describe_offset(&self, id: TypeId, offset: u32) -> String {
        let name = match self.skip_mods(id).map(|id| self.name_of(id)) {
            Ok(name) if !name.is_empty() => name,
            _ => "(anonymous)",
        };
        match self.field_at(id, offset) {
            Some(FieldAt { path, rest, .. }) if !path.is_empty() => {
                let dot = if path.starts_with('[') { "" } else { "." };
                let rest = if rest == 0 { String::new() } else { format!("+{rest}") };
                format!("{name}{dot}{path}{rest}")
            }
            _ if offset == 0 => name.to_owned(),
            _ => format!("{name}+{offset}"),
        }
    }
}

fn add(a: u32, b: u32, id: TypeId) -> Result<u32, LayoutError> {
    a.checked_add(b).ok_or(LayoutError::TooLarge(id))
}

enum Step<'a> {
    Member { name: &'a str, end: usize },
    Element { index: u32, end: usize },
}

/// Splits `a.b[2].c`.
fn steps(path: &str) -> Result<Vec<Step<'_>>, FieldError> {
    let bad = || FieldError::BadPath(path.to_owned());
    let mut steps = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let rest = &path[at..];
        if let Some(index) = rest.strip_prefix('[') {
            let close = index.find(']').ok_or_else(bad)?;
            let end = at + close + 2;
            steps.push(Step::Element {
                index: index[..close].parse().map_err(|_| bad())?,
                end,
            });
            at = end;
        } else {
            let dot = usize::from(rest.starts_with('.'));
            if (dot == 1) == steps.is_empty() {
                return Err(bad());
            }
            let name = rest[dot..].split(['.', '[']).next().unwrap_or("");
            if name.is_empty() {
                return Err(bad());
            }
            at += dot + name.len();
            steps.push(Step::Member { name, end: at });
        }
    }
    if steps.is_empty() { Err(bad()) } else { Ok(steps) }
}
