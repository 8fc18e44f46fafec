//! Linux as the judge of accesses to kernel structures: every offset and size of `struct tcp_sock`, read and
//! written, and random walks over its pointers, against Linux's own types.

use crate::linux_types::Tcp;
use crate::rng::Rng;
use crate::setting::setting;
use bpf::{AttachType, Bpf, ProgLoad, ProgType};
use btf::{Btf, Kind, TypeId};
use isa::{AtomicOp, Insn, Reg, Size, Src};
use linux::Linux;
use verifier::{Failure, Options, Program};

/// `cong_avoid` of a congestion control, on both sides.
struct Both<'a> {
    linux: &'a Linux,
    world: Tcp<'a>,
    ops: TypeId,
    member: u32,
    accepted: u32,
    stricter: u32,
    /// What Linux takes and is refused here.
    examples: Vec<String>,
}

impl<'a> Both<'a> {
    fn new(linux: &'a Linux, btf: &'a Btf) -> Self {
        let ops = btf.find("tcp_congestion_ops", Kind::Struct).unwrap();
        let composite = btf.type_by_id(ops).unwrap().composite().unwrap();
        let member = composite.member_named("cong_avoid").unwrap().0 as u32;
        Self {
            linux,
            world: Tcp::new(btf, None, ops, member),
            ops,
            member,
            accepted: 0,
            stricter: 0,
            examples: Vec::new(),
        }
    }

    fn compare(&mut self, body: &[Insn]) {
        let load_argument = Insn::Load {
            size: Size::DW,
            sx: false,
            dst: Reg::R1,
            base: Reg::R1,
            off: 0,
        };
        let mut insns = vec![load_argument];
        insns.extend_from_slice(body);
        insns.push(Insn::Exit);
        let ours = verifier::verify(&Program::new(&insns), &self.world, &Options::default());
        let raw = isa::encode(&insns).unwrap();
        let load = ProgLoad {
            name: "vrfy_struct",
            license: "GPL",
            attach_btf_id: self.ops.0,
            expected_attach_type: AttachType(self.member),
            ..ProgLoad::new(ProgType::STRUCT_OPS, &raw)
        };
        let theirs = self.linux.prog_load(&load);
        match (ours, theirs) {
            (Ok(_), Ok(_)) => self.accepted += 1,
            (Ok(_), Err(error)) => panic!("accepted wrongly:\n{}\n{error}\n{}", isa::listing(&insns), error.log),
            (Err(Failure::Internal(internal)), _) => panic!("{internal}"),
            (Err(failure), Ok(_)) => {
                self.stricter += 1;
                if self.examples.len() < 20 {
                    self.examples.push(format!("{failure}\n{}", isa::listing(&insns)));
                }
            }
            (Err(_), Err(_)) => {}
        }
    }
}

fn load(size: Size, off: i16) -> Insn {
    Insn::Load {
        size,
        sx: false,
        dst: Reg::R1,
        base: Reg::R1,
        off,
    }
}

#[test]
fn reads_and_writes_of_tcp_sock_as_linux() {
    if !testkit::linux_or_skip("loads a program for each offset of struct tcp_sock") {
        return;
    }
    let linux = Linux::new();
    let btf = linux.kernel_btf().unwrap();
    let mut both = Both::new(&linux, &btf);
    let size = btf.size_of(both.world.tcp_sock).unwrap() as i16;
    // All offsets of the sizes below a machine word would take long and tell little.
    for off in -9..size + 9 {
        for access in Size::ALL {
            if access != Size::W && off % 3 != 0 {
                continue;
            }
            both.compare(&[load(access, off)]);
            both.compare(&[Insn::Store {
                size: access,
                base: Reg::R1,
                off,
                src: Src::Imm(1),
            }]);
        }
    }
    eprintln!(
        "{} accepted by both, {} refused here only",
        both.accepted, both.stricter
    );
    assert!(both.accepted > 1000, "only {} accepted", both.accepted);
    assert!(both.stricter == 0, "refused here only: {}", both.examples.join("\n"));
}

#[test]
fn atomic_operations_on_tcp_sock_as_linux() {
    if !testkit::linux_or_skip("loads a program for each atomic operation on a field of struct tcp_sock") {
        return;
    }
    let linux = Linux::new();
    let btf = linux.kernel_btf().unwrap();
    let mut both = Both::new(&linux, &btf);
    let size = btf.size_of(both.world.tcp_sock).unwrap() as i16;
    // Every operation where something may be written, one operation everywhere else.
    let places = both.world.writable.clone();
    let near = |off: i16| {
        places
            .iter()
            .any(|&(start, end)| (i32::from(off) + 8 >= start as i32) && i32::from(off) < end as i32 + 4)
    };
    for off in -8..size + 8 {
        for op in OPS {
            for width in [Size::W, Size::DW] {
                if !near(off) && (op != OPS[0] || off % 4 != 0) {
                    continue;
                }
                let number = |dst| Insn::Alu {
                    width: isa::Width::W64,
                    op: isa::AluOp::Mov,
                    dst,
                    src: Src::Imm(1),
                };
                both.compare(&[
                    number(Reg::R0),
                    number(Reg::R2),
                    Insn::Atomic {
                        op,
                        size: width,
                        base: Reg::R1,
                        off,
                        src: Reg::R2,
                    },
                ]);
            }
        }
    }
    eprintln!(
        "{} accepted by both, {} refused here only",
        both.accepted, both.stricter
    );
    // Ten operations on seven fields of 4 or 8 bytes, on halves of these, and in the algorithm's own memory.
    assert!(both.accepted > 400, "only {} accepted", both.accepted);
    assert!(both.stricter == 0, "refused here only: {}", both.examples.join("\n"));
}

/// All atomic operations that read and write.
const OPS: [AtomicOp; 10] = [
    AtomicOp::Add { fetch: false },
    AtomicOp::Add { fetch: true },
    AtomicOp::Or { fetch: false },
    AtomicOp::Or { fetch: true },
    AtomicOp::And { fetch: false },
    AtomicOp::And { fetch: true },
    AtomicOp::Xor { fetch: false },
    AtomicOp::Xor { fetch: true },
    AtomicOp::Xchg,
    AtomicOp::CmpXchg,
];

#[test]
fn walks_over_pointers_as_linux() {
    if !testkit::linux_or_skip("loads programs that follow pointers") {
        return;
    }
    let linux = Linux::new();
    let btf = linux.kernel_btf().unwrap();
    let mut both = Both::new(&linux, &btf);
    let count = setting("OPSWAP_VERIFIER_PROGRAMS", 1000);
    for seed in 0..count {
        let mut rng = Rng::new(seed);
        let mut body = Vec::new();
        let mut ty = both.world.tcp_sock;
        for _ in 0..1 + rng.below(3) {
            let pointers = pointers(&btf, ty, 0);
            if pointers.is_empty() {
                break;
            }
            let (off, target) = rng.pick(&pointers);
            body.push(load(Size::DW, off as i16));
            ty = target;
            if rng.chance(30) {
                // A test, which an `__rcu` pointer needs.
                body.push(Insn::JumpIf {
                    width: isa::Width::W64,
                    op: isa::JmpOp::Ne,
                    dst: Reg::R1,
                    src: Src::Imm(0),
                    off: 1,
                });
                body.push(Insn::Exit);
            }
        }
        let size = btf.size_of(ty).unwrap_or(64) as usize + 8;
        let off = rng.below(size.min(4000)) as i16;
        let access = rng.pick(&Size::ALL);
        let aligned = off & !(access.bytes() as i16 - 1);
        let off = if rng.chance(80) { aligned } else { off };
        if rng.chance(90) {
            body.push(load(access, off));
        } else {
            body.push(Insn::Store {
                size: access,
                base: Reg::R1,
                off,
                src: Src::Imm(1),
            });
        }
        both.compare(&body);
    }
    eprintln!(
        "{} accepted by both, {} refused here only",
        both.accepted, both.stricter
    );
    for example in &both.examples {
        eprintln!("{example}");
    }
    assert!(u64::from(both.accepted) * 4 > count, "only {} accepted", both.accepted);
}

/// Offsets and targets of the pointers to structures in a structure, those of nested ones too.
fn pointers(btf: &Btf, ty: TypeId, depth: u32) -> Vec<(u32, TypeId)> {
    let Some(composite) = btf.resolve(ty).ok().and_then(|ty| ty.composite()) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for member in composite.members() {
        let at = member.byte_offset();
        match btf.pointee(member.ty) {
            Ok(Some(target)) if target.composite().is_some() => out.push((at, target.id)),
            _ if depth < 5 => {
                out.extend(
                    pointers(btf, member.ty, depth + 1)
                        .into_iter()
                        .map(|(off, id)| (at + off, id)),
                );
            }
            _ => {}
        }
    }
    out.retain(|(off, _)| *off < 4000);
    out
}
