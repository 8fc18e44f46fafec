//! The tables of `union bpf_attr` and the information structures against the running kernel's own types: every field stands where the kernel has it.

use bpf::Bpf;
use bpf::attr::{RawField, TABLES};
use btf::{Btf, Composite, Kind, TypeId};
use linux::Linux;

#[test]
fn fields_stand_where_the_kernel_has_them() {
    if !testkit::linux_or_skip("layout of the system call's arguments") {
        return;
    }
    let btf = Linux::new().kernel_btf().unwrap();
    let mut checked = 0;
    for (kernel, member, fields) in TABLES {
        let outer = btf
            .find(kernel, Kind::Union)
            .or_else(|| btf.find(kernel, Kind::Struct))
            .unwrap_or_else(|| panic!("{kernel}"));
        let homes = homes(&btf, outer, member);
        let fits = homes.iter().any(|home| fields.iter().all(|field| matches(home, field)));
        assert!(fits, "{kernel}.{member}: {fields:?}\nnot in\n{homes:?}");
        checked += fields.len();
    }
    assert!(checked > 100);
}

/// Name, offset and size of what a structure has, nested ones without a name taken apart.
type Home = Vec<(String, usize, usize)>;

fn matches(home: &Home, field: &RawField) -> bool {
    let name = field.name.trim_start_matches("r#");
    let fits = |(their, offset, size): &(String, usize, usize)| {
        // The bit field `gpl_compatible` is one bit of the word that the table has.
        let same_size = *size == field.size || name == "gpl_compatible";
        their == name && *offset == field.offset && same_size
    };
    home.iter().any(fits)
}

/// Where the fields can be: in the named member, or in any unnamed structure of the union, or in the structure itself.
fn homes(btf: &Btf, outer: TypeId, member: &str) -> Vec<Home> {
    let composite = |id| btf.resolve(id).unwrap().composite();
    let outer = composite(outer).unwrap();
    if member.is_empty() {
        let unnamed = outer.members().filter(|member| member.name.is_empty());
        let inner = unnamed.filter_map(|member| composite(member.ty));
        return inner.chain([outer]).map(|home| flat(btf, home, 0)).collect();
    }
    find_member(btf, outer, member)
        .map(|home| vec![flat(btf, home, 0)])
        .unwrap_or_default()
}

fn find_member<'b>(btf: &'b Btf, outer: Composite<'b>, name: &str) -> Option<Composite<'b>> {
    outer.members().find_map(|member| {
        let inner = btf.resolve(member.ty).ok()?.composite()?;
        if member.name == name {
            Some(inner)
        } else if member.name.is_empty() {
            find_member(btf, inner, name)
        } else {
            None
        }
    })
}

fn flat(btf: &Btf, composite: Composite<'_>, base: usize) -> Home {
    let mut home = Home::new();
    for member in composite.members() {
        let offset = base + member.byte_offset() as usize;
        match btf.resolve(member.ty).unwrap().composite() {
            Some(inner) if member.name.is_empty() => home.extend(flat(btf, inner, offset)),
            _ => home.push((member.name.to_owned(), offset, btf.size_of(member.ty).unwrap() as usize)),
        }
    }
    home
}

#[test]
fn struct_ops_part_of_link_information() {
    if !testkit::linux_or_skip("layout of link information") {
        return;
    }
    let btf = Linux::new().kernel_btf().unwrap();
    let info = btf.find("bpf_link_info", Kind::Struct).unwrap();
    let at = btf.field(info, "struct_ops.map_id").unwrap().byte_offset();
    assert_eq!(at as usize, bpf::attr::LINK_INFO_STRUCT_OPS);
}
