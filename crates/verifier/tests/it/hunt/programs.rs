//! Random programs in the shape of congestion controls: arguments, fields of the socket, private data, maps, spills,
//! calls, loops. Each step is likely to be safe and has a chance of being just beyond.

mod steps;

use btf::{Btf, Kind, TypeId};
use isa::{AluOp, Call, Imm64, Insn, JmpOp, Reg, Size, Src, Width};

use super::world::KFUNCS;
use crate::generate::{alu, mov, set_target};
use crate::rng::Rng;

impl Rng {
    /// A constant, most often one near an edge.
    pub(crate) fn imm(&mut self) -> i32 {
        if self.chance(85) {
            self.pick(&IMMS)
        } else {
            self.next() as i32 >> self.below(32)
        }
    }
}

pub(crate) const IMMS: [i32; 28] = [
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
    127,
    128,
    255,
    256,
    0xffff,
    0x10000,
    -1,
    -2,
    -8,
    -128,
    i32::MAX,
    i32::MIN,
];

const OPS: [AluOp; 13] = [
    AluOp::Add,
    AluOp::Sub,
    AluOp::Mul,
    AluOp::Div,
    AluOp::SDiv,
    AluOp::Or,
    AluOp::And,
    AluOp::Lsh,
    AluOp::Rsh,
    AluOp::Mod,
    AluOp::SMod,
    AluOp::Xor,
    AluOp::Arsh,
];

/// A member of a structure, however deep: offset and bytes.
type Field = (u32, u32);

/// What the programs for one place can be made of.
pub(crate) struct Shape {
    /// What each argument is; empty for a socket filter.
    args: Vec<Guess>,
    fields: Vec<Field>,
    sample: Vec<Field>,
    writable: Vec<Field>,
    kfuncs: Vec<u32>,
}

impl Shape {
    pub(crate) fn of(btf: &Btf, place: &str) -> Self {
        let named = |name: &str| btf.find(name, Kind::Struct).expect("a structure");
        let tcp_sock = named("tcp_sock");
        let field = |ty: &str, path: &str| {
            let field = btf.field(named(ty), path).expect("a field");
            (field.byte_offset(), btf.size_of(field.ty).expect("a size"))
        };
        let mut shape = Self {
            args: Vec::new(),
            fields: Vec::new(),
            sample: Vec::new(),
            writable: [
                ("sock", "sk_pacing_rate"),
                ("inet_connection_sock", "icsk_ca_priv"),
                ("tcp_sock", "snd_cwnd"),
                ("tcp_sock", "snd_ssthresh"),
                ("tcp_sock", "snd_cwnd_cnt"),
                ("tcp_sock", "app_limited"),
            ]
            .map(|(ty, path)| field(ty, path))
            .to_vec(),
            kfuncs: KFUNCS
                .map(|name| btf.find(name, Kind::Func).expect("a function").0)
                .to_vec(),
        };
        if place == "socket_filter" {
            return shape;
        }
        let member = btf.field(named("tcp_congestion_ops"), place).expect("a member");
        let proto = btf.pointee(member.ty).expect("a pointer").expect("a pointer");
        for (index, param) in proto.func_proto().expect("a function").params().enumerate() {
            let pointee = btf.pointee(param.ty).expect("a type");
            shape.args.push(match pointee {
                Some(_) if index == 0 => Guess::Tp,
                Some(pointee) => {
                    flatten(btf, pointee.id, 0, &mut shape.sample, 0);
                    Guess::Sample
                }
                None => Guess::Num,
            });
        }
        flatten(btf, tcp_sock, 0, &mut shape.fields, 0);
        shape
    }
}

fn flatten(btf: &Btf, ty: TypeId, at: u32, out: &mut Vec<Field>, depth: u32) {
    let Ok(resolved) = btf.resolve(ty) else {
        return;
    };
    let Some(composite) = resolved.composite().filter(|_| depth < 8) else {
        if let Ok(size) = btf.size_of(ty) {
            out.push((at, size));
        }
        return;
    };
    for member in composite.members() {
        flatten(btf, member.ty, at + member.byte_offset(), out, depth + 1);
    }
}

/// A guess of what a register holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Guess {
    Uninit,
    Num,
    Ctx,
    Frame,
    /// Stack of a caller, some bytes below its frame pointer.
    Caller,
    /// Inside a map's value.
    Value(u32),
    /// The same, not tested.
    Maybe(u32),
    Map(i32),
    Tp,
    Sample,
    /// A pointer loaded from a structure.
    Walked,
}

/// A function under construction.
struct Generator<'a> {
    rng: &'a mut Rng,
    shape: &'a Shape,
    insns: Vec<Insn>,
    guesses: [Guess; 11],
    open: Vec<(usize, [Guess; 11])>,
    /// Stack offsets that were written, and what.
    slots: Vec<(i16, Guess)>,
    /// Calls of the program's functions: slot, and index of the function.
    calls: Vec<(usize, usize)>,
    functions: usize,
    own: usize,
    looping: bool,
}

/// A random program; `seed` says all.
pub(crate) fn program(shape: &Shape, seed: u64) -> Vec<Insn> {
    let mut rng = Rng::new(seed.wrapping_mul(0x1234_5678_9abc_def1) ^ shape.args.len() as u64);
    let functions = rng.pick(&[0, 0, 1, 1, 2]);
    let mut insns = Vec::new();
    let mut starts = Vec::new();
    let mut calls = Vec::new();
    for own in 0..=functions {
        let mut generator = Generator {
            rng: &mut rng,
            shape,
            insns: Vec::new(),
            guesses: [Guess::Uninit; 11],
            open: Vec::new(),
            slots: Vec::new(),
            calls: Vec::new(),
            functions,
            own,
            looping: false,
        };
        generator.function();
        let start = insns.len();
        starts.push(start);
        calls.extend(generator.calls.iter().map(|(slot, to)| (start + slot, *to)));
        insns.extend(generator.insns);
    }
    for (slot, to) in calls {
        let off = starts[to] as i32 - slot as i32 - 1;
        insns[slot] = Insn::Call(Call::Subprog { off });
    }
    if rng.chance(35) {
        let times = 1 + rng.below(2);
        for _ in 0..times {
            mutate(&mut rng, &mut insns);
        }
    }
    insns
}

/// Change one instruction a little.
fn mutate(rng: &mut Rng, insns: &mut [Insn]) {
    let at = rng.below(insns.len());
    let other = rng.pick(&Reg::ALL);
    match &mut insns[at] {
        Insn::Alu { op, src, width, dst } => match rng.below(5) {
            0 if *op != AluOp::Mov => *op = rng.pick(&OPS),
            1 => {
                if let Src::Imm(imm) = src {
                    *imm = imm.wrapping_add(rng.pick(&[1, -1, 8, -8]));
                }
            }
            2 => *dst = other,
            3 => *src = Src::Reg(other),
            _ => *width = flip(*width),
        },
        Insn::JumpIf {
            op,
            src,
            width,
            dst,
            off,
        } => match rng.below(5) {
            0 => *op = rng.pick(&JmpOp::ALL),
            1 => {
                if let Src::Imm(imm) = src {
                    *imm = imm.wrapping_add(rng.pick(&[1, -1, 8, -8]));
                }
            }
            2 => *dst = other,
            3 => *off = off.wrapping_add(rng.pick(&[1, -1, 2, -3])),
            _ => *width = flip(*width),
        },
        Insn::Load {
            off, size, base, sx, ..
        } => match rng.below(4) {
            0 => *off = off.wrapping_add(rng.pick(&[1, -1, 4, -4, 8, -8, 16])),
            1 => *base = other,
            2 => *sx = *size != Size::DW && !*sx,
            _ => *size = rng.pick(&Size::ALL),
        },
        Insn::Store { off, size, base, src } => match rng.below(4) {
            0 => *off = off.wrapping_add(rng.pick(&[1, -1, 4, -4, 8, -8, 16])),
            1 => *base = other,
            2 => *src = Src::Reg(other),
            _ => *size = rng.pick(&Size::ALL),
        },
        Insn::Call(Call::Helper(id)) => *id = rng.pick(&[1, 2, 3, 5, 6, 7, 113, 116, 118]),
        insn @ (Insn::Exit | Insn::Jump { .. } | Insn::Neg { .. }) => {
            *insn = mov(other, Src::Imm(1));
        }
        _ => {}
    }
}

fn flip(width: Width) -> Width {
    match width {
        Width::W32 => Width::W64,
        Width::W64 => Width::W32,
    }
}

fn size_of(bytes: u32) -> Option<Size> {
    Some(match bytes {
        1 => Size::B,
        2 => Size::H,
        4 => Size::W,
        8 => Size::DW,
        _ => return None,
    })
}

impl Generator<'_> {
    fn push(&mut self, insn: Insn) {
        self.insns.push(insn);
    }

    fn guess(&mut self, reg: Reg, guess: Guess) {
        self.guesses[reg.index()] = guess;
    }

    fn load(&mut self, size: Size, dst: Reg, base: Reg, off: i16) {
        let sx = size != Size::DW && self.rng.chance(15);
        self.push(Insn::Load {
            size,
            sx,
            dst,
            base,
            off,
        });
    }

    fn wide(&mut self, dst: Reg, imm: Imm64) {
        self.push(Insn::LoadImm64 { dst, imm });
        self.push(Insn::LoadImm64Hi);
    }

    fn function(&mut self) {
        self.guess(Reg::R10, Guess::Frame);
        if self.own == 0 {
            self.guess(Reg::R1, Guess::Ctx);
            self.push(mov(Reg::R9, Src::Reg(Reg::R1)));
            self.guess(Reg::R9, Guess::Ctx);
            if !self.shape.args.is_empty() {
                self.push(Insn::Load {
                    size: Size::DW,
                    sx: false,
                    dst: Reg::R6,
                    base: Reg::R1,
                    off: 0,
                });
                self.guess(Reg::R6, Guess::Tp);
            }
        } else {
            // What callers are likely to give.
            self.guess(Reg::R1, Guess::Num);
            self.guess(Reg::R2, Guess::Caller);
            self.push(mov(Reg::R6, Src::Reg(Reg::R1)));
            self.push(mov(Reg::R7, Src::Reg(Reg::R2)));
            self.guess(Reg::R6, Guess::Num);
            self.guess(Reg::R7, Guess::Caller);
        }
        self.number(Reg::R8);
        self.push(mov(Reg::R0, Src::Imm(0)));
        self.guess(Reg::R0, Guess::Num);
        let length = 3 + self.rng.below(if self.own == 0 { 18 } else { 8 });
        for _ in 0..length {
            self.close_some(18);
            self.step();
        }
        if self.own < self.functions && self.calls.iter().all(|call| call.1 != self.own + 1) {
            // A function that nobody calls is refused at once.
            self.subprog(self.own + 1);
        }
        let here = self.insns.len();
        for (slot, _) in std::mem::take(&mut self.open) {
            set_target(&mut self.insns[slot], here - slot - 1);
        }
        if self.rng.chance(85) {
            self.push(mov(Reg::R0, Src::Imm(0)));
        }
        self.push(Insn::Exit);
    }

    fn step(&mut self) {
        match self.rng.below(34) {
            0 | 1 => {
                let dst = self.any();
                self.number(dst);
            }
            2..=5 => self.arithmetic(),
            6..=8 => self.branch(),
            9..=11 => self.field_load(),
            12 | 13 => self.field_store(),
            14 | 15 => self.spill(),
            16..=18 => self.fill(),
            19 | 20 => self.look_up(),
            21 => self.null_test(),
            22 | 23 => self.value_access(),
            24 => self.moved_pointer(),
            25 => self.copy(),
            26 => self.looped(),
            27 => self.kfunc(),
            28 => self.helper(),
            29 | 30 if self.own < self.functions => {
                let to = self.own + 1 + self.rng.below(self.functions - self.own);
                self.subprog(to);
            }
            29 | 30 => self.field_load(),
            31 => self.atomic(),
            32 => self.variable_stack(),
            _ => self.odd(),
        }
    }

    fn any(&mut self) -> Reg {
        self.rng.pick(&Reg::ALL[..10])
    }

    fn find(&mut self, wanted: impl Fn(Guess) -> bool) -> Option<Reg> {
        let fit: Vec<Reg> = Reg::ALL[..10]
            .iter()
            .copied()
            .filter(|reg| wanted(self.guesses[reg.index()]))
            .collect();
        (!fit.is_empty()).then(|| self.rng.pick(&fit))
    }

    fn find_number(&mut self) -> Option<Reg> {
        self.find(|guess| guess == Guess::Num)
    }

    fn call(&mut self, call: Call) {
        self.push(Insn::Call(call));
        for reg in &Reg::ALL[1..=5] {
            self.guesses[reg.index()] = Guess::Uninit;
        }
        self.guess(Reg::R0, Guess::Num);
    }

    fn number(&mut self, dst: Reg) {
        match self.rng.below(6) {
            0 => {
                let imm = self.rng.imm();
                self.push(mov(dst, Src::Imm(imm)));
            }
            1 | 2 => {
                let id = self.rng.pick(&[5, 7, 118]);
                self.call(Call::Helper(id));
                self.push(mov(dst, Src::Reg(Reg::R0)));
            }
            3 => {
                let offs = [0, 4, 8];
                let off = self.rng.pick(&offs);
                self.wide(dst, Imm64::MapValue { fd: 3, off: 0 });
                let size = self.rng.pick(&Size::ALL);
                self.load(size, dst, dst, off);
            }
            4 => {
                let value = self.rng.next() >> self.rng.below(64);
                self.wide(dst, Imm64::Value(value));
            }
            _ => {
                // A constant map, or an argument.
                let numbers: Vec<i16> = (0..)
                    .zip(&self.shape.args)
                    .filter(|(_, arg)| **arg == Guess::Num)
                    .map(|(i, _)| 8 * i)
                    .collect();
                match self.find(|guess| guess == Guess::Ctx) {
                    Some(ctx) if !numbers.is_empty() => {
                        let off = self.rng.pick(&numbers);
                        let size = self.rng.pick(&[Size::DW, Size::W, Size::W, Size::B]);
                        self.load(size, dst, ctx, off);
                    }
                    _ => {
                        let off = self.rng.pick(&[0, 4, 7, 8, 12]);
                        self.wide(dst, Imm64::MapValue { fd: 4, off: 0 });
                        let size = self.rng.pick(&[Size::B, Size::W, Size::H]);
                        self.load(size, dst, dst, off);
                    }
                }
            }
        }
        self.guess(dst, Guess::Num);
    }

    fn arithmetic(&mut self) {
        let Some(dst) = self.find_number() else {
            return;
        };
        let src = self.find_number().unwrap_or(dst);
        let insn = arithmetic(self.rng, dst, src);
        self.push(insn);
    }

    fn branch(&mut self) {
        let Some(dst) = self.find_number() else {
            return;
        };
        let src = match self.find(|guess| !matches!(guess, Guess::Uninit)) {
            Some(src) if self.rng.chance(30) => Src::Reg(src),
            _ => Src::Imm(self.rng.imm()),
        };
        self.jump(dst, src);
    }

    fn jump(&mut self, dst: Reg, src: Src) {
        let width = if self.rng.chance(65) { Width::W64 } else { Width::W32 };
        let op = self.rng.pick(&JmpOp::ALL);
        self.open.push((self.insns.len(), self.guesses));
        self.push(Insn::JumpIf {
            width,
            op,
            dst,
            src,
            off: 0,
        });
    }

    fn close_some(&mut self, percent: u64) {
        let here = self.insns.len();
        let mut index = 0;
        while index < self.open.len() {
            let (slot, guesses) = self.open[index];
            if slot + 1 < here && self.rng.chance(percent) {
                self.open.swap_remove(index);
                set_target(&mut self.insns[slot], here - slot - 1);
                for (now, then) in self.guesses.iter_mut().zip(guesses) {
                    if *now != then && self.rng.chance(80) {
                        *now = Guess::Uninit;
                    }
                }
            } else {
                index += 1;
            }
        }
    }
}

/// One operation on numbers.
pub(crate) fn arithmetic(rng: &mut Rng, dst: Reg, other: Reg) -> Insn {
    let width = if rng.chance(60) { Width::W64 } else { Width::W32 };
    match rng.below(10) {
        0 => {
            let from = match width {
                Width::W32 => rng.pick(&[Size::B, Size::H]),
                Width::W64 => rng.pick(&[Size::B, Size::H, Size::W]),
            };
            Insn::MovSx {
                width,
                dst,
                src: other,
                from,
            }
        }
        1 => Insn::Neg { width, dst },
        _ => {
            let op = rng.pick(&OPS);
            let src = if rng.chance(60) {
                Src::Imm(rng.imm())
            } else {
                Src::Reg(other)
            };
            let src = match (op, src) {
                (AluOp::Lsh | AluOp::Rsh | AluOp::Arsh, Src::Imm(imm)) => {
                    Src::Imm(imm & if width == Width::W32 { 31 } else { 63 })
                }
                (AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod, Src::Imm(0)) => Src::Imm(3),
                (_, src) => src,
            };
            alu(width, op, dst, src)
        }
    }
}
