//! Bodies of structures, unions and enumerations, with the gaps filled.

use std::fmt::Write as _;

use super::declare::{Anonymous, Declare};
use super::names::{Names, identifier};
use super::{PrintError, length_max};
use crate::align::Aligner;
use crate::error::LayoutError;
use crate::layout::DEPTH_MAX;
use crate::types::{Composite, Def, Enum, Member};
use crate::{Btf, Type};

/// Writes bodies; remembers alignments and how much was written.
pub(super) struct Body<'a> {
    btf: &'a Btf,
    aligner: Aligner<'a>,
    written: usize,
}

impl<'a> Body<'a> {
    pub(super) fn new(btf: &'a Btf) -> Self {
        Self {
            btf,
            aligner: Aligner::new(btf),
            written: 0,
        }
    }

    /// `struct name { … }` without a semicolon, members indented by `level + 1`.
    pub(super) fn write(&mut self, ty: Type<'a>, names: &mut Names, level: usize) -> Result<String, PrintError> {
        if level > DEPTH_MAX {
            return Err(LayoutError::TooDeep(ty.id).into());
        }
        let name = if ty.name.is_empty() {
            String::new()
        } else {
            format!(" {}", names.of(self.btf, ty))
        };
        let out = match ty.def {
            Def::Struct(composite) => self.structure(ty, composite, &name, names, level)?,
            Def::Union(composite) => self.union(ty, composite, &name, names, level)?,
            Def::Enum(e) => enumeration(e, &name, names, level),
            _ => {
                return Err(LayoutError::Unsized {
                    id: ty.id,
                    kind: ty.kind(),
                }
                .into());
            }
        };
        self.written += out.len();
        if self.written > length_max(self.btf) {
            return Err(PrintError::TooLong(length_max(self.btf)));
        }
        Ok(out)
    }

    fn structure(
        &mut self,
        ty: Type<'a>,
        composite: Composite<'a>,
        name: &str,
        names: &mut Names,
        level: usize,
    ) -> Result<String, PrintError> {
        let align = self.aligner.align(ty.id)?;
        let mut out = format!("struct{name} {{\n");
        let mut at = 0;
        for member in composite.members() {
            let room = self.aligner.room(&member)?;
            if room.natural(at, align.packed) != room.start {
                self.pad(&mut out, at, room.start, level + 1)?;
            }
            self.member(&mut out, &member, names, level + 1)?;
            at = room.end();
        }
        let size = u64::from(composite.size) * 8;
        if at.next_multiple_of(u64::from(align.bytes) * 8) != size {
            self.pad(&mut out, at, size, level + 1)?;
        }
        close(&mut out, level, align.packed);
        Ok(out)
    }

    fn union(
        &mut self,
        ty: Type<'a>,
        composite: Composite<'a>,
        name: &str,
        names: &mut Names,
        level: usize,
    ) -> Result<String, PrintError> {
        let align = self.aligner.align(ty.id)?;
        let mut out = format!("union{name} {{\n");
        let mut most = 0;
        for member in composite.members() {
            most = most.max(self.aligner.room(&member)?.end());
            self.member(&mut out, &member, names, level + 1)?;
        }
        let size = u64::from(composite.size) * 8;
        if most.next_multiple_of(u64::from(align.bytes) * 8) < size {
            indent(&mut out, level + 1);
            out.push_str("struct {\n");
            self.pad(&mut out, 0, size, level + 2)?;
            indent(&mut out, level + 1);
            out.push_str("};\n");
        }
        close(&mut out, level, align.packed);
        Ok(out)
    }

    /// Fills bits with unnamed bit fields, none of which crosses eight bytes. Unnamed bit fields do not change the
    /// alignment of the structure.
    fn pad(&self, out: &mut String, mut from: u64, to: u64, level: usize) -> Result<(), PrintError> {
        let most = length_max(self.btf);
        while from < to {
            if out.len() > most {
                return Err(PrintError::TooLong(most));
            }
            let bits = (64 - from % 64).min(to - from);
            indent(out, level);
            let _ = writeln!(out, "long: {bits};");
            from += bits;
        }
        Ok(())
    }

    fn member(
        &mut self,
        out: &mut String,
        member: &Member<'a>,
        names: &mut Names,
        level: usize,
    ) -> Result<(), PrintError> {
        indent(out, level);
        let name = if member.name.is_empty() {
            String::new()
        } else {
            identifier(member.name)
        };
        let bits = self.btf.bit_field(member);
        let mut declare = Declare {
            btf: self.btf,
            names: Some(names),
            anonymous: Anonymous::Full(self, level),
        };
        out.push_str(&declare.declare(member.ty, &name)?);
        if let Some((_, bits)) = bits {
            let _ = write!(out, ": {bits}");
        }
        out.push_str(";\n");
        Ok(())
    }
}

fn enumeration(e: Enum<'_>, name: &str, names: &mut Names, level: usize) -> String {
    if e.enumerators().len() == 0 {
        // Declared only.
        return format!("enum{name}");
    }
    let mut out = format!("enum{name} {{\n");
    for value in e.enumerators() {
        indent(&mut out, level + 1);
        let _ = write!(out, "{} = ", names.identifier(value.name));
        let _ = match (e.signed, e.wide) {
            // The lowest number has no literal of its own.
            (true, _) if value.value == 1 << 63 => write!(out, "(-{}LL - 1)", i64::MAX),
            (true, wide) => write!(out, "{}{}", value.value as i64, if wide { "LL" } else { "" }),
            (false, wide) => write!(out, "{}{}", value.value, if wide { "ULL" } else { "" }),
        };
        out.push_str(",\n");
    }
    indent(&mut out, level);
    out.push('}');
    // The compiler would take four bytes, or as many as the values need.
    match e.size {
        1 => out.push_str(" __attribute__((mode(QI)))"),
        2 => out.push_str(" __attribute__((mode(HI)))"),
        8 => out.push_str(" __attribute__((mode(DI)))"),
        _ => {}
    }
    out
}

fn close(out: &mut String, level: usize, packed: bool) {
    indent(out, level);
    out.push('}');
    if packed {
        out.push_str(" __attribute__((packed))");
    }
}

fn indent(out: &mut String, level: usize) {
    out.extend(std::iter::repeat_n('\t', level));
}
