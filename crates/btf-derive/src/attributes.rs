//! `#[btf(…)]` and `#[repr(…)]`.

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, LitInt, LitStr, Result, Token, parenthesized};

/// What `#[btf(…)]` says, on a type, field or variant.
#[derive(Default)]
pub(crate) struct Btf {
    pub(crate) name: Option<LitStr>,
    pub(crate) anonymous: bool,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) skip: bool,
    pub(crate) scalar: Option<LitStr>,
    pub(crate) opaque: Option<LitStr>,
    pub(crate) bits: Vec<Bits>,
}

/// One bit field of a storage field.
pub(crate) struct Bits {
    /// `None` for bits that are left out.
    pub(crate) name: Option<Ident>,
    pub(crate) width: u8,
    pub(crate) literal: LitInt,
}

impl Btf {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut btf = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("btf")) {
            attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
                match name.as_str() {
                    "name" => btf.name = Some(meta.value()?.parse()?),
                    "anonymous" => btf.anonymous = true,
                    "prefix" => btf.prefix = Some(meta.value()?.parse()?),
                    "skip" => btf.skip = true,
                    "as" => btf.scalar = Some(meta.value()?.parse()?),
                    "opaque" => btf.opaque = Some(meta.value()?.parse()?),
                    "bits" => {
                        let inner;
                        parenthesized!(inner in meta.input);
                        btf.bits = Punctuated::<Bits, Token![,]>::parse_terminated(&inner)?
                            .into_iter()
                            .collect();
                    }
                    _ => {
                        let known = "name, anonymous, prefix, skip, as, opaque, bits";
                        return Err(meta.error(format!("not an attribute of BtfType (known: {known})")));
                    }
                }
                Ok(())
            })?;
        }
        Ok(btf)
    }

    /// The name in BTF of something that is called `ident` in Rust.
    pub(crate) fn name_or(&self, ident: &Ident) -> String {
        match (&self.name, self.anonymous) {
            (_, true) => String::new(),
            (Some(name), false) => name.value(),
            (None, false) => plain(ident),
        }
    }
}

/// The identifier without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

impl syn::parse::Parse for Bits {
    fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
        let name = if input.peek(Token![_]) {
            input.parse::<Token![_]>()?;
            None
        } else {
            Some(input.parse()?)
        };
        input.parse::<Token![=]>()?;
        let literal: LitInt = input.parse()?;
        let width = literal.base10_parse()?;
        if width == 0 {
            return Err(Error::new(literal.span(), "a bit field has at least one bit"));
        }
        Ok(Self { name, width, literal })
    }
}

/// The words of `#[repr(…)]`.
pub(crate) fn reprs(attributes: &[Attribute]) -> Result<Vec<String>> {
    let mut reprs = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        attribute.parse_nested_meta(|meta| {
            reprs.push(meta.path.get_ident().map(Ident::to_string).unwrap_or_default());
            if meta.input.peek(syn::token::Paren) {
                let inner;
                parenthesized!(inner in meta.input);
                inner.parse::<proc_macro2::TokenStream>()?;
            }
            Ok(())
        })?;
    }
    Ok(reprs)
}

/// An error at an attribute that makes no sense here.
pub(crate) fn refuse(present: bool, what: &str, at: &impl Spanned) -> Result<()> {
    if present {
        Err(Error::new(at.span(), format!("`{what}` has no meaning here")))
    } else {
        Ok(())
    }
}
