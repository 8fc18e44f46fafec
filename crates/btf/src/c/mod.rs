//! Printing types as C: one type's name, or a whole header like bpftool's `vmlinux.h`.
//!
//! A header defines everything before it is used, declares what is only pointed to, and fills gaps with
//! unnamed bit fields, so that clang for BPF gives the sizes and offsets of the BTF. Names that are used twice in one
//! of C's name spaces get the flavour `___2`, `___3`, …, which CO-RE ignores.

mod body;
mod declare;
mod names;
mod order;

use std::fmt::Write as _;

use crate::error::LayoutError;
use crate::types::Def;
use crate::{Btf, TypeId};
use declare::{Anonymous, Declare};

/// Why types cannot be written as C.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrintError {
    /// A type contains itself.
    #[error("type {id} `{name}` contains itself")]
    Circular {
        /// The type.
        id: TypeId,
        /// Its name.
        name: String,
    },
    /// Anonymous types are nested so often that the text would be too large.
    #[error("the text would be longer than {0} bytes")]
    TooLong(usize),
    /// A type that cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// Which functions a header declares.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Functions {
    /// None.
    None,
    /// Those with the decl tag `bpf_kfunc`, as `extern … __weak __ksym`.
    #[default]
    Kfuncs,
    /// All, as `extern … __weak __ksym`.
    All,
}

/// What goes into a header.
///
/// ```
/// use btf::{Builder, Encoding, Member, c::Header};
/// let mut b = Builder::new();
/// let int = b.int("int", 4, Encoding::SIGNED);
/// b.struct_type("sample", 8, &[Member::at("rtt", int, 4)]);
/// let text = Header::default().print(&b.build()?)?;
/// assert!(text.contains("struct sample {\n\tlong: 32;\n\tint rtt;\n};\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The include guard; no guard if empty.
    pub guard: String,
    /// Whether accesses to all structures are relocated by CO-RE.
    pub preserve_access_index: bool,
    /// Which functions are declared at the end.
    pub functions: Functions,
}

impl Default for Header {
    fn default() -> Self {
        let functions = Functions::default();
        Self {
            guard: "__VMLINUX_H__".to_owned(),
            preserve_access_index: true,
            functions,
        }
    }
}

/// Longest text in bytes for types that take this many bytes: a kernel's header is half as long as its BTF, and anonymous
/// types that are nested in each other twice and twice again would make it as long as one likes.
pub(crate) fn length_max(btf: &Btf) -> usize {
    btf.byte_len() * 4 + (64 << 10)
}

impl Header {
    /// Writes all types of `btf`, those of its base included.
    ///
    /// # Errors
    /// [`PrintError`], for BTF that no C compiler can have made.
    pub fn print(&self, btf: &Btf) -> Result<String, PrintError> {
        let roots = (1..btf.end_id()).map(TypeId);
        self.print_types(btf, roots)
    }

    /// Writes the given types and what they need.
    ///
    /// # Errors
    /// As [`print`](Self::print).
    pub fn print_types(&self, btf: &Btf, roots: impl IntoIterator<Item = TypeId>) -> Result<String, PrintError> {
        let mut out = String::new();
        if !self.guard.is_empty() {
            let _ = writeln!(out, "#ifndef {0}\n#define {0}\n", self.guard);
        }
        if self.preserve_access_index {
            out.push_str("#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n");
            out.push_str("#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)\n");
            out.push_str("#endif\n\n");
        }
        let mut writer = order::Writer::new(btf, out);
        for id in roots {
            writer.define(id)?;
        }
        let functions = self.functions(btf, &mut writer)?;
        let mut out = writer.finish();
        if !functions.is_empty() {
            out.push_str("\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n#ifndef __ksym\n");
            out.push_str("#define __ksym __attribute__((section(\".ksyms\")))\n#endif\n\n");
            out.push_str("#ifndef __weak\n#define __weak __attribute__((weak))\n#endif\n\n");
            out.push_str(&functions);
            out.push_str("#endif\n");
        }
        if self.preserve_access_index {
            out.push_str("\n#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n#pragma clang attribute pop\n#endif\n");
        }
        if !self.guard.is_empty() {
            let _ = writeln!(out, "\n#endif /* {} */", self.guard);
        }
        Ok(out)
    }

    fn functions(&self, btf: &Btf, writer: &mut order::Writer<'_>) -> Result<String, PrintError> {
        let mut ids: Vec<TypeId> = match self.functions {
            Functions::None => Vec::new(),
            Functions::All => btf
                .types()
                .filter(|ty| matches!(ty.def, Def::Func { .. }))
                .map(|ty| ty.id)
                .collect(),
            Functions::Kfuncs => {
                let tagged = btf.types().filter_map(|ty| match ty.def {
                    Def::DeclTag {
                        ty: on,
                        component: None,
                    } if ty.name == "bpf_kfunc" => Some(on),
                    _ => None,
                });
                tagged.collect()
            }
        };
        ids.sort_unstable();
        ids.dedup();
        let mut out = String::new();
        for id in ids {
            if let Some(text) = writer.prototype(id)? {
                let _ = writeln!(out, "extern {text} __weak __ksym;");
            }
        }
        Ok(out)
    }
}

impl Btf {
    /// All types as a C header with the usual settings; see [`Header`].
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn to_c(&self) -> Result<String, PrintError> {
        Header::default().print(self)
    }

    /// A type as C writes it in a cast: `const struct sock *`, `u32 (*)(struct sock *sk)`. For messages: anonymous types
    /// are abbreviated, and an impossible type is `?`.
    pub fn type_name(&self, id: TypeId) -> String {
        self.declaration(id, "")
    }

    /// A declaration of a variable or member: `struct list_head *next`. As [`type_name`](Self::type_name) otherwise.
    pub fn declaration(&self, id: TypeId, name: &str) -> String {
        Declare {
            btf: self,
            names: None,
            anonymous: Anonymous::Short,
        }
        .declare(id, name)
        .unwrap_or_else(|_| "?".to_owned())
    }
}
