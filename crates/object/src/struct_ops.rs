//! Operations structures: the variables of `.struct_ops` and `.struct_ops.link`.
//!
//! A structure is kept as the compiler laid it out, with the object's own type; which members the kernel has is the
//! loader's question. Follows `init_struct_ops_maps` and `bpf_object__collect_st_ops_relos` of libbpf (Linux 6.12).

use crate::btf_section;
use crate::elf_reader::{Elf, Place, Section, SymbolKind};
use crate::error::{Error, Problem, TypeUser};
use crate::functions::{self, Function, FunctionIndex};
use btf::{Btf, Def, TypeId};

/// A variable that holds an operations structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpsStructure {
    /// The C variable's name, which becomes the map's name.
    pub name: String,
    /// The kernel's type without flavour, such as `tcp_congestion_ops`.
    pub kind: String,
    /// The type's name in the object, which may have a flavour (`tcp_congestion_ops___local`).
    pub type_name: String,
    /// The `STRUCT` in the object's BTF.
    pub ty: TypeId,
    /// Whether registration goes through a link (`.struct_ops.link`).
    pub link: bool,
    /// False when the section's name begins with `?`: created only if asked for.
    pub autocreate: bool,
    /// The section, `?` included, and the offset in it in bytes.
    pub section: String,
    /// Offset of the variable in its section, in bytes.
    pub section_offset: u64,
    /// The initial bytes, with zeros where a program is assigned.
    pub bytes: Vec<u8>,
    /// The members to which a program is assigned, by member.
    pub programs: Vec<MemberProgram>,
}

/// A program assigned to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberProgram {
    /// Index of the member in the object's type.
    pub member: u32,
    /// The member's name.
    pub name: String,
    /// The program.
    pub program: FunctionIndex,
}

/// All operations structures of the file.
pub(crate) fn collect(elf: &Elf<'_>, btf: Option<&Btf>, functions: &[Function]) -> Result<Vec<OpsStructure>, Error> {
    let mut structures = Vec::new();
    for section in &elf.sections {
        let (plain, autocreate) = match section.name.strip_prefix('?') {
            Some(plain) => (plain, false),
            None => (section.name, true),
        };
        let link = match plain {
            ".struct_ops" => false,
            ".struct_ops.link" => true,
            _ => continue,
        };
        let btf = btf.ok_or_else(|| elf.no_types(TypeUser::Section(section.name.to_owned())))?;
        let first = structures.len();
        collect_section(section, btf, link, autocreate, &mut structures)?;
        for rel in elf.relocations(section.index) {
            assign(elf, section, rel, btf, functions, &mut structures[first..])?;
        }
    }
    for structure in &mut structures {
        structure.programs.sort_by_key(|assigned| assigned.member);
    }
    Ok(structures)
}

fn collect_section(
    section: &Section<'_>,
    btf: &Btf,
    link: bool,
    autocreate: bool,
    structures: &mut Vec<OpsStructure>,
) -> Result<(), Error> {
    let whole = |problem| Error::malformed(section.name, 0, problem);
    let (_, _, variables) = btf_section::data_sections(btf)
        .find(|(name, _, _)| *name == section.name)
        .ok_or_else(|| whole(Problem::NoDataSection))?;
    for place in variables.vars() {
        let at = |problem| Error::malformed(section.name, u64::from(place.offset), problem);
        let name = btf.name_of(place.ty).to_owned();
        let ty = btf.resolve(place.ty).ok().and_then(|ty| match ty.def {
            Def::Var { ty, .. } => btf.resolve(ty).ok(),
            _ => Some(ty),
        });
        let Some((ty, composite)) = ty.and_then(|ty| match ty.def {
            Def::Struct(composite) if !ty.name.is_empty() => Some((ty, composite)),
            _ => None,
        }) else {
            return Err(at(Problem::OpsType(name)));
        };
        let start = place.offset as usize;
        let Some(bytes) = section
            .data
            .get(start..)
            .and_then(|rest| rest.get(..composite.size as usize))
        else {
            return Err(at(Problem::OpsPastEnd(name)));
        };
        if structures.iter().any(|known| known.name == name) {
            return Err(at(Problem::SameName(name)));
        }
        structures.push(OpsStructure {
            name,
            kind: btf::core::essential(ty.name).to_owned(),
            type_name: ty.name.to_owned(),
            ty: ty.id,
            link,
            autocreate,
            section: section.name.to_owned(),
            section_offset: u64::from(place.offset),
            bytes: bytes.to_vec(),
            programs: Vec::new(),
        });
    }
    Ok(())
}

/// Carries out one relocation: a program becomes the value of a member.
fn assign(
    elf: &Elf<'_>,
    section: &Section<'_>,
    rel: &crate::elf_reader::Rel,
    btf: &Btf,
    functions: &[Function],
    structures: &mut [OpsStructure],
) -> Result<(), Error> {
    let at = |problem| Error::malformed(section.name, rel.offset, problem);
    let symbol = &elf.symbols[rel.symbol];
    let target_name = elf.symbol_name(symbol).to_owned();
    let (structure, offset) = structures
        .iter_mut()
        .find_map(|structure| {
            let offset = rel.offset.checked_sub(structure.section_offset)?;
            let inside = offset.checked_add(8)? <= structure.bytes.len() as u64;
            inside.then_some((structure, offset as u32))
        })
        .ok_or_else(|| at(Problem::OpsRelocation))?;
    let ops = structure.name.clone();
    let member = btf
        .type_by_id(structure.ty)
        .and_then(|ty| ty.composite())
        .and_then(|composite| {
            let found = |member: &btf::Member<'_>| member.bit_offset == offset * 8 && member.bits.is_none();
            composite.members().enumerate().find(|(_, member)| found(member))
        })
        .filter(|(_, member)| matches!(btf.pointee(member.ty), Ok(Some(ty)) if matches!(ty.def, Def::FuncProto(_))));
    let Some((index, member)) = member else {
        let target = target_name;
        return Err(at(Problem::OpsMember { ops, offset, target }));
    };
    let place = &mut structure.bytes[offset as usize..offset as usize + 8];
    let addend = match <[u8; 8]>::try_from(&*place) {
        Ok(bytes) if symbol.kind == SymbolKind::Section => u64::from_le_bytes(bytes),
        Ok(_) | Err(_) => 0,
    };
    let program = match symbol.place {
        Place::Section(index) => functions::at(functions, index, symbol.value.wrapping_add(addend)),
        Place::Undefined | Place::Special(_) => None,
    };
    let Some(program) = program.filter(|index| functions[index.0 as usize].is_struct_ops()) else {
        let (member, target) = (member.name.to_owned(), target_name);
        let section = match symbol.place {
            Place::Section(index) => elf.sections.iter().find(|section| section.index == index),
            Place::Undefined | Place::Special(_) => None,
        };
        return Err(at(Problem::OpsTarget {
            ops,
            member,
            target,
            section: section.map(|section| section.name.into()),
        }));
    };
    place.fill(0);
    structure.programs.retain(|assigned| assigned.member != index as u32);
    structure.programs.push(MemberProgram {
        member: index as u32,
        name: member.name.to_owned(),
        program,
    });
    Ok(())
}
