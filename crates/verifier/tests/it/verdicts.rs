//! Every case of `tests/data` has its verdict, and every code of a rejection has its case.

use std::collections::BTreeSet;

use crate::cases;
use crate::cases::Expected;
use crate::world::World;
use verifier::{Code, Failure, Keeping, Options, Program, Verified};

#[test]
fn every_case_has_its_verdict() {
    let mut failed = Vec::new();
    let cases = cases::all();
    for case in &cases {
        let name = format!("{}: {}", case.file, case.name);
        let insns = isa::asm::assemble(&case.text).unwrap_or_else(|e| panic!("{name}: {e}"));
        for keeping in [Keeping::Sparse, Keeping::Everywhere, Keeping::Nowhere] {
            let complex = matches!(&case.expected, Expected::Rejected(code, _) if code.starts_with("SO16"));
            if complex && keeping == Keeping::Nowhere {
                // Loops are seen by states that are kept.
                continue;
            }
            let options = Options {
                keeping,
                ..Options::default()
            };
            let verdict = verifier::verify(&Program::new(&insns), &World::named(&case.world), &options);
            let got = outcome(&verdict, &name);
            if got != case.expected {
                let text = verdict.as_ref().err().map(ToString::to_string).unwrap_or_default();
                failed.push(format!(
                    "{name} ({keeping:?}): expected {:?}, got {got:?} {text}",
                    case.expected
                ));
            }
            if let Ok(verified) = verdict {
                let probes: Vec<usize> = (0..insns.len()).filter(|&slot| verified.aux()[slot].probe).collect();
                assert_eq!(probes, case.probes, "{name}: guarded loads");
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {}:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
    assert!(cases.len() >= 120, "only {} cases", cases.len());
}

fn outcome(verdict: &Result<Verified, Failure>, name: &str) -> Expected {
    let slot = |slot: Option<u32>| slot.map_or(0, |slot| slot as usize);
    match verdict {
        Ok(_) => Expected::Accepted,
        Err(Failure::Rejected(rejection)) => {
            Expected::Rejected(rejection.code().as_str().to_owned(), slot(rejection.slot))
        }
        Err(Failure::Unsupported(unsupported)) => Expected::Unsupported(slot(unsupported.slot)),
        Err(Failure::Internal(internal)) => panic!("{name}: {internal}"),
        Err(Failure::Memory) => panic!("{name}: no memory"),
    }
}

#[test]
fn every_code_is_provoked_or_its_absence_explained() {
    let provoked: BTreeSet<String> = cases::all()
        .into_iter()
        .filter_map(|case| match case.expected {
            Expected::Rejected(code, _) => Some(code),
            Expected::Accepted | Expected::Unsupported(_) => None,
        })
        .collect();
    // Provoked in tests/programs.rs, because text cannot say them.
    let elsewhere = [
        "SO1001", "SO1003", "SO1009", "SO1010", "SO1211", "SO1312", "SO1313", "SO1602", "SO1603",
    ];
    for code in Code::all() {
        let text = code.as_str();
        assert!(
            provoked.contains(text) != elsewhere.contains(&text),
            "{text} ({}) is provoked by no case, or by one although it is listed",
            code.title()
        );
    }
}
