//! Enumerations without fields.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Error, Fields, Result};

use crate::attributes::{Btf, refuse, reprs};
use crate::composite::implement;

/// An enumeration; whether it is signed follows its `repr`, as C would choose for `repr(C)`: unsigned unless a value
/// is negative.
pub(crate) fn derive(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let reprs = reprs(&input.attrs)?;
    let Some(repr) = reprs.iter().find(|repr| *repr == "C" || repr.starts_with(['u', 'i'])) else {
        return Err(Error::new_spanned(
            &input.ident,
            "the size must be fixed: `#[repr(C)]`, `#[repr(u32)]`, …",
        ));
    };
    let attributes = Btf::parse(&input.attrs)?;
    refuse(
        !attributes.bits.is_empty() || attributes.skip || attributes.scalar.is_some(),
        "this attribute",
        &input.ident,
    )?;
    let prefix = attributes.prefix.as_ref().map(syn::LitStr::value).unwrap_or_default();
    let mut values = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(variant, "an enumeration in C has no fields"));
        }
        let ident = &variant.ident;
        let own = Btf::parse(&variant.attrs)?;
        if own.skip {
            continue;
        }
        let name = format!("{prefix}{}", own.name_or(ident));
        values.push(quote!((#name, Self::#ident as i64)));
    }
    let signed = match repr.as_str() {
        "C" => quote!(values.iter().any(|&(_, value)| value < 0)),
        other => {
            let signed = other.starts_with('i');
            quote!(#signed)
        }
    };
    let name = attributes.name_or(&input.ident);
    let body = quote! {
        let values: &[(&str, i64)] = &[#(#values),*];
        let signed = #signed;
        let values: ::std::vec::Vec<_> =
            values.iter().map(|&(name, value)| ::btf::Enumerator::new(name, value as u64)).collect();
        builder.enum_type(#name, ::core::mem::size_of::<Self>() as u32, signed, &values)
    };
    implement(input, body, &quote!())
}
