//! Rust types as expressions that give a `TypeId`. In their scope `builder` is a `&mut btf::Builder`.
//!
//! Pointers, arrays and functions are taken apart here, since only the syntax has parameter names and knows `c_char`
//! from `i8`; everything else is left to `btf::BtfType`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{
    Error, Expr, GenericArgument, LitStr, PathArguments, PathSegment, Result, ReturnType, Token, Type, TypeBareFn,
};

use crate::attributes::plain;

/// Input of `fn_proto!`.
pub(crate) struct FnProto {
    pub(crate) builder: Expr,
    pub(crate) function: TypeBareFn,
}

impl Parse for FnProto {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let builder = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self {
            builder,
            function: input.parse()?,
        })
    }
}

/// An expression for the type's id; `scalar` is the C name that `#[btf(as = …)]` gives to the innermost type.
pub(crate) fn id(ty: &Type, scalar: Option<&LitStr>) -> Result<TokenStream> {
    match ty {
        Type::Paren(inner) => id(&inner.elem, scalar),
        Type::Group(inner) => id(&inner.elem, scalar),
        Type::Ptr(pointer) => {
            let to = id(&pointer.elem, scalar)?;
            let constant = pointer.const_token.map(|_| quote!(let to = builder.constant(to);));
            Ok(quote! {{ let to = #to; #constant builder.ptr(to) }})
        }
        Type::Array(array) => {
            let (element, len) = (id(&array.elem, scalar)?, &array.len);
            Ok(quote! {{ let element = #element; builder.array(element, (#len) as u32) }})
        }
        Type::BareFn(function) => pointer_to(function, scalar),
        Type::Reference(reference) => Err(Error::new_spanned(
            reference,
            "a reference has no place in C: use a raw pointer",
        )),
        Type::Path(path) => match path.path.segments.last() {
            Some(last) => named(ty, last, scalar),
            None => Ok(quote!(<#ty as ::btf::BtfType>::add_to(builder))),
        },
        _ => Ok(scalar_or(ty, scalar)),
    }
}

fn named(ty: &Type, last: &PathSegment, scalar: Option<&LitStr>) -> Result<TokenStream> {
    let argument = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    };
    match (last.ident.to_string().as_str(), argument) {
        // Of the same layout as what they hold.
        ("Option", Some(Type::BareFn(function))) => pointer_to(function, scalar),
        ("ManuallyDrop" | "MaybeUninit" | "UnsafeCell" | "Cell", Some(inner)) => id(inner, scalar),
        (name, None) if scalar.is_none() => match c_name(name) {
            Some(c) => Ok(quote!(builder.scalar::<#ty>(#c))),
            None => Ok(scalar_or(ty, None)),
        },
        _ => Ok(scalar_or(ty, scalar)),
    }
}

fn scalar_or(ty: &Type, scalar: Option<&LitStr>) -> TokenStream {
    match scalar {
        Some(name) => quote!(builder.scalar::<#ty>(#name)),
        None => quote!(<#ty as ::btf::BtfType>::add_to(builder)),
    }
}

/// C's name of the types of `core::ffi`.
fn c_name(rust: &str) -> Option<&'static str> {
    Some(match rust {
        "c_char" => "char",
        "c_schar" => "signed char",
        "c_uchar" => "unsigned char",
        "c_short" => "short int",
        "c_ushort" => "short unsigned int",
        "c_int" => "int",
        "c_uint" => "unsigned int",
        "c_long" => "long int",
        "c_ulong" => "long unsigned int",
        "c_longlong" => "long long int",
        "c_ulonglong" => "long long unsigned int",
        "c_void" => "void",
        _ => return None,
    })
}

fn pointer_to(function: &TypeBareFn, scalar: Option<&LitStr>) -> Result<TokenStream> {
    if function
        .abi
        .as_ref()
        .is_none_or(|abi| abi.name.as_ref().is_some_and(|name| name.value() != "C"))
    {
        return Err(Error::new_spanned(
            function,
            "a function that C calls is `extern \"C\"`",
        ));
    }
    let proto = proto(function, scalar)?;
    Ok(quote! {{ let proto = #proto; builder.ptr(proto) }})
}

/// An expression for the id of a prototype.
pub(crate) fn proto(function: &TypeBareFn, scalar: Option<&LitStr>) -> Result<TokenStream> {
    let ret = match &function.output {
        ReturnType::Default => quote!(::btf::TypeId::VOID),
        ReturnType::Type(_, ty) if matches!(&**ty, Type::Never(_)) => quote!(::btf::TypeId::VOID),
        ReturnType::Type(_, ty) => id(ty, scalar)?,
    };
    let mut lets = Vec::new();
    let mut params = Vec::new();
    for (index, input) in function.inputs.iter().enumerate() {
        let (local, ty) = (format_ident!("param{index}"), id(&input.ty, scalar)?);
        let name = match &input.name {
            Some((name, _)) if name != "_" => plain(name),
            _ => String::new(),
        };
        lets.push(quote!(let #local = #ty;));
        params.push(quote!(::btf::Param::new(#name, #local)));
    }
    let variadic = function.variadic.is_some();
    Ok(quote! {{ let ret = #ret; #(#lets)* builder.func_proto(ret, &[#(#params),*], #variadic) }})
}
