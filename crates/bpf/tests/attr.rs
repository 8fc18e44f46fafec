//! The tables of `union bpf_attr`: fields do not overlap, encoding and decoding are inverse, tails are refused.

use bpf::attr::{AttrError, MapCreateAttr, ProgInfoRaw, ProgLoadAttr, Raw, TABLES, TestRunAttr};
use proptest::prelude::*;

#[test]
fn fields_do_not_overlap_and_are_aligned() {
    for (kernel, member, fields) in TABLES {
        let mut end = 0;
        for field in *fields {
            assert!(field.offset >= end, "{kernel}.{member}: {} overlaps", field.name);
            let align = if field.name.contains("name") || field.name == "tag" {
                1
            } else {
                field.size
            };
            assert_eq!(field.offset % align, 0, "{kernel}.{member}: {}", field.name);
            end = field.offset + field.size;
        }
    }
}

/// Only the bytes that fields cover come back; `decode` must see each of them.
fn round_trip<T: Raw + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    let decoded = T::decode(&bytes[..T::SIZE]).unwrap();
    let encoded = decoded.encode();
    let mut covered = vec![0; T::SIZE];
    for field in T::TABLE.2 {
        let range = field.offset..field.offset + field.size;
        covered[range.clone()].copy_from_slice(&bytes[range]);
    }
    assert_eq!(encoded, covered);
    assert_eq!(T::decode(&encoded).unwrap(), decoded);
}

proptest! {
    #[test]
    fn bytes_and_fields_are_inverse(bytes in prop::collection::vec(any::<u8>(), 256)) {
        round_trip::<MapCreateAttr>(&bytes);
        round_trip::<ProgLoadAttr>(&bytes);
        round_trip::<TestRunAttr>(&bytes);
        round_trip::<ProgInfoRaw>(&bytes);
        round_trip::<bpf::attr::MapElemAttr>(&bytes);
        round_trip::<bpf::attr::ObjAttr>(&bytes);
        round_trip::<bpf::attr::IdAttr>(&bytes);
        round_trip::<bpf::attr::InfoAttr>(&bytes);
        round_trip::<bpf::attr::BtfLoadAttr>(&bytes);
        round_trip::<bpf::attr::LinkCreateAttr>(&bytes);
        round_trip::<bpf::attr::LinkUpdateAttr>(&bytes);
        round_trip::<bpf::attr::LinkDetachAttr>(&bytes);
        round_trip::<bpf::attr::EnableStatsAttr>(&bytes);
        round_trip::<bpf::attr::MapInfoRaw>(&bytes);
        round_trip::<bpf::attr::LinkInfoRaw>(&bytes);
        round_trip::<bpf::attr::LinkInfoStructOps>(&bytes);
        round_trip::<bpf::attr::BtfInfoRaw>(&bytes);
    }

    #[test]
    fn short_is_filled_and_a_long_tail_must_be_zero(len in 0usize..300, at in 0usize..300) {
        let mut bytes = vec![0; len];
        prop_assert_eq!(MapCreateAttr::decode(&bytes), Ok(MapCreateAttr::default()));
        if at < len && at >= MapCreateAttr::SIZE {
            bytes[at] = 1;
            prop_assert_eq!(MapCreateAttr::decode(&bytes), Err(AttrError::TailNotZero { at }));
        }
    }
}
