//! Structures and unions, with bit-field groups.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Error, Field, Fields, FieldsNamed, Ident, Result, Type};

use crate::attributes::{Bits, Btf, plain, refuse, reprs};
use crate::types;

/// A structure: `repr(C)`, or `repr(transparent)`, which is the type it holds.
pub(crate) fn derive_struct(input: &DeriveInput, fields: &Fields) -> Result<TokenStream> {
    let reprs = reprs(&input.attrs)?;
    if reprs.iter().any(|repr| repr == "transparent") {
        return derive_transparent(input, fields);
    }
    let Fields::Named(fields) = fields else {
        return Err(Error::new_spanned(
            &input.ident,
            "members need names: a structure with named fields",
        ));
    };
    derive(input, &reprs, fields, quote!(Struct))
}

/// A union.
pub(crate) fn derive_union(input: &DeriveInput, fields: &FieldsNamed) -> Result<TokenStream> {
    derive(input, &reprs(&input.attrs)?, fields, quote!(Union))
}

fn derive_transparent(input: &DeriveInput, fields: &Fields) -> Result<TokenStream> {
    let (name, attributes) = (&input.ident, Btf::parse(&input.attrs)?);
    let Some(field) = fields.iter().next() else {
        return Err(Error::new_spanned(name, "a transparent structure holds something"));
    };
    let field_attributes = Btf::parse(&field.attrs)?;
    let inner = types::id(&field.ty, field_attributes.scalar.as_ref())?;
    let typedef = attributes
        .name
        .map(|name| quote!(let inner = builder.typedef(#name, inner);));
    implement(input, quote! { let inner = #inner; #typedef inner }, &quote!())
}

fn derive(input: &DeriveInput, reprs: &[String], fields: &FieldsNamed, kind: TokenStream) -> Result<TokenStream> {
    if !reprs.iter().any(|repr| repr == "C") {
        return Err(Error::new_spanned(
            &input.ident,
            "BTF describes C's layout: `#[repr(C)]` is missing",
        ));
    }
    let attributes = Btf::parse(&input.attrs)?;
    let misplaced = attributes.skip || attributes.prefix.is_some() || !attributes.bits.is_empty();
    refuse(
        misplaced || attributes.scalar.is_some() || attributes.opaque.is_some(),
        "this attribute",
        &input.ident,
    )?;
    let mut members = Vec::new();
    let mut accessors = Vec::new();
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        let attributes = Btf::parse(&field.attrs)?;
        refuse(attributes.prefix.is_some(), "prefix", ident)?;
        if attributes.skip {
            continue;
        }
        let ty = field_type(field, &attributes)?;
        if attributes.bits.is_empty() {
            let name = attributes.name_or(ident);
            members.push(quote! {
                let ty = #ty;
                members.push(::btf::Member::at(#name, ty, ::core::mem::offset_of!(Self, #ident) as u32));
            });
        } else {
            let (bit_members, methods) = bit_fields(ident, &field.ty, &attributes.bits, &ty)?;
            members.push(bit_members);
            accessors.push(methods);
        }
    }
    let name = attributes.name_or(&input.ident);
    let body = quote! {
        builder.composite::<Self>(::btf::Kind::#kind, #name, |builder| {
            let mut members = ::std::vec::Vec::new();
            #(#members)*
            members
        })
    };
    implement(input, body, &quote!(#(#accessors)*))
}

fn field_type(field: &Field, attributes: &Btf) -> Result<TokenStream> {
    match &attributes.opaque {
        Some(name) => {
            let Type::Ptr(pointer) = &field.ty else {
                return Err(Error::new_spanned(&field.ty, "an opaque type can only be pointed to"));
            };
            let constant = pointer.const_token.map(|_| quote!(let to = builder.constant(to);));
            Ok(quote! {{ let to = builder.fwd(#name, false); #constant builder.ptr(to) }})
        }
        None => types::id(&field.ty, attributes.scalar.as_ref()),
    }
}

/// Members and accessors for the bits of one storage field. On little-endian machines the first bit field is the
/// lowest bits of the storage, which is also how BTF counts.
fn bit_fields(storage: &Ident, ty: &Type, bits: &[Bits], id: &TokenStream) -> Result<(TokenStream, TokenStream)> {
    let width = match ty {
        Type::Path(path) => match path.path.get_ident().map(Ident::to_string).as_deref() {
            Some("u8") => 8,
            Some("u16") => 16,
            Some("u32") => 32,
            Some("u64") => 64,
            _ => 0,
        },
        _ => 0,
    };
    if width == 0 {
        return Err(Error::new_spanned(ty, "bit fields are stored in u8, u16, u32 or u64"));
    }
    let (mut members, mut methods, mut at) = (Vec::new(), Vec::new(), 0u32);
    for Bits {
        name,
        width: field,
        literal,
    } in bits
    {
        let end = at + u32::from(*field);
        if end > width {
            return Err(Error::new(
                literal.span(),
                format!("{end} bits do not fit in the {width} of the storage"),
            ));
        }
        if let Some(name) = name {
            let (text, set) = (plain(name), format_ident!("set_{}", plain(name)));
            members.push(quote! {
                let offset = ::core::mem::offset_of!(Self, #storage) as u32 * 8 + #at;
                members.push(::btf::Member::bit_field(#text, ty, offset, #field));
            });
            let get_doc = format!("The bit field `{text}` ({field} bits of `{storage}`).");
            let set_doc = format!("Sets the bit field `{text}`; bits of `value` above the lowest {field} are dropped.");
            methods.push(quote! {
                #[doc = #get_doc]
                #[inline]
                pub fn #name(&self) -> #ty {
                    (self.#storage >> #at) & (<#ty>::MAX >> (#width - #field as u32))
                }

                #[doc = #set_doc]
                #[inline]
                pub fn #set(&mut self, value: #ty) {
                    let mask = <#ty>::MAX >> (#width - #field as u32);
                    self.#storage = (self.#storage & !(mask << #at)) | ((value & mask) << #at);
                }
            });
        }
        at = end;
    }
    Ok((quote! { let ty = #id; #(#members)* }, quote!(#(#methods)*)))
}

/// The implementation of the trait and the accessors.
pub(crate) fn implement(input: &DeriveInput, body: TokenStream, accessors: &TokenStream) -> Result<TokenStream> {
    if let Some(parameter) = input.generics.params.first() {
        return Err(Error::new_spanned(
            parameter,
            "types with parameters have no one name in BTF",
        ));
    }
    let name = &input.ident;
    let accessors = (!accessors.is_empty()).then(|| quote! { impl #name { #accessors } });
    Ok(quote! {
        impl ::btf::BtfType for #name {
            fn add_to(builder: &mut ::btf::Builder) -> ::btf::TypeId { #body }
        }
        #accessors
    })
}
