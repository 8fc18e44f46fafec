//! A position in the tokens of a line, and how to take operands from there.

use super::lexer::Token;
use super::{AsmError, AsmReason, Position, out_of_range};
use crate::{Reg, Size, Src, Width};

/// What is left of a line.
pub(super) struct Parser<'t, 'a> {
    pub(super) tokens: &'t [(Position, Token<'a>)],
    pub(super) end: Position,
}

/// A memory operand: size, whether signed, base, offset.
pub(super) struct Place {
    pub(super) size: Size,
    pub(super) sx: bool,
    pub(super) base: Reg,
    pub(super) off: i16,
}

/// Operands.
impl<'a> Parser<'_, 'a> {
    pub(super) fn operand(&mut self, width: Width) -> Result<Src, AsmError> {
        match self.tokens.first() {
            Some((_, Token::Word(word))) if register(word).is_some() => Ok(Src::Reg(self.register_of(width)?)),
            Some((_, Token::Number(_) | Token::Sign("+" | "-"))) => Ok(Src::Imm(self.immediate(width)?)),
            _ => Err(self.unexpected("an operand")),
        }
    }

    pub(super) fn operator<T: Copy>(&mut self, all: &[T], sign: fn(T) -> &'static str) -> Result<T, AsmError> {
        let found = match self.tokens.first() {
            Some((_, Token::Sign(found))) => all.iter().find(|op| sign(**op) == *found),
            _ => None,
        };
        let op = *found.ok_or_else(|| self.unexpected("an operator"))?;
        self.skip();
        Ok(op)
    }

    /// `*(u64 *)(r10 -8)`
    pub(super) fn starred_place(&mut self, may_be_signed: bool) -> Result<Place, AsmError> {
        self.expect("*")?;
        self.place(may_be_signed)
    }

    /// `(u64 *)(r10 -8)`
    pub(super) fn place(&mut self, may_be_signed: bool) -> Result<Place, AsmError> {
        let before = self.tokens;
        let (size, sx) = self.pointer_type()?;
        if sx && !may_be_signed {
            self.tokens = before;
            return Err(self.unexpected("an unsigned type"));
        }
        self.expect("(")?;
        let base = self.register_of(Width::W64)?;
        let off = match self.tokens.first() {
            Some((_, Token::Sign(")"))) => 0,
            _ => self.signed16()?,
        };
        self.expect(")")?;
        Ok(Place { size, sx, base, off })
    }

    /// `(u64 *)`
    pub(super) fn pointer_type(&mut self) -> Result<(Size, bool), AsmError> {
        self.expect("(")?;
        let size = self.size()?;
        self.expect("*")?;
        self.expect(")")?;
        Ok(size)
    }

    pub(super) fn size(&mut self) -> Result<(Size, bool), AsmError> {
        let found = match self.tokens.first() {
            Some((_, Token::Word(word))) => Some(*word),
            _ => None,
        };
        let size = match found {
            Some("u8") => (Size::B, false),
            Some("u16") => (Size::H, false),
            Some("u32") => (Size::W, false),
            Some("u64") => (Size::DW, false),
            Some("s8") => (Size::B, true),
            Some("s16") => (Size::H, true),
            Some("s32") => (Size::W, true),
            Some("s64") => (Size::DW, true),
            _ => return Err(self.unexpected("a type such as `u32`")),
        };
        self.skip();
        Ok(size)
    }

    pub(super) fn any_register(&mut self) -> Result<(Width, Reg), AsmError> {
        let found = match self.tokens.first() {
            Some((_, Token::Word(word))) => register(word),
            _ => None,
        };
        let found = found.ok_or_else(|| self.unexpected("a register"))?;
        self.skip();
        Ok(found)
    }

    pub(super) fn register_of(&mut self, width: Width) -> Result<Reg, AsmError> {
        let position = self.position();
        let (found, reg) = self.any_register()?;
        if found == width {
            Ok(reg)
        } else {
            Err(position.error(wrong_width(found, reg)))
        }
    }

    /// The register that goes to or comes from memory: `rN`, or `wN` (as llvm has it) up to 32 bits.
    pub(super) fn value_register(&mut self, size: Size) -> Result<Reg, AsmError> {
        let position = self.position();
        let (width, reg) = self.any_register()?;
        if size == Size::DW {
            self.wide(width, reg, position)?;
        }
        Ok(reg)
    }

    pub(super) fn wide(&self, width: Width, reg: Reg, position: Position) -> Result<(), AsmError> {
        match width {
            Width::W64 => Ok(()),
            Width::W32 => Err(position.error(wrong_width(width, reg))),
        }
    }

    pub(super) fn in_place(&mut self, width: Width, dst: Reg) -> Result<(), AsmError> {
        let position = self.position();
        let found = self.register_of(width)?;
        if found == dst {
            return Ok(());
        }
        Err(position.error(not_in_place(&name(width, dst), &name(width, found))))
    }

    /// A 32-bit immediate; for 32-bit operations also as an unsigned number.
    pub(super) fn immediate(&mut self, width: Width) -> Result<i32, AsmError> {
        let position = self.position();
        let value = self.number()?;
        match (i32::try_from(value), u32::try_from(value), width) {
            (Ok(value), _, _) => Ok(value),
            (_, Ok(value), Width::W32) => Ok(value as i32),
            _ => Err(position.error(out_of_range(value, 32))),
        }
    }

    pub(super) fn signed32(&mut self) -> Result<i32, AsmError> {
        let position = self.position();
        let value = self.number()?;
        i32::try_from(value).map_err(|_| position.error(out_of_range(value, 32)))
    }

    pub(super) fn signed16(&mut self) -> Result<i16, AsmError> {
        let position = self.position();
        let value = self.number()?;
        i16::try_from(value).map_err(|_| position.error(out_of_range(value, 16)))
    }

    pub(super) fn unsigned32(&mut self) -> Result<u32, AsmError> {
        let position = self.position();
        let value = self.number()?;
        u32::try_from(value).map_err(|_| position.error(out_of_range(value, 32)))
    }

    pub(super) fn wide_number(&mut self) -> Result<u64, AsmError> {
        let position = self.position();
        let value = self.number()?;
        u64::try_from(value)
            .or_else(|_| i64::try_from(value).map(|v| v as u64))
            .map_err(|_| position.error(out_of_range(value, 64)))
    }

    /// A number with an optional sign.
    pub(super) fn number(&mut self) -> Result<i128, AsmError> {
        let negative = self.sign("-");
        if !negative {
            self.sign("+");
        }
        let Some((_, Token::Number(value))) = self.tokens.first() else {
            return Err(self.unexpected("a number"));
        };
        self.skip();
        let value = i128::from(*value);
        Ok(if negative { -value } else { value })
    }

    pub(super) fn ends_with_ll(&self) -> bool {
        matches!(self.tokens.last(), Some((_, Token::Word("ll"))))
    }
}

/// Tokens.
impl<'a> Parser<'_, 'a> {
    pub(super) fn skip(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    pub(super) fn position(&self) -> Position {
        self.tokens.first().map_or(self.end, |(p, _)| *p)
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.first(), Some((_, Token::Word(w))) if *w == word);
        if found {
            self.skip();
        }
        found
    }

    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.first(), Some((_, Token::Sign(s))) if *s == sign);
        if found {
            self.skip();
        }
        found
    }

    pub(super) fn take_sign(&mut self) -> Option<&'static str> {
        let Some((_, Token::Sign(sign))) = self.tokens.first() else {
            return None;
        };
        self.skip();
        Some(sign)
    }

    pub(super) fn expect(&mut self, sign: &'static str) -> Result<(), AsmError> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected(sign))
        }
    }

    pub(super) fn expect_word(&mut self, word: &str, expected: &'static str) -> Result<(), AsmError> {
        if self.word(word) {
            Ok(())
        } else {
            Err(self.unexpected(expected))
        }
    }

    pub(super) fn unexpected(&self, expected: &'static str) -> AsmError {
        let found = self
            .tokens
            .first()
            .map_or_else(|| "end of line".to_owned(), |(_, t)| t.to_string());
        self.position().error(AsmReason::Unexpected { expected, found })
    }
}

pub(super) fn register(word: &str) -> Option<(Width, Reg)> {
    let width = match word.as_bytes().first()? {
        b'r' => Width::W64,
        b'w' => Width::W32,
        _ => return None,
    };
    let number = Reg::ALL.iter().find(|r| r.to_string()[1..] == word[1..])?;
    Some((width, *number))
}

pub(super) fn name(width: Width, reg: Reg) -> String {
    match width {
        Width::W32 => format!("w{}", reg.number()),
        Width::W64 => reg.to_string(),
    }
}

pub(super) fn wrong_width(width: Width, reg: Reg) -> AsmReason {
    let register = name(width, reg);
    AsmReason::WrongWidth { register }
}

pub(super) fn not_in_place(expected: &str, found: &str) -> AsmReason {
    AsmReason::NotInPlace {
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
