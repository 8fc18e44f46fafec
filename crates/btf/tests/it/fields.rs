//! Layout: sizes, paths to fields, names for offsets; judged by clang's view of `data/kinds.c` and the running kernel.

use crate::common::{running_kernel, section};
use btf::{Btf, Builder, Encoding, Kind, LayoutError, Member, TypeId};

fn kinds() -> (Btf, TypeId) {
    let btf = Btf::parse(&section("kinds.o", ".BTF")).unwrap();
    let id = btf.find("everything", Kind::Struct).unwrap();
    (btf, id)
}

#[test]
fn paths_lead_to_places() {
    let (btf, id) = kinds();
    // Path, first bit, bits, type.
    let cases = [
        ("declared", 0, None, "struct declared *"),
        ("wide", 192, None, "enum wide"),
        ("q", 256, None, "qualified"),
        ("flags.a", 320, Some(3), "unsigned int"),
        ("flags.c", 328, Some(33), "unsigned long long"),
        ("either.text[3]", 408, None, "char"),
        ("x", 576, None, "short"),
        ("y", 592, None, "signed char"),
        ("rows", 640, None, "long[2][3]"),
        ("rows[1]", 832, None, "long[3]"),
        ("rows[1][2]", 960, None, "long"),
        (
            "handler",
            512,
            None,
            "int (*)(struct everything *, const char *restrict, ...)",
        ),
        ("tagged", 448, None, "int __attribute__((btf_type_tag(\"rcu\"))) *"),
    ];
    for (path, bit_offset, bits, ty) in cases {
        let field = btf.field(id, path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!((field.bit_offset, field.bits), (bit_offset, bits), "{path}");
        assert_eq!(btf.type_name(field.ty), ty, "{path}");
    }
}

#[test]
fn paths_that_lead_nowhere() {
    let (btf, id) = kinds();
    let paths = [
        "nothing",
        "flags.nothing",
        "declared.x",
        "small.x",
        "rows[2]",
        "rows[1][3]",
        "flags[0]",
        "",
        ".a",
        "a..b",
        "a[",
        "a[x]",
        "a.",
        "[0]",
        "a[-1]",
        "a[4294967296]",
    ];
    let errors: Vec<String> = paths
        .iter()
        .map(|path| format!("{path:?}: {}", btf.field(id, path).expect_err(path)))
        .collect();
    insta::assert_snapshot!("paths_that_lead_nowhere", errors.join("\n"));
}

#[test]
fn offsets_have_names() {
    let (btf, id) = kinds();
    let cases = [
        (0, "everything.declared"),
        (7, "everything.declared+7"),
        (16, "everything.small"),
        (20, "everything+20"),
        (40, "everything.flags.a"),
        (41, "everything.flags.c"),
        (45, "everything.flags.c+4"),
        (46, "everything.flags.d"),
        (47, "everything+47"),
        (50, "everything.either.number+2"),
        (52, "everything.either.text[4]"),
        (72, "everything.x"),
        (74, "everything.y"),
        (75, "everything+75"),
        (80 + 5 * 8 + 1, "everything.rows[1][2]+1"),
        (128, "everything+128"),
        (u32::MAX, "everything+4294967295"),
    ];
    for (offset, expected) in cases {
        assert_eq!(btf.describe_offset(id, offset), expected, "{offset}");
    }
    let int = btf.find("int", Kind::Int).unwrap();
    assert_eq!(btf.describe_offset(int, 0), "int");
    assert_eq!(btf.describe_offset(TypeId(9999), 3), "(anonymous)+3");
}

/// Each offset of a large structure leads to a name, and the name back to the offset.
#[test]
fn there_and_back_in_the_running_kernel() {
    let Some(data) = running_kernel() else { return };
    let btf = Btf::parse(&data).unwrap();
    for name in ["tcp_sock", "task_struct", "sk_buff"] {
        let id = btf.find(name, Kind::Struct).unwrap();
        let mut named = 0;
        for offset in 0..btf.size_of(id).unwrap() {
            let Some(at) = btf.field_at(id, offset) else { continue };
            assert_eq!(at.field.byte_offset() + at.rest, offset, "{name}.{}", at.path);
            // A name in an anonymous union may be found elsewhere only if C has it twice.
            let field = btf.field(id, &at.path).unwrap();
            assert_eq!(field, at.field, "{name}.{}", at.path);
            named += 1;
        }
        assert!(named > 200, "{name}: {named} offsets have a name");
    }
}

#[test]
fn sizes_and_alignments() {
    let (btf, id) = kinds();
    assert_eq!((btf.size_of(id), btf.align_of(id)), (Ok(128), Ok(8)));
    let global = btf.find("global", Kind::Var).unwrap();
    assert_eq!(btf.size_of(global), Ok(128));
    let declared = btf.find("declared", Kind::Fwd).unwrap();
    assert_eq!(
        btf.size_of(declared),
        Err(LayoutError::Unsized {
            id: declared,
            kind: Kind::Fwd
        })
    );
    assert_eq!(
        btf.size_of(TypeId::VOID),
        Err(LayoutError::Unsized {
            id: TypeId::VOID,
            kind: Kind::Void
        })
    );
    assert_eq!(btf.size_of(TypeId(9999)), Err(LayoutError::NoSuchType(TypeId(9999))));
}

#[test]
fn chains_end() {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    let mut deep = int;
    let mut at = int;
    for level in 0..100 {
        at = if level % 2 == 0 { b.constant(at) } else { b.volatile(at) };
        if level == 20 {
            deep = at;
        }
    }
    let mut large = int;
    for _ in 0..3 {
        large = b.array(large, 1 << 16);
    }
    // Each holds the one before twice: 2^60 ways lead to the innermost, where nothing has that name.
    let mut many = int;
    for _ in 0..60 {
        let size = b.array(many, 2);
        let members = [
            Member::at("", many, 0),
            Member::at("", many, 0),
            Member::at("x", size, 0),
        ];
        many = b.struct_type("", 4, &members);
    }
    let btf = b.build().unwrap();
    assert_eq!(btf.size_of(deep), Ok(4));
    assert_eq!(btf.resolve(deep).unwrap().id, int);
    assert_eq!(btf.size_of(at), Err(LayoutError::TooDeep(at)));
    assert_eq!(btf.skip_mods(at), Err(LayoutError::TooDeep(at)));
    assert_eq!(btf.size_of(large), Err(LayoutError::TooLarge(large)));
    assert!(btf.field(many, "nothing").is_err());
    assert!(matches!(btf.align_of(many), Err(LayoutError::TooDeep(_))));
}
