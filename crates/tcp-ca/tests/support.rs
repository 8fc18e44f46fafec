//! `docs/support.md` says what the code does: its tables against what the embedded kernel answers, and those of helpers and kernel functions against what
//! Linux 6.18 answers. Rows are `| part | Linux | embedded kernel | where |`; the parts are the words in back ticks of the first cell.

use crate::common::Ground;
use bpf::{AttachType, Bpf, Feature, LoadVerdict, MapType, ProgLoad, ProgType};
use btf::{Btf, Kind};
use std::collections::BTreeMap;
use testkit::{assemble, linux_or_skip};

const KIND: &str = "tcp_congestion_ops";

/// Numbers of helpers that are asked about: more than Linux has.
const HELPERS: std::ops::Range<u32> = 1..256;

/// What a row promises for one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    Yes,
    Partly,
    No,
}

/// A part's row: the number behind its name, if there is one, and what stands in the columns of both kernels.
#[derive(Debug)]
struct Row {
    number: Option<u32>,
    linux: Promise,
    embedded: Promise,
}

/// The rows below a heading, by part.
fn table(heading: &str) -> BTreeMap<String, Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/support.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = rest.split("\n## ").next().unwrap_or_default();
    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, parts, linux, embedded, _, _] = cells[..] else {
            panic!("{heading}: not four cells: {line}");
        };
        let mut words = parts.split('`').skip(1);
        while let (Some(part), behind) = (words.next(), words.next()) {
            let number = behind.and_then(|text| text.trim_start().strip_prefix('(')?.split(')').next()?.parse().ok());
            let row = Row {
                number,
                linux: promise(linux, line),
                embedded: promise(embedded, line),
            };
            assert!(
                rows.insert(part.to_owned(), row).is_none(),
                "{heading}: {part} stands twice"
            );
        }
    }
    assert!(!rows.is_empty(), "{heading}: no rows");
    rows
}

fn promise(cell: &str, line: &str) -> Promise {
    match cell.split([' ', ':', ';', ',']).next() {
        Some("yes") => Promise::Yes,
        Some("partly") => Promise::Partly,
        Some("no") => Promise::No,
        _ => panic!("neither yes, partly nor no: {line}"),
    }
}

/// The table must have exactly these parts.
fn assert_complete<'a>(heading: &str, rows: &BTreeMap<String, Row>, parts: impl Iterator<Item = &'a str>) {
    let missing: Vec<&str> = parts.filter(|part| !rows.contains_key(*part)).collect();
    assert!(missing.is_empty(), "{heading}: no row for {missing:?}");
}

/// What a kernel says of a program that calls a helper with nothing in its hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// There is no such helper for it.
    Unknown,
    /// There is, but this kernel cannot check or do it.
    Unsupported,
    /// There is: the call is fine, or only its arguments are wrong.
    Known,
}

fn call(kernel: &dyn Bpf, btf: &Btf, helper: u32) -> Call {
    let ops = btf.find(KIND, Kind::Struct).expect("the kind");
    let composite = btf.type_by_id(ops).and_then(|ty| ty.composite());
    let (member, _) = composite
        .and_then(|members| members.member_named("cong_avoid"))
        .expect("a member");
    let insns = assemble(&format!("call {helper}\n r0 = 0\n exit"));
    let load = ProgLoad {
        attach_btf_id: ops.0,
        expected_attach_type: AttachType(member as u32),
        ..ProgLoad::new(ProgType::STRUCT_OPS, &insns)
    };
    match kernel.prog_load(&load) {
        Err(refused) if refused.report.as_ref().is_some_and(|report| report.code == "SO1301") => Call::Unknown,
        Err(refused) if refused.verdict == LoadVerdict::Unsupported => Call::Unsupported,
        Ok(_) | Err(_) => Call::Known,
    }
}

/// Each helper that the embedded kernel offers is promised, each that it answers `unsupported` to is not, and no other is listed.
#[test]
fn helpers() {
    let ground = Ground::new();
    let btf = ground.kernel.kernel_btf().expect("types");
    let rows = table("Helpers");
    let by_number: BTreeMap<u32, (&String, &Row)> = rows
        .iter()
        .map(|(name, row)| {
            (
                row.number.unwrap_or_else(|| panic!("{name} has no number")),
                (name, row),
            )
        })
        .collect();
    assert_eq!(by_number.len(), rows.len(), "every number once");
    let (mut offered, mut absent) = (0, 0);
    for helper in HELPERS {
        let feature = Feature::OpsHelper {
            kind: KIND.to_owned(),
            member: "cong_avoid".to_owned(),
            helper,
        };
        let offers = ground.kernel.probe(&feature).is_yes();
        match by_number.get(&helper) {
            Some((name, row)) => assert_eq!(offers, row.embedded != Promise::No, "{name}"),
            None => assert!(!offers, "helper {helper} has no row"),
        }
        if !offers {
            let wanted = if by_number.contains_key(&helper) {
                Call::Unsupported
            } else {
                Call::Unknown
            };
            assert_eq!(call(ground.kernel.as_ref(), &btf, helper), wanted, "helper {helper}");
            absent += u32::from(wanted == Call::Unsupported);
        }
        offered += u32::from(offers);
    }
    assert!(offered > 10 && absent > 10, "{offered} offered, {absent} not");
}

/// A kernel function is in the embedded kernel's types exactly if it is promised.
#[test]
fn kernel_functions() {
    let btf = Ground::new().kernel.kernel_btf().expect("types");
    let rows = table("Kernel functions (kfuncs)");
    let functions = || btf.types().filter(|ty| ty.kind() == Kind::Func).map(|ty| ty.name);
    assert!(functions().count() >= 5);
    assert_complete("kernel functions", &rows, functions());
    for (name, row) in &rows {
        let there = functions().any(|function| function == name);
        assert_eq!(there, row.embedded != Promise::No, "{name}");
    }
}

#[test]
fn map_types() {
    let kernel = Ground::new().kernel;
    let rows = table("Map types");
    let types = || MapType::NAMED.iter().filter(|ty| **ty != MapType::UNSPEC);
    assert_eq!(rows.len(), types().count());
    for ty in types() {
        let name = ty.name().expect("a name");
        let row = rows.get(name).unwrap_or_else(|| panic!("no row for {name}"));
        let there = kernel.probe(&Feature::MapType(*ty)).is_yes();
        assert_eq!(there, row.embedded != Promise::No, "{name}");
    }
}

#[test]
fn members() {
    let btf = Ground::new().kernel.kernel_btf().expect("types");
    let ops = btf.find(KIND, Kind::Struct).expect("the kind");
    let composite = btf.type_by_id(ops).and_then(|ty| ty.composite()).expect("a structure");
    let rows = table("Members of `tcp_congestion_ops`");
    assert_complete("members", &rows, composite.members().map(|member| member.name));
}

#[test]
fn relocations_and_types() {
    let kinds = btf::core::RelocationKind::ALL.iter().map(|kind| kind.name());
    assert_complete("CO-RE", &table("CO-RE relocations"), kinds);
    let kinds = Kind::ALL.iter().map(|kind| kind.name());
    assert_complete("BTF", &table("BTF kinds"), kinds);
}

/// The lists of helpers and kernel functions are Linux's. Other versions than 6.18 have others, and are only asked whether they have what we know nothing of.
#[test]
fn lists_are_linuxs() {
    if !linux_or_skip("lists of helpers and kernel functions") {
        return;
    }
    let linux = linux::Linux::new();
    let btf = linux.kernel_btf().expect("types");
    let is_reference = linux.version() >> 8 == 6 << 8 | 18;
    let helpers = table("Helpers");
    for helper in HELPERS {
        let row = helpers.values().find(|row| row.number == Some(helper));
        let knows = call(&linux, &btf, helper) != Call::Unknown;
        match row {
            Some(row) if is_reference => assert_eq!(knows, row.linux != Promise::No, "helper {helper}"),
            None if linux.version() >> 8 <= (6 << 8 | 18) => assert!(!knows, "helper {helper} has no row"),
            _ => {}
        }
    }
    if is_reference {
        let named = |name: &String| !name.starts_with("dctcp");
        for name in table("Kernel functions (kfuncs)").keys().filter(|name| named(name)) {
            let answer = linux.probe(&Feature::Kfunc(name.clone()));
            // Which of the kernel's own algorithms are there is its configuration.
            let configured =
                name.starts_with("bbr") || name.starts_with("cubictcp") || name.starts_with("bpf_iter_dmabuf");
            assert!(answer.is_yes() || configured, "{name}: {answer:?}");
        }
    }
}
