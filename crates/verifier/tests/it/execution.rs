//! Execution as the judge: an accepted program, run with every access tested, never touches what it may not.
//!
//! Generated programs run with numbers near edges and with lookups that find something or nothing.
//! `OPSWAP_VERIFIER_PROGRAMS` and `OPSWAP_VERIFIER_SEED` as for the comparison with Linux.

use crate::cases;
use crate::generate;
use crate::rng::Rng;
use crate::setting::setting;
use crate::world::{ARRAY, GLOBAL, HASH, READ_ONLY, READ_ONLY_VALUE, World};
use isa::{Call, Imm64, Insn, Size};
use verifier::{Keeping, Limits, Options, Program, Verified};
use vm::{CheckedProgram, Denied, Mark, Memory, Regions, Stack};

const CTX: u64 = 0x10_0000;
const MAPS: u64 = 0x20_0000;
const VALUES: u64 = 0x30_0000;

/// Address of a map; only compared.
fn map_address(fd: i32) -> u64 {
    MAPS + fd as u64 * 0x100
}

/// Address of (the only element of) a map's value; far from the others, so that no overrun reaches one.
fn value_address(fd: i32) -> u64 {
    VALUES + fd as u64 * 0x1_0000
}

/// What the program sees, and a source of chance.
struct Outside {
    regions: Regions,
    rng: Rng,
}

impl Outside {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut regions = Regions::default();
        let mut fill = |size: usize| (0..size).map(|_| rng.next() as u8).collect::<Vec<u8>>();
        regions.add("context", CTX, fill(36), false);
        for (fd, size) in [(ARRAY, 16), (HASH, 64), (GLOBAL, 48), (5, 32), (8, 16)] {
            regions.add("value", value_address(fd), fill(size), true);
        }
        let constant = READ_ONLY_VALUE.to_le_bytes().to_vec();
        regions.add("constant", value_address(READ_ONLY), constant, false);
        Self { regions, rng }
    }

    fn number(&mut self) -> u64 {
        let edge = self.rng.pick(&[
            0,
            1,
            7,
            8,
            15,
            16,
            31,
            47,
            48,
            63,
            64,
            255,
            1 << 31,
            1 << 32,
            1 << 63,
            u64::MAX,
        ]);
        match self.rng.below(4) {
            0 => edge,
            1 => edge.wrapping_add(self.rng.next() % 5).wrapping_sub(2),
            2 => self.rng.next() >> self.rng.below(64),
            _ => self.rng.next(),
        }
    }

    fn read(&mut self, stack: &mut Stack, from: u64, size: u64) -> Result<(), Denied> {
        for address in (0..size).map(|at| from.wrapping_add(at)) {
            match stack.load(address, Size::B) {
                Some(value) => value?,
                None => self.regions.load(address, Size::B)?,
            };
        }
        Ok(())
    }

    fn write(&mut self, stack: &mut Stack, to: u64, size: u64) -> Result<(), Denied> {
        for address in (0..size).map(|at| to.wrapping_add(at)) {
            let value = self.rng.next();
            match stack.store(address, Size::B, value) {
                Some(done) => done?,
                None => self.regions.store(address, Size::B, value)?,
            }
        }
        Ok(())
    }

    fn look_up(&mut self, map: u64, key: u64, stack: &mut Stack) -> Result<u64, Denied> {
        let fd = ((map - MAPS) / 0x100) as i32;
        self.read(stack, key, if fd == HASH { 8 } else { 4 })?;
        Ok(if self.rng.chance(80) { value_address(fd) } else { 0 })
    }
}

impl Memory for Outside {
    fn load(&mut self, address: u64, size: Size) -> Result<u64, Denied> {
        self.regions.load(address, size)
    }

    fn store(&mut self, address: u64, size: Size, value: u64) -> Result<(), Denied> {
        self.regions.store(address, size, value)
    }

    fn call(&mut self, call: Call, [a, b, c, d, _]: [u64; 5], stack: &mut Stack) -> Result<u64, Denied> {
        match call {
            Call::Helper(1) => self.look_up(a, b, stack),
            Call::Helper(2 | 3) => Ok(0),
            Call::Helper(5) => Ok(self.number()),
            Call::Helper(7) => Ok(self.number() & 0xffff_ffff),
            Call::Helper(26) => {
                self.write(stack, c, d)?;
                Ok(self.number())
            }
            Call::Helper(28) => {
                self.read(stack, a, b)?;
                self.read(stack, c, d)?;
                Ok(self.number())
            }
            Call::Helper(_) | Call::Kfunc { .. } | Call::Subprog { .. } => Err(Denied::NotCallable),
        }
    }
}

/// Run an accepted program some times.
fn run(verified: &Verified, name: &str, rounds: u64) {
    let resolve = |imm: &Imm64| match *imm {
        Imm64::Value(value) => Some(value),
        Imm64::MapFd(fd) => Some(map_address(fd)),
        Imm64::MapValue { fd, off } => Some(value_address(fd) + u64::from(off)),
        Imm64::BtfId { .. } | Imm64::Func { .. } | Imm64::MapIdx(_) | Imm64::MapIdxValue { .. } => None,
    };
    let program = CheckedProgram::build(verified.insns(), |_| Mark::Plain, resolve).unwrap();
    for round in 0..rounds {
        let mut outside = Outside::new(round);
        // Far more than any path that was followed.
        if let Err(trap) = program.run(CTX, &mut outside, 1_000_000) {
            panic!("{name}, round {round}: {trap}\n{}", isa::listing(verified.insns()));
        }
    }
}

#[test]
fn accepted_generated_programs_never_trap() {
    let world = World::filter();
    let first = setting("OPSWAP_VERIFIER_SEED", 500_000);
    let count = setting("OPSWAP_VERIFIER_PROGRAMS", 5000);
    let options = |seed| Options {
        limits: Limits {
            insns_processed_max: 20_000,
            ..Limits::default()
        },
        keeping: if seed % 2 == 0 {
            Keeping::Everywhere
        } else {
            Keeping::Sparse
        },
        ..Options::default()
    };
    let mut accepted = 0;
    for seed in first..first + count {
        let insns = generate::program(seed);
        if isa::encode(&insns).is_err() {
            continue;
        }
        if let Ok(verified) = verifier::verify(&Program::new(&insns), &world, &options(seed)) {
            run(&verified, &format!("seed {seed}"), 40);
            accepted += 1;
        }
    }
    assert!(accepted * 8 > count, "only {accepted} of {count} programs accepted");
}

#[test]
fn accepted_cases_never_trap() {
    let mut ran = 0;
    for case in cases::all() {
        let insns: Vec<Insn> = isa::asm::assemble(&case.text).unwrap();
        // The map that may only be written has no contents here.
        if !matches!(case.world.as_str(), "filter" | "bool") || case.text.contains("(7,") {
            continue;
        }
        if let Ok(verified) = World::named(&case.world).verify(&insns) {
            run(&verified, &case.name, 200);
            ran += 1;
        }
    }
    assert!(ran > 60, "only {ran} cases");
}

/// Atomic operations on a socket touch the member and nothing else.
#[test]
fn atomic_operations_on_a_structure_never_trap() {
    const SOCK: u64 = 0x80_0000;
    let mut accepted = 0;
    let world = World::tcp();
    for operation in [
        "lock *({u} *)(r1 +{at}) += r2",
        "r2 = {a}_fetch_or(({u} *)(r1 +{at}), r2)",
        "r2 = {a}_xchg(({u} *)(r1 +{at}), r2)",
        "r0 = {a}_cmpxchg(({u} *)(r1 +{at}), r0, r2)",
    ] {
        for (size, name) in [("u32", "atomic"), ("u64", "atomic64")] {
            for at in -8..216 {
                let operation = operation
                    .replace("{u}", size)
                    .replace("{a}", name)
                    .replace("{at}", &at.to_string());
                let operation = operation.replace("+-", "-");
                let text = format!("r1 = *(u64 *)(r1 +0)\nr0 = 1\nr2 = 3\n{operation}\nr0 = 0\nexit");
                let insns = isa::asm::assemble(&text).unwrap();
                let Ok(verified) = world.verify(&insns) else {
                    continue;
                };
                let mut context = vec![0; 32];
                context[..8].copy_from_slice(&SOCK.to_le_bytes());
                let mut regions = Regions::default();
                regions.add("context", CTX, context, false);
                // What a program may write of the structure, each member by itself.
                for (start, end) in [(16, 24), (80, 184), (184, 188), (188, 192)] {
                    regions.add("member", SOCK + start, vec![0; (end - start) as usize], true);
                }
                let program = CheckedProgram::build(verified.insns(), |_| Mark::Plain, |_| None).unwrap();
                program
                    .run(CTX, &mut regions, 100)
                    .unwrap_or_else(|trap| panic!("{operation}: {trap}"));
                accepted += 1;
            }
        }
    }
    // Four operations on 26 + 13 places of the private array, and on the other members.
    assert!(accepted > 4 * 39, "only {accepted} programs accepted");
}
