//! [`Resolver`]: relocations of one object against a kernel.
//!
//! `bpf_core_calc_relo_insn` of `relo_core.c` and the search for candidates of `libbpf.c`: every type of the kernel
//! with the local type's name (flavours aside) and kind is a candidate; those that match must agree. Modules are
//! searched only if the kernel itself has no candidate.

use std::collections::HashMap;

use super::names::essential;
use super::spec::{self, Spec};
use super::{CoreError, Fixup, Relocation, RelocationKind, calc, compat};
use crate::{Btf, Kind, TypeId};

/// Resolves the relocations of one object against the kernel's types. Keeps the candidates it found.
///
/// ```
/// use btf::core::{Relocation, RelocationKind, Resolver};
/// use btf::{Builder, Encoding, Member};
/// let with_field_at = |offset| {
///     let mut b = Builder::new();
///     let int = b.int("int", 4, Encoding::SIGNED);
///     let id = b.struct_type("sample", 16, &[Member::at("rtt", int, offset)]);
///     (b.build().unwrap(), id)
/// };
/// let (object, local) = with_field_at(0);
/// let (kernel, _) = with_field_at(8);
/// let mut resolver = Resolver::new(&object, [&kernel]);
/// let relocation = Relocation { ty: local, access: "0:0", kind: RelocationKind::FieldByteOffset };
/// let fixup = resolver.resolve(&relocation)?;
/// assert_eq!((fixup.local, fixup.target), (0, 8));
/// # Ok::<(), btf::core::CoreError>(())
/// ```
pub struct Resolver<'a> {
    local: &'a Btf,
    targets: Vec<&'a Btf>,
    candidates: HashMap<TypeId, Vec<Candidate>>,
}

/// A type of a target: which target, which type.
#[derive(Clone, Copy)]
struct Candidate {
    target: usize,
    id: TypeId,
}

impl<'a> Resolver<'a> {
    /// For an object's BTF and the kernel's; modules' BTF follows the kernel's.
    pub fn new(local: &'a Btf, targets: impl IntoIterator<Item = &'a Btf>) -> Self {
        Self {
            local,
            targets: targets.into_iter().collect(),
            candidates: HashMap::new(),
        }
    }

    /// Answers a relocation.
    ///
    /// # Errors
    /// [`CoreError`]: the relocation is malformed, or several types of the kernel give different answers. Something that
    /// the kernel lacks is no error; see [`Fixup::poisoned`].
    pub fn resolve(&mut self, relocation: &Relocation<'_>) -> Result<Fixup, CoreError> {
        let local_type = self.local.get(relocation.ty)?;
        let local = spec::parse(self.local, relocation)?;
        if relocation.kind == RelocationKind::TypeIdLocal {
            return Ok(Fixup {
                target: u64::from(relocation.ty.0),
                poisoned: false,
                ..calc::fixup(relocation.kind, &local, None)?
            });
        }
        if local_type.name.is_empty() {
            return Err(CoreError::Anonymous(relocation.ty));
        }
        let candidates = match self.candidates.remove(&relocation.ty) {
            Some(candidates) => candidates,
            None => self.find_candidates(local_type.name, local_type.kind()),
        };
        let matching = self.matching(relocation, &local, &candidates)?;
        // Candidates that did not match once are not asked again, as in libbpf.
        let keep = if matching.is_empty() {
            candidates
        } else {
            matching.iter().map(|m| m.candidate).collect()
        };
        self.candidates.insert(relocation.ty, keep);
        self.agree(relocation.kind, local_type.name, &matching)?;
        match matching.first() {
            Some(first) => Ok(first.fixup),
            None => calc::fixup(relocation.kind, &local, None),
        }
    }

    /// The field that a relocation is about, in words of the object's types: `tcp_sock.inet_conn.icsk_ca_state`.
    ///
    /// # Errors
    /// [`CoreError`]: the relocation is malformed.
    pub fn path(&self, relocation: &Relocation<'_>) -> Result<String, CoreError> {
        let local = spec::parse(self.local, relocation)?;
        let mut path = essential(self.local.name_of(relocation.ty)).to_owned();
        for accessor in local.accessors.iter().skip(1) {
            match accessor.name {
                Some(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                None => path.push_str(&format!("[{}]", accessor.index)),
            }
        }
        Ok(path)
    }

    fn find_candidates(&self, name: &str, kind: Kind) -> Vec<Candidate> {
        let mut found = Vec::new();
        for (target, btf) in self.targets.iter().enumerate() {
            // A module's own types only: those of its base are the kernel's, which come first.
            let ids = btf.own_flavours(essential(name)).filter(|&id| {
                btf.kind_of(id)
                    .is_some_and(|other| other == kind || other.is_enum() && kind.is_enum())
            });
            found.extend(ids.map(|id| Candidate { target, id }));
            if target == 0 && !found.is_empty() {
                break;
            }
        }
        found
    }

    fn matching(
        &self,
        relocation: &Relocation<'_>,
        local: &Spec<'_>,
        candidates: &[Candidate],
    ) -> Result<Vec<Match>, CoreError> {
        let mut matching = Vec::new();
        for &candidate in candidates {
            let btf = self.targets[candidate.target];
            let spec = match relocation.kind {
                kind if kind.is_field() => spec::match_field(local, btf, candidate.id)?,
                kind if kind.is_enumval() => spec::match_enumval(local, btf, candidate.id)?,
                RelocationKind::TypeMatches => {
                    let matches = compat::types_match(self.local, relocation.ty, btf, candidate.id)?;
                    matches.then(|| Spec::new(btf, candidate.id))
                }
                _ => {
                    let compatible = compat::types_are_compat(self.local, relocation.ty, btf, candidate.id)?;
                    compatible.then(|| Spec::new(btf, candidate.id))
                }
            };
            if let Some(spec) = spec {
                let fixup = calc::fixup(relocation.kind, local, Some(&spec))?;
                let fixup = Fixup {
                    target_index: Some(candidate.target),
                    ..fixup
                };
                matching.push(Match {
                    candidate,
                    fixup,
                    bit_offset: spec.bit_offset,
                });
            }
        }
        Ok(matching)
    }

    /// All matches must give the same answer.
    fn agree(&self, kind: RelocationKind, name: &str, matching: &[Match]) -> Result<(), CoreError> {
        let Some((first, rest)) = matching.split_first() else {
            return Ok(());
        };
        for other in rest {
            let (one, two) = match (first.bit_offset, other.bit_offset) {
                (a, b) if a != b => (a / 8, b / 8),
                _ if first.fixup.target != other.fixup.target => (first.fixup.target, other.fixup.target),
                _ => continue,
            };
            let (one_type, other_type) = (first.candidate.id, other.candidate.id);
            return Err(CoreError::Ambiguous {
                kind,
                name: name.to_owned(),
                one,
                one_type,
                other: two,
                other_type,
            });
        }
        Ok(())
    }
}

/// A candidate that matched.
struct Match {
    candidate: Candidate,
    fixup: Fixup,
    bit_offset: u64,
}
