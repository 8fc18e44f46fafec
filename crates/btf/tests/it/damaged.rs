//! Damaged input: whatever the bytes are, nothing panics, hangs or takes memory without bound, and what is accepted can be
//! written and read again.

use btf::core::Resolver;
use btf::{Btf, BtfExt, Builder, TypeId};
use proptest::prelude::*;

use crate::common::{data, dump, section};

/// Uses everything there is on types that may make no sense.
fn exercise(btf: &Btf, ext: Option<&BtfExt>, kernel: &Btf) {
    assert_eq!(dump(&Btf::parse(&btf.to_bytes()).unwrap()), dump(btf));
    for id in (0..btf.end_id() + 1).map(TypeId) {
        let _ = (
            btf.size_of(id),
            btf.align_of(id),
            btf.resolve(id).is_ok(),
            btf.pointee(id).is_ok(),
        );
        let _ = (
            btf.type_name(id),
            btf.field(id, "a.b[1].c"),
            btf.describe_offset(id, 12),
        );
        let name = btf.name_of(id);
        assert!(name.is_empty() || btf.find_all(name).any(|found| found == id));
    }
    let _ = btf.to_c();
    let mut b = Builder::new();
    b.merge(btf);
    if let Ok(merged) = b.build() {
        let _ = merged.to_c();
    }
    for info in ext.iter().flat_map(|ext| &ext.sections) {
        for (local, target) in [(btf, kernel), (btf, btf)] {
            let mut resolver = Resolver::new(local, [target]);
            for record in &info.relocations {
                let _ = resolver.resolve(&record.relocation(local));
            }
        }
    }
}

/// Changes of a few bytes, words, or the length.
#[derive(Clone, Debug)]
enum Damage {
    Byte(usize, u8),
    /// A word becomes a small number, which may well be an id or an offset.
    Word(usize, u32),
    Cut(usize),
    Repeat(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        1 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        6 => (any::<usize>(), 0u32..160).prop_map(|(at, word)| Damage::Word(at, word)),
        1 => (any::<usize>(), any::<u32>()).prop_map(|(at, word)| Damage::Word(at, word)),
        1 => any::<usize>().prop_map(Damage::Cut),
        1 => (any::<usize>(), 0usize..64).prop_map(|(at, len)| Damage::Repeat(at, len)),
    ]
}

/// `spare` bytes at the start stay whole in most cases, so that more than the header is tested.
fn apply(bytes: &mut Vec<u8>, damage: &Damage, spare: usize) {
    let inside = |at: usize, len: usize| spare + at % (len - spare).max(1);
    let len = bytes.len();
    if len <= spare + 4 {
        return;
    }
    match *damage {
        Damage::Byte(at, byte) => bytes[at % len] = byte,
        Damage::Word(at, word) => {
            let at = inside(at, len - 3) / 4 * 4;
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        Damage::Cut(at) => bytes.truncate(inside(at, len)),
        Damage::Repeat(at, count) => {
            let at = inside(at, len);
            let part = bytes[at..(at + count).min(len)].to_vec();
            bytes.splice(at..at, part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_objects(
        which in 0usize..3,
        damages in prop::collection::vec(damage(), 1..6),
        ext_damages in prop::collection::vec(damage(), 0..4),
    ) {
        let object = ["kinds.o", "core/cases-14.o", "core/cases-19.o"][which];
        let kernel = Btf::parse(&data("core/kernel-19.btf")).unwrap();
        let mut bytes = section(object, ".BTF");
        damages.iter().for_each(|damage| apply(&mut bytes, damage, 24));
        let mut ext_bytes = section(object, ".BTF.ext");
        ext_damages.iter().for_each(|damage| apply(&mut ext_bytes, damage, 32));
        match Btf::parse(&bytes) {
            Ok(btf) => {
                let ext = BtfExt::parse(&ext_bytes, &btf).ok();
                exercise(&btf, ext.as_ref(), &kernel);
            }
            Err(error) => prop_assert!(error.offset <= bytes.len()),
        }
    }

    #[test]
    fn any_words(words in prop::collection::vec(prop_oneof![0u32..8, 0u32..0x2000_0000, any::<u32>()], 0..64)) {
        let words: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut bytes = Builder::new().build().unwrap().to_bytes();
        let len = (words.len() as u32).to_le_bytes();
        bytes[12..16].copy_from_slice(&len);
        bytes[16..20].copy_from_slice(&len);
        bytes.splice(24..24, words);
        if let Ok(btf) = Btf::parse(&bytes) {
            exercise(&btf, None, &btf);
        }
    }
}

/// Of single damages enough are accepted, or the properties above would test the parser alone.
#[test]
fn much_damage_is_accepted() {
    let good = section("core/cases-19.o", ".BTF");
    let accepted = (0..good.len() / 4).filter(|&at| {
        let mut bytes = good.clone();
        apply(&mut bytes, &Damage::Word(at * 4, 3), 24);
        Btf::parse(&bytes).is_ok()
    });
    assert!(accepted.count() > good.len() / 4 / 3);
}
