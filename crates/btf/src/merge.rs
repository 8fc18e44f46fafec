//! Copying types from one [`Btf`] into a [`Builder`]: all of them ([`Builder::merge`]) or one with all that it needs
//! ([`Builder::import`]).
//!
//! Named structures and unions get their id first, so that circles through them close; everything else is copied
//! after what it refers to. There is no recursion: depth comes from the input.

use std::collections::HashMap;

use crate::error::BuildError;
use crate::raw::{self, Info, Word};
use crate::{Btf, Builder, Kind, TypeId};

/// New ids by old ones, as [`Builder::merge`] and [`Builder::import`] return them.
#[derive(Clone, Debug, Default)]
pub struct IdMap {
    ids: HashMap<TypeId, TypeId>,
}

impl IdMap {
    /// The id in the builder for an id of the source; nothing if that type was not copied.
    pub fn get(&self, id: TypeId) -> Option<TypeId> {
        if id.is_void() {
            Some(id)
        } else {
            self.ids.get(&id).copied()
        }
    }
}

impl Builder {
    /// Copies all types of `other`. Types that are here already are used; a different definition of a name is an error
    /// of [`build`](Self::build).
    pub fn merge(&mut self, other: &Btf) -> IdMap {
        let roots: Vec<TypeId> = (1..other.end_id()).map(TypeId).collect();
        Copy {
            source: other,
            builder: self,
            map: IdMap::default(),
        }
        .run(&roots)
    }

    /// Copies one type and everything it refers to, pointers included. Decl tags are not copied.
    pub fn import(&mut self, other: &Btf, id: TypeId) -> TypeId {
        let map = Copy {
            source: other,
            builder: self,
            map: IdMap::default(),
        }
        .run(&[id]);
        map.get(id).unwrap_or(TypeId::VOID)
    }
}

struct Copy<'a> {
    source: &'a Btf,
    builder: &'a mut Builder,
    map: IdMap,
}

impl Copy<'_> {
    fn run(mut self, roots: &[TypeId]) -> IdMap {
        let reachable = self.reachable(roots);
        let named: Vec<TypeId> = reachable
            .iter()
            .copied()
            .filter(|&id| self.is_named_composite(id))
            .collect();
        for &id in &named {
            let kind = self.source.kind_of(id).unwrap_or(Kind::Struct);
            let new = self.builder.declare(kind, self.source.name_of(id));
            self.map.ids.insert(id, new);
        }
        for &id in &reachable {
            self.copy_after_needs(id);
        }
        for &id in &named {
            if let (Some(new), Some((_, words))) = (self.map.get(id), self.translate(id)) {
                self.builder.set(new, words);
            }
        }
        self.map
    }

    /// Everything the roots refer to, each once, in the order of the source.
    fn reachable(&self, roots: &[TypeId]) -> Vec<TypeId> {
        let mut seen = vec![false; self.source.end_id() as usize];
        let mut order = Vec::new();
        let mut todo: Vec<TypeId> = roots.iter().rev().copied().collect();
        while let Some(id) = todo.pop() {
            match seen.get_mut(id.0 as usize) {
                Some(seen) if !*seen && !id.is_void() => *seen = true,
                _ => continue,
            }
            order.push(id);
            todo.extend(self.needs(id));
        }
        order.sort_unstable();
        order
    }

    fn needs(&self, id: TypeId) -> Vec<TypeId> {
        let Some(record) = self.source.record(id) else {
            return Vec::new();
        };
        let mut needs = Vec::new();
        let kind = Info(record[1]).kind().unwrap_or(Kind::Void);
        raw::references(kind, record.len(), |word, meaning| {
            if meaning == Word::Id {
                needs.push(TypeId(record[word]));
            }
        });
        needs
    }

    fn is_named_composite(&self, id: TypeId) -> bool {
        self.source.kind_of(id).is_some_and(Kind::is_composite) && !self.source.name_of(id).is_empty()
    }

    /// Copies a type once all it refers to is copied. A circle without a named structure cannot be written in C.
    fn copy_after_needs(&mut self, root: TypeId) {
        let mut open: HashMap<TypeId, ()> = HashMap::new();
        let mut stack = vec![root];
        while let Some(&id) = stack.last() {
            if self.map.get(id).is_some() {
                stack.pop();
                continue;
            }
            let missing: Vec<TypeId> = self
                .needs(id)
                .into_iter()
                .filter(|&need| self.map.get(need).is_none())
                .collect();
            if missing.is_empty() {
                let new = self.copy(id);
                self.map.ids.insert(id, new);
                stack.pop();
            } else if open.insert(id, ()).is_some() {
                let kind = self.source.kind_of(id).unwrap_or(Kind::Void);
                let name = self.source.name_of(id).to_owned();
                self.builder.fail(BuildError::Circular { kind, name });
                self.map.ids.insert(id, TypeId::VOID);
            } else {
                stack.extend(missing);
            }
        }
    }

    fn copy(&mut self, id: TypeId) -> TypeId {
        let Some((kind, words)) = self.translate(id) else {
            return TypeId::VOID;
        };
        let name = self.source.name_of(id);
        if kind == Kind::Fwd {
            return self.builder.fwd(name, Info(words[1]).kind_flag());
        }
        self.builder.add_words(kind, name, words)
    }

    /// The words of a record with names and ids of the builder.
    fn translate(&mut self, id: TypeId) -> Option<(Kind, Box<[u32]>)> {
        let record = self.source.record(id)?;
        let kind = Info(record[1]).kind()?;
        let mut words: Box<[u32]> = record.into();
        raw::references(kind, record.len(), |word, meaning| {
            words[word] = match meaning {
                Word::Name => self.builder.string(self.source.str_at(record[word])),
                Word::Id => self.map.get(TypeId(record[word])).unwrap_or(TypeId::VOID).0,
            };
        });
        Some((kind, words))
    }
}
