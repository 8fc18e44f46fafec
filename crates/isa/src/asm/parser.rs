//! The tokens of a line to labels and an instruction; labels are looked up later.

use super::cursor::{Parser, Place, name, not_in_place, register};
use super::lexer::{Token, tokens};
use super::{AsmError, AsmReason, Position, out_of_range};
use crate::display::{alu_sign, jmp_sign};
use crate::{AluOp, AtomicOp, Call, EndianKind, Imm64, Insn, JmpOp, Reg, Size, Src, Width};

/// A part of a line that stands for itself.
pub(super) enum Statement<'a> {
    /// `name:`
    Label(&'a str),
    /// `12:`
    Slot(u64),
    /// An instruction, and where it goes if that is not in it yet.
    Insn(Insn, Option<Target<'a>>),
}

/// Where a jump, call or function address points.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Offset(i32),
    Label(&'a str),
}

/// Parse one line.
pub(super) fn parse_line(line: usize, text: &str) -> Result<Vec<(Position, Statement<'_>)>, AsmError> {
    let tokens = tokens(line, text)?;
    let end = Position {
        line,
        column: text.chars().count() + 1,
    };
    let mut parser = Parser { tokens: &tokens, end };
    let mut out = Vec::new();
    while let [(position, name), (_, Token::Sign(":")), rest @ ..] = parser.tokens {
        let statement = match name {
            Token::Word(name) => Statement::Label(name),
            Token::Number(slot) => Statement::Slot(*slot),
            Token::Sign(_) => break,
        };
        out.push((*position, statement));
        parser.tokens = rest;
    }
    if !parser.tokens.is_empty() {
        let position = parser.position();
        let (insn, target) = parser.insn()?;
        if !parser.tokens.is_empty() {
            return Err(parser.unexpected("the end of the line"));
        }
        out.push((position, Statement::Insn(insn, target)));
    }
    Ok(out)
}

type Parsed<'a> = Result<(Insn, Option<Target<'a>>), AsmError>;

impl<'a> Parser<'_, 'a> {
    fn insn(&mut self) -> Parsed<'a> {
        let Some((_, first)) = self.tokens.first() else {
            return Err(self.unexpected("an instruction"));
        };
        match first {
            Token::Sign("*") => Ok((self.store()?, None)),
            Token::Word("exit") => {
                self.skip();
                Ok((Insn::Exit, None))
            }
            Token::Word("goto" | "gotol" | "may_goto" | "if") => self.jump(),
            Token::Word("call") => {
                self.skip();
                self.call()
            }
            Token::Word("lock") => {
                self.skip();
                Ok((self.locked()?, None))
            }
            Token::Word("store_release") => {
                self.skip();
                Ok((self.store_release()?, None))
            }
            Token::Word(word) if register(word).is_some() => self.assignment(),
            _ => Err(self.unexpected("an instruction")),
        }
    }

    fn jump(&mut self) -> Parsed<'a> {
        if self.word("if") {
            let (width, dst) = self.any_register()?;
            let op = self.operator(&JmpOp::ALL, jmp_sign)?;
            let src = self.operand(width)?;
            self.expect_word("goto", "`goto`")?;
            let (off, target) = self.short_target()?;
            let insn = Insn::JumpIf {
                width,
                op,
                dst,
                src,
                off,
            };
            return Ok((insn, target));
        }
        if self.word("may_goto") {
            let (off, target) = self.short_target()?;
            return Ok((Insn::MayGoto { off }, target));
        }
        let long = self.word("gotol");
        if !long {
            self.skip();
        }
        let target = self.target()?;
        Ok((
            Insn::Jump {
                off: target.offset(),
                long,
            },
            Some(target),
        ))
    }

    /// A target for a 16-bit offset.
    fn short_target(&mut self) -> Result<(i16, Option<Target<'a>>), AsmError> {
        let position = self.position();
        let target = self.target()?;
        let off = target.offset();
        let off = i16::try_from(off).map_err(|_| position.error(out_of_range(off, 16)))?;
        Ok((off, Some(target)))
    }

    /// `+4`, `pc+4` or a label.
    fn target(&mut self) -> Result<Target<'a>, AsmError> {
        if let [(_, Token::Word("pc")), (_, Token::Sign("+" | "-")), ..] = self.tokens {
            self.skip();
        }
        match self.tokens.first() {
            Some((_, Token::Sign("+" | "-"))) => Ok(Target::Offset(self.signed32()?)),
            Some((_, Token::Word(name))) => {
                self.skip();
                Ok(Target::Label(name))
            }
            _ => Err(self.unexpected("a label or an offset")),
        }
    }

    fn call(&mut self) -> Parsed<'a> {
        match self.tokens {
            [(_, Token::Number(_))] => {
                let id = self.unsigned32()?;
                Ok((Insn::Call(Call::Helper(id)), None))
            }
            [(_, Token::Word(name)), (_, Token::Sign("#")), ..] => {
                self.skip();
                self.skip();
                let id = self.unsigned32()?;
                if *name != "kfunc" {
                    return Ok((Insn::Call(Call::Helper(id)), None));
                }
                let module = if self.sign("@") { self.signed16()? } else { 0 };
                let btf_id = id;
                Ok((Insn::Call(Call::Kfunc { btf_id, module }), None))
            }
            _ => {
                let target = self.target()?;
                let off = target.offset();
                Ok((Insn::Call(Call::Subprog { off }), Some(target)))
            }
        }
    }

    /// `*(u64 *)(r10 -8) = …`
    fn store(&mut self) -> Result<Insn, AsmError> {
        let Place { size, base, off, .. } = self.starred_place(false)?;
        self.expect("=")?;
        let width = if size == Size::DW { Width::W64 } else { Width::W32 };
        let src = match self.tokens.first() {
            Some((_, Token::Word(_))) => Src::Reg(self.value_register(size)?),
            _ => Src::Imm(self.immediate(width)?),
        };
        Ok(Insn::Store { size, base, off, src })
    }

    /// `lock *(u64 *)(r1 +0) += r2`
    fn locked(&mut self) -> Result<Insn, AsmError> {
        let Place { size, base, off, .. } = self.starred_place(false)?;
        let fetch = false;
        let op = match self.take_sign() {
            Some("+=") => AtomicOp::Add { fetch },
            Some("|=") => AtomicOp::Or { fetch },
            Some("&=") => AtomicOp::And { fetch },
            Some("^=") => AtomicOp::Xor { fetch },
            _ => return Err(self.unexpected("`+=`, `|=`, `&=` or `^=`")),
        };
        let src = self.value_register(size)?;
        Ok(Insn::Atomic {
            op,
            size,
            base,
            off,
            src,
        })
    }

    fn store_release(&mut self) -> Result<Insn, AsmError> {
        self.expect("(")?;
        let Place { size, base, off, .. } = self.place(false)?;
        self.expect(",")?;
        let src = self.value_register(size)?;
        self.expect(")")?;
        Ok(Insn::StoreRelease { size, base, off, src })
    }

    /// What starts with a register.
    fn assignment(&mut self) -> Parsed<'a> {
        let start = self.position();
        let (width, dst) = self.any_register()?;
        let op = self.operator(&AluOp::ALL, alu_sign)?;
        if op != AluOp::Mov {
            let src = self.operand(width)?;
            return Ok((Insn::Alu { width, op, dst, src }, None));
        }
        match self.tokens {
            [(_, Token::Sign("-")), (_, Token::Word(_)), ..] => {
                self.skip();
                self.in_place(width, dst)?;
                Ok((Insn::Neg { width, dst }, None))
            }
            [(_, Token::Sign("(")), ..] => Ok((self.sign_extension(width, dst)?, None)),
            [(_, Token::Sign("*")), ..] => Ok((self.load(width, dst)?, None)),
            [(position, Token::Word(word)), ..] if register(word).is_none() => {
                if let Some((kind, bits)) = endian(word) {
                    self.skip();
                    self.wide(width, dst, *position)?;
                    self.in_place(width, dst)?;
                    return Ok((Insn::Endian { dst, kind, bits }, None));
                }
                let Some((_, Token::Sign("("))) = self.tokens.get(1) else {
                    return Err(self.unexpected("an operand"));
                };
                self.function(width, dst, word)
            }
            _ if self.ends_with_ll() => {
                self.wide(width, dst, start)?;
                let value = self.wide_number()?;
                self.skip();
                let imm = Imm64::Value(value);
                Ok((Insn::LoadImm64 { dst, imm }, None))
            }
            _ => {
                let src = self.operand(width)?;
                let op = AluOp::Mov;
                Ok((Insn::Alu { width, op, dst, src }, None))
            }
        }
    }

    /// `(s8)r2`
    fn sign_extension(&mut self, width: Width, dst: Reg) -> Result<Insn, AsmError> {
        self.expect("(")?;
        let (from, signed) = self.size()?;
        if !signed {
            return Err(self.unexpected("`s8`, `s16` or `s32`"));
        }
        self.expect(")")?;
        let src = self.register_of(width)?;
        Ok(Insn::MovSx { width, dst, src, from })
    }

    /// `*(u64 *)(r10 -8)` or `*(u8 *)skb[4]`
    fn load(&mut self, width: Width, dst: Reg) -> Result<Insn, AsmError> {
        let position = self.position();
        if let [_, _, _, _, _, (_, Token::Word("skb")), (_, Token::Sign("[")), ..] = self.tokens {
            self.expect("*")?;
            let size = self.pointer_type()?.0;
            self.skip();
            self.skip();
            let index = match self.tokens.first() {
                Some((_, Token::Word(_))) => Some(self.register_of(Width::W64)?),
                _ => None,
            };
            let off = match self.tokens.first() {
                Some((_, Token::Sign("]"))) if index.is_some() => 0,
                _ => self.signed32()?,
            };
            self.expect("]")?;
            if (width, dst) != (Width::W64, Reg::R0) {
                return Err(position.error(not_in_place("r0", &name(width, dst))));
            }
            return Ok(Insn::LegacyLoad { size, index, off });
        }
        let Place { size, sx, base, off } = self.starred_place(true)?;
        if sx || size == Size::DW {
            self.wide(width, dst, position)?;
        }
        Ok(Insn::Load {
            size,
            sx,
            dst,
            base,
            off,
        })
    }

    /// `dst = name(…)`
    fn function(&mut self, width: Width, dst: Reg, word: &str) -> Parsed<'a> {
        let position = self.position();
        self.skip();
        self.expect("(")?;
        if let Some((op, named_size)) = atomic(word) {
            return Ok((self.fetching(op, named_size, width, dst, position)?, None));
        }
        let mut target = None;
        let imm = match word {
            "load_acquire" => {
                let Place { size, base, off, .. } = self.place(false)?;
                self.expect(")")?;
                let insn = Insn::LoadAcquire { size, dst, base, off };
                return Ok((insn, None));
            }
            "addr_space_cast" => {
                let src = self.register_of(Width::W64)?;
                let mut space = || {
                    self.expect(",")?;
                    let position = self.position();
                    let number = self.unsigned32()?;
                    u16::try_from(number).map_err(|_| position.error(out_of_range(number, 16)))
                };
                let (to, from) = (space()?, space()?);
                self.expect(")")?;
                return Ok((Insn::AddrSpaceCast { dst, src, to, from }, None));
            }
            "map_fd" => Imm64::MapFd(self.signed32()?),
            "map_idx" => Imm64::MapIdx(self.unsigned32()?),
            "map_value" => {
                let fd = self.signed32()?;
                self.expect(",")?;
                let off = self.unsigned32()?;
                Imm64::MapValue { fd, off }
            }
            "map_idx_value" => {
                let idx = self.unsigned32()?;
                self.expect(",")?;
                let off = self.unsigned32()?;
                Imm64::MapIdxValue { idx, off }
            }
            "btf_id" => {
                let id = self.unsigned32()?;
                self.expect(",")?;
                let module_fd = self.signed32()?;
                Imm64::BtfId { id, module_fd }
            }
            "func" => {
                let place = self.target()?;
                target = Some(place);
                Imm64::Func { off: place.offset() }
            }
            found => {
                return Err(position.error(AsmReason::Unexpected {
                    expected: "an operand",
                    found: found.to_owned(),
                }));
            }
        };
        self.expect(")")?;
        self.expect_word("ll", "`ll`")?;
        self.wide(width, dst, position)?;
        Ok((Insn::LoadImm64 { dst, imm }, target))
    }

    /// What follows the bracket of a fetching atomic; llvm's forms carry their size in the name.
    fn fetching(
        &mut self,
        op: AtomicOp,
        named_size: Option<Size>,
        width: Width,
        dst: Reg,
        position: Position,
    ) -> Result<Insn, AsmError> {
        let (size, base, off) = match named_size {
            Some(size) => {
                let base = self.register_of(Width::W64)?;
                (size, base, self.signed16()?)
            }
            None => {
                let place = self.place(false)?;
                (place.size, place.base, place.off)
            }
        };
        self.expect(",")?;
        let result = if op == AtomicOp::CmpXchg {
            self.in_place(width, Reg::R0)?;
            self.expect(",")?;
            Reg::R0
        } else {
            dst
        };
        let src_position = self.position();
        let src = self.value_register(size)?;
        self.expect(")")?;
        if dst != result {
            return Err(position.error(not_in_place("r0", &name(width, dst))));
        }
        if op != AtomicOp::CmpXchg && src != dst {
            let (dst, src) = (dst.to_string(), src.to_string());
            return Err(src_position.error(not_in_place(&dst, &src)));
        }
        Ok(Insn::Atomic {
            op,
            size,
            base,
            off,
            src,
        })
    }
}

impl Target<'_> {
    /// The offset, or a placeholder until labels are known.
    fn offset(self) -> i32 {
        match self {
            Self::Offset(off) => off,
            Self::Label(_) => 0,
        }
    }
}

fn endian(word: &str) -> Option<(EndianKind, u8)> {
    Some(match word {
        "le16" => (EndianKind::ToLe, 16),
        "le32" => (EndianKind::ToLe, 32),
        "le64" => (EndianKind::ToLe, 64),
        "be16" => (EndianKind::ToBe, 16),
        "be32" => (EndianKind::ToBe, 32),
        "be64" => (EndianKind::ToBe, 64),
        "bswap16" => (EndianKind::Bswap, 16),
        "bswap32" => (EndianKind::Bswap, 32),
        "bswap64" => (EndianKind::Bswap, 64),
        _ => return None,
    })
}

/// A fetching operation, and its size where the name says it.
fn atomic(word: &str) -> Option<(AtomicOp, Option<Size>)> {
    let fetch = true;
    Some(match word {
        "atomic_fetch_add" | "atomic64_fetch_add" => (AtomicOp::Add { fetch }, None),
        "atomic_fetch_or" | "atomic64_fetch_or" => (AtomicOp::Or { fetch }, None),
        "atomic_fetch_and" | "atomic64_fetch_and" => (AtomicOp::And { fetch }, None),
        "atomic_fetch_xor" | "atomic64_fetch_xor" => (AtomicOp::Xor { fetch }, None),
        "atomic_xchg" | "atomic64_xchg" => (AtomicOp::Xchg, None),
        "atomic_cmpxchg" | "atomic64_cmpxchg" => (AtomicOp::CmpXchg, None),
        "xchg_64" => (AtomicOp::Xchg, Some(Size::DW)),
        "xchg32_32" => (AtomicOp::Xchg, Some(Size::W)),
        "cmpxchg_64" => (AtomicOp::CmpXchg, Some(Size::DW)),
        "cmpxchg32_32" => (AtomicOp::CmpXchg, Some(Size::W)),
        _ => return None,
    })
}
