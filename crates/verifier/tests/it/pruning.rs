//! Ending paths early changes no verdict: what is accepted with states kept everywhere is accepted when every path is
//! followed to its end.
//!
//! `OPSWAP_VERIFIER_PROGRAMS` and `OPSWAP_VERIFIER_SEED` as for the comparison with Linux.

use crate::generate;
use crate::setting::setting;
use crate::world::World;
use isa::Insn;
use verifier::{Category, Failure, Keeping, Limits, Options, Program, Verified};

fn verify(world: &World, insns: &[Insn], keeping: Keeping) -> Result<Verified, Failure> {
    let limits = Limits {
        insns_processed_max: 50_000,
        ..Limits::default()
    };
    let options = Options {
        limits,
        keeping,
        ..Options::default()
    };
    verifier::verify(&Program::new(insns), world, &options)
}

#[test]
fn paths_that_end_early_hide_nothing() {
    compare(generate::program, setting("OPSWAP_VERIFIER_PROGRAMS", 4000));
}

#[test]
fn paths_that_join_hide_nothing() {
    compare(
        generate::diamonds::diamonds,
        setting("OPSWAP_VERIFIER_PROGRAMS", 20_000),
    );
}

fn compare(generate: fn(u64) -> Vec<Insn>, count: u64) {
    let world = World::filter();
    let first = setting("OPSWAP_VERIFIER_SEED", 900_000);
    let (mut compared, mut pruned) = (0, 0);
    for seed in first..first + count {
        let insns = generate(seed);
        if isa::encode(&insns).is_err() {
            continue;
        }
        for keeping in [Keeping::Everywhere, Keeping::Sparse] {
            let Ok(verified) = verify(&world, &insns, keeping) else {
                continue;
            };
            pruned += u64::from(verified.stats().paths_pruned > 0);
            match verify(&world, &insns, Keeping::Nowhere) {
                Ok(_) => compared += 1,
                // Too many paths to follow them all.
                Err(Failure::Rejected(rejection)) if rejection.category() == Category::Complexity => {}
                Err(failure) => panic!("seed {seed}, {keeping:?}: {failure}\n{}", isa::listing(&insns)),
            }
        }
    }
    eprintln!("{compared} compared, {pruned} with paths that ended early");
    assert!(compared * 8 > count && pruned * 20 > count, "{compared}, {pruned}");
}
