//! Printing as C, judged by clang: a printed header compiles for BPF without a warning, and the BTF that clang then writes
//! has the sizes, offsets and bit fields of the BTF that was printed.

#![expect(non_camel_case_types, reason = "names of C")]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::process::Command;

use btf::c::{Functions, Header, PrintError};
use btf::{Btf, BtfType, Builder, Def, Encoding, Enumerator, Kind, LayoutError, Linkage, Member, Param, TypeId};
use elf::{Object as _, ObjectSection as _};

#[test]
fn running_kernel() {
    let Ok(data) = std::fs::read("/sys/kernel/btf/vmlinux") else {
        eprintln!("SKIPPED, not tested (header of the running kernel): it has no BTF");
        return;
    };
    // clang takes long to write that much BTF: each tenth structure is compared in full.
    let compared = compile_and_compare(&Btf::parse(&data).unwrap(), 10);
    assert!(
        compared.is_none_or(|count| count > 500),
        "only {compared:?} structures were compared"
    );
}

#[test]
fn all_shapes() {
    let btf = shapes();
    let header = Header {
        functions: Functions::All,
        ..Header::default()
    };
    insta::assert_snapshot!("shapes", header.print(&btf).unwrap());
    let compared = compile_and_compare(&btf, 1);
    assert!(
        compared.is_none_or(|count| count == 13),
        "{compared:?} structures were compared"
    );
}

#[test]
fn rust_types() {
    let mut b = Builder::new();
    b.add_rust::<connection>();
    let btf = b.build().unwrap();
    insta::assert_snapshot!("rust_types", btf.to_c().unwrap());
    let compared = compile_and_compare(&btf, 1);
    assert!(
        compared.is_none_or(|count| count == 3),
        "{compared:?} structures were compared"
    );
}

#[derive(BtfType)]
#[repr(C)]
struct connection {
    next: *mut Self,
    #[btf(bits(_ = 2, ca_state = 5, ca_initialized = 1))]
    bits: u8,
    on: bool,
    #[btf(anonymous)]
    parts: parts,
    handler: Option<unsafe extern "C" fn(sk: *mut Self, state: state) -> i32>,
    rates: [[u16; 3]; 2],
    #[btf(opaque = "net_device")]
    dev: *const core::ffi::c_void,
    #[btf(as = "__be16")]
    port: u16,
    tail: tail,
}

#[derive(BtfType)]
#[repr(C)]
#[btf(anonymous)]
union parts {
    whole: u64,
    bytes: [core::ffi::c_char; 8],
}

#[derive(BtfType)]
#[repr(C)]
struct packed_word {
    #[btf(bits(low = 4, _ = 10, high = 18))]
    word: u32,
}

#[derive(BtfType)]
#[repr(C, packed)]
struct tail {
    tag: u8,
    word: packed_word,
    #[btf(name = "other")]
    long: u64,
}

#[derive(BtfType)]
#[repr(u32)]
enum state {
    Open,
    Closed = 7,
}

#[test]
fn what_no_compiler_makes() {
    // A structure that contains itself, twice removed.
    let mut b = Builder::new();
    let outer = b.declare(Kind::Struct, "outer");
    let inner = b.struct_type("inner", 8, &[Member::at("outer", outer, 0)]);
    b.define(outer, 8, &[Member::at("inner", inner, 0)]);
    let error = b.build().unwrap().to_c().unwrap_err();
    assert!(
        matches!(
            error,
            PrintError::Circular { .. } | PrintError::Layout(LayoutError::TooDeep(_))
        ),
        "{error}"
    );

    // Anonymous structures, each twice in the next: the text would double with each of them.
    let mut b = Builder::new();
    let mut at = b.int("int", 4, Encoding::SIGNED);
    for level in 0..30 {
        let name = if level == 29 { "outermost" } else { "" };
        let size = 8 << level.min(28);
        at = b.struct_type(name, size, &[Member::at("a", at, 0), Member::at("b", at, size / 2)]);
    }
    let error = b.build().unwrap().to_c().unwrap_err();
    assert!(matches!(error, PrintError::TooLong(_)), "{error}");

    // A gap of four gigabytes.
    let mut b = Builder::new();
    b.struct_type("gap", u32::MAX, &[]);
    let error = b.build().unwrap().to_c().unwrap_err();
    assert!(matches!(error, PrintError::TooLong(_)), "{error}");
}

/// Types of every shape that is hard to print.
fn shapes() -> Btf {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    let u8 = b.int("unsigned char", 1, Encoding::UNSIGNED);
    let u32 = b.int("unsigned int", 4, Encoding::UNSIGNED);
    let u64 = b.int("DW_ATE_unsigned_64", 8, Encoding::UNSIGNED);
    let plain = b.struct_type("plain", 8, &[Member::at("a", int, 0), Member::at("b", u8, 4)]);
    b.struct_type(
        "gaps",
        32,
        &[
            Member::at("a", u8, 1),
            Member::at("b", int, 12),
            Member::at("c", u64, 16),
        ],
    );
    b.struct_type(
        "packed",
        13,
        &[Member::at("a", u8, 0), Member::at("b", u64, 1), Member::at("c", int, 9)],
    );
    b.struct_type(
        "packed_inside",
        24,
        &[Member::at("a", plain, 1), Member::at("b", u64, 16)],
    );
    let bit = Member::bit_field;
    b.struct_type(
        "bits",
        16,
        &[
            bit("a", int, 0, 3),
            bit("b", u32, 5, 27),
            bit("c", u64, 64, 33),
            bit("d", u8, 120, 8),
        ],
    );
    b.struct_type(
        "bits_crossing",
        8,
        &[bit("a", u32, 0, 20), bit("b", u32, 20, 20), bit("c", u8, 63, 1)],
    );
    b.union_type("padded_union", 64, &[Member::at("a", u64, 0), bit("b", u32, 0, 5)]);
    b.union_type("packed_union", 9, &[Member::at("a", u64, 0)]);
    b.struct_type("empty", 0, &[]);
    b.struct_type("only_padding", 24, &[]);
    // Old compilers put the width of a bit field into an integer type of its own.
    let anonymous = b.struct_type("", 8, &[Member::at("x", int, 0), Member::at("y", int, 4)]);
    let either = b.union_type("", 8, &[Member::at("", anonymous, 0), Member::at("z", u64, 0)]);
    let flexible = b.array(int, 0);
    b.struct_type(
        "anonymous",
        12,
        &[
            Member::at("", either, 0),
            Member::at("if", int, 8),
            Member::at("tail", flexible, 12),
        ],
    );
    let signed = [
        Enumerator::new("LOW", (i32::MIN as i64) as u64),
        Enumerator::new("HIGH", 5),
    ];
    let signed = b.enum_type("signed_values", 4, true, &signed);
    let wide = [Enumerator::new("LOWEST", 1 << 63), Enumerator::new("MORE", u64::MAX)];
    let wide = b.enum_type("wide_values", 8, true, &wide);
    let small_wide = b.enum_type("small_in_wide", 8, false, &[Enumerator::new("ONE", 1)]);
    let byte = b.enum_type("byte", 1, false, &[Enumerator::new("BYTE", 200)]);
    b.enum_type("", 4, false, &[Enumerator::new("LOOSE", 1), Enumerator::new("HIGH", 6)]);
    let inline = b.enum_type("", 4, false, &[Enumerator::new("INLINE", 1)]);
    let enums = [
        Member::at("a", signed, 0),
        Member::at("b", byte, 4),
        Member::at("c", wide, 8),
        Member::at("d", small_wide, 16),
        Member::at("e", inline, 24),
    ];
    b.struct_type("enums", 32, &enums);
    pointers(&mut b, int, plain);
    b.build().unwrap()
}

fn pointers(b: &mut Builder, int: TypeId, plain: TypeId) {
    let fwd = b.fwd("elsewhere", false);
    let fwd_union = b.fwd("elsewhere_too", true);
    let later = b.declare(Kind::Struct, "later");
    let to = |b: &mut Builder, id| b.ptr(id);
    let (to_fwd, to_fwd_union, to_later) = (to(b, fwd), to(b, fwd_union), to(b, later));
    let constant = b.constant(int);
    let volatile = b.volatile(constant);
    let to_volatile = b.ptr(volatile);
    let pointer = b.constant(to_volatile);
    let to_plain = b.ptr(plain);
    let grid = b.array(to_plain, 3);
    let grid = b.array(grid, 2);
    let to_grid = b.ptr(grid);
    let params = [
        Param::new("sk", to_later),
        Param::new("grid", to_grid),
        Param::new("default", to_fwd),
    ];
    let proto = b.func_proto(to_grid, &params, true);
    let handler = b.ptr(proto);
    let handlers = b.array(handler, 4);
    let none = b.func_proto(TypeId::VOID, &[], false);
    let typedef = b.typedef("handler_t", none);
    let to_typedef = b.ptr(typedef);
    let tagged = b.type_tag("rcu", plain);
    let to_tagged = b.ptr(tagged);
    let constants = b.array(constant, 2);
    let constants = b.constant(constants);
    let members = [
        to_fwd,
        to_fwd_union,
        pointer,
        grid,
        to_grid,
        handlers,
        to_typedef,
        to_tagged,
        constants,
    ];
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let offsets = [0, 8, 16, 24, 72, 80, 112, 120, 128];
    let members: Vec<_> = names
        .iter()
        .zip(members)
        .zip(offsets)
        .map(|((name, id), at)| Member::at(name, id, at))
        .collect();
    let all = b.struct_type("pointers", 136, &members);
    b.define(later, 136, &[Member::at("all", all, 0)]);
    // One name with two meanings in each name space.
    b.union_type("plain", 4, &[Member::at("a", int, 0)]);
    b.typedef("plain", plain);
    let func = b.func_proto(int, &[Param::new("p", to_plain)], false);
    b.func("kfunc", func, Linkage::Static);
}

/// Compiles the printed header, and compares what clang makes of it: of all structures the sizes and offsets, of each `step`th
/// the whole. Gives the number of the latter, or nothing if there is no clang.
fn compile_and_compare(btf: &Btf, step: usize) -> Option<usize> {
    if !testkit::tool_or_skip("clang-19", "compiles a printed header") {
        return None;
    }
    let names = unique_composites(btf);
    let mut source = btf.to_c().unwrap();
    for (name, &id) in &names {
        assert_layout(&mut source, btf, name, id);
    }
    // One variable, since clang takes long for many.
    source.push_str("struct everything {\n");
    let names: Vec<_> = names.into_iter().step_by(step).collect();
    for (index, (name, id)) in names.iter().enumerate() {
        writeln!(source, "{} {name} member_{index};", keyword(btf, *id)).unwrap();
    }
    source.push_str("} everything;\n");
    let dir = tempfile::tempdir().unwrap();
    let (c, o) = (dir.path().join("header.c"), dir.path().join("header.o"));
    std::fs::write(&c, source).unwrap();
    let mut clang = Command::new("clang-19");
    clang
        .args(["-target", "bpf", "-g", "-O2", "-Werror", "-c", "-o"])
        .args([&o, &c]);
    let output = clang.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let object = std::fs::read(&o).unwrap();
    let file = elf::File::parse(&*object).unwrap();
    let compiled = Btf::parse(file.section_by_name(".BTF").unwrap().data().unwrap()).unwrap();
    for &(ref name, id) in &names {
        let kind = btf.kind_of(id).unwrap();
        let other = compiled
            .find(name, kind)
            .unwrap_or_else(|| panic!("clang has no {kind} {name}"));
        same_layout(btf, id, &compiled, other, name, 0);
    }
    Some(names.len())
}

fn keyword(btf: &Btf, id: TypeId) -> &'static str {
    if btf.kind_of(id) == Some(Kind::Union) {
        "union"
    } else {
        "struct"
    }
}

/// Assertions for the compiler: size, and offsets of members that are no bit fields.
fn assert_layout(source: &mut String, btf: &Btf, name: &str, id: TypeId) {
    let (keyword, composite) = (keyword(btf, id), btf.type_by_id(id).unwrap().composite().unwrap());
    writeln!(
        source,
        "_Static_assert(sizeof({keyword} {name}) == {}, \"\");",
        composite.size
    )
    .unwrap();
    let named = composite
        .members()
        .filter(|member| !member.name.is_empty() && member.name != "if");
    for member in named.filter(|member| btf.bit_field(member).is_none()) {
        let (member, offset) = (member.name, member.byte_offset());
        writeln!(
            source,
            "_Static_assert(__builtin_offsetof({keyword} {name}, {member}) == {offset}, \"\");"
        )
        .unwrap();
    }
}

/// Structures and unions whose name is used for one type only, so that it is printed as it is.
fn unique_composites(btf: &Btf) -> BTreeMap<String, TypeId> {
    let mut uses: HashMap<&str, Vec<TypeId>> = HashMap::new();
    for ty in btf.types().filter(|ty| ty.kind().is_composite() || ty.kind().is_enum()) {
        uses.entry(ty.name).or_default().push(ty.id);
    }
    let unique = uses.into_iter().filter(|(name, ids)| {
        !name.is_empty() && ids.len() == 1 && btf.kind_of(ids[0]).is_some_and(Kind::is_composite)
    });
    unique.map(|(name, ids)| (name.to_owned(), ids[0])).collect()
}

fn same_layout(one: &Btf, one_id: TypeId, other: &Btf, other_id: TypeId, name: &str, depth: usize) {
    let (one_type, other_type) = (one.resolve(one_id).unwrap(), other.resolve(other_id).unwrap());
    assert!(depth < 32, "{name}");
    let (Some(a), Some(b)) = (one_type.composite(), other_type.composite()) else {
        assert_eq!(
            one_type.composite().is_some(),
            other_type.composite().is_some(),
            "{name}"
        );
        match (one_type.def, other_type.def) {
            (Def::Array(a), Def::Array(b)) => {
                assert_eq!(a.len, b.len, "{name}");
                same_layout(one, a.element, other, b.element, name, depth + 1);
            }
            // What is only declared has no size, and a structure that is only pointed to may be either.
            _ => assert_eq!(one.size_of(one_id).ok(), other.size_of(other_id).ok(), "{name}"),
        }
        return;
    };
    // A union is filled with a structure that has nothing but unnamed bits.
    let is_filler = |member: &Member<'_>| {
        let inner = other.resolve(member.ty).unwrap().composite();
        member.name.is_empty() && inner.is_some_and(|inner| inner.is_empty() && inner.size != 0)
    };
    let members: Vec<_> = b.members().filter(|member| !is_filler(member)).collect();
    assert_eq!((a.size, a.len()), (b.size, members.len()), "{name}");
    for (a, b) in a.members().zip(members) {
        let name = format!("{name}.{}", a.name);
        // Keywords get an underscore.
        assert_eq!(
            a.name,
            b.name.strip_suffix('_').filter(|_| a.name != b.name).unwrap_or(b.name),
            "{name}"
        );
        let place = |btf: &Btf, member: &Member<'_>| btf.bit_field(member).unwrap_or((member.bit_offset, 0));
        assert_eq!(place(one, &a), place(other, &b), "{name}");
        if one.name_of(a.ty).is_empty() {
            same_layout(one, a.ty, other, b.ty, &name, depth + 1);
        }
    }
}
