//! Types that are right and wrong, loaded into Linux: the check that the embedded kernel makes says what Linux says, and gives its error
//! number, in both directions.
//!
//! Loading types runs nothing. Changed are single words and bytes of real objects' types and of types of every kind; the seed is fixed.

use bpf::Bpf;
use btf::check::{KernelTypes, Rule, check};
use object::Object;
use std::collections::BTreeMap;
use testkit::{RawBtf, linux_or_skip, raw_btf_cases};

const RULES: &str = include_str!("../../btf/tests/data/check/rules.txt");
/// Objects of several compilers.
const OBJECTS: &[&[u8]] = &[
    include_bytes!("../../../algorithms/objects/reno.bpf.o"),
    include_bytes!("../../../algorithms/objects/cubic.bpf.o"),
    include_bytes!("data/plans/everything.bpf.o"),
    include_bytes!("data/linux/core.bpf.o"),
    include_bytes!("../../object/tests/data/externs.clang14.bpf.o"),
    include_bytes!("../../object/tests/data/externs.clang19.bpf.o"),
    include_bytes!("../../object/tests/data/variables.clang19.bpf.o"),
];
/// Structures that Linux 6.18 has a destructor for (`register_btf_id_dtor_kfuncs`).
const LINUX_DESTRUCTIBLE: &[&str] = &["task_struct", "cgroup", "bpf_cpumask", "bpf_crypto_ctx"];
/// Changes of each real object's types.
const CHANGES: usize = 1500;
/// Bytes of a header.
const HEADER: usize = 24;

struct Judge {
    linux: linux::Linux,
    kernel: btf::Btf,
    /// What differs, and how many of each verdict there were.
    wrong: Vec<String>,
    seen: BTreeMap<String, usize>,
}

impl Judge {
    fn new() -> Self {
        let linux = linux::Linux::new();
        Self {
            kernel: linux.kernel_btf().unwrap(),
            linux,
            wrong: Vec::new(),
            seen: BTreeMap::new(),
        }
    }

    fn compare(&mut self, bytes: &[u8], what: impl Fn() -> String) {
        let kernel = KernelTypes {
            btf: Some(&self.kernel),
            destructible: LINUX_DESTRUCTIBLE,
        };
        let ours = check(bytes, kernel);
        let theirs = self.linux.btf_load(bytes);
        let number = |refused: Option<i32>| refused.unwrap_or(0);
        let of_ours = number(ours.as_ref().err().map(|refusal| refusal.errno()));
        let of_linux = number(theirs.as_ref().err().map(|error| error.errno.0));
        if let (Err(ours), Err(theirs)) = (&ours, &theirs)
            && ours.rule != Rule::NoDestructor
            && theirs.refusal.as_deref() != Some(ours)
        {
            // What `opswap check --kernel linux` says: the rule, put together from the log and the types.
            self.wrong.push(format!("{}: {ours:?} is said as {theirs:?}", what()));
        }
        let rule = ours.as_ref().err().map_or("ok", |refusal| refusal.rule.name());
        *self.seen.entry(rule.to_owned()).or_default() += 1;
        if of_ours != of_linux {
            let log = theirs.err().map_or_else(String::new, |error| error.to_string());
            let ours = ours
                .err()
                .map_or_else(|| "ok".to_owned(), |refusal| refusal.to_string());
            self.wrong
                .push(format!("{}: ours {of_ours} ({ours}), Linux {of_linux} {log}", what()));
        }
    }

    fn finish(&self) {
        let first = &self.wrong[..self.wrong.len().min(40)];
        assert!(first.is_empty(), "{} differ\n{}", self.wrong.len(), first.join("\n"));
    }
}

/// PCG-like, for repeatable changes only.
struct Seed(u64);

impl Seed {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// What a word may become: ids and sizes nearby, other kinds, flags, and the ends.
fn replacements(old: u32) -> Vec<u32> {
    let mut new: Vec<u32> = (0..8).collect();
    new.extend([
        old.wrapping_add(1),
        old.wrapping_sub(1),
        old.wrapping_mul(2),
        old / 2,
        old ^ 1 << 31,
        old ^ 1 << 16,
    ]);
    new.extend([
        9,
        12,
        16,
        17,
        31,
        33,
        64,
        100,
        0xfffff,
        0x10_0000,
        u32::MAX,
        i32::MAX as u32,
        1 << 24,
        0x20,
        0x0100_0020,
    ]);
    // As a word of kind and length: every kind with the same length.
    new.extend((0..=20).map(|kind| old & 0x80ff_ffff | kind << 24));
    new.retain(|word| *word != old);
    new
}

const BYTES: &[u8] = &[
    0, b' ', b'-', b'.', b'7', b'_', b'a', 0x07, 0x7f, 0x80, 0xa9, 0xc3, 0xd7, 0xe9, 0xff,
];

fn cases() -> Vec<RawBtf> {
    raw_btf_cases(RULES)
}

#[test]
fn each_rule_is_linux_s() {
    if !linux_or_skip("types, right and wrong, as Linux sees them") {
        return;
    }
    let mut judge = Judge::new();
    for case in cases() {
        judge.compare(&case.bytes, || format!("rules.txt:{} {}", case.line, case.rule));
    }
    judge.finish();
}

#[test]
fn changed_words_of_every_kind() {
    if !linux_or_skip("changed types of every kind, as Linux sees them") {
        return;
    }
    let mut judge = Judge::new();
    for case in cases().iter().filter(|case| case.rule == "ok") {
        let mut bytes = case.bytes.clone();
        let strings = HEADER + word(&bytes, 12) as usize;
        for at in (0..strings).step_by(4) {
            let old = word(&bytes, at);
            for new in replacements(old) {
                bytes[at..at + 4].copy_from_slice(&new.to_le_bytes());
                judge.compare(&bytes, || {
                    format!("rules.txt:{} word {}: {old:#x} -> {new:#x}", case.line, at / 4)
                });
            }
            bytes[at..at + 4].copy_from_slice(&old.to_le_bytes());
        }
        for at in (0..8).chain(strings..bytes.len()) {
            let old = bytes[at];
            for &new in BYTES {
                bytes[at] = new;
                judge.compare(&bytes, || {
                    format!("rules.txt:{} byte {at}: {old:#x} -> {new:#x}", case.line)
                });
            }
            bytes[at] = old;
        }
        for length in 0..bytes.len() {
            judge.compare(&bytes[..length], || format!("rules.txt:{} cut to {length}", case.line));
        }
    }
    eprintln!("{:?}", judge.seen);
    judge.finish();
}

#[test]
fn changed_words_of_real_objects() {
    if !linux_or_skip("changed types of real objects, as Linux sees them") {
        return;
    }
    let mut judge = Judge::new();
    let mut seed = Seed(2026);
    for (which, object) in OBJECTS.iter().enumerate() {
        // The types as the loader would give them to the kernel, so that they are good before they are changed.
        let whole = Object::parse(object).unwrap().btf.unwrap().to_bytes();
        judge.compare(&whole, || format!("object {which}"));
        let strings = HEADER + word(&whole, 12) as usize;
        for _ in 0..CHANGES {
            let mut bytes = whole.clone();
            let at = match seed.below(4) {
                0 => strings + seed.below(whole.len() - strings),
                _ => HEADER + seed.below((strings - HEADER) / 4) * 4,
            };
            if at >= strings {
                bytes[at] = BYTES[seed.below(BYTES.len())];
            } else {
                let new = replacements(word(&whole, at));
                let new = new[seed.below(new.len())];
                bytes[at..at + 4].copy_from_slice(&new.to_le_bytes());
            }
            judge.compare(&bytes, || {
                format!("object {which} at {at}: {:#x}", word(&bytes, at.min(whole.len() - 4)))
            });
        }
    }
    eprintln!("{:?}", judge.seen);
    judge.finish();
}

/// Sources that some compilers give types that no kernel takes; the rule that is broken, and the compilers to try.
const COMPILED: &[(&str, &[&str], &str, Option<&str>)] = &[
    ("ops.c", &["bpf-gcc", "-O2", "-gbtf"], "bpf-gcc", Some("FwdType")),
    (
        "ops.c",
        &["clang-19", "-O0", "-g", "-target", "bpf"],
        "clang-19",
        Some("UnnamedArgument"),
    ),
    ("ops.c", &["clang-19", "-O2", "-g", "-target", "bpf"], "clang-19", None),
    ("ops.c", &["clang-14", "-O2", "-g", "-target", "bpf"], "clang-14", None),
    (
        "table.c",
        &["clang-14", "-O2", "-g", "-target", "bpf"],
        "clang-14",
        Some("VarOffset"),
    ),
    (
        "table.c",
        &["clang-15", "-O2", "-g", "-target", "bpf"],
        "clang-15",
        Some("VarOffset"),
    ),
    (
        "table.c",
        &["clang-16", "-O2", "-g", "-target", "bpf"],
        "clang-16",
        None,
    ),
    (
        "table.c",
        &["clang-19", "-O2", "-g", "-target", "bpf"],
        "clang-19",
        None,
    ),
    (
        "unnamed.c",
        &["clang-19", "-O2", "-g", "-target", "bpf", "-Wno-c23-extensions"],
        "clang-19",
        Some("UnnamedArgument"),
    ),
];

const OPS: &str = r#"
typedef unsigned u32; typedef unsigned long long u64;
#define SEC(n) __attribute__((section(n), used))
struct sock; struct rate_sample;
struct tcp_congestion_ops {
    u32 (*ssthresh)(struct sock *sk); void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
    u32 (*undo_cwnd)(struct sock *sk); char name[16];
};
char _license[] SEC("license") = "GPL";
u32 count;
static __attribute__((noinline)) u32 seven(u32 x) { return x * 7 + count; }
SEC("struct_ops") u32 ss(u64 *ctx) { return 10; }
SEC("struct_ops") u32 un(u64 *ctx) { return 12; }
SEC("struct_ops") void ca(u64 *ctx) { count = seven((u32)ctx[2]); }
struct tcp_congestion_ops ops SEC(".struct_ops.link") = {
    .ssthresh = (void *)ss, .cong_avoid = (void *)ca, .undo_cwnd = (void *)un, .name = "mine" };
"#;

/// The source of a case: one source, changed in one place.
fn source(name: &str) -> String {
    match name {
        "table.c" => OPS
            .replace(
                "u32 count;",
                "u32 count; static const u32 table[8] = { 1, 2, 4, 8, 16, 32, 64, 128 }; const volatile u32 step = 3;",
            )
            .replace("seven((u32)ctx[2])", "table[ctx[2] & 7] + step"),
        "unnamed.c" => OPS.replace("u32 ss(u64 *ctx)", "u32 ss(u64 *)"),
        _ => OPS.to_owned(),
    }
}

#[test]
fn objects_of_other_compilers() {
    if !linux_or_skip("objects of other compilers, as Linux sees their types") {
        return;
    }
    let directory = std::env::temp_dir().join(testkit::unique_name("types"));
    std::fs::create_dir(&directory).unwrap();
    let mut judge = Judge::new();
    for (name, command, tool, expected) in COMPILED {
        if !testkit::tool_or_skip(tool, "an object of that compiler") {
            continue;
        }
        let (from, to) = (directory.join(name), directory.join("out.o"));
        std::fs::write(&from, source(name)).unwrap();
        let compiler = std::process::Command::new(command[0])
            .args(&command[1..])
            .arg("-c")
            .arg(&from)
            .arg("-o")
            .arg(&to)
            .output()
            .unwrap();
        assert!(
            compiler.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&compiler.stderr)
        );
        let object = Object::parse(&std::fs::read(&to).unwrap()).unwrap();
        let bytes = object.btf.unwrap().to_bytes();
        judge.compare(&bytes, || format!("{name} of {command:?}"));
        let found = check(&bytes, KernelTypes::default()).err();
        let rule = found.as_ref().map(|refusal| refusal.rule.name());
        assert_eq!(rule, *expected, "{name} of {command:?}: {found:?}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
    judge.finish();
}

/// Chains, names and numbers of types around the limits.
#[test]
fn limits_are_linux_s() {
    if !linux_or_skip("the limits of types, as Linux sees them") {
        return;
    }
    let mut judge = Judge::new();
    let mut case = |text: String, what: String| {
        for case in raw_btf_cases(&text) {
            judge.compare(&case.bytes, || what.clone());
        }
    };
    for length in 30..36 {
        for (kind, name) in [
            ("PTR", "-"),
            ("TYPEDEF", "\"t\""),
            ("CONST", "-"),
            ("TYPE_TAG", "\"tag\""),
        ] {
            // The first leads to the last through all others; and the other way round, which finds the end first.
            let forwards = (1..=length)
                .map(|id| format!("{kind} {name} {}\n", id + 1))
                .collect::<String>();
            case(
                format!("== x\n{forwards}INT \"int\" 4 : 0x20"),
                format!("{length} of {kind}"),
            );
            let backwards = (1..=length)
                .map(|id| format!("{kind} {name} {}\n", id - 1))
                .collect::<String>();
            case(format!("== x\n{backwards}"), format!("{length} of {kind}, backwards"));
        }
        let nested = |kind: &str| {
            let one = |id| format!("{kind} \"s{id}\" 8 : \"a\" {} 0\n", id + 1);
            (1..=length).map(one).collect::<String>()
        };
        case(
            format!("== x\n{}INT \"int\" 4 : 0x20", nested("STRUCT")),
            format!("{length} structures"),
        );
        case(
            format!("== x\n{}INT \"int\" 4 : 0x20", nested("UNION")),
            format!("{length} unions"),
        );
        let arrays = (1..=length)
            .map(|id| format!("ARRAY - 0 : {} {} 1\n", id + 1, length + 1))
            .collect::<String>();
        case(
            format!("== x\n{arrays}INT \"int\" 4 : 0x20"),
            format!("{length} arrays"),
        );
        // A lock at the bottom of structures in structures.
        let locks = nested("STRUCT");
        case(
            format!(
                "== x\n{locks}STRUCT \"bpf_refcount\" 4\nSTRUCT \"my\" 16 : \"s\" 1 0 \"r\" {} 64",
                length + 1
            ),
            format!("a count below {length} structures"),
        );
    }
    for length in 510..516 {
        let name = "n".repeat(length);
        case(format!("== x\nTYPEDEF \"{name}\" 0"), format!("a name of {length}"));
        case(format!("== x\nTYPE_TAG \"{name}\" 0"), format!("a tag of {length}"));
        case(
            format!("== x\nINT \"int\" 4 : 0x20\nVAR \"v\" 1 : 0\nDATASEC \"{name}\" 4 : 2 0 4"),
            format!("a section name of {length}"),
        );
    }
    judge.finish();
    // As many types as there can be ids, and more bytes than are taken.
    let many = |count: u32| {
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, count * 12, count * 12, 1] {
            bytes.extend(u32::to_le_bytes(word));
        }
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0].repeat(count as usize));
        bytes.push(0);
        bytes
    };
    for count in [
        0xf_fffd,
        0xf_fffe,
        0xf_ffff,
        0x10_0000,
        (16 << 20) / 12 - 3,
        (16 << 20) / 12,
    ] {
        judge.compare(&many(count), || format!("{count} pointers"));
        let mut last = many(count);
        // The first refers to the highest id there may be, which is forgotten or not.
        last[32..36].copy_from_slice(&0xf_fffeu32.to_le_bytes());
        judge.compare(&last, || format!("{count} pointers, one of them to the last"));
    }
    judge.finish();
}
