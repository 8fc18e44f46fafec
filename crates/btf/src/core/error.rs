//! Why a relocation has no answer.

use crate::core::RelocationKind;
use crate::{LayoutError, TypeId};

/// Why a relocation cannot be resolved. That the kernel lacks a type or field is no error but a [`Fixup`](super::Fixup)
/// that is poisoned or false.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// The access string is not numbers with colons, or is too long.
    #[error("access `{access}` of type {ty} is malformed")]
    BadAccess {
        /// The local type.
        ty: TypeId,
        /// The string.
        access: String,
    },
    /// The access string does not fit the local type.
    #[error("access `{access}` does not fit type {ty} `{name}`: {reason}")]
    AccessMismatch {
        /// The local type.
        ty: TypeId,
        /// Its name.
        name: String,
        /// The string.
        access: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// The local type has no name to look for.
    #[error("type {0} has no name")]
    Anonymous(TypeId),
    /// Several types of the kernel match and give different answers.
    #[error("{} of `{name}` is ambiguous: {one} for type {one_type}, {other} for type {other_type}", kind.name())]
    Ambiguous {
        /// What was asked.
        kind: RelocationKind,
        /// Name of the type.
        name: String,
        /// One answer.
        one: u64,
        /// Its type.
        one_type: TypeId,
        /// Another answer.
        other: u64,
        /// Its type.
        other_type: TypeId,
    },
    /// A bit field that no single load of eight bytes covers.
    #[error("bit field `{0}` needs a load of more than eight bytes")]
    BitFieldTooWide(String),
    /// A question that cannot be asked of this type.
    #[error("{} cannot be asked of type {ty} `{name}`", kind.name())]
    Unsuited {
        /// What was asked.
        kind: RelocationKind,
        /// The type.
        ty: TypeId,
        /// Its name.
        name: String,
    },
    /// A type that cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}
