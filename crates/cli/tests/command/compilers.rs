//! Five congestion controls, every clang that is here, every level of optimization, every version of the instruction set: each variant gets one verdict,
//! and it is Linux's.

use crate::common::{Ran, json, opswap};
use crate::refusals::clangs;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::linux_or_skip;

/// From the crate's folder, and flags of their own.
const SOURCES: &[(&str, &[&str])] = &[
    ("../../algorithms/reno.bpf.c", &[]),
    ("../../algorithms/cubic.bpf.c", &[]),
    ("../../algorithms/dctcp.bpf.c", &[]),
    ("tests/data/sources/selftest_old.bpf.c", &[]),
    (
        "tests/data/sources/project/cc.bpf.c",
        &["-I", "tests/data/sources/project/include", "-DHALF_AT_LEAST=2"],
    ),
];

/// One way to compile one source.
struct Variant {
    clang: String,
    source: usize,
    flags: [String; 2],
}

fn variants() -> Vec<Variant> {
    let mut variants = Vec::new();
    for clang in clangs() {
        for source in 0..SOURCES.len() {
            for level in ["-O1", "-O2", "-O3", "-Os"] {
                for cpu in ["v1", "v2", "v3", "v4"] {
                    // v4 came with clang 18.
                    if cpu == "v4" && clang.as_str() < "clang-18" {
                        continue;
                    }
                    variants.push(Variant {
                        clang: clang.clone(),
                        source,
                        flags: [level.to_owned(), format!("-mcpu={cpu}")],
                    });
                }
            }
        }
    }
    variants
}

#[test]
fn every_compiler_level_and_version_gets_one_verdict() {
    let variants = variants();
    if variants.is_empty() {
        return eprintln!("NOT CHECKED: the variants of compilers, because there is no clang");
    }
    let folder = tempfile::tempdir().unwrap();
    let object = |at: usize| folder.path().join(format!("{at}.bpf.o")).to_str().unwrap().to_owned();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(variant) = variants.get(at) else { break };
                    build(variant, &object(at));
                }
            });
        }
    });
    let objects: Vec<String> = (0..variants.len()).map(object).collect();
    let on = |kernel: &str| {
        let mut words = vec!["check", "--kernel", kernel];
        words.extend(objects.iter().map(String::as_str));
        let (_, value) = json(&words);
        let verdict = |at: usize| value["objects"][at]["verdict"].as_str().unwrap_or("none").to_owned();
        (0..objects.len()).map(verdict).collect::<Vec<_>>()
    };
    let embedded = on("embedded");
    let linux = linux_or_skip("checks every variant").then(|| on("linux"));
    let mut wrong = Vec::new();
    for (at, variant) in variants.iter().enumerate() {
        let linux = linux.as_ref().map_or("accepted", |verdicts| &verdicts[at]);
        if embedded[at] != "accepted" || linux != "accepted" {
            let (source, [level, cpu]) = (SOURCES[variant.source].0, &variant.flags);
            wrong.push(format!(
                "{source} {} {level} {cpu}: embedded {}, linux {linux}",
                variant.clang, embedded[at]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        variants.len(),
        wrong.join("\n")
    );
}

fn build(variant: &Variant, object: &str) {
    let (source, flags) = SOURCES[variant.source];
    let mut words = vec!["build", source, "-o", object, "--"];
    words.extend(flags);
    words.extend(variant.flags.iter().map(String::as_str));
    let mut command = opswap(&words);
    let ran: Ran = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("OPSWAP_CLANG", &variant.clang)
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, 0, "{} {words:?}: {ran:?}", variant.clang);
}
