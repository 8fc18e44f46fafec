//! What a register or a spilled stack slot holds (`struct bpf_reg_state`).

use btf::TypeId;

use crate::bounds::Scalar;
use crate::provenance::Node;

/// Bound of offsets that are followed, in bytes (`BPF_MAX_VAR_OFF`).
pub(crate) const OFFSET_MAX: i64 = 1 << 29;

/// An abstract value: its kind, and the number in it. For a pointer the number is the variable part of the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// What it is.
    pub(crate) kind: Kind,
    /// A number's value; a pointer's variable offset.
    pub(crate) scalar: Scalar,
    /// A pointer's constant offset in bytes; of a number, how far it is from its node's number (`BPF_ADD_CONST`).
    pub(crate) off: i32,
    /// A number's provenance.
    pub(crate) node: Node,
    /// A number's distance was added in 32 bits (`BPF_ADD_CONST32`).
    pub(crate) narrow: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Never written, or no longer readable.
    Uninit,
    /// A number.
    Number,
    /// The program's context.
    Ctx,
    /// The stack of the frame with this index.
    Stack { frame: u8 },
    /// A map.
    Map { map: MapIndex },
    /// Inside a value of a map. `null` if it may be null.
    MapValue { map: MapIndex, null: Null },
    /// Memory of known size.
    Mem { size: u32, null: Null },
    /// Inside a kernel structure.
    Struct {
        ty: TypeId,
        trust: Trust,
        null: Null,
        reference: Reference,
    },
}

/// Index in the program's list of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MapIndex(pub(crate) u16);

/// Whether a pointer may be null; if so, all pointers with the same number are null together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Null {
    Never,
    Maybe(u32),
}

/// A reference that must be given back; 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference(pub(crate) u32);

impl Reference {
    pub(crate) const NONE: Self = Self(0);
}

/// How far a pointer to a kernel structure can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Valid (`PTR_TRUSTED`): plain loads.
    Trusted,
    /// Loaded from a structure: null or stale it may be, so loads are guarded.
    Walked,
    /// Loaded from a union or through another untrusted pointer (`PTR_UNTRUSTED`): may be anything; only for guarded loads.
    Untrusted,
}

impl Value {
    /// Unreadable.
    pub(crate) const UNINIT: Self = Self {
        kind: Kind::Uninit,
        scalar: Scalar::UNKNOWN,
        off: 0,
        node: Node::NONE,
        narrow: false,
    };

    /// A number.
    pub(crate) fn number(scalar: Scalar, node: Node) -> Self {
        Self {
            kind: Kind::Number,
            scalar,
            off: 0,
            node,
            narrow: false,
        }
    }

    /// A pointer to the start of something.
    pub(crate) fn pointer(kind: Kind) -> Self {
        Self {
            kind,
            scalar: Scalar::constant(0),
            off: 0,
            node: Node::NONE,
            narrow: false,
        }
    }

    /// From now on it is another number.
    pub(crate) fn renew(&mut self, node: Node) {
        (self.node, self.off, self.narrow) = (node, 0, false);
    }

    pub(crate) fn is_number(&self) -> bool {
        self.kind == Kind::Number
    }

    pub(crate) fn is_pointer(&self) -> bool {
        !matches!(self.kind, Kind::Number | Kind::Uninit)
    }

    /// The number zero, which also is the null pointer (`register_is_null`).
    pub(crate) fn is_null(&self) -> bool {
        self.is_number() && self.scalar.is(0)
    }

    /// The number of a pointer that may be null.
    pub(crate) fn null(&self) -> Null {
        match self.kind {
            Kind::MapValue { null, .. } | Kind::Mem { null, .. } | Kind::Struct { null, .. } => null,
            Kind::Uninit | Kind::Number | Kind::Ctx | Kind::Stack { .. } | Kind::Map { .. } => Null::Never,
        }
    }

    pub(crate) fn may_be_null(&self) -> bool {
        self.null() != Null::Never
    }

    /// Whether a pointer certainly is not null (`reg_not_null`). An offset without bound could wrap to null.
    pub(crate) fn is_not_null(&self) -> bool {
        let bounded = self.scalar.smin > -OFFSET_MAX && self.scalar.smax < OFFSET_MAX;
        bounded
            && match self.kind {
                Kind::Map { .. } => true,
                Kind::MapValue { null, .. } | Kind::Mem { null, .. } => null == Null::Never,
                Kind::Struct { null, trust, .. } => null == Null::Never && trust == Trust::Trusted,
                Kind::Ctx | Kind::Stack { .. } | Kind::Uninit | Kind::Number => false,
            }
    }

    /// The same pointer, known not to be null.
    pub(crate) fn set_not_null(&mut self) {
        match &mut self.kind {
            Kind::MapValue { null, .. } | Kind::Mem { null, .. } | Kind::Struct { null, .. } => *null = Null::Never,
            Kind::Uninit | Kind::Number | Kind::Ctx | Kind::Stack { .. } | Kind::Map { .. } => {}
        }
    }

    /// The reference a pointer holds.
    pub(crate) fn reference(&self) -> Reference {
        match self.kind {
            Kind::Struct { reference, .. } => reference,
            _ => Reference::NONE,
        }
    }

    /// A pointer's offset, if it is constant.
    pub(crate) fn const_offset(&self) -> Option<i64> {
        let variable = self.scalar.known()? as i64;
        variable.checked_add(self.off.into())
    }
}
