//! Congestion controls in BPF C as they lie in the usual places build unchanged: with the headers of the system where it has them, and with ours where
//! it has not. Both kernels accept what comes of them.

use crate::common::{Ran, opswap};
use testkit::linux_or_skip;

/// A source of `tests/data/sources`, and what a user who builds it types.
struct Style {
    source: &'static str,
    flags: &'static [&'static str],
    /// Whether it needs the kernel's headers for programs, which are not ours to supply.
    needs_system: bool,
    /// Whether the embedded kernel has all that it uses.
    embedded: bool,
}

const STYLES: &[Style] = &[
    Style {
        source: "selftest_old.bpf.c",
        flags: &[],
        needs_system: true,
        embedded: true,
    },
    Style {
        source: "selftest_new.bpf.c",
        flags: &[],
        needs_system: false,
        embedded: true,
    },
    Style {
        source: "libbpf.bpf.c",
        flags: &[],
        needs_system: false,
        embedded: true,
    },
    Style {
        source: "project/cc.bpf.c",
        flags: &["-I", "tests/data/sources/project/include", "-DHALF_AT_LEAST=2"],
        needs_system: false,
        embedded: true,
    },
];

/// No header but clang's own and ours, as where neither libbpf nor a C library is installed.
const BARE: &str = "-nostdlibinc";

/// Builds with these flags, in the crate's folder.
fn build(source: &str, object: &str, flags: &[&str]) -> Ran {
    let source = format!("tests/data/sources/{source}");
    let words = [&["build", &source, "-o", object, "--"], flags].concat();
    let mut command = opswap(&words);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap().into()
}

fn verdict(object: &str, kernel: &str) -> Ran {
    opswap(&["check", object, "--kernel", kernel]).output().unwrap().into()
}

#[test]
fn sources_of_every_style_build_unchanged() {
    if opswap::find_clang().is_err() {
        return eprintln!("NOT CHECKED: sources of other people's styles, because there is no clang");
    }
    let linux = linux_or_skip("checks objects of other people's styles");
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("x.bpf.o");
    let object = object.to_str().unwrap();
    for style in STYLES {
        for bare in [false, true] {
            if bare && style.needs_system {
                continue;
            }
            let flags = [style.flags, if bare { &[BARE] } else { &[] }].concat();
            let built = build(style.source, object, &flags);
            assert_eq!(built.code, 0, "{} {flags:?}: {built:?}", style.source);
            assert_eq!(built.err, "", "{} {flags:?} compiles without a warning", style.source);
            if style.embedded {
                let ran = verdict(object, "embedded");
                assert_eq!(ran.code, 0, "{} {flags:?}: {ran:?}", style.source);
            }
            if linux {
                let ran = verdict(object, "linux");
                assert_eq!(ran.code, 0, "{} {flags:?}: {ran:?}", style.source);
            }
        }
    }
}

/// Our copies of libbpf's macros mean what they should: Linux takes the program that uses them, and there is no other header.
#[test]
fn every_macro_of_our_headers_works() {
    if opswap::find_clang().is_err() {
        return eprintln!("NOT CHECKED: our headers, because there is no clang");
    }
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("x.bpf.o");
    let object = object.to_str().unwrap();
    let built = build("macros.bpf.c", object, &[BARE]);
    assert_eq!(built.code, 0, "{built:?}");
    if linux_or_skip("loads a program that uses every macro of our headers") {
        let ran = verdict(object, "linux");
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

/// The user's own vmlinux.h wins, wherever it is, and an object says nothing of folders that are gone.
#[test]
fn what_is_supplied_comes_last_and_leaves_no_trace() {
    if opswap::find_clang().is_err() {
        return eprintln!("NOT CHECKED: the order of headers, because there is no clang");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
    write("vmlinux.h", "#define MINE 1\ntypedef int __mine;\n");
    write("common.h", "#include <vmlinux.h>\n");
    write(
        "x.bpf.c",
        "#include \"common.h\"\n#ifndef MINE\n#error not mine\n#endif\n__mine x = 1;\n",
    );
    let in_folder = |words: &[&str]| -> Ran { opswap(words).current_dir(folder.path()).output().unwrap().into() };
    let ran = in_folder(&["build", "x.bpf.c", "--", "-I", "."]);
    assert_eq!(ran.code, 0, "{ran:?}");

    write(
        "line.bpf.c",
        "#include \"opswap_tcp.h\"\nOPS1(u32, f, struct sock *, sk) { return is_cwnd_limited(tcp_sk(sk)); }\n\
         int g(void) { return \"a\"; }\n",
    );
    let ran = in_folder(&["build", "line.bpf.c"]);
    assert!(!ran.err.contains("/opswap-"), "{ran:?}");
    let source = std::fs::read_to_string(path("line.bpf.c")).unwrap();
    write(
        "line.bpf.c",
        source.lines().take(2).collect::<Vec<_>>().join("\n").as_str(),
    );
    let ran = in_folder(&["build", "line.bpf.c"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let object = std::fs::read(path("line.bpf.o")).unwrap();
    let text = String::from_utf8_lossy(&object);
    assert!(
        text.contains("<opswap>/opswap_tcp.h"),
        "the header has a name that stays"
    );
    assert!(!text.contains("/opswap-"), "no folder that is gone is named");
}
