//! [`BtfType`]: Rust types that describe themselves in BTF.
//!
//! `#[derive(BtfType)]` implements it for `repr(C)` structures and unions and for enumerations without fields; here are
//! the scalars, pointers and arrays. Names are the kernel's: `u32` is a typedef of `__u32`, which is one of
//! `unsigned int`; `i32` is `int`, `usize` is `long unsigned int` (an LP64 machine, as BPF is).

use core::any::type_name;
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize};

use crate::{Builder, Encoding, Kind, Member, TypeId};

/// A type with a layout that BTF can describe. Derive it:
///
/// ```
/// use btf::{BtfType, Builder, Kind};
///
/// #[derive(BtfType)]
/// #[repr(C)]
/// struct ack_sample {
///     pkts_acked: u32,
///     rtt_us: i32,
///     #[btf(bits(ece = 1, _ = 3, hint = 4))]
///     flags: u8,
///     undo: Option<unsafe extern "C" fn(sample: *mut Self, cwnd: u32) -> u32>,
/// }
///
/// let mut b = Builder::new();
/// let id = b.add_rust::<ack_sample>();
/// let btf = b.build()?;
/// assert_eq!(btf.field(id, "hint")?.bit_offset, 68);
/// assert_eq!(btf.type_name(btf.field(id, "undo")?.ty), "u32 (*)(struct ack_sample *sample, u32 cwnd)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What C could not lay out alike does not compile: a structure without `repr(C)`,
///
/// ```compile_fail
/// #[derive(btf::BtfType)]
/// struct ack_sample {
///     rtt_us: i32,
/// }
/// ```
///
/// more bits than the storage has,
///
/// ```compile_fail
/// #[derive(btf::BtfType)]
/// #[repr(C)]
/// struct ack_sample {
///     #[btf(bits(a = 4, b = 5))]
///     flags: u8,
/// }
/// ```
///
/// references, functions that are not `extern "C"`, enumerations with fields, type parameters.
pub trait BtfType {
    /// Adds the type and all it refers to, if it is not there yet.
    fn add_to(builder: &mut Builder) -> TypeId;
}

impl Builder {
    /// Adds a Rust type and all it refers to.
    pub fn add_rust<T: BtfType>(&mut self) -> TypeId {
        T::add_to(self)
    }

    /// Adds the structure or union that the Rust type `T` is. `members` is called once for each `T`, and may refer to `T`
    /// itself by adding it again. For implementations of [`BtfType`], the derived ones among them.
    pub fn composite<T>(
        &mut self,
        kind: Kind,
        name: &str,
        members: impl FnOnce(&mut Self) -> Vec<Member<'static>>,
    ) -> TypeId {
        let size = size_of::<T>() as u32;
        if name.is_empty() {
            let members = members(self);
            return match kind {
                Kind::Union => self.union_type("", size, &members),
                _ => self.struct_type("", size, &members),
            };
        }
        let id = self.declare(kind, name);
        // Another Rust type of the same name is compared with this one when it is defined.
        if self.started.insert((id, type_name::<T>())) {
            let members = members(self);
            self.define(id, size, &members);
        }
        id
    }

    /// A C scalar by its name: the compiler's own (`long unsigned int`, `char`, …) as an integer, the kernel's (`__u16`) with
    /// its own chain of typedefs, another name as a typedef of the Rust type `T`.
    pub fn scalar<T: BtfType>(&mut self, name: &str) -> TypeId {
        match self.c_scalar(name).or_else(|| self.kernel_typedef(name)) {
            Some(id) => id,
            None => {
                let of = T::add_to(self);
                self.typedef(name, of)
            }
        }
    }

    /// One of C's own arithmetic types in any usual spelling; `void` is the void type.
    pub fn c_scalar(&mut self, name: &str) -> Option<TypeId> {
        let (name, size, encoding) = match name {
            "void" => return Some(TypeId::VOID),
            "float" => return Some(self.float("float", 4)),
            "double" => return Some(self.float("double", 8)),
            // The kernel is built with `-funsigned-char`, and its BTF says so.
            "char" => ("char", 1, Encoding::UNSIGNED),
            "signed char" => ("signed char", 1, Encoding::SIGNED),
            "unsigned char" => ("unsigned char", 1, Encoding::UNSIGNED),
            "short" | "short int" => ("short int", 2, Encoding::SIGNED),
            "unsigned short" | "short unsigned int" => ("short unsigned int", 2, Encoding::UNSIGNED),
            "int" => ("int", 4, Encoding::SIGNED),
            "unsigned" | "unsigned int" => ("unsigned int", 4, Encoding::UNSIGNED),
            "long" | "long int" => ("long int", 8, Encoding::SIGNED),
            "unsigned long" | "long unsigned int" => ("long unsigned int", 8, Encoding::UNSIGNED),
            "long long" | "long long int" => ("long long int", 8, Encoding::SIGNED),
            "unsigned long long" | "long long unsigned int" => ("long long unsigned int", 8, Encoding::UNSIGNED),
            "_Bool" => ("_Bool", 1, Encoding::BOOL),
            _ => return None,
        };
        Some(self.int(name, size, encoding))
    }

    /// A kernel typedef of an integer of fixed size (`u8`, `__s64`, `bool`, …) with its own chain of typedefs.
    pub fn kernel_typedef(&mut self, name: &str) -> Option<TypeId> {
        let of = match name {
            "__u8" => "unsigned char",
            "__u16" => "short unsigned int",
            "__u32" => "unsigned int",
            "__u64" => "long long unsigned int",
            "__s8" => "signed char",
            "__s16" => "short int",
            "__s32" => "int",
            "__s64" => "long long int",
            "bool" => "_Bool",
            "u8" => "__u8",
            "u16" | "__le16" | "__be16" | "__sum16" => "__u16",
            "u32" | "__le32" | "__be32" | "__wsum" => "__u32",
            "u64" | "__le64" | "__be64" => "__u64",
            "s8" => "__s8",
            "s16" => "__s16",
            "s32" => "__s32",
            "s64" => "__s64",
            _ => return None,
        };
        let of = self.c_scalar(of).or_else(|| self.kernel_typedef(of))?;
        Some(self.typedef(name, of))
    }
}

macro_rules! scalars {
    ($($ty:ty, $method:ident, $name:literal;)*) => {$(
        impl BtfType for $ty {
            fn add_to(builder: &mut Builder) -> TypeId {
                // The names are in the tables above; a test adds them all.
                builder.$method($name).unwrap_or_default()
            }
        }
    )*};
}

scalars! {
    u8, kernel_typedef, "u8";
    u16, kernel_typedef, "u16";
    u32, kernel_typedef, "u32";
    u64, kernel_typedef, "u64";
    i8, kernel_typedef, "s8";
    i16, kernel_typedef, "s16";
    i32, c_scalar, "int";
    i64, kernel_typedef, "s64";
    bool, kernel_typedef, "bool";
    usize, c_scalar, "long unsigned int";
    isize, c_scalar, "long int";
    f32, c_scalar, "float";
    f64, c_scalar, "double";
    (), c_scalar, "void";
    c_void, c_scalar, "void";
    AtomicU8, kernel_typedef, "u8";
    AtomicU16, kernel_typedef, "u16";
    AtomicU32, kernel_typedef, "u32";
    AtomicU64, kernel_typedef, "u64";
    AtomicI32, c_scalar, "int";
    AtomicI64, kernel_typedef, "s64";
    AtomicUsize, c_scalar, "long unsigned int";
}

impl<T: BtfType> BtfType for *mut T {
    fn add_to(builder: &mut Builder) -> TypeId {
        let to = T::add_to(builder);
        builder.ptr(to)
    }
}

impl<T: BtfType> BtfType for *const T {
    fn add_to(builder: &mut Builder) -> TypeId {
        let to = T::add_to(builder);
        let to = builder.constant(to);
        builder.ptr(to)
    }
}

impl<T: BtfType> BtfType for Option<NonNull<T>> {
    fn add_to(builder: &mut Builder) -> TypeId {
        <*mut T>::add_to(builder)
    }
}

impl<T: BtfType, const N: usize> BtfType for [T; N] {
    fn add_to(builder: &mut Builder) -> TypeId {
        let element = T::add_to(builder);
        builder.array(element, N as u32)
    }
}

macro_rules! wrappers {
    ($($wrapper:ident)*) => {$(
        impl<T: BtfType> BtfType for $wrapper<T> {
            fn add_to(builder: &mut Builder) -> TypeId {
                T::add_to(builder)
            }
        }
    )*};
}

wrappers! { Cell UnsafeCell ManuallyDrop MaybeUninit }

macro_rules! functions {
    ($(($($arg:ident)*))*) => {$(
        impl<R: BtfType, $($arg: BtfType),*> BtfType for Option<unsafe extern "C" fn($($arg),*) -> R> {
            fn add_to(builder: &mut Builder) -> TypeId {
                let ret = R::add_to(builder);
                let params = [$(crate::Param::new("", $arg::add_to(builder))),*];
                let proto = builder.func_proto(ret, &params, false);
                builder.ptr(proto)
            }
        }
    )*};
}

functions! { () (A) (A B) (A B C) (A B C D) (A B C D E) }
