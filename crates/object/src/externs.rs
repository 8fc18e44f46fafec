//! What an object asks of the kernel: configuration values (`.kconfig`) and kernel symbols (`.ksyms`).
//!
//! Nothing is looked up here. Follows `bpf_object__collect_externs` of libbpf (Linux 6.12), whose order of externs
//! decides the layout of the `.kconfig` map.

use crate::btf_section;
use crate::elf_reader::{Elf, Place, SymbolBind, SymbolKind};
use crate::error::{Error, Feature, Problem, TypeUser};
use btf::{Btf, Def, TypeId};

/// The section of configuration values.
pub(crate) const KCONFIG: &str = ".kconfig";
/// The section of kernel symbols.
pub(crate) const KSYMS: &str = ".ksyms";

/// Index of an extern in [`crate::Object::externs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternIndex(pub u32);

/// Something that the kernel provides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extern {
    /// The name as declared, flavour included.
    pub name: String,
    /// Whether the object can do without: its address is then 0 and a call of it must not be reached.
    pub weak: bool,
    /// Where it comes from.
    pub kind: ExternKind,
}

/// Where an extern comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternKind {
    /// A value of the kernel's configuration, kept in the `.kconfig` map.
    Kconfig {
        /// Offset in the map's value, in bytes.
        offset: u32,
        /// Size in bytes.
        size: u32,
        /// How the value is written.
        value: KconfigType,
    },
    /// A variable of the kernel.
    Variable {
        /// Its type without modifiers and typedefs; `void` when only the address is asked for.
        ty: TypeId,
    },
    /// A function of the kernel.
    Function {
        /// The prototype in the object's BTF.
        proto: TypeId,
    },
}

/// The type of a configuration value (libbpf's `enum kcfg_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KconfigType {
    /// `bool`: `y` or `n`.
    Bool,
    /// `char`: the letter itself.
    Char,
    /// An integer.
    Int {
        /// Whether the type is signed.
        signed: bool,
    },
    /// `enum libbpf_tristate`: `y`, `m` or `n`.
    Tristate,
    /// `char[]`: a quoted string.
    CharArray,
}

impl Extern {
    /// The name without its flavour (`name___flavour`).
    pub fn essential_name(&self) -> &str {
        btf::core::essential(&self.name)
    }
}

/// The externs and which symbol each one is.
#[derive(Default)]
pub(crate) struct Externs {
    list: Vec<Extern>,
    /// Parallel to `list`: index of the ELF symbol.
    symbols: Vec<usize>,
    /// Parallel to `list`: the `VAR` or `FUNC`.
    types: Vec<TypeId>,
    /// Size of the `.kconfig` map's value in bytes; 0 when there is none.
    pub(crate) kconfig_size: u32,
}

impl Externs {
    pub(crate) fn by_symbol(&self, symbol: usize) -> Option<ExternIndex> {
        let index = self.symbols.iter().position(|known| *known == symbol)?;
        Some(ExternIndex(index as u32))
    }

    /// The extern that this `VAR` or `FUNC` declares.
    pub(crate) fn by_type(&self, ty: TypeId) -> Option<&Extern> {
        let index = self.types.iter().position(|known| *known == ty)?;
        self.list.get(index)
    }

    pub(crate) fn into_public(self) -> Vec<Extern> {
        self.list
    }
}

/// All undefined symbols of the file, in libbpf's order.
pub(crate) fn collect(elf: &Elf<'_>, btf: Option<&Btf>) -> Result<Externs, Error> {
    let mut found = Vec::new();
    for (index, symbol) in elf.symbols.iter().enumerate() {
        let undefined = symbol.place == Place::Undefined && symbol.kind == SymbolKind::Other;
        if !undefined || symbol.bind == SymbolBind::Local || symbol.name.is_empty() {
            continue;
        }
        let btf = btf.ok_or_else(|| elf.no_types(TypeUser::Extern(symbol.name.to_owned())))?;
        let (ty, kind, align) = declaration(btf, symbol.name)?;
        let weak = symbol.bind == SymbolBind::Weak;
        let name = symbol.name.to_owned();
        found.push((Extern { name, weak, kind }, index, ty, align));
    }
    // Configuration values first: by alignment (largest first), size and name; then kernel symbols by name.
    found.sort_by(|(a, _, _, align_a), (b, _, _, align_b)| {
        let size = |e: &Extern| match e.kind {
            ExternKind::Kconfig { size, .. } => (0, size),
            ExternKind::Variable { .. } | ExternKind::Function { .. } => (1, 0),
        };
        let ((class_a, size_a), (class_b, size_b)) = (size(a), size(b));
        (class_a, align_b, size_a, &a.name).cmp(&(class_b, align_a, size_b, &b.name))
    });
    let mut externs = Externs::default();
    for (mut item, symbol, ty, align) in found {
        if let ExternKind::Kconfig { offset, size, .. } = &mut item.kind {
            *offset = externs.kconfig_size.next_multiple_of(align);
            externs.kconfig_size = offset.saturating_add(*size);
        }
        externs.list.push(item);
        externs.symbols.push(symbol);
        externs.types.push(ty);
    }
    Ok(externs)
}

/// The declaration of an extern in BTF: its `VAR` or `FUNC`, what it is, and its alignment.
fn declaration(btf: &Btf, name: &str) -> Result<(TypeId, ExternKind, u32), Error> {
    let unknown = || Error::malformed(".BTF", 0, Problem::NoTypeFor(name.to_owned()));
    let declared = btf.find_all(name).find_map(|id| match btf.type_by_id(id)?.def {
        Def::Var {
            ty,
            linkage: btf::Linkage::Extern,
        } => Some((id, ty, false)),
        Def::Func {
            proto,
            linkage: btf::Linkage::Extern,
        } => Some((id, proto, true)),
        _ => None,
    });
    let undefined = || {
        let (name, place) = (name.to_owned(), String::new());
        Error::malformed(".symtab", 0, Problem::Undefined { name, place })
    };
    let (id, ty, is_function) = declared.ok_or_else(undefined)?;
    let section = section_of(btf, id).ok_or_else(undefined)?;
    let kind = match (section, is_function) {
        (KCONFIG, true) => {
            return Err(Error::unsupported(
                KCONFIG,
                0,
                Feature::KconfigFunction(name.to_owned()),
            ));
        }
        (KCONFIG, false) => {
            let value = kconfig_type(btf, ty)
                .ok_or_else(|| Error::malformed(KCONFIG, 0, Problem::KconfigType(name.to_owned())))?;
            let size = btf.size_of(ty).map_err(|_| unknown())?;
            let align = btf.align_of(ty).map_err(|_| unknown())?;
            let offset = 0;
            return Ok((id, ExternKind::Kconfig { offset, size, value }, align.max(1)));
        }
        (KSYMS, true) => ExternKind::Function { proto: ty },
        (KSYMS, false) => ExternKind::Variable {
            ty: btf.skip_mods_and_typedefs(ty).map_err(|_| unknown())?,
        },
        (other, _) => {
            let (name, section) = (name.to_owned(), other.to_owned());
            return Err(Error::malformed(".BTF", 0, Problem::ExternSection { name, section }));
        }
    };
    Ok((id, kind, 1))
}

/// The name of the section that lists this variable or function.
fn section_of(btf: &Btf, var: TypeId) -> Option<&str> {
    btf_section::data_sections(btf).find_map(|(name, _, section)| {
        let listed = section.vars().any(|place| place.ty == var);
        listed.then_some(name)
    })
}

fn kconfig_type(btf: &Btf, ty: TypeId) -> Option<KconfigType> {
    let ty = btf.resolve(ty).ok()?;
    match ty.def {
        Def::Int(int) if int.encoding.bool => (int.size == 1).then_some(KconfigType::Bool),
        Def::Int(int) if int.size == 1 => Some(KconfigType::Char),
        Def::Int(int) => matches!(int.size, 2 | 4 | 8).then_some(KconfigType::Int {
            signed: int.encoding.signed,
        }),
        Def::Enum(e) => (ty.name == "libbpf_tristate" && (e.size == 4 || e.wide)).then_some(KconfigType::Tristate),
        Def::Array(array) if array.len > 0 => {
            let element = btf.resolve(array.element).ok()?;
            let char = matches!(element.def, Def::Int(int) if int.size == 1 && !int.encoding.bool);
            char.then_some(KconfigType::CharArray)
        }
        _ => None,
    }
}
