//! Sizes, alignment and resolution of typedefs and modifiers.
//!
//! BPF is a 64-bit target: pointers have eight bytes. Alignment is not stored in BTF but derived; see `align`.
//! Chains are bounded by [`DEPTH_MAX`].

use crate::align::Aligner;
use crate::error::LayoutError;
use crate::types::{Def, Member};
use crate::{Btf, Kind, Type, TypeId};

/// Longest chain of typedefs, modifiers, arrays or nested structures that is followed.
pub const DEPTH_MAX: usize = 32;

/// Size of a pointer in bytes.
pub const POINTER_SIZE: u32 = 8;

impl Btf {
    /// The type, or an error that names the id.
    ///
    /// # Errors
    /// [`LayoutError::NoSuchType`].
    pub fn get(&self, id: TypeId) -> Result<Type<'_>, LayoutError> {
        self.type_by_id(id).ok_or(LayoutError::NoSuchType(id))
    }

    /// Follows `const`, `volatile`, `restrict` and type tags to what they qualify.
    ///
    /// # Errors
    /// An id that does not exist or a chain longer than [`DEPTH_MAX`].
    pub fn skip_mods(&self, id: TypeId) -> Result<TypeId, LayoutError> {
        self.follow(id, Kind::is_modifier)
    }

    /// As [`skip_mods`](Self::skip_mods), and follows typedefs too.
    ///
    /// # Errors
    /// An id that does not exist or a chain longer than [`DEPTH_MAX`].
    pub fn skip_mods_and_typedefs(&self, id: TypeId) -> Result<TypeId, LayoutError> {
        self.follow(id, |kind| kind.is_modifier() || kind == Kind::Typedef)
    }

    /// The type behind typedefs and modifiers.
    ///
    /// # Errors
    /// An id that does not exist or a chain longer than [`DEPTH_MAX`].
    pub fn resolve(&self, id: TypeId) -> Result<Type<'_>, LayoutError> {
        self.get(self.skip_mods_and_typedefs(id)?)
    }

    /// What a pointer points to behind typedefs and modifiers on both sides; nothing if it is no pointer.
    ///
    /// # Errors
    /// An id that does not exist or a chain longer than [`DEPTH_MAX`].
    pub fn pointee(&self, id: TypeId) -> Result<Option<Type<'_>>, LayoutError> {
        match self.resolve(id)?.def {
            Def::Ptr(target) => self.resolve(target).map(Some),
            _ => Ok(None),
        }
    }

    fn follow(&self, id: TypeId, through: impl Fn(Kind) -> bool) -> Result<TypeId, LayoutError> {
        let mut at = id;
        for _ in 0..=DEPTH_MAX {
            let kind = self.kind_of(at).ok_or(LayoutError::NoSuchType(at))?;
            if !through(kind) {
                return Ok(at);
            }
            at = self.get(at)?.target().unwrap_or(TypeId::VOID);
        }
        Err(LayoutError::TooDeep(id))
    }

    /// Size in bytes.
    ///
    /// # Errors
    /// Types without a size (`void`, functions, forward declarations, tags), sizes over 4 GiB, circles.
    pub fn size_of(&self, id: TypeId) -> Result<u32, LayoutError> {
        let mut at = id;
        let mut count = 1u64;
        for _ in 0..=DEPTH_MAX {
            let ty = self.get(at)?;
            let size = match ty.def {
                Def::Int(int) => int.size,
                Def::Ptr(_) => POINTER_SIZE,
                Def::Struct(composite) | Def::Union(composite) => composite.size,
                Def::Enum(e) => e.size,
                Def::Float { size } => size,
                Def::DataSec(section) => section.size,
                Def::Array(array) => {
                    count = count
                        .checked_mul(u64::from(array.len))
                        .filter(|&count| count <= u64::from(u32::MAX))
                        .ok_or(LayoutError::TooLarge(id))?;
                    at = array.element;
                    continue;
                }
                Def::Typedef(to) | Def::Volatile(to) | Def::Const(to) | Def::Restrict(to) | Def::TypeTag(to) => {
                    at = to;
                    continue;
                }
                Def::Var { ty, .. } => {
                    at = ty;
                    continue;
                }
                Def::Void | Def::Fwd { .. } | Def::Func { .. } | Def::FuncProto(_) | Def::DeclTag { .. } => {
                    return Err(LayoutError::Unsized {
                        id: at,
                        kind: ty.kind(),
                    });
                }
            };
            return u32::try_from(count * u64::from(size)).map_err(|_| LayoutError::TooLarge(id));
        }
        Err(LayoutError::TooDeep(id))
    }

    /// Alignment in bytes.
    ///
    /// # Errors
    /// As [`size_of`](Self::size_of).
    pub fn align_of(&self, id: TypeId) -> Result<u32, LayoutError> {
        Ok(Aligner::new(self).align(id)?.bytes)
    }

    /// First bit and number of bits if the member is a bit field, whichever way it is stored.
    pub fn bit_field(&self, member: &Member<'_>) -> Option<(u32, u8)> {
        if let Some(bits) = member.bits {
            return Some((member.bit_offset, bits));
        }
        let Ok(Type { def: Def::Int(int), .. }) = self.resolve(member.ty) else {
            return None;
        };
        let whole = int.bit_offset == 0 && u64::from(int.bits) == u64::from(int.size) * 8;
        let aligned = member.bit_offset.is_multiple_of(8);
        (!(whole && aligned)).then_some((member.bit_offset.saturating_add(u32::from(int.bit_offset)), int.bits))
    }
}
