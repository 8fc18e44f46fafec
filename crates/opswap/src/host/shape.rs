//! The layout of one kind of ops structure, as a kernel's BTF has it: where the table lies in the map's value, which members are
//! functions, where the name is.

use bpf::Bpf;
use btf::{Btf, Def, Kind, Member, TypeId};
use serde::Serialize;

/// What the value types of ops maps are called: `bpf_struct_ops_` and the kind (kernel/bpf/bpf_struct_ops.c, Linux 6.18).
const VALUE_PREFIX: &str = "bpf_struct_ops_";

/// The member that holds the name, in every kind that has one.
pub(super) const NAME: &str = "name";

/// One kind of ops structure.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: String,
    /// Where the table begins in the map's value, in bytes.
    pub(crate) data_offset: usize,
    /// Function members: name and offset in the table, in bytes.
    pub(crate) functions: Vec<(String, usize)>,
    /// Members that hold numbers or text, without the name.
    pub(crate) values: Vec<ValueMember>,
    /// Offset and length of the member `name`, if there is one.
    name: Option<(usize, usize)>,
}

/// A member that holds a number or a text.
#[derive(Clone, Debug)]
pub(crate) struct ValueMember {
    pub(crate) name: String,
    /// In the table, in bytes.
    pub(crate) offset: usize,
    /// In bytes; of a number at most 8.
    pub(crate) size: usize,
    pub(crate) is_signed: bool,
    pub(crate) is_text: bool,
}

impl ValueMember {
    /// `None` for functions, other pointers, bit fields and structures, which nobody can set.
    fn of(kernel: &Btf, member: &Member<'_>) -> Option<Self> {
        if kernel.bit_field(member).is_some() {
            return None;
        }
        let size = kernel.size_of(member.ty).ok()? as usize;
        let is_signed = match kernel.resolve(member.ty).ok()?.def {
            Def::Int(int) if size <= 8 => int.encoding.signed,
            Def::Enum(e) if size <= 8 => e.signed,
            Def::Array(array) if kernel.size_of(array.element) == Ok(1) => {
                return Some(Self::new(member, size, false, true));
            }
            _ => return None,
        };
        Some(Self::new(member, size, is_signed, false))
    }

    fn new(member: &Member<'_>, size: usize, is_signed: bool, is_text: bool) -> Self {
        Self {
            name: member.name.to_owned(),
            offset: member.byte_offset() as usize,
            size,
            is_signed,
            is_text,
        }
    }
}

/// A function member and the program that fills it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// The member, `cong_avoid` for instance.
    pub member: String,
    /// The program's id.
    pub program_id: u32,
}

impl Shape {
    /// Every kind that a kernel offers, by name.
    pub(crate) fn all(kernel: &Btf) -> Vec<Self> {
        let value_types = kernel
            .types()
            .filter(|ty| ty.name.starts_with(VALUE_PREFIX) && ty.composite().is_some());
        let mut shapes: Vec<Self> = value_types
            .filter_map(|ty| Self::of_value_type(kernel, ty.id.0))
            .collect();
        shapes.sort_by(|a, b| a.kind.cmp(&b.kind));
        shapes
    }

    /// The shape behind the value type of an ops map; `None` if the type is none of that sort.
    pub(crate) fn of_value_type(kernel: &Btf, id: u32) -> Option<Self> {
        let id = TypeId(id);
        let kind = kernel.name_of(id).strip_prefix(VALUE_PREFIX)?.to_owned();
        let data = kernel.field(id, "data").ok()?;
        let table = kernel.resolve(data.ty).ok()?.composite()?;
        let is_function = |ty| {
            let pointee = kernel.pointee(ty).ok().flatten();
            pointee.is_some_and(|pointee| kernel.kind_of(pointee.id) == Some(Kind::FuncProto))
        };
        let functions = table.members().filter(|member| is_function(member.ty));
        let functions = functions
            .map(|member| (member.name.to_owned(), member.byte_offset() as usize))
            .collect();
        let values = table.members().filter(|member| member.name != NAME);
        let values = values.filter_map(|member| ValueMember::of(kernel, &member)).collect();
        let name = table
            .member_named(NAME)
            .and_then(|(_, member)| Some((member.byte_offset() as usize, kernel.size_of(member.ty).ok()? as usize)));
        Some(Self {
            kind,
            data_offset: data.byte_offset() as usize,
            functions,
            values,
            name,
        })
    }

    /// The number that a table has in a member.
    pub(crate) fn number(&self, member: &str, table: &[u8]) -> Option<u64> {
        let member = self
            .values
            .iter()
            .find(|value| value.name == member && !value.is_text)?;
        Some(little_endian(table.get(member.offset..member.offset + member.size)?))
    }

    /// Whether tables of this kind carry their name.
    pub(crate) fn has_name(&self) -> bool {
        self.name.is_some()
    }

    /// The name that the table carries; `None` if this kind has no member `name`.
    pub(crate) fn name(&self, table: &[u8]) -> Option<String> {
        let (offset, length) = self.name?;
        let bytes = table.get(offset..offset.checked_add(length)?)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }
}

/// A number as it stands in a table, of at most 8 bytes.
pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    let byte = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    bytes.iter().take(8).rev().fold(0, byte)
}

/// Which programs fill a table, as a lookup shows it: program ids in place of functions.
pub(super) fn programs(functions: &[(String, usize)], table: &[u8]) -> Vec<Filled> {
    let id = |offset: usize| Some(u32::from_le_bytes(*table.get(offset..)?.first_chunk()?));
    let filled = functions
        .iter()
        .filter_map(|(member, offset)| Some((member, id(*offset)?)));
    filled
        .filter(|(_, id)| *id != 0)
        .map(|(member, program_id)| Filled {
            member: member.clone(),
            program_id,
        })
        .collect()
}

/// Whether a kernel offers links for ops structures at all (Linux 6.4); asked by its version, for lack of a harmless probe.
pub(crate) fn has_links(kernel: &dyn Bpf) -> bool {
    kernel.version() >= 6 << 16 | 4 << 8
}
