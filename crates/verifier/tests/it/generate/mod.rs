//! Random programs that are likely enough to be safe: typed guesses of what each register holds, edge values, and
//! all that has gone wrong in verifiers before (narrow spills, sign extension, 32-bit bounds, loops, pruning).

pub(crate) mod diamonds;

use crate::rng::Rng;
use isa::{AluOp, AtomicOp, Call, Imm64, Insn, JmpOp, Reg, Size, Src, Width};

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

fn size_bytes(size: Size) -> i16 {
    match size {
        Size::B => 1,
        Size::H => 2,
        Size::W => 4,
        Size::DW => 8,
    }
}

fn mov(dst: Reg, src: Src) -> Insn {
    alu(Width::W64, AluOp::Mov, dst, src)
}

fn alu(width: Width, op: AluOp, dst: Reg, src: Src) -> Insn {
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

    fn copy(&mut self) {
        let all = [Guess::Number, Guess::Small, Guess::Ctx, Guess::Value, Guess::Frame];
        if let Some(src) = self.register(&all) {
            let dst = self.any_dst();
            if self.rng.chance(85) {
                self.push(mov(dst, Src::Reg(src)));
                let guess = self.guesses[src.index()];
                self.guess(dst, guess);
            } else {
                self.push(alu(Width::W32, AluOp::Mov, dst, Src::Reg(src)));
                self.guess(dst, Guess::Number);
            }
        }
    }

    fn arithmetic(&mut self) {
        let Some(dst) = self.register(&[Guess::Number, Guess::Small]) else {
            return;
        };
        let width = if self.rng.chance(60) { Width::W64 } else { Width::W32 };
        match self.rng.below(10) {
            0 => {
                let from = match width {
                    Width::W32 => self.rng.pick(&[Size::B, Size::H]),
                    Width::W64 => self.rng.pick(&[Size::B, Size::H, Size::W]),
                };
                let src = self.register(&[Guess::Number, Guess::Small]).unwrap_or(dst);
                self.push(Insn::MovSx { width, dst, src, from });
            }
            1 => self.push(Insn::Neg { width, dst }),
            _ => {
                let op = self.rng.pick(&AluOp::ALL);
                let src = if self.rng.chance(60) {
                    Src::Imm(self.imm())
                } else {
                    Src::Reg(self.register(&[Guess::Number, Guess::Small]).unwrap_or(dst))
                };
                let src = match (op, src) {
                    (AluOp::Lsh | AluOp::Rsh | AluOp::Arsh, Src::Imm(imm)) => {
                        Src::Imm(imm & if width == Width::W32 { 31 } else { 63 })
                    }
                    (AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod, Src::Imm(0)) => Src::Imm(3),
                    (_, src) => src,
                };
                self.push(alu(width, op, dst, src));
            }
        }
        self.guess(dst, Guess::Number);
    }

    fn branch(&mut self) {
        let all = [Guess::Number, Guess::Small, Guess::Number, Guess::Value];
        let Some(dst) = self.register(&all) else {
            return;
        };
        let width = if self.rng.chance(65) { Width::W64 } else { Width::W32 };
        let op = self.rng.pick(&JmpOp::ALL);
        let src = if self.rng.chance(65) {
            Src::Imm(self.imm())
        } else {
            Src::Reg(self.register(&all).unwrap_or(dst))
        };
        self.open.push((self.insns.len(), self.guesses));
        self.push(Insn::JumpIf {
            width,
            op,
            dst,
            src,
            off: 0,
        });
    }

    /// Let some open jumps land here.
    fn close_some(&mut self, percent: u64) {
        let here = self.insns.len();
        let mut index = 0;
        while index < self.open.len() {
            let (slot, guesses) = self.open[index];
            if slot + 1 < here && self.rng.chance(percent) {
                self.open.swap_remove(index);
                set_target(&mut self.insns[slot], here - slot - 1);
                for (now, then) in self.guesses.iter_mut().zip(guesses) {
                    if *now != then {
                        *now = Guess::Uninit;
                    }
                }
            } else {
                index += 1;
            }
        }
    }

    fn stack_offset(&mut self, size: i16) -> i16 {
        if !self.written.is_empty() && self.rng.chance(70) {
            let base = self.rng.pick(&self.written.clone());
            return base + self.rng.below((8 / size) as usize) as i16 * size;
        }
        -8 * (1 + self.rng.below(6) as i16)
    }

    fn spill(&mut self) {
        let size = if self.rng.chance(50) {
            Size::DW
        } else {
            self.rng.pick(&Size::ALL)
        };
        let off = self.stack_offset(size_bytes(size));
        let src = match self.rng.below(10) {
            0 | 1 => Src::Imm(self.imm()),
            2..=7 => match self.register(&[Guess::Number, Guess::Small]) {
                Some(reg) => Src::Reg(reg),
                None => return,
            },
            _ => match self.register(&[Guess::Value, Guess::Ctx]) {
                Some(reg) => Src::Reg(reg),
                None => return,
            },
        };
        self.push(Insn::Store {
            size,
            base: Reg::R10,
            off,
            src,
        });
        self.written.push(-8 * ((-off + 7) / 8));
    }

    fn fill(&mut self) {
        let size = if self.rng.chance(50) {
            Size::DW
        } else {
            self.rng.pick(&Size::ALL)
        };
        let off = self.stack_offset(size_bytes(size));
        let dst = self.any_dst();
        let sx = size != Size::DW && self.rng.chance(25);
        self.push(Insn::Load {
            size,
            sx,
            dst,
            base: Reg::R10,
            off,
        });
        self.guess(dst, Guess::Number);
    }

    fn value_access(&mut self) {
        let Some(base) = self.register(&[Guess::Value]) else {
            return;
        };
        let size = self.rng.pick(&Size::ALL);
        let off = self.rng.pick(&[0, 0, 4, 8, 8, 12, 16, 40, -4, -8, 60]);
        if self.rng.chance(50) {
            let dst = self.any_dst();
            let sx = size != Size::DW && self.rng.chance(25);
            self.push(Insn::Load {
                size,
                sx,
                dst,
                base,
                off,
            });
            self.guess(dst, Guess::Number);
        } else if let Some(src) = self.register(&[Guess::Number, Guess::Small]) {
            self.push(Insn::Store {
                size,
                base,
                off,
                src: Src::Reg(src),
            });
        }
    }

    /// A pointer moved by a number, which is bounded first (or not quite).
    fn bounded_pointer(&mut self) {
        let (Some(number), Some(pointer)) = (
            self.register(&[Guess::Number, Guess::Small]),
            self.register(&[Guess::Value]),
        ) else {
            return;
        };
        let width = if self.rng.chance(70) { Width::W64 } else { Width::W32 };
        match self.rng.below(5) {
            0 | 1 => {
                let imm = self.rng.pick(&[1, 3, 7, 8, 15, 31]);
                self.push(alu(width, AluOp::And, number, Src::Imm(imm)));
            }
            2 => {
                let imm = self.rng.pick(&[58, 60, 61, 28]);
                self.push(alu(Width::W64, AluOp::Rsh, number, Src::Imm(imm)));
            }
            _ => {
                for _ in 0..1 + self.rng.below(2) {
                    let op = self.rng.pick(&JmpOp::ALL);
                    let imm = self.rng.pick(&[0, 1, 7, 8, 15, 16, 31, -1]);
                    self.open.push((self.insns.len(), self.guesses));
                    self.push(Insn::JumpIf {
                        width,
                        op,
                        dst: number,
                        src: Src::Imm(imm),
                        off: 0,
                    });
                }
            }
        }
        let dst = if self.rng.chance(60) { pointer } else { self.any_dst() };
        if dst != pointer {
            if dst == number {
                return;
            }
            self.push(mov(dst, Src::Reg(pointer)));
        }
        let op = if self.rng.chance(85) { AluOp::Add } else { AluOp::Sub };
        self.push(alu(Width::W64, op, dst, Src::Reg(number)));
        self.guess(dst, Guess::Value);
        let size = self.rng.pick(&Size::ALL);
        if self.rng.chance(80) {
            let to = self.any_dst();
            let off = self.rng.pick(&[0, 0, 0, 1, 8, -1]);
            self.push(Insn::Load {
                size,
                sx: false,
                dst: to,
                base: dst,
                off,
            });
            self.guess(to, Guess::Number);
        }
    }

    /// A loop with a counter, of which the bound may be lost.
    fn looped(&mut self) {
        if self.depth > 0 {
            return;
        }
        self.depth += 1;
        let counter = self.rng.pick(&[Reg::R9, Reg::R7, Reg::R0]);
        let start = self.rng.pick(&[0, 1, 10]);
        self.push(mov(counter, Src::Imm(start)));
        self.guess(counter, Guess::Small);
        let head = self.insns.len();
        let before = self.open.len();
        for _ in 0..1 + self.rng.below(4) {
            self.one();
        }
        // Jumps out of the loop's body land behind it.
        let _ = before;
        let width = if self.rng.chance(70) { Width::W64 } else { Width::W32 };
        let step = self.rng.pick(&[1, 1, 2, 3]);
        self.push(alu(width, AluOp::Add, counter, Src::Imm(step)));
        let op = self.rng.pick(&[JmpOp::Lt, JmpOp::Le, JmpOp::SLt, JmpOp::Ne, JmpOp::Lt]);
        let limit = self.rng.pick(&[3, 8, 12, 16]);
        let off = head as i64 - self.insns.len() as i64 - 1;
        self.push(Insn::JumpIf {
            width,
            op,
            dst: counter,
            src: Src::Imm(limit),
            off: off as i16,
        });
        self.depth -= 1;
    }

    /// A call that reads or writes memory of a size in a register.
    fn memory_call(&mut self) {
        let Some(number) = self.register(&[Guess::Number, Guess::Small]) else {
            return;
        };
        let fill = self.rng.chance(50);
        let size_reg = if fill { Reg::R4 } else { Reg::R2 };
        self.push(mov(size_reg, Src::Reg(number)));
        if self.rng.chance(60) {
            let imm = self.rng.pick(&[7, 8, 15, 16, 4]);
            self.push(alu(Width::W64, AluOp::And, size_reg, Src::Imm(imm)));
        } else {
            let imm = self.rng.pick(&[1, 8, 12, 16]);
            self.push(mov(size_reg, Src::Imm(imm)));
        }
        let memory = if fill { Reg::R3 } else { Reg::R1 };
        match self.register(&[Guess::Value]) {
            Some(value) if self.rng.chance(40) && value != size_reg => {
                self.push(mov(memory, Src::Reg(value)));
            }
            _ => {
                self.push(mov(memory, Src::Reg(Reg::R10)));
                let off = self.rng.pick(&[-8, -16, -24, -12]);
                self.push(alu(Width::W64, AluOp::Add, memory, Src::Imm(off)));
            }
        }
        if fill {
            self.push(mov(Reg::R1, Src::Reg(Reg::R6)));
            self.push(mov(Reg::R2, Src::Imm(0)));
            self.call(26);
        } else {
            self.push(mov(Reg::R3, Src::Imm(0)));
            self.push(mov(Reg::R4, Src::Imm(0)));
            self.push(mov(Reg::R5, Src::Imm(0)));
            self.call(28);
        }
    }

    /// Rare things.
    fn odd(&mut self) {
        match self.rng.below(6) {
            0 => {
                // The stack at a variable offset.
                let Some(number) = self.register(&[Guess::Number, Guess::Small]) else {
                    return;
                };
                let dst = self.any_dst();
                if dst == number {
                    return;
                }
                let mask = self.rng.pick(&[7, 8, 15, 16, 24]);
                self.push(alu(Width::W64, AluOp::And, number, Src::Imm(mask)));
                self.push(mov(dst, Src::Reg(Reg::R10)));
                self.push(alu(Width::W64, AluOp::Add, dst, Src::Imm(-32)));
                self.push(alu(Width::W64, AluOp::Add, dst, Src::Reg(number)));
                let size = self.rng.pick(&[Size::B, Size::B, Size::W, Size::DW]);
                if self.rng.chance(50) {
                    let imm = self.rng.pick(&[0, 0, 1, -1]);
                    self.push(Insn::Store {
                        size,
                        base: dst,
                        off: 0,
                        src: Src::Imm(imm),
                    });
                    self.guess(dst, Guess::Frame);
                } else {
                    self.push(Insn::Load {
                        size,
                        sx: false,
                        dst,
                        base: dst,
                        off: 0,
                    });
                    self.guess(dst, Guess::Number);
                }
            }
            1 => {
                let ops = [
                    AtomicOp::Add { fetch: false },
                    AtomicOp::Add { fetch: true },
                    AtomicOp::Or { fetch: true },
                    AtomicOp::Xchg,
                    AtomicOp::CmpXchg,
                ];
                let Some(src) = self.register(&[Guess::Number, Guess::Small]) else {
                    return;
                };
                let size = self.rng.pick(&[Size::W, Size::DW]);
                let (base, off) = match self.register(&[Guess::Value]) {
                    Some(base) if self.rng.chance(50) => (base, 0),
                    _ => (Reg::R10, self.stack_offset(size_bytes(size))),
                };
                let op = self.rng.pick(&ops);
                self.push(Insn::Atomic {
                    op,
                    size,
                    base,
                    off,
                    src,
                });
            }
            2 => self.look_up(),
            3 => {
                let dst = self.any_dst();
                let off = self.rng.pick(&[0, 8, 40]);
                self.value_address(dst, off);
            }
            4 => {
                let Some(dst) = self.register(&[Guess::Value]) else {
                    return;
                };
                let imm = self.rng.pick(&[1, 4, 8, -4, -8, 16]);
                self.push(alu(Width::W64, AluOp::Add, dst, Src::Imm(imm)));
            }
            _ => {
                let Some(dst) = self.register(&[Guess::Number]) else {
                    return;
                };
                let bits = self.rng.pick(&[16, 32, 64]);
                let kind = isa::EndianKind::ToBe;
                self.push(Insn::Endian { dst, kind, bits });
            }
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

fn set_target(insn: &mut Insn, distance: usize) {
    if let Insn::JumpIf { off, .. } = insn {
        *off = distance as i16;
    }
}
