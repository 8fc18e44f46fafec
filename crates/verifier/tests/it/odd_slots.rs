//! Linux as the judge of slots that are not quite instructions: every opcode with each field set in turn, where a path comes by and
//! where none does.

use crate::hunt::judge::Judge;
use crate::hunt::world::World;
use crate::setting::setting;
use isa::{Insn, RawInsn};
use verifier::{Failure, Options, Program};

const PLACE: &str = "cong_avoid";

/// What the embedded kernel does with these slots.
fn verify(world: &World, raw: &[RawInsn]) -> Result<(), Failure> {
    let isa::Loose { insns, odd } = isa::decode_loosely(raw)
        .map_err(|error| Failure::Rejected(Box::new(verifier::Rejection::from_decode(error))))?;
    let program = Program {
        odd: &odd,
        ..Program::new(&insns)
    };
    verifier::verify(&program, world, &Options::default()).map(drop)
}

#[test]
fn odd_slots_as_linux() {
    if !testkit::linux_or_skip("loads programs of one odd instruction; runs none") {
        return;
    }
    let judge = Judge::new();
    let world = World::member(&judge.btf, PLACE);
    let all = setting("OPSWAP_ODD_SLOTS_ALL", 0) != 0;
    let (mut accepted, mut refused, mut unsupported) = (0, 0, 0);
    let mut wrong = Vec::new();
    for first in candidates(all) {
        if first.code == 0x18 && matches!(first.src, 1 | 2) {
            // Descriptors of maps, which are others on both sides.
            continue;
        }
        for raw in programs(first) {
            let theirs = judge.load(PLACE, &raw);
            match (verify(&world, &raw), theirs) {
                (Ok(()), Ok(())) => accepted += 1,
                (Err(Failure::Rejected(_)), Err(_)) => refused += 1,
                (Err(Failure::Unsupported(_)), _) => unsupported += 1,
                (ours, theirs) => {
                    let ours = ours.err().map(|failure| failure.to_string());
                    let theirs = theirs.err().map(|error| error.log);
                    wrong.push(format!("{first:?} in {}: here {ours:?}, Linux {theirs:?}", raw.len()));
                }
            }
        }
    }
    eprintln!("{accepted} accepted by both, {refused} refused by both, {unsupported} not supported here");
    let shown = wrong[..wrong.len().min(40)].join("\n");
    assert!(wrong.is_empty(), "{} verdicts differ:\n{shown}", wrong.len());
    assert!(accepted > 1000 && refused > 1000, "{accepted} {refused}");
}

/// Every opcode with fields as it might have them, and then with one of them different (or, for `all`, with every combination).
fn candidates(all: bool) -> Vec<RawInsn> {
    const DST: [u8; 5] = [2, 0, 10, 11, 15];
    const SRC: [u8; 8] = [3, 0, 1, 2, 4, 6, 10, 11];
    const OFF: [i16; 6] = [0, 1, -8, 8, 16, 32];
    const IMM: [i32; 10] = [0, 1, 7, 16, 32, 64, -1, 0xe1, 0x100, 0x110];
    let mut out = Vec::new();
    for code in 0..=u8::MAX {
        // Jumps and stores are at home with other fields than loads and arithmetic.
        for (home_dst, home_src, home_off, home_imm) in [
            (2, 3, 0, 0),
            (2, 0, 0, 1),
            (0, 0, 0, 0),
            (10, 3, -8, 0),
            (2, 10, -8, 0),
            (0, 0, 1, 0),
            (0, 0, 0, 7),
            (0, 2, 0, 7),
        ] {
            for dst in DST {
                for src in SRC {
                    for off in OFF {
                        for imm in IMM {
                            let different = [dst != home_dst, src != home_src, off != home_off, imm != home_imm];
                            if all || different.into_iter().filter(|different| *different).count() <= 1 {
                                out.push(RawInsn {
                                    code,
                                    dst,
                                    src,
                                    off,
                                    imm,
                                });
                            }
                        }
                    }
                }
            }
            if all {
                break;
            }
        }
    }
    out.sort_unstable_by_key(|raw| raw.to_bytes());
    out.dedup();
    out
}

/// The slot in a program in which registers hold numbers: once where every path comes by, once behind a branch that is always taken.
fn programs(first: RawInsn) -> [Vec<RawInsn>; 2] {
    let encode = |text: &str| isa::encode(&isa::asm::assemble(text).expect("assembles")).expect("encodes");
    let before = "r0 = 1\n r2 = 1\n r3 = 1\n r4 = 1\n *(u64 *)(r10 -8) = 1\n";
    let after = encode("r0 = 0\n r0 = 0\n exit");
    // A 64-bit immediate load takes the slot behind it.
    let second = (first.code & !0x18 == 0).then(RawInsn::default);
    let around = |before: Vec<RawInsn>| [&before[..], &[first], second.as_slice(), &after[..]].concat();
    let reached = around(encode(before));
    let skip = Insn::JumpIf {
        width: isa::Width::W64,
        op: isa::JmpOp::Eq,
        dst: isa::Reg::R2,
        src: isa::Src::Imm(1),
        off: 1 + second.is_some() as i16,
    };
    let mut before = encode(before);
    before.extend(isa::encode(&[skip]).expect("encodes"));
    [reached, around(before)]
}
