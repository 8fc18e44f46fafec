//! Declarations: C's inside-out syntax for pointers, arrays and functions.

use super::body::Body;
use super::names::{self, Names};
use super::{PrintError, length_max};
use crate::error::LayoutError;
use crate::layout::DEPTH_MAX;
use crate::types::{Def, Int};
use crate::{Btf, Type, TypeId};

/// How anonymous structures, unions and enumerations are written.
pub(super) enum Anonymous<'w, 'a> {
    /// `struct {…}`.
    Short,
    /// With their members, indented one level more than the given.
    Full(&'w mut Body<'a>, usize),
}

/// Writes declarations.
pub(super) struct Declare<'w, 'a> {
    pub(super) btf: &'a Btf,
    /// Names in a header; the plain ones if there is none.
    pub(super) names: Option<&'w mut Names>,
    pub(super) anonymous: Anonymous<'w, 'a>,
}

impl<'a> Declare<'_, 'a> {
    /// `base declarator`, for example `u32 (*ssthresh)(struct sock *sk)`.
    pub(super) fn declare(&mut self, id: TypeId, name: &str) -> Result<String, PrintError> {
        self.at(id, name, 0)
    }

    fn at(&mut self, id: TypeId, name: &str, depth: usize) -> Result<String, PrintError> {
        if depth > DEPTH_MAX {
            return Err(LayoutError::TooDeep(id).into());
        }
        let mut declarator = name.to_owned();
        let mut at = id;
        // Qualifiers of an array are those of its elements.
        let mut carried: Vec<String> = Vec::new();
        // From the outermost type (nearest to the name) inwards.
        for _ in 0..=DEPTH_MAX * 2 {
            let words = self.qualifiers(&mut at, std::mem::take(&mut carried))?;
            let qualifiers = words.join(" ");
            let ty = self.btf.get(at)?;
            match ty.def {
                Def::Ptr(to) => {
                    let gap = if qualifiers.is_empty() || declarator.is_empty() {
                        ""
                    } else {
                        " "
                    };
                    declarator = format!("*{qualifiers}{gap}{declarator}");
                    at = to;
                }
                Def::Array(array) => {
                    declarator = format!("{}[{}]", grouped(declarator), array.len);
                    at = array.element;
                    carried = words;
                }
                Def::FuncProto(proto) => {
                    let mut params = Vec::new();
                    let mut length = 0;
                    for param in proto.params() {
                        let name = if param.name.is_empty() {
                            String::new()
                        } else {
                            names::identifier(param.name)
                        };
                        let param = self.at(param.ty, &name, depth + 1)?;
                        length += param.len();
                        if length > length_max(self.btf) {
                            return Err(PrintError::TooLong(length_max(self.btf)));
                        }
                        params.push(param);
                    }
                    if proto.variadic {
                        params.push("...".to_owned());
                    } else if params.is_empty() {
                        params.push("void".to_owned());
                    }
                    declarator = format!("{}({})", grouped(declarator), params.join(", "));
                    at = proto.ret;
                }
                _ => {
                    let base = self.base(ty)?;
                    let (tags, qualifiers) = tags_apart(&words);
                    let mut out = String::with_capacity(base.len() + declarator.len() + 8);
                    for part in [&qualifiers, &base, &tags, &declarator] {
                        let abstract_array = part.starts_with('[') && !out.is_empty();
                        if !part.is_empty() && !out.is_empty() && !abstract_array {
                            out.push(' ');
                        }
                        out.push_str(part);
                    }
                    return Ok(out);
                }
            }
        }
        Err(LayoutError::TooDeep(id).into())
    }

    /// Skips modifiers and adds them as words.
    fn qualifiers(&self, at: &mut TypeId, mut words: Vec<String>) -> Result<Vec<String>, PrintError> {
        for _ in 0..=DEPTH_MAX {
            let ty = self.btf.get(*at)?;
            let (word, to) = match ty.def {
                Def::Const(to) => ("const".to_owned(), to),
                Def::Volatile(to) => ("volatile".to_owned(), to),
                Def::Restrict(to) => ("restrict".to_owned(), to),
                Def::TypeTag(to) => {
                    let text: String = ty.name.chars().filter(|c| !matches!(c, '"' | '\\' | '\n')).collect();
                    (format!("__attribute__((btf_type_tag(\"{text}\")))"), to)
                }
                _ => {
                    return Ok(words);
                }
            };
            if !words.contains(&word) {
                words.push(word);
            }
            *at = to;
        }
        Err(LayoutError::TooDeep(*at).into())
    }

    /// What stands at the left end of a declaration.
    fn base(&mut self, ty: Type<'a>) -> Result<String, PrintError> {
        let keyword = match ty.def {
            Def::Void => return Ok("void".to_owned()),
            Def::Int(int) => return Ok(int_name(ty.name, int).to_owned()),
            Def::Float { .. } | Def::Typedef(_) => return Ok(self.name(ty)),
            Def::Struct(_) | Def::Fwd { is_union: false } => "struct",
            Def::Union(_) | Def::Fwd { is_union: true } => "union",
            Def::Enum(_) => "enum",
            // Not types of variables; clang cannot have made this.
            _ => {
                return Err(LayoutError::Unsized {
                    id: ty.id,
                    kind: ty.kind(),
                }
                .into());
            }
        };
        if !ty.name.is_empty() {
            return Ok(format!("{keyword} {}", self.name(ty)));
        }
        match &mut self.anonymous {
            Anonymous::Short => Ok(format!("{keyword} {{…}}")),
            Anonymous::Full(body, level) => {
                let Some(names) = self.names.as_deref_mut() else {
                    return Ok(format!("{keyword} {{…}}"));
                };
                body.write(ty, names, *level)
            }
        }
    }

    fn name(&mut self, ty: Type<'_>) -> String {
        match self.names.as_deref_mut() {
            Some(names) => names.of(self.btf, ty),
            None => ty.name.to_owned(),
        }
    }
}

/// A pointer to an array or function needs parentheses.
fn grouped(declarator: String) -> String {
    if declarator.starts_with('*') {
        format!("({declarator})")
    } else {
        declarator
    }
}

/// Type tags follow the type they are on, qualifiers precede it.
fn tags_apart(words: &[String]) -> (String, String) {
    let (tags, rest): (Vec<&str>, Vec<&str>) = words
        .iter()
        .map(String::as_str)
        .partition(|word| word.starts_with("__attribute__"));
    (tags.join(" "), rest.join(" "))
}

/// An integer's name in C: compilers' own names as they are, others by size and sign.
fn int_name(name: &str, int: Int) -> &str {
    const KNOWN: [&str; 20] = [
        "char",
        "signed char",
        "unsigned char",
        "short",
        "short int",
        "unsigned short",
        "short unsigned int",
        "int",
        "unsigned int",
        "long",
        "long int",
        "unsigned long",
        "long unsigned int",
        "long long",
        "long long int",
        "unsigned long long",
        "long long unsigned int",
        "__int128",
        "unsigned __int128",
        "_Bool",
    ];
    if KNOWN.contains(&name) {
        return name;
    }
    match (int.size, int.encoding.signed) {
        (1, _) if int.encoding.bool => "_Bool",
        (1, true) => "signed char",
        (1, false) => "unsigned char",
        (2, true) => "short int",
        (2, false) => "short unsigned int",
        (4, true) => "int",
        (4, false) => "unsigned int",
        (8, true) => "long long int",
        (8, false) => "long long unsigned int",
        (_, true) => "__int128",
        (_, false) => "unsigned __int128",
    }
}
