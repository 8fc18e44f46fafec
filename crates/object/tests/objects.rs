//! What is read from real objects: each fixture of `tests/data`, compiled by clang 14 and 19, as a table, and each
//! broken one with the message that its first line expects.

use object::{FunctionIndex, MapIndex, Object};
use std::path::{Path, PathBuf};

#[test]
fn fixtures_read_as_their_snapshots() {
    let files = files("tests/data", ".bpf.o");
    assert_eq!(files.len(), 14, "seven fixtures by two compilers");
    for file in files {
        let object =
            Object::parse(&std::fs::read(&file).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        insta::assert_snapshot!(file.file_stem().unwrap().to_str().unwrap(), object);
    }
}

#[test]
fn shipped_algorithms_read() {
    let files = files("../../algorithms/objects", ".bpf.o");
    assert!(files.len() >= 3, "reno, cubic and dctcp");
    for file in files {
        let object =
            Object::parse(&std::fs::read(&file).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let [ops] = object.ops.as_slice() else {
            panic!("{}: not one ops structure", file.display())
        };
        assert_eq!(ops.kind, "tcp_congestion_ops");
        assert!(ops.link && ops.programs.len() >= 3);
        for (_, program) in object.programs() {
            assert!(!program.lines.is_empty(), "{} has no lines", program.name);
        }
    }
}

#[test]
fn broken_objects_say_what_is_wrong() {
    let files = files("tests/data/errors", ".bpf.o");
    assert!(files.len() >= 19);
    for file in files {
        let source = std::fs::read_to_string(file.with_extension("c")).unwrap();
        let first = source.lines().next().unwrap();
        let expected = first
            .strip_prefix("/* expect: ")
            .and_then(|rest| rest.strip_suffix(" */"))
            .unwrap();
        match Object::parse(&std::fs::read(&file).unwrap()) {
            Ok(object) => panic!("{}: read as\n{object}", file.display()),
            Err(error) => assert_eq!(error.to_string(), expected, "{}", file.display()),
        }
    }
}

#[test]
fn reading_twice_gives_the_same() {
    for file in files("tests/data", ".bpf.o") {
        let bytes = std::fs::read(file).unwrap();
        let read = || format!("{:?}", Object::parse(&bytes).unwrap());
        assert_eq!(read(), read());
    }
}

#[test]
fn instructions_know_their_source() {
    let object = parse("calls.clang19.bpf.o");
    let index = object
        .functions
        .iter()
        .position(|function| function.name == "leaf")
        .unwrap();
    let source = object.source(FunctionIndex(index as u32), 2).unwrap();
    assert!(source.file.ends_with("calls.bpf.c"), "{}", source.file);
    assert_eq!((source.line, source.text.trim()), (6, "return x * 3 + 1;"));
    assert_eq!(object.source(FunctionIndex(999), 0), None);
}

#[test]
fn the_types_are_those_that_the_kernel_takes() {
    let object = parse("externs.clang19.bpf.o");
    let btf = object.btf.as_ref().unwrap();
    let ksyms = btf.find(".ksyms", btf::Kind::DataSec).unwrap();
    let Some(btf::Def::DataSec(section)) = btf.type_by_id(ksyms).map(|ty| ty.def) else {
        panic!("no .ksyms")
    };
    let places: Vec<(u32, u32)> = section.vars().map(|var| (var.offset, var.size)).collect();
    assert_eq!(places, [(0, 4), (4, 4), (8, 4), (12, 4)]);
    for var in section.vars() {
        assert_eq!(
            btf.kind_of(var.ty),
            Some(btf::Kind::Var),
            "the kernel takes only variables in a section"
        );
    }
    let data = parse("maps.clang19.bpf.o");
    let map = data.maps.iter().position(|map| map.name == ".data").unwrap();
    let Some(object::Map {
        value_type: Some(id),
        value_size: 12,
        ..
    }) = data.map(MapIndex(map as u32))
    else {
        panic!(".data has no type")
    };
    assert_eq!(data.btf.as_ref().unwrap().size_of(*id), Ok(12));
}

#[test]
fn what_is_no_object_says_so() {
    let object = std::fs::read("tests/data/ops.clang19.bpf.o").unwrap();
    let with = |offset: usize, bytes: &[u8]| {
        let mut changed = object.clone();
        changed[offset..offset + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let cases: &[(&[u8], &str)] = &[
        (b"", "not a BPF object file: no ELF header that fits the file"),
        (
            b"#include <linux/bpf.h>\n",
            "not a BPF object file: no ELF header that fits the file",
        ),
        (&with(4, &[1]), "not a BPF object file: not a 64-bit ELF file"),
        (
            &with(5, &[2]),
            "not a BPF object file: big-endian (compile with -target bpf or bpfel)",
        ),
        (
            &with(18, &[62, 0]),
            "not a BPF object file: compiled for machine 62, not for BPF (247)",
        ),
        (
            &with(16, &[3, 0]),
            "not a BPF object file: not a relocatable file (ELF type 3); compile with -c",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(Object::parse(bytes).unwrap_err().to_string(), *expected);
    }
}

fn parse(name: &str) -> Object {
    Object::parse(&std::fs::read(Path::new("tests/data").join(name)).unwrap()).unwrap()
}

fn files(dir: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.to_str().unwrap().ends_with(ending))
        .collect();
    files.sort();
    files
}

/// Each of these has an ops structure; what differs is the debug information.
#[test]
fn objects_without_types_say_which_flag_makes_them() {
    let source = "#define SEC(n) __attribute__((section(n), used))
        struct ops { int (*f)(void); char name[16]; };
        SEC(\"struct_ops\") int f(void) { return 1; }
        struct ops o SEC(\".struct_ops.link\") = { .f = f, .name = \"o\" };";
    let no_debug = "no types (.BTF), which section .struct_ops.link needs; compile with clang -g or gcc -gbtf";
    let dwarf = "the debug information is DWARF only: gcc writes types with -gbtf, not with -g";
    let cases: [(&str, &[&str], Result<bool, &str>); 6] = [
        ("clang-19", &["-target", "bpf", "-O2"], Err(no_debug)),
        ("clang-19", &["-target", "bpf", "-O2", "-g"], Ok(true)),
        ("bpf-gcc", &["-O2"], Err(no_debug)),
        ("bpf-gcc", &["-O2", "-g"], Err(dwarf)),
        ("bpf-gcc", &["-O2", "-gbtf"], Ok(true)),
        ("bpf-gcc", &["-O2", "-gbtf", "-mno-co-re"], Ok(false)),
    ];
    let directory = std::env::temp_dir().join(testkit::unique_name("no-types"));
    std::fs::create_dir(&directory).unwrap();
    let (from, to) = (directory.join("o.c"), directory.join("o.o"));
    std::fs::write(&from, source).unwrap();
    for (compiler, flags, expected) in cases {
        if !testkit::tool_or_skip(compiler, "the debug information that this compiler writes") {
            continue;
        }
        let status = std::process::Command::new(compiler)
            .args(flags)
            .arg("-c")
            .arg(&from)
            .arg("-o")
            .arg(&to)
            .status();
        assert!(status.unwrap().success(), "{compiler} {flags:?}");
        let found = Object::parse(&std::fs::read(&to).unwrap());
        match (&found, expected) {
            (Ok(object), Ok(records)) => assert_eq!(object.has_records, records, "{compiler} {flags:?}"),
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{compiler} {flags:?}: {error}"),
            _ => panic!("{compiler} {flags:?}: {found:?}"),
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
