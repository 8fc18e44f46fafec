//! The order of definitions in a header: what a type needs comes first.
//!
//! A structure that is a member must be defined before; one that is pointed to must be declared; a typedef and an
//! enumeration must be defined either way. There is no recursion over the graph of types: it is as deep as the input likes.

use std::collections::HashSet;

use super::body::Body;
use super::declare::{Anonymous, Declare};
use super::names::Names;
use super::{PrintError, length_max};
use crate::types::Def;
use crate::{Btf, Type, TypeId};

/// Writes definitions in order, each once.
pub(super) struct Writer<'a> {
    btf: &'a Btf,
    names: Names,
    body: Body<'a>,
    out: String,
    state: Vec<State>,
    declared: HashSet<String>,
    /// Types that other types refer to: an anonymous enumeration among them is written where it is used.
    referenced: Vec<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// Its needs are being written.
    Open,
    Done,
}

/// What must be in the header before a definition.
#[derive(Default)]
struct Needs {
    defined: Vec<TypeId>,
    declared: Vec<TypeId>,
    /// Type and whether it was met behind a pointer.
    seen: HashSet<(TypeId, bool)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(btf: &'a Btf, out: String) -> Self {
        let state = vec![State::New; btf.end_id() as usize];
        let (names, body, declared) = (Names::default(), Body::new(btf), HashSet::new());
        Self {
            btf,
            names,
            body,
            out,
            state,
            declared,
            referenced: btf.referenced(),
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Writes a type and what it needs, if it is of a kind that can be defined and is not written yet.
    pub(super) fn define(&mut self, root: TypeId) -> Result<(), PrintError> {
        // Each entry comes twice: before its needs and after.
        let mut stack = vec![(root, false)];
        while let Some((id, needs_done)) = stack.pop() {
            let ty = self.btf.get(id)?;
            if !self.is_definition(&ty) {
                continue;
            }
            match (self.state[id.0 as usize], needs_done) {
                (State::Done, _) => {}
                (State::Open, false) => {
                    return Err(PrintError::Circular {
                        id,
                        name: ty.name.to_owned(),
                    });
                }
                (State::New, _) => {
                    self.state[id.0 as usize] = State::Open;
                    stack.push((id, true));
                    let needs = self.needs(ty);
                    stack.extend(needs.defined.iter().rev().map(|&need| (need, false)));
                }
                (State::Open, true) => {
                    for fwd in self.needs(ty).declared {
                        self.declare(fwd)?;
                    }
                    self.write(ty)?;
                    self.state[id.0 as usize] = State::Done;
                }
            }
        }
        Ok(())
    }

    /// A function's prototype, after what it needs; nothing if this is no function.
    pub(super) fn prototype(&mut self, id: TypeId) -> Result<Option<String>, PrintError> {
        let ty = self.btf.get(id)?;
        let Def::Func { proto, .. } = ty.def else {
            return Ok(None);
        };
        let mut needs = Needs::default();
        needs.walk(self.btf, proto, true);
        for need in std::mem::take(&mut needs.defined) {
            self.define(need)?;
        }
        for fwd in needs.declared {
            self.declare(fwd)?;
        }
        let name = self.names.identifier(ty.name);
        let anonymous = Anonymous::Full(&mut self.body, 0);
        Declare {
            btf: self.btf,
            names: Some(&mut self.names),
            anonymous,
        }
        .declare(proto, &name)
        .map(Some)
    }

    /// Typedefs, named structures, unions and enumerations, and anonymous enumerations that are there for their values.
    fn is_definition(&self, ty: &Type<'_>) -> bool {
        match ty.def {
            Def::Struct(_) | Def::Union(_) | Def::Typedef(_) => !ty.name.is_empty(),
            Def::Enum(e) => !ty.name.is_empty() || e.enumerators().len() > 0 && !self.referenced[ty.id.0 as usize],
            _ => false,
        }
    }

    fn needs(&self, ty: Type<'_>) -> Needs {
        let mut needs = Needs::default();
        match ty.def {
            Def::Struct(composite) | Def::Union(composite) => {
                composite
                    .members()
                    .for_each(|member| needs.walk(self.btf, member.ty, false));
            }
            // Of a structure without its members too.
            Def::Typedef(of) => needs.walk(self.btf, of, true),
            _ => {}
        }
        needs
    }

    fn declare(&mut self, id: TypeId) -> Result<(), PrintError> {
        let ty = self.btf.get(id)?;
        if self.state[id.0 as usize] == State::Done {
            return Ok(());
        }
        let keyword = if matches!(ty.def, Def::Union(_) | Def::Fwd { is_union: true }) {
            "union"
        } else {
            "struct"
        };
        let text = format!("{keyword} {};\n\n", self.names.of(self.btf, ty));
        if self.declared.insert(text.clone()) {
            self.out.push_str(&text);
        }
        Ok(())
    }

    fn write(&mut self, ty: Type<'a>) -> Result<(), PrintError> {
        if let Def::Typedef(of) = ty.def {
            let name = self.names.of(self.btf, ty);
            let anonymous = Anonymous::Full(&mut self.body, 0);
            let mut declare = Declare {
                btf: self.btf,
                names: Some(&mut self.names),
                anonymous,
            };
            let text = declare.declare(of, &name)?;
            self.out.push_str("typedef ");
            self.out.push_str(&text);
            self.out.push_str(";\n\n");
        } else {
            let text = self.body.write(ty, &mut self.names, 0)?;
            self.out.push_str(&text);
            self.out.push_str(";\n\n");
        }
        if self.out.len() > length_max(self.btf) {
            Err(PrintError::TooLong(length_max(self.btf)))
        } else {
            Ok(())
        }
    }
}

impl Needs {
    /// Collects what a use of a type needs; `weak` if it is behind a pointer, where a declaration is enough.
    fn walk(&mut self, btf: &Btf, id: TypeId, weak: bool) {
        let mut todo = vec![(id, weak)];
        while let Some((id, weak)) = todo.pop() {
            if !self.seen.insert((id, weak)) {
                continue;
            }
            let Some(ty) = btf.type_by_id(id) else { continue };
            match ty.def {
                Def::Const(to) | Def::Volatile(to) | Def::Restrict(to) | Def::TypeTag(to) => todo.push((to, weak)),
                Def::Ptr(to) => todo.push((to, true)),
                // An array's elements must be complete even behind a pointer.
                Def::Array(array) => todo.push((array.element, false)),
                Def::FuncProto(proto) => {
                    todo.push((proto.ret, true));
                    todo.extend(proto.params().map(|param| (param.ty, true)));
                }
                Def::Typedef(to) => {
                    self.defined.push(id);
                    if !weak {
                        todo.push((to, false));
                    }
                }
                Def::Struct(composite) | Def::Union(composite) if ty.name.is_empty() => {
                    todo.extend(composite.members().map(|member| (member.ty, false)));
                }
                Def::Struct(_) | Def::Union(_) if weak => self.declared.push(id),
                Def::Fwd { .. } => self.declared.push(id),
                Def::Struct(_) | Def::Union(_) => self.defined.push(id),
                Def::Enum(_) if !ty.name.is_empty() => self.defined.push(id),
                _ => {}
            }
        }
    }
}
