//! The steps about memory and calls that a generated program is made of.

use isa::{AluOp, AtomicOp, Call, EndianKind, Imm64, Insn, JmpOp, Reg, Size, Src, Width};

use super::{Generator, Guess, size_of};
use crate::generate::{alu, mov};
use crate::hunt::world::{Known, MAPS};

impl Generator<'_> {
    pub(super) fn field_load(&mut self) {
        let pointer = |guess| matches!(guess, Guess::Tp | Guess::Sample | Guess::Walked);
        let Some(base) = self.find(pointer) else {
            return;
        };
        let fields = match self.guesses[base.index()] {
            Guess::Sample => &self.shape.sample,
            _ => &self.shape.fields,
        };
        let (off, bytes) = fields[self.rng.below(fields.len())];
        let mut off = off as i16;
        if self.guesses[base.index()] == Guess::Walked {
            off = self.rng.pick(&[0, 8, 16, 24, 32]);
        }
        let size = match size_of(bytes) {
            Some(size) if self.rng.chance(80) => size,
            _ => self.rng.pick(&Size::ALL),
        };
        if self.rng.chance(8) {
            off += self.rng.pick(&[1, 2, 4, -1, -4, 8]);
        }
        let dst = self.any();
        self.load(size, dst, base, off);
        // Most are numbers; of pointers some are found out below.
        let guess = if bytes == 8 && self.rng.chance(40) {
            Guess::Walked
        } else {
            Guess::Num
        };
        self.guess(dst, guess);
    }

    pub(super) fn field_store(&mut self) {
        let Some(base) = self.find(|guess| matches!(guess, Guess::Tp)) else {
            return;
        };
        let (start, bytes) = self.rng.pick(&self.shape.writable);
        let (off, size) = match size_of(bytes) {
            Some(size) => (start as i16, size),
            None => {
                let off = self.rng.below(bytes as usize) as i16 & self.rng.pick(&[!7, !3, !1, !0]);
                (start as i16 + off, self.rng.pick(&Size::ALL))
            }
        };
        let size = if self.rng.chance(6) {
            self.rng.pick(&Size::ALL)
        } else {
            size
        };
        let off = if self.rng.chance(4) {
            off + self.rng.pick(&[1, -4, 4, 8])
        } else {
            off
        };
        let src = match self.find(|guess| !matches!(guess, Guess::Uninit)) {
            Some(reg) if self.rng.chance(70) => Src::Reg(reg),
            _ => Src::Imm(self.rng.imm()),
        };
        self.push(Insn::Store { size, base, off, src });
    }

    fn slot(&mut self, bytes: i16) -> i16 {
        let base = match self.slots.len() {
            0 => -8,
            n if self.rng.chance(75) => self.slots[self.rng.below(n)].0,
            _ => -8 * (1 + self.rng.below(8) as i16),
        };
        base + self.rng.below((8 / bytes) as usize) as i16 * bytes
    }

    pub(super) fn spill(&mut self) {
        let size = if self.rng.chance(60) {
            Size::DW
        } else {
            self.rng.pick(&Size::ALL)
        };
        let base = match self.find(|guess| guess == Guess::Caller) {
            Some(caller) if self.rng.chance(40) => caller,
            _ => Reg::R10,
        };
        let mut off = -8 * (1 + self.rng.below(6) as i16);
        if self.rng.chance(30) {
            off = self.slot(size.bytes() as i16);
        }
        if base != Reg::R10 {
            off = self.rng.pick(&[0, 0, 0, 4, 8, -8]);
        }
        let (src, guess) = match self.find(|guess| guess != Guess::Uninit) {
            Some(reg) if self.rng.chance(85) => (Src::Reg(reg), self.guesses[reg.index()]),
            _ => (Src::Imm(self.rng.imm()), Guess::Num),
        };
        let whole = size == Size::DW || guess == Guess::Num || self.rng.chance(5);
        let size = if whole { size } else { Size::DW };
        let off = if whole { off } else { off & !7 };
        self.push(Insn::Store { size, base, off, src });
        if base == Reg::R10 {
            let start = -8 * ((-off + 7) / 8);
            self.slots.retain(|slot| slot.0 != start);
            self.slots.push((start, guess));
        }
    }

    pub(super) fn fill(&mut self) {
        let dst = self.any();
        if let Some(caller) = self.find(|guess| guess == Guess::Caller)
            && self.rng.chance(40)
        {
            let size = self.rng.pick(&Size::ALL);
            let off = self.rng.pick(&[0, 0, 4, 8, -8]);
            self.load(size, dst, caller, off);
            self.guess(dst, Guess::Num);
            return;
        }
        let Some(index) = self.slots.len().checked_sub(1) else {
            return;
        };
        let index = self.rng.below(index + 1);
        let (start, guess) = self.slots[index];
        if guess == Guess::Num && self.rng.chance(60) {
            let size = self.rng.pick(&Size::ALL);
            let off = start + self.rng.below(8 / size.bytes() as usize) as i16 * size.bytes() as i16;
            self.load(size, dst, Reg::R10, off);
            self.guess(dst, Guess::Num);
        } else {
            self.load(Size::DW, dst, Reg::R10, start);
            self.guess(dst, guess);
        }
    }

    fn map(&mut self) -> Known {
        let which = self.rng.pick(&[0, 0, 1, 1, 2, 3, 4, 5]);
        MAPS[which]
    }

    fn key(&mut self, size: u32) {
        let off = if self.rng.chance(95) {
            -(size as i16 + 7) & !7
        } else {
            -4
        };
        if self.rng.chance(90) {
            let size = if size == 4 { Size::W } else { Size::DW };
            let src = match self.find_number() {
                Some(reg) if self.rng.chance(50) => Src::Reg(reg),
                _ => Src::Imm(1),
            };
            self.push(Insn::Store {
                size,
                base: Reg::R10,
                off,
                src,
            });
        }
        self.push(mov(Reg::R2, Src::Reg(Reg::R10)));
        self.push(alu(Width::W64, AluOp::Add, Reg::R2, Src::Imm(off.into())));
        self.slots.retain(|slot| slot.0 != off);
        self.slots.push((off, Guess::Num));
    }

    pub(super) fn look_up(&mut self) {
        let map = self.map();
        self.key(map.key_size);
        self.wide(Reg::R1, Imm64::MapFd(map.fd));
        self.call(Call::Helper(1));
        self.guess(Reg::R0, Guess::Maybe(map.value_size));
        if self.rng.chance(60) {
            let dst = self.rng.pick(&[Reg::R7, Reg::R8, Reg::R9]);
            self.push(mov(dst, Src::Reg(Reg::R0)));
            self.guess(dst, Guess::Maybe(map.value_size));
        }
        if self.rng.chance(75) {
            self.null_test();
        }
    }

    pub(super) fn null_test(&mut self) {
        let Some(reg) = self.find(|guess| matches!(guess, Guess::Maybe(_))) else {
            return;
        };
        let op = if self.rng.chance(80) {
            JmpOp::Eq
        } else {
            self.rng.pick(&JmpOp::ALL)
        };
        let width = if self.rng.chance(95) { Width::W64 } else { Width::W32 };
        self.open.push((self.insns.len(), self.guesses));
        self.push(Insn::JumpIf {
            width,
            op,
            dst: reg,
            src: Src::Imm(0),
            off: 0,
        });
        for guess in &mut self.guesses {
            if let Guess::Maybe(size) = *guess {
                *guess = Guess::Value(size);
            }
        }
    }

    pub(super) fn value_access(&mut self) {
        let maybe = self.rng.chance(8);
        let Some(base) =
            self.find(|guess| matches!(guess, Guess::Value(_)) || maybe && matches!(guess, Guess::Maybe(_)))
        else {
            return;
        };
        let (Guess::Value(bytes) | Guess::Maybe(bytes)) = self.guesses[base.index()] else {
            return;
        };
        let size = self.rng.pick(&Size::ALL);
        let off = self.rng.below(bytes as usize) as i16 & !7;
        let off = if self.rng.chance(8) {
            off + self.rng.pick(&[-8, -1, 1, 8, 16])
        } else {
            off
        };
        let dst = self.any();
        if self.rng.chance(50) {
            self.load(size, dst, base, off);
            self.guess(dst, Guess::Num);
        } else if let Some(src) = self.find(|guess| guess != Guess::Uninit) {
            let src = Src::Reg(src);
            self.push(Insn::Store { size, base, off, src });
        }
    }

    /// A pointer moved by a number that was bounded, or nearly.
    pub(super) fn moved_pointer(&mut self) {
        let pointer = |guess| matches!(guess, Guess::Value(_) | Guess::Caller | Guess::Tp | Guess::Maybe(_));
        let (Some(number), Some(pointer)) = (self.find_number(), self.find(pointer)) else {
            return;
        };
        match self.rng.below(4) {
            0 | 1 => {
                let imm = self.rng.pick(&[1, 3, 7, 8, 15, 31, 63]);
                let width = self.rng.pick(&[Width::W64, Width::W32]);
                self.push(alu(width, AluOp::And, number, Src::Imm(imm)));
            }
            2 => {
                let imm = self.rng.pick(&[58, 60, 61]);
                self.push(alu(Width::W64, AluOp::Rsh, number, Src::Imm(imm)));
            }
            _ => {
                for _ in 0..1 + self.rng.below(2) {
                    let imm = self.rng.pick(&[0, 1, 7, 8, 15, 16, 31, -1]);
                    self.jump(number, Src::Imm(imm));
                }
            }
        }
        let dst = self.rng.pick(&[Reg::R1, Reg::R2, Reg::R3, Reg::R4, Reg::R5, pointer]);
        if dst == number {
            return;
        }
        self.push(mov(dst, Src::Reg(pointer)));
        let op = if self.rng.chance(85) { AluOp::Add } else { AluOp::Sub };
        let (dst, src) = if self.rng.chance(85) {
            (dst, number)
        } else {
            (number, dst)
        };
        self.push(alu(Width::W64, op, dst, Src::Reg(src)));
        let guess = self.guesses[pointer.index()];
        self.guess(dst, guess);
        let size = self.rng.pick(&Size::ALL);
        let to = self.any();
        let off = self.rng.pick(&[0, 0, 0, 1, 8, -1]);
        self.load(size, to, dst, off);
        self.guess(to, Guess::Num);
    }

    pub(super) fn copy(&mut self) {
        let Some(src) = self.find(|guess| guess != Guess::Uninit) else {
            return;
        };
        let dst = self.any();
        if self.rng.chance(85) {
            self.push(mov(dst, Src::Reg(src)));
            let guess = self.guesses[src.index()];
            self.guess(dst, guess);
        } else {
            self.push(alu(Width::W32, AluOp::Mov, dst, Src::Reg(src)));
            self.guess(dst, Guess::Num);
        }
    }

    pub(super) fn looped(&mut self) {
        if std::mem::replace(&mut self.looping, true) {
            return;
        }
        let counter = self.rng.pick(&[Reg::R7, Reg::R8, Reg::R9]);
        let unbounded = self.rng.chance(10);
        if !unbounded {
            let start = self.rng.pick(&[0, 1, 5]);
            self.push(mov(counter, Src::Imm(start)));
            self.guess(counter, Guess::Num);
        }
        let head = self.insns.len();
        for _ in 0..1 + self.rng.below(4) {
            self.step();
        }
        let width = self.rng.pick(&[Width::W64, Width::W64, Width::W32]);
        let step = self.rng.pick(&[1, 1, 2]);
        self.push(alu(width, AluOp::Add, counter, Src::Imm(step)));
        let op = self.rng.pick(&[JmpOp::Lt, JmpOp::Le, JmpOp::SLt, JmpOp::Ne]);
        let src = match self.find_number() {
            Some(reg) if self.rng.chance(15) => Src::Reg(reg),
            _ => Src::Imm(self.rng.pick(&[3, 8, 13])),
        };
        let off = head as i64 - self.insns.len() as i64 - 1;
        self.push(Insn::JumpIf {
            width,
            op,
            dst: counter,
            src,
            off: off as i16,
        });
        self.looping = false;
    }

    pub(super) fn kfunc(&mut self) {
        let Some(tp) = self.find(|guess| guess == Guess::Tp || guess == Guess::Walked) else {
            return;
        };
        if self.shape.args.is_empty() {
            return;
        }
        let btf_id = self.rng.pick(&self.shape.kfuncs);
        if tp != Reg::R1 {
            self.push(mov(Reg::R1, Src::Reg(tp)));
        }
        for reg in [Reg::R2, Reg::R3] {
            match self.find(|guess| guess == Guess::Num) {
                Some(number) if self.rng.chance(60) && number != Reg::R1 => self.push(mov(reg, Src::Reg(number))),
                _ => self.push(mov(reg, Src::Imm(1))),
            }
        }
        self.call(Call::Kfunc { btf_id, module: 0 });
    }

    /// Helpers that read or write memory.
    pub(super) fn helper(&mut self) {
        let number = self.find_number();
        match self.rng.below(4) {
            0 => {
                let map = self.map();
                let off = self.rng.pick(&[-16, -48, -64]);
                self.key(map.key_size);
                match self.find(|guess| matches!(guess, Guess::Value(_) | Guess::Frame | Guess::Caller)) {
                    Some(value) if self.rng.chance(50) && value != Reg::R2 => {
                        self.push(mov(Reg::R3, Src::Reg(value)));
                    }
                    _ => {
                        self.push(mov(Reg::R3, Src::Reg(Reg::R10)));
                        self.push(alu(Width::W64, AluOp::Add, Reg::R3, Src::Imm(off)));
                    }
                }
                self.push(mov(Reg::R4, Src::Imm(0)));
                self.wide(Reg::R1, Imm64::MapFd(map.fd));
                let id = self.rng.pick(&[2, 2, 3]);
                self.call(Call::Helper(id));
            }
            1 | 2 => {
                // Text to print, or bytes to read.
                let off = self.rng.pick(&[-8, -16, -24, -12, -1]);
                match self.find(|guess| matches!(guess, Guess::Value(_) | Guess::Caller)) {
                    Some(value) if self.rng.chance(50) => self.push(mov(Reg::R1, Src::Reg(value))),
                    _ => {
                        self.push(mov(Reg::R1, Src::Reg(Reg::R10)));
                        self.push(alu(Width::W64, AluOp::Add, Reg::R1, Src::Imm(off)));
                    }
                }
                match number {
                    Some(number) if self.rng.chance(60) && number != Reg::R1 => {
                        self.push(mov(Reg::R2, Src::Reg(number)));
                        if self.rng.chance(60) {
                            let imm = self.rng.pick(&[7, 8, 15, 16]);
                            self.push(alu(Width::W64, AluOp::And, Reg::R2, Src::Imm(imm)));
                        }
                        if self.rng.chance(30) {
                            self.push(alu(Width::W64, AluOp::Add, Reg::R2, Src::Imm(1)));
                        }
                    }
                    _ => {
                        let imm = self.rng.pick(&[0, 1, 8, 12, 16]);
                        self.push(mov(Reg::R2, Src::Imm(imm)));
                    }
                }
                for reg in [Reg::R3, Reg::R4, Reg::R5] {
                    self.push(mov(reg, Src::Imm(0)));
                }
                let id = self.rng.pick(&[6, 113]);
                self.call(Call::Helper(id));
            }
            _ => {
                let Some(tp) = self.find(|guess| guess == Guess::Tp) else {
                    return;
                };
                self.push(mov(Reg::R1, Src::Reg(tp)));
                self.push(mov(Reg::R2, Src::Imm(0)));
                self.call(Call::Helper(116));
            }
        }
    }

    pub(super) fn subprog(&mut self, to: usize) {
        if let Some(number) = self.find(|guess| guess == Guess::Num) {
            self.push(mov(Reg::R1, Src::Reg(number)));
        } else {
            self.push(mov(Reg::R1, Src::Imm(4)));
        }
        self.guess(Reg::R1, Guess::Num);
        let pointer = |guess| {
            matches!(
                guess,
                Guess::Value(_) | Guess::Tp | Guess::Caller | Guess::Maybe(_) | Guess::Ctx
            )
        };
        match self.find(pointer) {
            Some(other) if self.rng.chance(25) => self.push(mov(Reg::R2, Src::Reg(other))),
            _ => {
                let off = self.rng.pick(&[-8, -16, -24, -32]);
                if self.rng.chance(80) {
                    self.push(Insn::Store {
                        size: Size::DW,
                        base: Reg::R10,
                        off: off as i16,
                        src: Src::Imm(0),
                    });
                    self.slots.retain(|slot| i32::from(slot.0) != off);
                    self.slots.push((off as i16, Guess::Num));
                }
                self.push(mov(Reg::R2, Src::Reg(Reg::R10)));
                self.push(alu(Width::W64, AluOp::Add, Reg::R2, Src::Imm(off)));
            }
        }
        self.calls.push((self.insns.len(), to));
        self.call(Call::Subprog { off: 0 });
    }

    pub(super) fn atomic(&mut self) {
        let fetch = self.rng.chance(60);
        let ops = [
            AtomicOp::Add { fetch },
            AtomicOp::Or { fetch },
            AtomicOp::And { fetch },
            AtomicOp::Xor { fetch },
            AtomicOp::Xchg,
            AtomicOp::CmpXchg,
        ];
        let Some(src) = self.find(|guess| guess == Guess::Num) else {
            return;
        };
        let op = self.rng.pick(&ops);
        let size = self.rng.pick(&[Size::W, Size::DW]);
        let base = self.find(|guess| {
            matches!(
                guess,
                Guess::Value(_) | Guess::Caller | Guess::Tp | Guess::Ctx | Guess::Walked
            )
        });
        let (base, off) = match base {
            Some(base) if self.rng.chance(40) => (base, self.rng.pick(&[0, 0, 4, 8])),
            _ => (Reg::R10, self.slot(size.bytes() as i16)),
        };
        self.push(Insn::Atomic {
            op,
            size,
            base,
            off,
            src,
        });
        if fetch && !matches!(op, AtomicOp::CmpXchg) {
            self.guess(src, Guess::Num);
        }
    }

    pub(super) fn variable_stack(&mut self) {
        let Some(number) = self.find_number() else {
            return;
        };
        let dst = self.any();
        if dst == number {
            return;
        }
        let mask = self.rng.pick(&[7, 8, 15, 16, 24, 3]);
        self.push(alu(Width::W64, AluOp::And, number, Src::Imm(mask)));
        self.push(mov(dst, Src::Reg(Reg::R10)));
        let off = self.rng.pick(&[-32, -16, -24]);
        self.push(alu(Width::W64, AluOp::Add, dst, Src::Imm(off)));
        self.push(alu(Width::W64, AluOp::Add, dst, Src::Reg(number)));
        let size = self.rng.pick(&[Size::B, Size::B, Size::W, Size::DW]);
        self.guess(dst, Guess::Frame);
        if self.rng.chance(50) {
            let src = match self.find(|guess| guess != Guess::Uninit) {
                Some(reg) if self.rng.chance(50) => Src::Reg(reg),
                _ => Src::Imm(self.rng.pick(&[0, 0, 1, -1])),
            };
            self.push(Insn::Store {
                size,
                base: dst,
                off: 0,
                src,
            });
        } else {
            self.load(size, dst, dst, 0);
            self.guess(dst, Guess::Num);
        }
    }

    pub(super) fn odd(&mut self) {
        let Some(dst) = self.find(|guess| guess != Guess::Uninit) else {
            return;
        };
        let width = self.rng.pick(&[Width::W64, Width::W32]);
        match self.rng.below(6) {
            0 => self.push(Insn::Neg { width, dst }),
            1 => {
                let kind = self.rng.pick(&[EndianKind::ToBe, EndianKind::ToLe, EndianKind::Bswap]);
                let bits = self.rng.pick(&[16, 32, 64]);
                self.push(Insn::Endian { dst, kind, bits });
            }
            2 => {
                let src = dst;
                let dst = self.any();
                let from = self.rng.pick(&[Size::B, Size::H]);
                self.push(Insn::MovSx { width, dst, src, from });
                self.guess(dst, Guess::Num);
            }
            3 => {
                let map = self.map();
                let dst = self.any();
                self.wide(dst, Imm64::MapFd(map.fd));
                self.guess(dst, Guess::Map(map.fd));
            }
            4 => {
                let map = self.map();
                let dst = self.any();
                let off = self.rng.pick(&[0, 0, 8, 15]);
                self.wide(dst, Imm64::MapValue { fd: map.fd, off });
                self.guess(dst, Guess::Value(map.value_size - off));
            }
            _ => {
                let imm = self.rng.pick(&[1, 4, 8, -4, -8]);
                self.push(alu(width, AluOp::Add, dst, Src::Imm(imm)));
            }
        }
    }
}
