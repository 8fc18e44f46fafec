//! `#[derive(BtfType)]` and `fn_proto!`: BTF from Rust types. Documented in the `btf` crate, which exports both.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Implements `btf::BtfType`.
#[proc_macro_derive(BtfType, attributes(btf))]
pub fn derive_btf_type(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// `fn_proto!(builder, fn name(arg: Type, …) -> Type)`: adds the prototype to the builder and gives its id.
#[proc_macro]
pub fn fn_proto(_input: TokenStream) -> TokenStream {
    "todo!()".parse().unwrap_or_default()
}
