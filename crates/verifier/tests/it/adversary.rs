//! The verifier's adversary: programs made to be accepted wrongly, judged by Linux.
//!
//! The cases of `tests/data/holes` are the known ways in which verifiers were fooled, each with Linux's verdict,
//! which is asked for again where Linux is at hand. `OPSWAP_ADVERSARY_PROGRAMS` sets the number of generated programs
//! for each place, `OPSWAP_ADVERSARY_SEED` the first seed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::hunt::bounds::{self, PROBES};
use crate::hunt::cases::{self, Case};
use crate::hunt::judge::Judge;
use crate::hunt::programs;
use crate::hunt::world::{MEMBERS, World, small_btf};
use crate::setting::setting;
use btf::Btf;
use verifier::{Category, Failure, Limits, Options, Program, Verified};

fn all_cases() -> Vec<Case> {
    let files = [
        ("bounds", include_str!("../data/holes/bounds.txt")),
        ("stack", include_str!("../data/holes/stack.txt")),
        ("nulls", include_str!("../data/holes/nulls.txt")),
        ("calls", include_str!("../data/holes/calls.txt")),
        ("pruning", include_str!("../data/holes/pruning.txt")),
        ("structures", include_str!("../data/holes/structures.txt")),
        ("helpers", include_str!("../data/holes/helpers.txt")),
        ("shape", include_str!("../data/holes/shape.txt")),
    ];
    files.iter().flat_map(|(file, text)| cases::parse(file, text)).collect()
}

fn world(btf: &Btf, place: &str) -> World {
    match place {
        "socket_filter" => World::filter(btf),
        member => World::member(btf, member),
    }
}

fn verify(world: &World, insns: &[isa::Insn]) -> Result<Verified, Failure> {
    let limits = Limits {
        insns_processed_max: 50_000,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    verifier::verify(&Program::new(insns), world, &options)
}

#[test]
fn cases_have_their_verdict_with_any_kernel() {
    let mut btfs = vec![("small", small_btf())];
    let judge = testkit::linux_or_skip("asks for the verdicts on the verifier's cases").then(Judge::new);
    if let Some(judge) = &judge {
        btfs.push(("Linux", judge.btf.clone()));
    }
    let mut wrong = String::new();
    for case in all_cases() {
        for (name, btf) in &btfs {
            let verdict = verify(&world(btf, &case.place), &case.insns(btf));
            if verdict.is_ok() != case.accepted_here {
                let text = verdict
                    .err()
                    .map_or("accepted".to_owned(), |failure| failure.to_string());
                let _ = writeln!(wrong, "{}: here with {name} types: {text}", case.name);
            }
        }
        if let Some(judge) = &judge {
            let refusal = judge.refusal(&case.place, &case.insns(&judge.btf));
            if refusal.is_none() != case.linux_accepts {
                let text = refusal.unwrap_or_else(|| "accepted".to_owned());
                let _ = writeln!(wrong, "{}: Linux: {text}", case.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn class(failure: &Failure) -> &'static str {
    match failure {
        Failure::Rejected(rejection) => rejection.code().as_str(),
        Failure::Unsupported(_) | Failure::Internal(_) | Failure::Memory => "unsupported",
    }
}

#[test]
fn linux_accepts_what_is_accepted_here() {
    if !testkit::linux_or_skip("loads generated congestion controls to compare verdicts") {
        return;
    }
    let judge = Judge::new();
    let first = setting("OPSWAP_ADVERSARY_SEED", 1);
    let count = setting("OPSWAP_ADVERSARY_PROGRAMS", 400);
    let show = std::env::var("OPSWAP_ADVERSARY_SHOW").ok();
    let (mut accepted, mut refused, mut total) = (0_u64, 0_u64, 0_u64);
    let (mut stricter, mut reasons) = (BTreeMap::new(), BTreeMap::new());
    let mut wrong = Vec::new();
    for place in MEMBERS.into_iter().chain(["socket_filter"]) {
        let world = world(&judge.btf, place);
        let shape = programs::Shape::of(&judge.btf, place);
        for seed in first..first + count {
            let insns = programs::program(&shape, seed);
            if isa::encode(&insns).is_err() {
                continue;
            }
            total += 1;
            let verdict = verify(&world, &insns);
            if let Err(Failure::Rejected(rejection)) = &verdict
                && rejection.category() == Category::Complexity
            {
                refused += 1;
                continue;
            }
            let failure = match verdict {
                Err(Failure::Internal(internal)) => panic!("{place}, seed {seed}: {internal}"),
                Ok(_) => None,
                Err(failure) => Some(failure),
            };
            match (failure, judge.refusal(place, &insns)) {
                (None, None) => accepted += 1,
                (None, Some(log)) => {
                    wrong.push(format!("{place}, seed {seed}:\n{}\n{log}", isa::listing(&insns)));
                }
                (Some(failure), None) => {
                    let class = class(&failure);
                    *stricter.entry(class).or_insert(0_u64) += 1;
                    if show.as_deref() == Some(class) {
                        eprintln!("stricter, {place}, seed {seed}: {failure}\n{}", isa::listing(&insns));
                    }
                }
                (Some(failure), Some(_)) => {
                    refused += 1;
                    *reasons.entry(class(&failure)).or_insert(0_u64) += 1;
                }
            }
        }
    }
    eprintln!(
        "{total} programs: {accepted} accepted by both, {refused} refused by both, refused here only: {stricter:?}"
    );
    eprintln!("reasons of refusals by both: {reasons:?}");
    assert!(
        wrong.is_empty(),
        "{} accepted wrongly:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n\n")
    );
    assert!(
        accepted * 8 > total,
        "only {accepted} of {total} programs accepted: the generator is too wild"
    );
}

#[test]
fn linux_knows_every_bound_that_is_known_here() {
    if !testkit::linux_or_skip("loads programs about single numbers to compare bounds") {
        return;
    }
    let judge = Judge::new();
    let world = World::filter(&judge.btf);
    let first = setting("OPSWAP_ADVERSARY_SEED", 1);
    let count = setting("OPSWAP_ADVERSARY_BOUNDS", 600);
    let accepts = |insns: &[isa::Insn]| verify(&world, insns).is_ok();
    let mut asked = 0_u64;
    let mut wrong = Vec::new();
    for seed in first..first + count {
        let start = bounds::start(seed);
        let mut programs = Vec::new();
        for turn in 0..3 {
            programs.extend(PROBES[(seed as usize * 3 + turn) % PROBES.len()].tightest(&start, accepts));
        }
        if seed % 4 == 0 {
            programs.extend(bounds::zero_bits(&start, accepts));
        }
        for insns in programs {
            asked += 1;
            if let Some(log) = judge.refusal("socket_filter", &insns) {
                wrong.push(format!("seed {seed}:\n{}\n{log}", isa::listing(&insns)));
            }
        }
    }
    eprintln!("{asked} bounds compared");
    assert!(
        wrong.is_empty(),
        "{} known only here:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n\n")
    );
    assert!(asked > count * 2, "only {asked} of {count} programs accepted");
}
