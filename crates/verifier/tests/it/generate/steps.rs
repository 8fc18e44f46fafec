//! The steps of a generated program: each changes what registers and the stack hold, and what is guessed of them.

use super::{Generator, Guess, alu, mov, set_target};
use isa::{AluOp, AtomicOp, Insn, JmpOp, Reg, Size, Src, Width};

impl Generator<'_> {
    pub(super) fn copy(&mut self) {
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

    pub(super) fn arithmetic(&mut self) {
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

    pub(super) fn branch(&mut self) {
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
    pub(super) fn close_some(&mut self, percent: u64) {
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

    pub(super) fn spill(&mut self) {
        let size = if self.rng.chance(50) {
            Size::DW
        } else {
            self.rng.pick(&Size::ALL)
        };
        let off = self.stack_offset(size.bytes() as i16);
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

    pub(super) fn fill(&mut self) {
        let size = if self.rng.chance(50) {
            Size::DW
        } else {
            self.rng.pick(&Size::ALL)
        };
        let off = self.stack_offset(size.bytes() as i16);
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

    pub(super) fn value_access(&mut self) {
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
    pub(super) fn bounded_pointer(&mut self) {
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
    pub(super) fn looped(&mut self) {
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
    pub(super) fn memory_call(&mut self) {
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
    pub(super) fn odd(&mut self) {
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
                    _ => (Reg::R10, self.stack_offset(size.bytes() as i16)),
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
}
