//! Follows what types refer to until sizes are known (`btf_check_all_types`, `btf_resolve`): finds types that contain themselves, that
//! go too deep, and that lead to nothing.
//!
//! A walk with a stack of its own, as Linux's is: which circle is found first, and so which error is given, depends on where a walk stops. A walk
//! that began at a pointer stops at a structure, one that began at a structure stops at a pointer; so a list that points
//! to itself is none that contains itself.

use super::rule::{Refusal, Rule};
use super::table::{self, Record, Types};
use super::{functions, steps};
use crate::{Kind, TypeId};

/// `MAX_RESOLVE_DEPTH`.
pub(super) const DEPTH_MAX: usize = 32;
/// Bytes of a pointer.
const POINTER: u32 = 8;

/// Checks what the records say of one another.
pub(super) fn all(types: &Types<'_>) -> Result<(), Refusal> {
    let count = types.end() as usize;
    let mut walk = Walk {
        types,
        states: vec![State::New; count],
        results: vec![(TypeId::VOID, 0); count],
        stack: Vec::with_capacity(DEPTH_MAX),
        mode: Mode::Undecided,
    };
    for record in types.all() {
        walk.resolve(record.id)?;
        if record.kind == Kind::FuncProto {
            functions::proto(&mut walk, &record)?;
        }
    }
    Ok(())
}

/// A walk through the types and all that earlier ones found.
pub(super) struct Walk<'a, 't> {
    pub(super) types: &'a Types<'t>,
    states: Vec<State>,
    /// By id: the type that it resolves to, and the size of an array.
    results: Vec<(TypeId, u32)>,
    stack: Vec<Vertex>,
    mode: Mode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Visited,
    Resolved,
}

/// A type that is being resolved, and the member or variable that is next.
#[derive(Clone, Copy)]
struct Vertex {
    id: TypeId,
    next: u32,
}

/// Where a walk stops, by the first type on it that decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Undecided,
    Pointer,
    Container,
}

/// What the look at a type leads to.
pub(super) enum Step {
    /// Another type must be resolved first; what is next then.
    Visit(TypeId, u32),
    /// It is resolved to this, with this size if it is an array.
    Done(TypeId, u32),
}

/// A type that has a size.
#[derive(Clone, Copy)]
pub(super) struct Sized {
    pub(super) id: TypeId,
    pub(super) kind: Kind,
    pub(super) size: u32,
}

impl<'t> Walk<'_, 't> {
    /// Resolves a type, unless it needs none or has been.
    pub(super) fn resolve(&mut self, id: TypeId) -> Result<(), Refusal> {
        let Some(kind) = self.types.kind(id) else { return Ok(()) };
        if !needs_resolving(kind) || self.is_resolved(id) {
            return Ok(());
        }
        self.mode = Mode::Undecided;
        self.push(id, id)?;
        while let Some(vertex) = self.stack.last().copied() {
            // Whatever is on the stack has a record.
            let Some(record) = self.types.get(vertex.id) else { break };
            match steps::step(self, &record, vertex.next)? {
                Step::Done(to, size) => {
                    self.stack.pop();
                    self.results[vertex.id.0 as usize] = (to, size);
                    self.states[vertex.id.0 as usize] = State::Resolved;
                }
                Step::Visit(next, resume) => {
                    if let Some(top) = self.stack.last_mut() {
                        top.next = resume;
                    }
                    self.push(next, id)?;
                }
            }
        }
        if self.is_sound(id, kind) {
            return Ok(());
        }
        self.types.refuse(id, Rule::Unresolved)
    }

    /// Linux names the type where the walk began.
    fn push(&mut self, id: TypeId, began_at: TypeId) -> Result<(), Refusal> {
        if self.stack.len() == DEPTH_MAX {
            return self.types.refuse(began_at, Rule::TooDeep);
        }
        let kind = self.types.kind(id).unwrap_or(Kind::Void);
        let Some(state) = self.states.get_mut(id.0 as usize).filter(|state| **state == State::New) else {
            return self.types.refuse(began_at, Rule::Loop);
        };
        *state = State::Visited;
        self.stack.push(Vertex { id, next: 0 });
        if self.mode == Mode::Undecided {
            self.mode = match kind {
                Kind::Ptr => Mode::Pointer,
                Kind::Struct | Kind::Union | Kind::Array => Mode::Container,
                _ => Mode::Undecided,
            };
        }
        Ok(())
    }

    /// Each variable of a section begins a walk of its own.
    pub(super) fn begin_anew(&mut self) {
        self.mode = Mode::Undecided;
    }

    /// Whether a type must be visited before the one that refers to it can be resolved.
    pub(super) fn must_visit(&self, id: TypeId, kind: Kind) -> bool {
        !self.is_sink(kind) && !self.is_resolved(id)
    }

    /// Whether a walk of this mode stops at a kind (`env_type_is_resolve_sink`).
    fn is_sink(&self, kind: Kind) -> bool {
        match self.mode {
            Mode::Undecided => !needs_resolving(kind),
            Mode::Pointer => !table::is_modifier(kind) && kind != Kind::Ptr,
            Mode::Container => !table::is_modifier(kind) && !matches!(kind, Kind::Array | Kind::Struct | Kind::Union),
        }
    }

    pub(super) fn is_resolved(&self, id: TypeId) -> bool {
        self.states.get(id.0 as usize) == Some(&State::Resolved)
    }

    /// What a type was resolved to; `void` if it was not.
    pub(super) fn resolved_to(&self, id: TypeId) -> TypeId {
        self.results[id.0 as usize].0
    }

    /// The type that gives an id its size (`btf_type_id_size`).
    pub(super) fn size_of(&self, id: TypeId) -> Option<Sized> {
        let record = self.types.get(id)?;
        match self.own_size(&record) {
            Some(size) => Some(Sized {
                id,
                kind: record.kind,
                size,
            }),
            None if table::is_modifier(record.kind) || record.kind == Kind::Var => {
                let to = self.types.get(self.resolved_to(id))?;
                let size = self.own_size(&to)?;
                Some(Sized {
                    id: to.id,
                    kind: to.kind,
                    size,
                })
            }
            None => None,
        }
    }

    fn own_size(&self, record: &Record<'t>) -> Option<u32> {
        match record.kind {
            Kind::Int | Kind::Struct | Kind::Union | Kind::Enum | Kind::Enum64 | Kind::DataSec | Kind::Float => {
                Some(record.third())
            }
            Kind::Array => Some(self.results[record.id.0 as usize].1),
            Kind::Ptr => Some(POINTER),
            _ => None,
        }
    }

    /// Linux's last look at what a walk has left (`btf_resolve_valid`).
    fn is_sound(&self, id: TypeId, kind: Kind) -> bool {
        let (to, size) = self.results[id.0 as usize];
        match kind {
            Kind::Struct | Kind::Union | Kind::DataSec => to.is_void() && size == 0,
            Kind::DeclTag | Kind::Func => !to.is_void() && size == 0,
            Kind::Array => {
                let Some(record) = self.types.get(id) else { return false };
                self.size_of(TypeId(record.extra(0)))
                    .is_some_and(|element| record.extra(2).wrapping_mul(element.size) == size)
            }
            _ => self
                .types
                .kind(to)
                .is_some_and(|to| !table::is_modifier(to) && !matches!(to, Kind::Var | Kind::DataSec)),
        }
    }
}

/// Kinds whose size or soundness depends on other types (`btf_type_needs_resolve`).
fn needs_resolving(kind: Kind) -> bool {
    table::is_modifier(kind)
        || matches!(
            kind,
            Kind::Ptr
                | Kind::Struct
                | Kind::Union
                | Kind::Array
                | Kind::Var
                | Kind::Func
                | Kind::DeclTag
                | Kind::DataSec
        )
}
