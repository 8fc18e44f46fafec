//! What is said of a program that is refused: one text, whichever kernel refuses it. The cases are in `data/reports.txt`.

use crate::against_linux::maps;
use bpf::{Bpf, Fd, Map, ProgLoadError, RawInsn};
use btf::Kind;
use isa::{Imm64, Insn};
use std::fmt::Write;
use std::sync::Arc;
use testkit::Ops;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/reports.txt");

struct Case<'a> {
    head: &'a str,
    member: &'a str,
    program: &'a str,
    expected: &'a str,
}

/// What stands before the first case is a comment.
fn cases(text: &str) -> (&str, Vec<Case<'_>>) {
    let mut parts = text.split("\n== ");
    let comment = parts.next().unwrap_or_default();
    let cases = parts.map(|case| {
        let (head, body) = case.split_once('\n').expect("a header and a program");
        let (_, member) = head.split_once(" | ").expect("a member");
        let (program, expected) = body.split_once("--\n").unwrap_or((body, ""));
        Case {
            head,
            member,
            program: program.trim_end(),
            expected: expected.trim_end(),
        }
    });
    (comment, cases.collect())
}

/// A kernel with the maps that the programs name.
struct Ground<'k> {
    ops: Ops<'k>,
    maps: Vec<Fd<Map>>,
}

impl Ground<'_> {
    /// The text with this kernel's numbers in place of the braces.
    fn numbers(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (what, after) = after.split_once('}').expect("a closing brace");
            let _ = write!(out, "{before}{}", self.number(what));
            rest = after;
        }
        out + rest
    }

    fn number(&self, what: &str) -> String {
        let btf = &self.ops.btf;
        let structure = |name: &str| btf.find(name, Kind::Struct).expect("a structure");
        if let Some(name) = what.strip_prefix('#') {
            return btf.size_of(structure(name)).expect("a size").to_string();
        }
        if let Some(name) = what.strip_prefix('&') {
            return format!("kfunc#{}", btf.find(name, Kind::Func).expect("a function").0);
        }
        let (what, more) = what.split_once('+').unwrap_or((what, "0"));
        let (ty, path) = what.split_once('.').expect("a field");
        let field = btf.field(structure(ty), path).expect("a field");
        (field.byte_offset() + more.parse::<u32>().expect("a number")).to_string()
    }

    fn raw(&self, program: &str) -> Vec<RawInsn> {
        if let Some(bytes) = program.strip_prefix("raw ") {
            let bytes: Vec<u8> = bytes
                .split(' ')
                .map(|byte| u8::from_str_radix(byte, 16).expect("a byte"))
                .collect();
            return isa::from_bytes(&bytes).expect("slots");
        }
        let mut insns = isa::asm::assemble(&self.numbers(program)).unwrap_or_else(|error| panic!("{program}: {error}"));
        for insn in &mut insns {
            if let Insn::LoadImm64 {
                imm: Imm64::MapFd(fd) | Imm64::MapValue { fd, .. },
                ..
            } = insn
            {
                *fd = self.maps[*fd as usize - 1].raw();
            }
        }
        isa::encode(&insns).expect("encodes")
    }

    fn refusal(&self, case: &Case<'_>) -> ProgLoadError {
        let raw = self.raw(case.program);
        match self.ops.kernel.prog_load(&self.ops.load_args(case.member, &raw)) {
            Ok(_) => panic!("{} is taken", case.head),
            Err(refusal) => refusal,
        }
    }

    /// The report without its notes: how a kernel came to it is its own.
    fn report(&self, case: &Case<'_>) -> String {
        let refusal = self.refusal(case);
        let Some(report) = &refusal.report else {
            return format!("no report: {refusal}");
        };
        let mut text = report.to_string();
        if let Some(help) = &report.help {
            let _ = write!(text, "\nhelp: {help}");
        }
        text
    }
}

#[test]
fn both_kernels_say_the_same() {
    let linux =
        testkit::linux_or_skip("loads programs that are refused to compare what is said").then(linux::Linux::new);
    let registry = Arc::new(tcp::ca::Registry::new());
    let embedded = kernel::Kernel::builder()
        .family(tcp_ca::TcpCa::new(&registry))
        .build()
        .unwrap();
    let ground = |kernel: &'static str, bpf| {
        (
            kernel,
            Ground {
                ops: Ops::new(bpf),
                maps: maps(bpf),
            },
        )
    };
    let mut grounds = vec![ground("embedded", &embedded as &dyn Bpf)];
    grounds.extend(linux.as_ref().map(|linux| ground("Linux", linux)));
    let text = std::fs::read_to_string(FILE).unwrap();
    let (comment, cases) = cases(&text);
    if std::env::var_os("OPSWAP_BLESS").is_some() {
        let mut blessed = comment.to_owned();
        for case in &cases {
            let said = grounds[0].1.report(case);
            let _ = write!(blessed, "\n== {}\n{}\n--\n{said}\n", case.head, case.program);
        }
        std::fs::write(FILE, blessed).unwrap();
    }
    assert!(cases.len() > 35, "{}", cases.len());
    let mut wrong = String::new();
    for case in &cases {
        for (kernel, ground) in &grounds {
            let (said, mut expected) = (ground.report(case), ground.numbers(case.expected));
            // Linux does not name the last instruction.
            if case.expected.starts_with("SO1006") && *kernel == "Linux" {
                expected.truncate(expected.find(" (instruction").unwrap_or(expected.len()));
            }
            if said != expected {
                let _ = writeln!(wrong, "== {}: {kernel} says\n{said}\nnot\n{expected}", case.head);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
