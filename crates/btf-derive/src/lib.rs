//! `#[derive(BtfType)]` and `fn_proto!`: BTF from Rust types. The `btf` crate exports both and documents them in use.
//!
//! This crate turns Rust syntax into calls of `btf::Builder`; it knows nothing of BTF's bytes. `attributes` reads
//! `#[btf(…)]`, `types` turns Rust types into expressions, `composite` and `enumeration` write the implementations.
#![forbid(unsafe_code)]

mod attributes;
mod composite;
mod enumeration;
mod types;

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, parse_macro_input};

/// Implements `btf::BtfType` for a `repr(C)` structure or union, a `repr(transparent)` structure, or an enumeration
/// without fields that has a `repr`.
///
/// Names are those of Rust unless given. On a type:
///
/// * `#[btf(name = "sock_common")]`: the name in BTF;
/// * `#[btf(anonymous)]`: no name, for structures and unions nested in C;
/// * `#[btf(prefix = "TCP_CA_")]`: before the name of each value of an enumeration, also of one that is given.
///
/// On a field:
///
/// * `#[btf(name = "type")]`, `#[btf(anonymous)]`, `#[btf(skip)]`: another name, none, or not in BTF at all;
/// * `#[btf(as = "long unsigned int")]`: the C name of the innermost scalar, one of C's own or a typedef (`__be32`);
///   `core::ffi::c_char`, `c_ulong`, … have theirs without it;
/// * `#[btf(opaque = "net_device")]`: a pointer to a structure that is only declared;
/// * `#[btf(bits(state = 5, _ = 2, seen = 1))]`: the storage's bit fields from the lowest bit on, instead of the
///   storage itself; `_` leaves bits out, so that a field stands at the bit that the kernel has it at (CO-RE moves bytes,
///   but no mask that a compiler has written into an instruction). Each gets a getter of its name and a setter with `set_` before it.
///
/// On a value of an enumeration: `#[btf(name = "…")]`.
///
/// Members of type `Option<unsafe extern "C" fn(sk: *mut sock, ack: u32) -> u32>` become pointers to prototypes with
/// the parameters' names.
#[proc_macro_derive(BtfType, attributes(btf))]
pub fn derive_btf_type(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let result = match &input.data {
        Data::Struct(data) => composite::derive_struct(&input, &data.fields),
        Data::Union(data) => composite::derive_union(&input, &data.fields),
        Data::Enum(data) => enumeration::derive(&input, data),
    };
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// `fn_proto!(builder, fn(sk: *mut sock, acked: u32) -> u32)`: adds the prototype, with the parameters' names, to a
/// `&mut btf::Builder` and gives its `TypeId`.
#[proc_macro]
pub fn fn_proto(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as types::FnProto);
    types::proto(&input.function, None)
        .map(|proto| {
            let builder = &input.builder;
            quote! {{ let builder: &mut ::btf::Builder = #builder; #proto }}
        })
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
