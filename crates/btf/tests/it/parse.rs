//! Reading and writing: what bpftool sees is what we see, and what clang wrote is what we write.

use std::process::Command;

use crate::common::{data, dump, running_kernel, section};
use btf::{Btf, BtfExt, Builder, Encoding, Kind, Linkage, Member, ParseError};

#[test]
fn every_kind_as_bpftool_sees_it() {
    let btf = Btf::parse(&section("kinds.o", ".BTF")).unwrap();
    assert_eq!(dump(&btf), String::from_utf8(data("kinds.txt")).unwrap());
    for kind in Kind::ALL {
        assert!(
            *kind == Kind::Void || btf.types().any(|ty| ty.kind() == *kind),
            "{kind} is missing"
        );
    }
}

#[test]
fn running_kernel_as_bpftool_sees_it() {
    let Some(vmlinux) = running_kernel() else { return };
    if !testkit::tool_or_skip("bpftool", "compares all types of the running kernel") {
        return;
    }
    let output = Command::new("bpftool")
        .args(["btf", "dump", "file", "/sys/kernel/btf/vmlinux"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let ours = dump(&Btf::parse(&vmlinux).unwrap());
    let theirs = String::from_utf8(output.stdout).unwrap();
    // Line by line: a difference of megabytes is no message.
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn written_as_clang_wrote_it() {
    for object in ["kinds.o", "core/cases-14.o", "core/cases-19.o"] {
        let bytes = section(object, ".BTF");
        let btf = Btf::parse(&bytes).unwrap();
        assert!(btf.to_bytes() == bytes, "{object}: .BTF differs");
        let bytes = section(object, ".BTF.ext");
        let ext = BtfExt::parse(&bytes, &btf).unwrap();
        assert!(ext.to_bytes() == bytes, "{object}: .BTF.ext differs");
    }
}

#[test]
fn functions_and_lines() {
    let btf = Btf::parse(&section("kinds.o", ".BTF")).unwrap();
    let ext = BtfExt::parse(&section("kinds.o", ".BTF.ext"), &btf).unwrap();
    let mut out = String::new();
    for info in &ext.sections {
        for func in &info.funcs {
            out += &format!("{}+{}: {}\n", info.name, func.insn_offset, btf.name_of(func.ty));
        }
        for line in &info.lines {
            let file = line.file(&btf).rsplit('/').next().unwrap();
            let (offset, line, column, text) = (line.insn_offset, line.line(), line.column(), line.text(&btf));
            out += &format!("{}+{offset}: {file}:{line}:{column}: {}\n", info.name, text.trim());
        }
    }
    insta::assert_snapshot!("functions_and_lines", out);
    let two = ext.section("two").unwrap();
    let lines = [0, 8, 16, 100].map(|offset| two.line_at(offset).map(|line| line.line()));
    let first = two.lines[0].line();
    assert_eq!(lines[0], Some(first));
    assert_eq!(lines[3], two.lines.last().map(|line| line.line()));
}

#[test]
fn split_btf_continues_its_base() {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    let sock = b.struct_type("sock", 4, &[Member::at("state", int, 0)]);
    let base = b.build().unwrap();

    let mut b = Builder::on(&base);
    assert_eq!(b.int("int", 4, Encoding::SIGNED), int);
    assert_eq!(b.declare(Kind::Struct, "sock"), sock);
    let pointer = b.ptr(sock);
    let module = b.struct_type("module_sock", 8, &[Member::at("sk", pointer, 0)]);
    assert_eq!((pointer.0, module.0), (3, 4));
    let split = b.build().unwrap();

    let again = Btf::parse_split(&split.to_bytes(), &base).unwrap();
    assert_eq!(
        dump(&again),
        "[3] PTR '(anon)' type_id=2\n[4] STRUCT 'module_sock' size=8 vlen=1\n\t'sk' type_id=3 bits_offset=0\n"
    );
    assert_eq!(again.find("sock", Kind::Struct), Some(sock));
    assert_eq!(again.find("module_sock", Kind::Struct), Some(module));
    assert_eq!(again.types().count(), 4);
    assert_eq!(again.describe_offset(module, 0), "module_sock.sk");
    assert!(again.to_c().unwrap().contains("struct sock {\n\tint state;\n};"));
    // Alone it refers to types that are not there.
    assert!(Btf::parse(&split.to_bytes()).is_err());
    if testkit::tool_or_skip("bpftool", "reads our split BTF") {
        let dir = tempfile::tempdir().unwrap();
        let (base_path, split_path) = (dir.path().join("base"), dir.path().join("split"));
        std::fs::write(&base_path, base.to_bytes()).unwrap();
        std::fs::write(&split_path, split.to_bytes()).unwrap();
        let mut bpftool = Command::new("bpftool");
        let output = bpftool
            .arg("-B")
            .arg(base_path)
            .args(["btf", "dump", "file"])
            .arg(split_path)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), dump(&split));
    }
}

#[test]
fn names_find_types() {
    let btf = Btf::parse(&section("kinds.o", ".BTF")).unwrap();
    for ty in btf.types().filter(|ty| !ty.name.is_empty()) {
        let found: Vec<_> = btf.find_all(ty.name).collect();
        assert!(found.contains(&ty.id), "{}", ty.name);
        assert!(found.is_sorted());
        let first = btf
            .types()
            .find(|other| other.name == ty.name && other.kind() == ty.kind())
            .unwrap();
        assert_eq!(btf.find(ty.name, ty.kind()), Some(first.id));
    }
    // One name for several types: the lowest id first.
    let mut b = Builder::new();
    let int = b.int("same", 4, Encoding::SIGNED);
    let ids = [
        int,
        b.typedef("same", int),
        b.struct_type("same", 4, &[]),
        b.func("same", int, Linkage::Global),
    ];
    assert!(b.build().unwrap().find_all("same").eq(ids));

    assert_eq!(btf.find("everything", Kind::Union), None);
    assert_eq!(btf.find_all("").count(), 0);
    assert_eq!(btf.find_all("everythin").count(), 0);
    let everything = btf.find("everything", Kind::Struct).unwrap();
    assert_eq!(btf.decl_tags(everything).count(), 0);
    let flags = btf.find("flags", Kind::Struct).unwrap();
    assert_eq!(btf.decl_tags(flags).collect::<Vec<_>>(), [("structure", None)]);
    let either = btf.find("either", Kind::Union).unwrap();
    assert_eq!(btf.decl_tags(either).collect::<Vec<_>>(), [("member", Some(0))]);
}

/// Line information names files, and names of files may be any bytes.
#[test]
fn a_name_that_is_no_text_keeps_its_place() {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    b.typedef("file", int);
    let mut data = b.build().unwrap().to_bytes();
    let at = data.windows(4).position(|bytes| bytes == b"file").unwrap();
    data[at] = 0xff;
    let btf = Btf::parse(&data).unwrap();
    assert!(btf.find("?ile", Kind::Typedef).is_some());
    assert_eq!(btf.to_bytes().len(), data.len());
}

/// Changes to good BTF, each with what must be said about it.
#[test]
fn damage_is_named_with_its_place() {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    let pointer = b.ptr(int);
    b.var("v", pointer, Linkage::Global);
    let good = b.build().unwrap().to_bytes();
    let set = |at: usize, bytes: &[u8]| {
        let mut data = good.clone();
        data[at..at + bytes.len()].copy_from_slice(bytes);
        data
    };
    // The types start at byte 24: INT (16 bytes), PTR (12), VAR (16), then the strings.
    let cases = [
        ("empty", Vec::new()),
        ("magic", set(0, &[0x9e])),
        ("big-endian", set(0, &[0xeb, 0x9f])),
        ("version", set(2, &[2])),
        ("flags", set(3, &[1])),
        ("short header", set(4, &[20])),
        ("long header", set(4, &[28])),
        ("header beyond the end", set(4, &[255])),
        ("types not aligned", set(8, &[2])),
        ("types beyond the end", set(12, &[200])),
        ("huge types", set(12, &[0xff, 0xff, 0xff, 0xff])),
        ("strings beyond the end", set(20, &[200])),
        ("half a record", set(12, &[42])),
        ("kind", set(24 + 7, &[31])),
        ("kind void", set(24 + 7, &[0])),
        ("pointer to nowhere", set(24 + 16 + 8, &[4])),
        ("name", set(24, &[100])),
        ("int of too many bits", set(24 + 12, &[33])),
        ("size of int", set(24 + 8, &[3])),
        ("first string", set(24 + 44, b"x")),
        ("last string", set(good.len() - 1, b"x")),
        ("cut", good[..good.len() - 3].to_vec()),
    ];
    let mut out = String::new();
    for (name, data) in cases {
        let error: ParseError = Btf::parse(&data).expect_err(name);
        out += &format!("{name}: {error}\n");
    }
    insta::assert_snapshot!("damage", out);
}

#[test]
fn damage_to_ext_is_named_with_its_place() {
    let btf = Btf::parse(&section("core/cases-19.o", ".BTF")).unwrap();
    let good = section("core/cases-19.o", ".BTF.ext");
    let set = |at: usize, value: u32| {
        let mut data = good.clone();
        data[at..at + 4].copy_from_slice(&value.to_le_bytes());
        data
    };
    let core = 32 + u32::from_le_bytes(good[24..28].try_into().unwrap()) as usize;
    let cases = [
        ("empty", Vec::new()),
        ("header", set(4, 16)),
        ("functions beyond the end", set(12, 1 << 20)),
        ("not aligned", set(8, 1)),
        ("record size", set(32, 4)),
        ("odd record size", set(32, 9)),
        ("section name", set(36, 1 << 20)),
        ("count", set(40, 1 << 30)),
        ("table of two bytes", set(12, 2)),
        ("relocation kind", set(core + 24, 13)),
        ("access string", set(core + 20, 1 << 20)),
    ];
    let mut out = String::new();
    for (name, data) in cases {
        let error: ParseError = BtfExt::parse(&data, &btf).expect_err(name);
        out += &format!("{name}: {error}\n");
    }
    insta::assert_snapshot!("damage_to_ext", out);
}
