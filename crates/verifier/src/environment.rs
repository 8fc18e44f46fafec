//! What the verifier may ask of the world: types, prototypes, map shapes, the context of this program.
//!
//! One trait, [`Environment`], and plain data. A call is described by a [`CallContract`]: the checker never
//! asks "which helper is this?", it only reads the contract, as `check_helper_call` and `check_kfunc_call` of
//! Linux 6.12's `kernel/bpf/verifier.c` read a `bpf_func_proto` and a kfunc's BTF. No map, file descriptor
//! or kernel object is known here: a map is a [`MapShape`].

use std::borrow::Cow;

use btf::{Btf, TypeId};

/// The world that a program is verified for: one attach point of one kernel.
///
/// Everything is answered as data; nothing may change while [`verify`](crate::verify) runs.
pub trait Environment {
    /// Types of the kernel that the program runs in.
    fn kernel_btf(&self) -> &Btf;

    /// Contract of a helper, if this program may call it (`get_func_proto` of `struct bpf_verifier_ops`).
    fn helper(&self, id: u32) -> Option<&CallContract>;

    /// Name of a helper, whether this program may call it or not, for messages.
    fn helper_name(&self, _id: u32) -> Option<&str> {
        None
    }

    /// Contract of a kernel function by the BTF id of its `FUNC`, if this program may call it. `module` is
    /// the index in `fd_array` of the module's BTF, 0 for the kernel's.
    fn kfunc(&self, btf_id: TypeId, module: i16) -> Option<&CallContract>;

    /// Shape of a map that the program names.
    fn map(&self, map: MapRef) -> Option<MapShape>;

    /// Whether this helper works on this kind of map (`check_map_func_compatibility`).
    fn helper_takes_map(&self, helper: u32, map: &MapShape) -> bool;

    /// The value at an offset of a map that neither side can write any more (a frozen, read-only array), if
    /// the verifier may rely on it. `size` is 1, 2, 4 or 8; the value is zero-extended.
    fn map_constant(&self, map: MapRef, offset: u32, size: u32) -> Option<u64>;

    /// What R1 points to at the start.
    fn context(&self) -> &Context;

    /// Whether the program may store `size` bytes at byte `offset` of a kernel structure
    /// (`btf_struct_access` of `struct bpf_verifier_ops`).
    fn struct_access(&self, ty: TypeId, offset: u32, size: u32) -> StructAccess;

    /// What the program must leave in R0.
    fn returns(&self) -> ReturnRule;
}

/// What the program's first argument is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// An array of 8-byte arguments, as tracing and struct_ops programs have (`btf_ctx_access`).
    Args(Vec<CtxArg>),
    /// A structure of which these fields may be read, as scalars.
    Fields(Vec<CtxField>),
}

/// One argument in a [`Context::Args`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CtxArg {
    /// An integer or enumeration of this many bytes.
    Scalar {
        /// 1, 2, 4 or 8.
        size: u8,
    },
    /// A pointer to a kernel structure.
    Btf {
        /// The structure, after any promotion (`struct sock` to `struct tcp_sock`).
        ty: TypeId,
        /// It may be null (`__nullable` in the kernel's stub).
        nullable: bool,
        /// It is valid for as long as the program runs (`PTR_TRUSTED`).
        trusted: bool,
    },
    /// Something that the verifier does not know how to check; reading it is [`Unsupported`](crate::Unsupported).
    Unknown,
}

/// A field in a [`Context::Fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CtxField {
    /// Byte offset.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// What may be done with it.
    pub holds: CtxHolds,
}

/// What a [`CtxField`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CtxHolds {
    /// A number that can be read, as a whole or in aligned parts.
    Number,
    /// Room that Linux lets programs read and write in aligned parts; either is [`Unsupported`](crate::Unsupported).
    Room,
    /// A pointer that Linux lets programs read; that is [`Unsupported`](crate::Unsupported).
    Pointer,
}

impl CtxField {
    /// A field that can be read.
    pub fn readable(offset: u32, size: u32) -> Self {
        Self {
            offset,
            size,
            holds: CtxHolds::Number,
        }
    }

    /// Whether Linux knows such an access of the field, reading or writing.
    pub(crate) fn has(&self, offset: i64, size: u32, reads: bool) -> bool {
        let place = i64::from(self.offset)..=i64::from(self.offset) + i64::from(self.size) - i64::from(size);
        let within = place.contains(&offset) && offset % i64::from(size) == 0;
        within && (self.holds != CtxHolds::Pointer || reads && size == self.size)
    }
}

impl Context {
    /// Arguments from a `FUNC_PROTO`: integers and enumerations become scalars, pointers to structures
    /// trusted [`CtxArg::Btf`] of the type that `promote` gives for the pointee, all else
    /// [`CtxArg::Unknown`]. `nullable` tells, by index, which may be null.
    pub fn from_proto(
        btf: &Btf,
        proto: TypeId,
        promote: impl Fn(TypeId) -> TypeId,
        nullable: impl Fn(usize) -> bool,
    ) -> Self {
        let params = btf.type_by_id(proto).and_then(|ty| ty.func_proto());
        let args = params.into_iter().flat_map(|proto| proto.params().enumerate());
        Self::Args(
            args.map(|(index, param)| ctx_arg(btf, param.ty, &promote, nullable(index)))
                .collect(),
        )
    }
}

fn ctx_arg(btf: &Btf, ty: TypeId, promote: &impl Fn(TypeId) -> TypeId, nullable: bool) -> CtxArg {
    if let Some(size) = scalar_size(btf, ty) {
        return CtxArg::Scalar { size };
    }
    match btf.pointee(ty) {
        Ok(Some(pointee)) if pointee.composite().is_some() => CtxArg::Btf {
            ty: promote(pointee.id),
            nullable,
            trusted: true,
        },
        _ => CtxArg::Unknown,
    }
}

/// Bytes of an integer or enumeration behind typedefs, if it fits a register.
fn scalar_size(btf: &Btf, ty: TypeId) -> Option<u8> {
    let resolved = btf.resolve(ty).ok()?;
    let size = match resolved.def {
        btf::Def::Int(int) => int.size,
        btf::Def::Enum(e) => e.size,
        _ => return None,
    };
    u8::try_from(size).ok().filter(|size| matches!(size, 1 | 2 | 4 | 8))
}

/// What a helper or kernel function wants and gives.
///
/// ```
/// use verifier::{ArgKind, CallContract, RetKind};
/// let ktime = CallContract::new("bpf_ktime_get_ns", &[], RetKind::Scalar);
/// assert!(ktime.args.is_empty());
/// let lookup = CallContract::new(
///     "bpf_map_lookup_elem",
///     &[ArgKind::Map, ArgKind::MapKey],
///     RetKind::MapValueOrNull,
/// );
/// assert_eq!(lookup.args.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallContract {
    /// Its name in the kernel, for messages.
    pub name: Cow<'static, str>,
    /// R1 to R5, at most five.
    pub args: Vec<ArgKind>,
    /// R0 afterwards.
    pub ret: RetKind,
    /// Rules about the call as a whole.
    pub flags: CallFlags,
}

/// Rules about a call as a whole (`KF_*` and helper properties).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallFlags {
    /// The result holds a reference that the program must give back (`KF_ACQUIRE`).
    pub acquire: bool,
    /// The first argument's reference is given back (`KF_RELEASE`).
    pub release: bool,
    /// A pointer that a kernel function returns may be null (`KF_RET_NULL`); of helpers [`RetKind`] says it.
    pub ret_null: bool,
    /// Something this verifier cannot check (a callback, a lock, a sleepable context, …), by name: calling
    /// it is [`Unsupported`](crate::Unsupported).
    pub unsupported: Option<&'static str>,
}

/// What one argument of a call must be (`enum bpf_arg_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// Any initialised register (`ARG_ANYTHING`).
    Anything,
    /// A number (scalar arguments of kernel functions).
    Scalar,
    /// A number that is one known constant (`__k` of kernel functions).
    ConstScalar,
    /// The program's context, unmodified (`ARG_PTR_TO_CTX`).
    Ctx,
    /// A map (`ARG_CONST_MAP_PTR`).
    Map,
    /// Readable memory of the key size of the map in an earlier argument (`ARG_PTR_TO_MAP_KEY`).
    MapKey,
    /// Memory of the value size of the map in an earlier argument (`ARG_PTR_TO_MAP_VALUE`).
    MapValue {
        /// The call fills it (`MEM_UNINIT`); else it is read.
        fills: bool,
        /// Null is fine.
        nullable: bool,
    },
    /// Memory whose size is the next argument, which must be [`MemSize`](Self::MemSize) (`ARG_PTR_TO_MEM`).
    Mem {
        /// The call fills it, so it need not be initialised (`MEM_UNINIT`).
        fills: bool,
        /// The call may write it (`MEM_WRITE`).
        writes: bool,
        /// Null is fine, with size 0.
        nullable: bool,
    },
    /// Memory of a fixed size (`ARG_PTR_TO_FIXED_SIZE_MEM`).
    FixedMem {
        /// Bytes.
        size: u32,
        /// The call fills it, so it need not be initialised (`MEM_UNINIT`).
        fills: bool,
        /// The call may write it (`MEM_WRITE`).
        writes: bool,
        /// Null is fine.
        nullable: bool,
    },
    /// Size of the memory in the argument before (`ARG_CONST_SIZE`).
    MemSize {
        /// Zero is fine (`ARG_CONST_SIZE_OR_ZERO`).
        zero_ok: bool,
    },
    /// A pointer to a kernel structure, or to one that begins with it (`ARG_PTR_TO_BTF_ID`).
    Btf {
        /// The structure.
        ty: TypeId,
        /// Null is fine.
        nullable: bool,
    },
    /// Something this verifier cannot check, by name: the call is [`Unsupported`](crate::Unsupported).
    Unknown(&'static str),
}

/// What is in R0 after a call (`enum bpf_return_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetKind {
    /// Nothing: R0 is unreadable.
    Void,
    /// A number of 64 bits (`RET_INTEGER`).
    Scalar,
    /// A number of fewer bytes: 1, 2 or 4, of which the rest of R0 is unknown (kernel functions).
    SmallScalar(u8),
    /// A value of the map in the arguments, or null (`RET_PTR_TO_MAP_VALUE_OR_NULL`).
    MapValueOrNull,
    /// A pointer to a kernel structure.
    Btf {
        /// The structure.
        ty: TypeId,
        /// It may be null (`KF_RET_NULL`, `PTR_MAYBE_NULL`).
        nullable: bool,
        /// It stays valid while the program runs (`PTR_TRUSTED`).
        trusted: bool,
    },
    /// Something this verifier cannot check, by name: the call is [`Unsupported`](crate::Unsupported).
    Unknown(&'static str),
}

impl CallContract {
    /// A contract without flags.
    pub fn new(name: impl Into<Cow<'static, str>>, args: &[ArgKind], ret: RetKind) -> Self {
        Self {
            name: name.into(),
            args: args.to_vec(),
            ret,
            flags: CallFlags::default(),
        }
    }

    /// The contract that a kernel function's BTF states (`check_kfunc_args`, `get_kfunc_ptr_arg_type`):
    /// integers are numbers, pointers to structures BTF pointers, `mem, mem__sz` pairs memory. What is not
    /// understood becomes [`ArgKind::Unknown`] or [`RetKind::Unknown`]. `None` if `func` is no `FUNC`.
    pub fn from_btf(btf: &Btf, func: TypeId, flags: CallFlags) -> Option<Self> {
        let ty = btf.type_by_id(func)?;
        let btf::Def::Func { proto, .. } = ty.def else {
            return None;
        };
        let proto = btf.type_by_id(proto)?.func_proto()?;
        let params: Vec<_> = proto.params().collect();
        let mut args = Vec::with_capacity(params.len());
        for (index, param) in params.iter().enumerate() {
            let next = params.get(index + 1).map(|next| next.name);
            args.push(kfunc_arg(btf, *param, next));
        }
        let ret = kfunc_ret(btf, proto.ret, flags);
        Some(Self {
            name: ty.name.to_owned().into(),
            args,
            ret,
            flags,
        })
    }
}

fn kfunc_arg(btf: &Btf, param: btf::Param<'_>, next: Option<&str>) -> ArgKind {
    let tag = param.name.rfind("__").map(|at| &param.name[at..]);
    if scalar_size(btf, param.ty).is_some() {
        return match tag {
            None => ArgKind::Scalar,
            Some("__k") => ArgKind::ConstScalar,
            Some("__sz") => ArgKind::MemSize { zero_ok: true },
            Some(_) if param.name.starts_with("__") => ArgKind::Scalar,
            Some(_) => ArgKind::Unknown("tagged scalar argument"),
        };
    }
    let sized = next.is_some_and(|name| name.ends_with("__sz"));
    match (btf.pointee(param.ty), tag) {
        (Ok(Some(pointee)), None) if !sized && pointee.composite().is_some() => ArgKind::Btf {
            ty: pointee.id,
            nullable: false,
        },
        (Ok(Some(_)), None) if sized => ArgKind::Mem {
            fills: false,
            writes: true,
            nullable: false,
        },
        _ => ArgKind::Unknown("kernel function argument of this type"),
    }
}

fn kfunc_ret(btf: &Btf, ty: TypeId, flags: CallFlags) -> RetKind {
    if btf.resolve(ty).is_ok_and(|resolved| resolved.id.is_void()) {
        return RetKind::Void;
    }
    match scalar_size(btf, ty) {
        Some(8) => return RetKind::Scalar,
        Some(size) => return RetKind::SmallScalar(size),
        None => {}
    }
    match btf.pointee(ty) {
        Ok(Some(pointee)) if pointee.composite().is_some() => RetKind::Btf {
            ty: pointee.id,
            nullable: flags.ret_null,
            trusted: flags.acquire,
        },
        _ => RetKind::Unknown("kernel function result of this type"),
    }
}

/// How a program names a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MapRef {
    /// File descriptor in the instruction.
    Fd(i32),
    /// Index in the load command's `fd_array`.
    Index(u32),
}

/// What the verifier must know of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapShape {
    /// Its name, for messages; may be empty.
    pub name: String,
    /// Tells maps apart: two references with the same identity are the same map.
    pub identity: u64,
    /// Linux's number of the map type (`enum bpf_map_type`).
    pub map_type: u32,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Whether programs may read values (not `BPF_F_WRONLY_PROG`).
    pub readable: bool,
    /// Whether programs may write values (not `BPF_F_RDONLY_PROG`).
    pub writable: bool,
    /// Whether `ldimm64` may take the address of its value (`map_direct_value_addr`: arrays of one element).
    pub direct_value: bool,
    /// Fields in the value that are not plain bytes (locks, timers, kernel pointers): programs may not touch
    /// them, and using one is [`Unsupported`](crate::Unsupported).
    pub special: Vec<SpecialField>,
}

/// Bytes of a map value that are not plain data (`struct btf_record`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialField {
    /// First byte.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// What it is, for messages: `bpf_spin_lock`, …
    pub what: &'static str,
}

/// Answer to a store into a kernel structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StructAccess {
    /// The store is fine.
    Allowed,
    /// Nothing of this structure may be written.
    ReadOnly,
    /// No writable field starts here.
    NoField,
    /// The store reaches beyond the writable field.
    BeyondField {
        /// First byte after the field.
        end: u32,
    },
}

/// What must be in R0 when the program ends (`check_return_code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnRule {
    /// Nothing: the operation returns `void`.
    Void,
    /// Anything that is readable, an address too: what Linux asks of an ops structure's programs that return a number.
    Readable,
    /// Any number.
    Scalar,
    /// A number of this range.
    Range {
        /// Smallest, as a signed 64-bit number.
        min: i64,
        /// Largest.
        max: i64,
    },
}
