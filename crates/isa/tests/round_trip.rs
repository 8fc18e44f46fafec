//! Encoding is the inverse of decoding, and assembling of printing, for every instruction there is.

mod strategy;

use isa::{DecodeReason, Field, Imm64, Insn, RawInsn};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_encoded_decodes_to_the_same(program in strategy::program()) {
        let raw = isa::encode(&program).expect("the strategy makes what exists");
        prop_assert_eq!(isa::decode(&raw), Ok(program));
    }

    #[test]
    fn what_is_printed_assembles_to_the_same(program in strategy::program()) {
        let listing = isa::listing(&program).to_string();
        let again = isa::asm::assemble(&listing);
        prop_assert_eq!(again, Ok(program), "{}", listing);
    }

    /// Opcodes are all tried with fields that are mostly zero: random bytes alone hardly ever decode.
    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        code: u8,
        registers in prop_oneof![Just(0u8), any::<u8>()],
        off in prop_oneof![Just(0i16), Just(1i16), Just(8), Just(16), Just(32), any::<i16>()],
        imm in prop_oneof![Just(0i32), Just(16), Just(0xe1), Just(0x100), 0..0x111, any::<i32>()],
        second: [u8; 8],
        plain_second: bool,
    ) {
        let [o0, o1] = off.to_le_bytes();
        let [i0, i1, i2, i3] = imm.to_le_bytes();
        let first = RawInsn::from_bytes([code, registers, o0, o1, i0, i1, i2, i3]);
        let mut second = RawInsn::from_bytes(second);
        if plain_second {
            second = RawInsn { imm: second.imm, ..RawInsn::default() };
        }
        if let Ok(insn) = isa::decode_one(first, Some(second)) {
            if insn.slots() == 2 {
                prop_assert_eq!(isa::encode(&[insn, Insn::LoadImm64Hi]), Ok(vec![first, second]));
            } else {
                prop_assert_eq!(isa::encode(&[insn]), Ok(vec![first]));
            }
        }
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        match isa::from_bytes(&bytes) {
            None => prop_assert!(bytes.len() % 8 != 0),
            Some(raw) => {
                prop_assert_eq!(isa::to_bytes(&raw), bytes);
                if let Ok(program) = isa::decode(&raw) {
                    prop_assert_eq!(isa::encode(&program), Ok(raw));
                }
            }
        }
    }

    #[test]
    fn any_text_gives_an_answer(text in "([rw][0-9]{1,2}|[=+*()\\[\\]:;#@&-]|s[<>]|u8|goto|call|if|skb|ll|lock|[a-z0-9 \\n_é]){0,24}") {
        if let Ok(program) = isa::asm::assemble(&text) {
            prop_assert!(isa::encode(&program).is_ok());
        }
    }
}

/// How many of the 256 opcodes exist when every other field is zero; counted by hand from RFC 9669's
/// appendix and the three instructions that came after it.
#[test]
fn number_of_opcodes() {
    let exists = |code: u8| {
        let imm = if code & 0xf7 == 0xd4 || code == 0xd7 { 16 } else { 0 };
        let first = RawInsn {
            code,
            imm,
            ..RawInsn::default()
        };
        let found = isa::decode_one(first, Some(RawInsn::default()));
        !matches!(
            found,
            Err(DecodeReason::UnknownOpcode { .. } | DecodeReason::BadAtomic { .. })
        )
    };
    let count = |class: u8| (0..32).filter(|high| exists(high << 3 | class)).count();
    // LD: lddw, 3 abs, 3 ind. LDX: 4 plain, 3 signed. ST: 4. STX: 4, atomics of 32 and 64 bits.
    assert_eq!([count(0), count(1), count(2), count(3)], [7, 7, 4, 6]);
    // 12 operations with register and immediate, neg, le and be; at 64 bits one swap.
    assert_eq!([count(4), count(7)], [12 * 2 + 3, 12 * 2 + 2]);
    // 11 comparisons twice; ja; and at 64 bits call, exit, may_goto.
    assert_eq!([count(5), count(6)], [11 * 2 + 4, 11 * 2 + 1]);
}

/// Each reserved field of each kind of instruction, one at a time.
#[test]
fn reserved_fields() {
    let programs = [
        ("r1 += 2", "src off"),
        ("r1 += r2", "off imm"),
        ("w1 = 2", "src off"),
        ("w1 = w2", "imm"),
        ("r1 = (s8)r2", "imm"),
        ("w1 = -w1", "src off imm"),
        ("r1 = be16 r1", "src off"),
        ("r1 = bswap64 r1", "src off"),
        ("r1 = *(u8 *)(r2 +1)", "imm"),
        ("*(u16 *)(r2 +1) = r3", "imm"),
        ("*(u16 *)(r2 +1) = 3", "src"),
        ("r0 = *(u16 *)skb[4]", "dst src off"),
        ("r0 = *(u16 *)skb[r1 +4]", "dst off"),
        ("goto +1", "dst src imm"),
        ("gotol +1", "dst src off"),
        ("may_goto +1", "dst src imm"),
        ("if r1 > r2 goto +1", "imm"),
        ("if w1 > 2 goto +1", "src"),
        ("call helper#1", "dst off"),
        ("call pc+1", "dst off"),
        ("call kfunc#1@1", "dst"),
        ("exit", "dst src off imm"),
        ("r1 = 1 ll", "off"),
    ];
    for (text, reserved) in programs {
        let raw = isa::encode(&isa::asm::assemble(text).expect(text)).expect(text);
        let second = raw.get(1).copied();
        for name in ["dst", "src", "off", "imm"] {
            let mut first = raw[0];
            let field = match name {
                "dst" => (first.dst = 3, Field::Dst).1,
                "src" => (first.src = 3, Field::Src).1,
                "off" => (first.off = 3, Field::Off).1,
                _ => (first.imm = 3, Field::Imm).1,
            };
            let expected = DecodeReason::ReservedField {
                code: first.code,
                field,
            };
            let refused = isa::decode_one(first, second) == Err(expected);
            let is_reserved = reserved.split(' ').any(|r| r == name);
            assert_eq!(refused, is_reserved, "{text}: {name}");
        }
    }
}

#[test]
fn registers_from_eleven_do_not_exist() {
    for number in 11..16 {
        let mov = RawInsn {
            code: 0xbf,
            dst: number,
            ..RawInsn::default()
        };
        let field = Field::Dst;
        assert_eq!(
            isa::decode_one(mov, None),
            Err(DecodeReason::BadRegister { field, number })
        );
        let mov = RawInsn {
            code: 0xbf,
            src: number,
            ..RawInsn::default()
        };
        let field = Field::Src;
        assert_eq!(
            isa::decode_one(mov, None),
            Err(DecodeReason::BadRegister { field, number })
        );
    }
}

#[test]
fn second_slots() {
    let first = RawInsn {
        code: 0x18,
        ..RawInsn::default()
    };
    let hi = RawInsn::default();
    let decode = |first, hi| isa::decode(&[first, hi]).map_err(|e| (e.slot, e.reason));
    let bad = |field| Err((0, DecodeReason::BadSecondSlot { field }));
    assert_eq!(
        isa::decode(&[first]).map_err(|e| e.reason),
        Err(DecodeReason::TruncatedLoadImm64)
    );
    assert_eq!(decode(first, RawInsn { code: 0x95, ..hi }), bad(None));
    assert_eq!(decode(first, RawInsn { dst: 1, ..hi }), bad(Some(Field::Dst)));
    assert_eq!(decode(first, RawInsn { src: 1, ..hi }), bad(Some(Field::Src)));
    assert_eq!(decode(first, RawInsn { off: 1, ..hi }), bad(Some(Field::Off)));
    for src in [1, 4, 5] {
        let (first, hi) = (RawInsn { src, ..first }, RawInsn { imm: 1, ..hi });
        assert_eq!(decode(first, hi), bad(Some(Field::Imm)));
    }
    let unknown = RawInsn { src: 7, ..first };
    assert_eq!(decode(unknown, hi), Err((0, DecodeReason::BadImm64Kind { src: 7 })));
    // A second slot alone is opcode 0, which is nothing.
    assert_eq!(isa::decode_one(hi, None), Err(DecodeReason::UnknownOpcode { code: 0 }));
    let value = Imm64::Value(0x8000_0001_ffff_fffe);
    let load = Insn::LoadImm64 {
        dst: isa::Reg::R0,
        imm: value,
    };
    let raw = [
        RawInsn { imm: -2, ..first },
        RawInsn {
            imm: i32::MIN + 1,
            ..hi
        },
    ];
    assert_eq!(isa::decode(&raw), Ok(vec![load, Insn::LoadImm64Hi]));
}
