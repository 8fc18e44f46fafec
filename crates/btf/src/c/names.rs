//! Names in a header: one meaning each in C's two name spaces, and no words that C has for itself.

use std::collections::HashMap;

use crate::types::Def;
use crate::{Btf, Kind, Type, TypeId};

/// The two name spaces of a header.
#[derive(Default)]
pub(super) struct Names {
    types: HashMap<TypeId, String>,
    /// How often a name was given to a structure, union or enumeration.
    tags: HashMap<String, u32>,
    /// How often a name was given to a typedef, value of an enumeration or function.
    identifiers: HashMap<String, u32>,
}

impl Names {
    /// The name of a named type, the same each time.
    pub(super) fn of(&mut self, btf: &Btf, ty: Type<'_>) -> String {
        // A forward declaration and the definition are one.
        let ty = match ty.def {
            Def::Fwd { is_union } => {
                let kind = if is_union { Kind::Union } else { Kind::Struct };
                btf.find(ty.name, kind).and_then(|id| btf.type_by_id(id)).unwrap_or(ty)
            }
            _ => ty,
        };
        if let Some(name) = self.types.get(&ty.id) {
            return name.clone();
        }
        let space = if matches!(ty.def, Def::Typedef(_) | Def::Float { .. }) {
            &mut self.identifiers
        } else {
            &mut self.tags
        };
        let name = match ty.def {
            Def::Float { .. } => ty.name.to_owned(),
            _ => unique(space, ty.name),
        };
        self.types.insert(ty.id, name.clone());
        name
    }

    /// A name for a value or function.
    pub(super) fn identifier(&mut self, name: &str) -> String {
        unique(&mut self.identifiers, name)
    }
}

fn unique(space: &mut HashMap<String, u32>, name: &str) -> String {
    let name = identifier(name);
    let count = space.entry(name.clone()).or_insert(0);
    *count += 1;
    if *count == 1 { name } else { format!("{name}___{count}") }
}

/// The name as an identifier of C.
pub(super) fn identifier(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    if KEYWORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// Keywords of C17, those of GNU C that look like names, and a type that compilers define in their own way (for x86 it is an
/// array, for BPF a pointer).
const KEYWORDS: [&str; 37] = [
    "__builtin_va_list",
    "asm",
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "typeof",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
];
