//! Random programs that are likely enough to be safe: typed guesses of what each register holds, edge values, and
//! all that has gone wrong in verifiers before (narrow spills, sign extension, 32-bit bounds, loops, pruning).

pub(crate) mod diamonds;
mod steps;

use crate::rng::Rng;
use isa::{AluOp, Call, Imm64, Insn, JmpOp, Reg, Size, Src, Width};

/// Maps that the programs name, as in `world`.
const ARRAY: i32 = 1;
const HASH: i32 = 2;
const GLOBAL: i32 = 3;

/// A guess of what a register holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Guess {
    Uninit,
    Number,
    Small,
    Ctx,
    Frame,
    Value,
}

/// A program under construction.
pub(crate) struct Generator<'a> {
    rng: &'a mut Rng,
    insns: Vec<Insn>,
    guesses: [Guess; 11],
    /// Jumps whose target is still to come: slot of the jump, and what was guessed there.
    open: Vec<(usize, [Guess; 11])>,
    written: Vec<i16>,
    depth: u32,
    /// Calls of functions that are still to come: slot of the call, and which function.
    calls: Vec<(usize, usize)>,
    /// Inside a function, which calls no other and may return anything.
    in_function: bool,
}

const IMMS: [i32; 26] = [
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    12,
    15,
    16,
    31,
    32,
    47,
    63,
    64,
    255,
    256,
    0xffff,
    0x10000,
    -1,
    -2,
    -8,
    i32::MAX,
    i32::MIN,
    0x7fff_fff0,
];

/// A random program; `seed` says all.
pub(crate) fn program(seed: u64) -> Vec<Insn> {
    let mut rng = Rng::new(seed);
    let length = 4 + rng.below(28);
    let mut generator = Generator {
        rng: &mut rng,
        insns: Vec::new(),
        guesses: [Guess::Uninit; 11],
        open: Vec::new(),
        written: Vec::new(),
        depth: 0,
        calls: Vec::new(),
        in_function: false,
    };
    generator.prologue();
    generator.body(length);
    generator.end();
    generator.functions();
    let mut insns = generator.insns;
    if rng.chance(30) {
        // Something that no generator thinks of.
        mutate(&mut rng, &mut insns);
    }
    insns
}

/// Change one instruction a little.
fn mutate(rng: &mut Rng, insns: &mut [Insn]) {
    let at = rng.below(insns.len());
    match &mut insns[at] {
        Insn::Alu { op, src, width, .. } => match rng.below(3) {
            0 => *op = rng.pick(&AluOp::ALL),
            1 => {
                if let Src::Imm(imm) = src {
                    *imm = imm.wrapping_add(rng.pick(&[1, -1, 8, -8]));
                }
            }
            _ => *width = if *width == Width::W32 { Width::W64 } else { Width::W32 },
        },
        Insn::JumpIf { op, src, width, .. } => match rng.below(3) {
            0 => *op = rng.pick(&JmpOp::ALL),
            1 => {
                if let Src::Imm(imm) = src {
                    *imm = imm.wrapping_add(rng.pick(&[1, -1, 8, -8]));
                }
            }
            _ => *width = if *width == Width::W32 { Width::W64 } else { Width::W32 },
        },
        Insn::Load { off, size, .. } | Insn::Store { off, size, .. } => match rng.below(2) {
            0 => *off = off.wrapping_add(rng.pick(&[1, -1, 4, -4, 8, -8, 16])),
            _ => *size = rng.pick(&Size::ALL),
        },
        _ => {}
    }
}

pub(crate) fn mov(dst: Reg, src: Src) -> Insn {
    alu(Width::W64, AluOp::Mov, dst, src)
}

pub(crate) fn alu(width: Width, op: AluOp, dst: Reg, src: Src) -> Insn {
    Insn::Alu { width, op, dst, src }
}

impl Generator<'_> {
    fn push(&mut self, insn: Insn) {
        self.insns.push(insn);
    }

    fn guess(&mut self, reg: Reg, guess: Guess) {
        self.guesses[reg.index()] = guess;
    }

    fn prologue(&mut self) {
        self.guess(Reg::R1, Guess::Ctx);
        self.guess(Reg::R10, Guess::Frame);
        self.push(mov(Reg::R6, Src::Reg(Reg::R1)));
        self.guess(Reg::R6, Guess::Ctx);
        if self.rng.chance(60) {
            self.look_up();
        }
        if self.rng.chance(70) {
            let off = self.rng.pick(&[0, 8, 16, 40]);
            self.value_address(Reg::R8, off);
        }
        for reg in [Reg::R0, Reg::R7, Reg::R9] {
            if self.guesses[reg.index()] == Guess::Uninit {
                self.number(reg);
            }
        }
    }

    fn value_address(&mut self, dst: Reg, off: u32) {
        let imm = Imm64::MapValue { fd: GLOBAL, off };
        self.push(Insn::LoadImm64 { dst, imm });
        self.push(Insn::LoadImm64Hi);
        self.guess(dst, Guess::Value);
    }

    /// r7 = map_lookup_elem(…), tested.
    fn look_up(&mut self) {
        let (fd, key) = if self.rng.chance(50) { (ARRAY, -4) } else { (HASH, -8) };
        let size = if key == -4 { Size::W } else { Size::DW };
        let value = self.rng.pick(&[0, 1]);
        self.push(Insn::Store {
            size,
            base: Reg::R10,
            off: key,
            src: Src::Imm(value),
        });
        self.push(mov(Reg::R2, Src::Reg(Reg::R10)));
        self.push(alu(Width::W64, AluOp::Add, Reg::R2, Src::Imm(key.into())));
        self.push(Insn::LoadImm64 {
            dst: Reg::R1,
            imm: Imm64::MapFd(fd),
        });
        self.push(Insn::LoadImm64Hi);
        self.call(1);
        self.push(mov(Reg::R7, Src::Reg(Reg::R0)));
        if self.rng.chance(95) {
            let tested = self.rng.pick(&[Reg::R0, Reg::R7]);
            self.push(Insn::JumpIf {
                width: Width::W64,
                op: JmpOp::Ne,
                dst: tested,
                src: Src::Imm(0),
                off: 2,
            });
            self.push(mov(Reg::R0, Src::Imm(0)));
            self.push(Insn::Exit);
        }
        self.guess(Reg::R7, Guess::Value);
        self.guess(Reg::R0, Guess::Value);
    }

    fn call(&mut self, id: u32) {
        self.push(Insn::Call(Call::Helper(id)));
        for reg in &Reg::ALL[1..=5] {
            self.guesses[reg.index()] = Guess::Uninit;
        }
        self.guess(Reg::R0, Guess::Number);
    }

    fn register(&mut self, wanted: &[Guess]) -> Option<Reg> {
        let fit: Vec<Reg> = Reg::ALL[..10]
            .iter()
            .copied()
            .filter(|reg| wanted.contains(&self.guesses[reg.index()]))
            .collect();
        (!fit.is_empty()).then(|| self.rng.pick(&fit))
    }

    fn any_dst(&mut self) -> Reg {
        self.rng.pick(&Reg::ALL[..10])
    }

    fn imm(&mut self) -> i32 {
        if self.rng.chance(80) {
            self.rng.pick(&IMMS)
        } else {
            self.rng.next() as i32 >> self.rng.below(32)
        }
    }

    /// Put some number into a register.
    fn number(&mut self, dst: Reg) {
        match self.rng.below(6) {
            0 => {
                let imm = self.imm();
                self.push(mov(dst, Src::Imm(imm)));
            }
            1 => {
                self.call(7);
                self.push(mov(dst, Src::Reg(Reg::R0)));
            }
            2 => {
                self.call(5);
                self.push(mov(dst, Src::Reg(Reg::R0)));
            }
            3 => self.push(Insn::Load {
                size: Size::W,
                sx: false,
                dst,
                base: Reg::R6,
                off: 0,
            }),
            4 => {
                let wide = self.rng.next();
                let value = wide >> self.rng.below(64);
                self.push(Insn::LoadImm64 {
                    dst,
                    imm: Imm64::Value(value),
                });
                self.push(Insn::LoadImm64Hi);
            }
            _ => {
                self.call(7);
                self.push(mov(dst, Src::Reg(Reg::R0)));
                let imm = self.rng.pick(&[1, 3, 7, 8, 15, 31, 0xff, 0xffff]);
                self.push(alu(Width::W64, AluOp::And, dst, Src::Imm(imm)));
            }
        }
        self.guess(dst, Guess::Number);
    }

    fn body(&mut self, length: usize) {
        for _ in 0..length {
            self.close_some(15);
            self.one();
        }
    }

    /// A call of one of two functions: the first gets an address on the stack, the second one in a map.
    fn function_call(&mut self) {
        if self.in_function {
            return;
        }
        let which = self.rng.below(2);
        if which == 0 {
            self.push(mov(Reg::R1, Src::Reg(Reg::R10)));
            let off = self.rng.pick(&[-16, -24, -32]);
            self.push(alu(Width::W64, AluOp::Add, Reg::R1, Src::Imm(off)));
        } else {
            self.value_address(Reg::R1, 0);
        }
        match self.register(&[Guess::Number, Guess::Small]) {
            Some(number) => self.push(mov(Reg::R2, Src::Reg(number))),
            None => self.push(mov(Reg::R2, Src::Imm(3))),
        }
        self.calls.push((self.insns.len(), which));
        self.push(Insn::Call(Call::Subprog { off: 0 }));
        for reg in &Reg::ALL[1..=5] {
            self.guesses[reg.index()] = Guess::Uninit;
        }
        self.guess(Reg::R0, Guess::Number);
    }

    /// The functions that are called.
    fn functions(&mut self) {
        self.in_function = true;
        for which in 0..2 {
            let calls: Vec<usize> = self
                .calls
                .iter()
                .filter(|call| call.1 == which)
                .map(|call| call.0)
                .collect();
            if calls.is_empty() {
                continue;
            }
            let start = self.insns.len();
            for slot in calls {
                let off = start as i32 - slot as i32 - 1;
                self.insns[slot] = Insn::Call(Call::Subprog { off });
            }
            self.guesses = [Guess::Uninit; 11];
            self.guess(Reg::R1, Guess::Value);
            self.guess(Reg::R2, Guess::Number);
            self.guess(Reg::R10, Guess::Frame);
            self.push(mov(Reg::R8, Src::Reg(Reg::R1)));
            self.push(mov(Reg::R7, Src::Reg(Reg::R2)));
            self.push(mov(Reg::R0, Src::Imm(1)));
            self.guess(Reg::R8, Guess::Value);
            self.guess(Reg::R7, Guess::Number);
            self.guess(Reg::R0, Guess::Number);
            self.written.clear();
            let length = 2 + self.rng.below(8);
            self.body(length);
            self.end();
        }
    }

    fn one(&mut self) {
        if self.rng.chance(6) {
            self.function_call();
            return;
        }
        match self.rng.below(20) {
            0 => {
                let dst = self.any_dst();
                self.number(dst);
            }
            1..=5 => self.arithmetic(),
            6..=8 => self.branch(),
            9 | 10 => self.spill(),
            11 | 12 => self.fill(),
            13 | 14 => self.value_access(),
            15 => self.bounded_pointer(),
            16 => self.copy(),
            17 => self.looped(),
            18 => self.memory_call(),
            _ => self.odd(),
        }
    }

    fn end(&mut self) {
        let here = self.insns.len();
        let open = std::mem::take(&mut self.open);
        for (slot, _) in open {
            set_target(&mut self.insns[slot], here - slot - 1);
        }
        if self.guesses[0] == Guess::Uninit || self.rng.chance(if self.in_function { 20 } else { 80 }) {
            self.push(mov(Reg::R0, Src::Imm(0)));
        }
        self.push(Insn::Exit);
    }
}

pub(crate) fn set_target(insn: &mut Insn, distance: usize) {
    if let Insn::JumpIf { off, .. } = insn {
        *off = distance as i16;
    }
}
