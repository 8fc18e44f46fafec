//! Linux as the judge: nothing may be accepted here that it refuses.
//!
//! `OPSWAP_VERIFIER_PROGRAMS` sets the number of generated programs, `OPSWAP_VERIFIER_SEED` the first seed.

use crate::cases;
use crate::cases::Expected;
use crate::generate;
use crate::setting::setting;
use crate::world::{ARRAY, GLOBAL, HASH, World};
use bpf::{Bpf, Fd, Map, MapCreate, MapFlags, MapType, ProgLoad, ProgType};
use isa::{Imm64, Insn};
use linux::Linux;
use verifier::{Category, Failure, Keeping, Limits, Options, Program};

/// Linux with the maps that the programs name.
struct Judge {
    linux: Linux,
    maps: Vec<(i32, Fd<Map>)>,
}

impl Judge {
    fn new() -> Self {
        let linux = Linux::new();
        let create = |map_type, key_size, value_size, max_entries| {
            let args = MapCreate {
                key_size,
                value_size,
                max_entries,
                flags: MapFlags::empty(),
                name: "vrfy_case",
                ..MapCreate::new(map_type)
            };
            linux.map_create(&args).unwrap()
        };
        let maps = vec![
            (ARRAY, create(MapType::ARRAY, 4, 16, 4)),
            (HASH, create(MapType::HASH, 8, 64, 4)),
            (GLOBAL, create(MapType::ARRAY, 4, 48, 1)),
        ];
        Self { linux, maps }
    }

    /// Linux's refusal of a program, if it refuses it.
    fn refusal(&self, insns: &[Insn]) -> Option<String> {
        let mut insns = insns.to_vec();
        for insn in &mut insns {
            if let Insn::LoadImm64 {
                imm: Imm64::MapFd(fd) | Imm64::MapValue { fd, .. },
                ..
            } = insn
            {
                let map = self.maps.iter().find(|map| map.0 == *fd).expect("a known map");
                *fd = map.1.raw();
            }
        }
        let raw = isa::encode(&insns).unwrap();
        let load = ProgLoad {
            name: "vrfy_case",
            license: "GPL",
            ..ProgLoad::new(ProgType::SCHED_CLS, &raw)
        };
        match self.linux.prog_load(&load) {
            Ok(_program) => None,
            Err(error) => Some(format!("{error}\n{}", error.log)),
        }
    }
}

#[test]
fn linux_accepts_every_generated_program_that_is_accepted_here() {
    if !testkit::linux_or_skip("loads generated programs to compare verdicts") {
        return;
    }
    let judge = Judge::new();
    let world = World::filter();
    let first = setting("OPSWAP_VERIFIER_SEED", 1);
    let count = setting("OPSWAP_VERIFIER_PROGRAMS", 3000);
    let limits = Limits {
        insns_processed_max: 20_000,
        ..Limits::default()
    };
    let options = |seed| Options {
        limits,
        keeping: if seed % 2 == 0 {
            Keeping::Everywhere
        } else {
            Keeping::Sparse
        },
        ..Options::default()
    };
    let (mut accepted, mut stricter, mut refused) = (0, 0, 0);
    let mut wrong = Vec::new();
    let mut reasons = std::collections::BTreeMap::new();
    for seed in first..first + count {
        let insns = generate::program(seed);
        if isa::encode(&insns).is_err() {
            continue;
        }
        let verdict = verifier::verify(&Program::new(&insns), &world, &options(seed));
        if let Err(Failure::Rejected(rejection)) = &verdict
            && rejection.category() == Category::Complexity
        {
            // Linux needs many seconds to come to the same end.
            refused += 1;
            continue;
        }
        let refusal = judge.refusal(&insns);
        match (verdict, refusal) {
            (Ok(_), None) => accepted += 1,
            (Ok(_), Some(log)) => wrong.push(format!("seed {seed}:\n{}\n{log}", isa::listing(&insns))),
            (Err(Failure::Internal(internal)), _) => panic!("seed {seed}: {internal}"),
            (Err(failure), None) => {
                stricter += 1;
                if std::env::var_os("OPSWAP_VERIFIER_SHOW").is_some() {
                    eprintln!("stricter, seed {seed}: {failure}\n{}", isa::listing(&insns));
                }
            }
            (Err(failure), Some(_)) => {
                refused += 1;
                let code = match failure {
                    Failure::Rejected(rejection) => rejection.code().as_str(),
                    Failure::Unsupported(_) | Failure::Internal(_) | Failure::Memory => "unsupported",
                };
                *reasons.entry(code).or_insert(0_u32) += 1;
            }
        }
    }
    eprintln!("{count} programs: {accepted} accepted by both, {refused} refused by both, {stricter} refused here only");
    eprintln!("reasons of refusals by both: {reasons:?}");
    assert!(
        wrong.is_empty(),
        "{} accepted wrongly:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(3)].join("\n\n")
    );
    assert!(
        accepted * 8 > count,
        "only {accepted} of {count} programs accepted: the generator is too wild"
    );
}

#[test]
fn linux_accepts_every_case_that_is_accepted_here() {
    if !testkit::linux_or_skip("loads the cases to compare verdicts") {
        return;
    }
    let judge = Judge::new();
    let (mut accepted, mut stricter) = (0, Vec::new());
    for case in cases::all() {
        // The maps with other numbers exist here only.
        let foreign = ["(4", "(5", "(6", "(7", "(8", "(99"]
            .iter()
            .any(|fd| case.text.contains(&format!("map_fd{fd}")) || case.text.contains(&format!("map_value{fd}")));
        if case.world != "filter" || foreign {
            continue;
        }
        let insns = isa::asm::assemble(&case.text).unwrap();
        if insns.is_empty() || case.expected == Expected::Rejected("SO1601".to_owned(), 1) {
            continue;
        }
        let refusal = judge.refusal(&insns);
        match (&case.expected, refusal) {
            (Expected::Accepted, Some(log)) => panic!("{}: {}: {log}", case.file, case.name),
            (Expected::Accepted, None) => accepted += 1,
            (Expected::Rejected(..) | Expected::Unsupported(_), None) => {
                stricter.push(format!("{}: {}", case.file, case.name));
            }
            (Expected::Rejected(..) | Expected::Unsupported(_), Some(_)) => {}
        }
    }
    assert!(accepted > 60, "only {accepted} cases");
    // What Linux takes and is refused here, each with its reason.
    let known = [
        "registers: pointer returned", // A privileged program may return an address; an operation may not.
        "structure: packet load",      // For these programs only.
        "structure: may_goto is not supported",
        // Linux shows programs the members of struct bpf_map.
        "registers: map as a pointer",
        // Linux rewrites accesses to parts of a field, and lets classifiers write the mark.
        "registers: context field narrow",
        // Linux looks for cut pointers only where the offset is known.
        "stack: variable offset over a saved pointer",
        "registers: context written",
    ];
    stricter.retain(|name| !known.contains(&name.as_str()));
    assert!(stricter.is_empty(), "refused here only: {stricter:#?}");
}
