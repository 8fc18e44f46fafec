//! Shared by the tests: sections of objects, and types in the words of `bpftool btf dump`.

use std::fmt::Write as _;
use std::path::PathBuf;

use btf::{Btf, Def, Encoding, Linkage, Type};
use elf::{Object as _, ObjectSection as _};

/// A file of `tests/data`.
pub(crate) fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A section of an object of `tests/data`.
pub(crate) fn section(object: &str, name: &str) -> Vec<u8> {
    let object = data(object);
    let file = elf::File::parse(&*object).unwrap();
    file.section_by_name(name).unwrap().data().unwrap().to_vec()
}

/// The BTF of the running kernel, or nothing after a loud word.
pub(crate) fn running_kernel() -> Option<Vec<u8>> {
    let data = std::fs::read("/sys/kernel/btf/vmlinux");
    data.inspect_err(|error| eprintln!("SKIPPED, not tested (BTF of the running kernel): {error}"))
        .ok()
}

/// All own types as bpftool prints them.
pub(crate) fn dump(btf: &Btf) -> String {
    let mut out = String::new();
    for ty in btf.own_types() {
        dump_type(&mut out, btf, ty).unwrap();
    }
    out
}

fn dump_type(out: &mut String, btf: &Btf, ty: Type<'_>) -> std::fmt::Result {
    let name = if ty.name.is_empty() { "(anon)" } else { ty.name };
    write!(out, "[{}] {} '{name}'", ty.id.0, ty.kind())?;
    match ty.def {
        Def::Int(int) => {
            let encoding = match int.encoding {
                Encoding::SIGNED => "SIGNED",
                Encoding::CHAR => "CHAR",
                Encoding::BOOL => "BOOL",
                _ => "(none)",
            };
            let (size, offset, bits) = (int.size, int.bit_offset, int.bits);
            writeln!(
                out,
                " size={size} bits_offset={offset} nr_bits={bits} encoding={encoding}"
            )
        }
        Def::Struct(composite) | Def::Union(composite) => {
            writeln!(out, " size={} vlen={}", composite.size, composite.len())?;
            for member in composite.members() {
                let name = if member.name.is_empty() { "(anon)" } else { member.name };
                write!(
                    out,
                    "\t'{name}' type_id={} bits_offset={}",
                    member.ty.0, member.bit_offset
                )?;
                if let Some(bits) = member.bits {
                    write!(out, " bitfield_size={bits}")?;
                }
                out.push('\n');
            }
            Ok(())
        }
        Def::Enum(e) => {
            let encoding = if e.signed { "SIGNED" } else { "UNSIGNED" };
            writeln!(
                out,
                " encoding={encoding} size={} vlen={}",
                e.size,
                e.enumerators().len()
            )?;
            for value in e.enumerators() {
                let suffix = if e.wide { "LL" } else { "" };
                if e.signed {
                    writeln!(out, "\t'{}' val={}{suffix}", value.name, value.value as i64)?;
                } else {
                    let unsigned = if e.wide { "U" } else { "" };
                    writeln!(out, "\t'{}' val={}{unsigned}{suffix}", value.name, value.value)?;
                }
            }
            Ok(())
        }
        Def::Array(array) => writeln!(
            out,
            " type_id={} index_type_id={} nr_elems={}",
            array.element.0, array.index.0, array.len
        ),
        Def::Fwd { is_union } => writeln!(out, " fwd_kind={}", if is_union { "union" } else { "struct" }),
        Def::Func { proto, linkage } => writeln!(out, " type_id={} linkage={}", proto.0, self::linkage(linkage)),
        Def::Var { ty, linkage } => writeln!(out, " type_id={}, linkage={}", ty.0, self::linkage(linkage)),
        Def::FuncProto(proto) => {
            let params = proto.params().len() + usize::from(proto.variadic);
            writeln!(out, " ret_type_id={} vlen={params}", proto.ret.0)?;
            for param in proto.params() {
                let name = if param.name.is_empty() { "(anon)" } else { param.name };
                writeln!(out, "\t'{name}' type_id={}", param.ty.0)?;
            }
            if proto.variadic {
                writeln!(out, "\t'(anon)' type_id=0")
            } else {
                Ok(())
            }
        }
        Def::DataSec(section) => {
            writeln!(out, " size={} vlen={}", section.size, section.vars().len())?;
            for var in section.vars() {
                let ty = btf.type_by_id(var.ty).unwrap();
                let (id, offset, size) = (var.ty.0, var.offset, var.size);
                writeln!(
                    out,
                    "\ttype_id={id} offset={offset} size={size} ({} '{}')",
                    ty.kind(),
                    ty.name
                )?;
            }
            Ok(())
        }
        Def::Float { size } => writeln!(out, " size={size}"),
        Def::DeclTag { ty, component } => {
            let component = component.map_or(-1, |index| index as i32);
            writeln!(out, " type_id={} component_idx={component}", ty.0)
        }
        _ => writeln!(out, " type_id={}", ty.target().unwrap().0),
    }
}

fn linkage(linkage: Linkage) -> &'static str {
    match linkage {
        Linkage::Static => "static",
        Linkage::Global => "global",
        Linkage::Extern => "extern",
        _ => "(unknown)",
    }
}
