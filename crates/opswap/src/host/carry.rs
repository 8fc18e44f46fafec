//! What a swap takes over from the table that is live: its data fields, unless they are set anew.
//!
//! The kernel does not tell what of a table came from its object and what was set when it was loaded. So the rule needs neither: a field that
//! `--set` names has that value; a field that the new object leaves zero keeps the old table's value; of flags each bit is such a field. The name
//! is no such field: it stays in any case. To give a field up is to set it: `--set flags=0`.

use super::shape::{Shape, ValueMember, little_endian};
use loader::{OpsPlan, SetField};
use serde::Serialize;

/// A data member of an ops structure and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldValue {
    /// The member, `flags` for instance.
    pub field: String,
    /// Its value, as `--set` takes it.
    pub value: String,
}

/// The fields of a table that are not zero, without its name.
pub(super) fn fields(shape: &Shape, table: &[u8]) -> Vec<FieldValue> {
    let bytes = |member: &ValueMember| {
        table
            .get(member.offset..member.offset + member.size)
            .map(<[u8]>::to_vec)
    };
    let values = shape.values.iter().filter_map(|member| Some((member, bytes(member)?)));
    values
        .filter(|(_, bytes)| bytes.iter().any(|byte| *byte != 0))
        .map(|(member, bytes)| FieldValue {
            field: member.name.clone(),
            value: text(&shape.kind, member, &bytes),
        })
        .collect()
}

/// Puts the fields of `old`, a table of the same kind, into `new`.
pub(super) fn carry_over(shape: &Shape, old: &[u8], new: &mut OpsPlan, set: &[SetField]) -> Vec<FieldValue> {
    let mut carried = Vec::new();
    for member in &shape.values {
        if set.iter().any(|set| set.field == member.name) {
            continue;
        }
        let begin = new.types.data_offset as usize + member.offset;
        let slot = new.value.get_mut(begin..begin + member.size);
        let (Some(slot), Some(old)) = (slot, old.get(member.offset..member.offset + member.size)) else {
            continue;
        };
        let taken = taken(&shape.kind, member, old, slot);
        if taken.iter().any(|byte| *byte != 0) {
            for (byte, taken) in slot.iter_mut().zip(&taken) {
                *byte |= taken;
            }
            carried.push(FieldValue {
                field: member.name.clone(),
                value: text(&shape.kind, member, &taken),
            });
        }
    }
    carried
}

/// The bits of `old` that `new` gets.
fn taken(kind: &str, member: &ValueMember, old: &[u8], new: &[u8]) -> Vec<u8> {
    let is_flags = !loader::rules::flags(kind, &member.name).is_empty();
    if is_flags {
        old.iter().zip(new).map(|(old, new)| old & !new).collect()
    } else if new.iter().all(|byte| *byte == 0) {
        old.to_vec()
    } else {
        vec![0; new.len()]
    }
}

fn text(kind: &str, member: &ValueMember, bytes: &[u8]) -> String {
    if member.is_text {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        return String::from_utf8_lossy(&bytes[..end]).into_owned();
    }
    let number = little_endian(bytes);
    if member.is_signed {
        let unused = 64 - 8 * bytes.len() as u32;
        return ((number << unused) as i64 >> unused).to_string();
    }
    let flags = loader::rules::flags(kind, &member.name);
    let named = flags.iter().filter(|(_, bit)| number & bit != 0);
    let rest = flags.iter().fold(number, |rest, (_, bit)| rest & !bit);
    let mut words: Vec<String> = named.map(|(name, _)| (*name).to_owned()).collect();
    if rest != 0 && words.is_empty() && flags.is_empty() {
        words.push(rest.to_string());
    } else if rest != 0 {
        words.push(format!("{rest:#x}"));
    }
    words.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, size: usize, is_signed: bool, is_text: bool) -> ValueMember {
        ValueMember {
            name: name.to_owned(),
            offset: 0,
            size,
            is_signed,
            is_text,
        }
    }

    #[test]
    fn of_flags_each_bit_of_others_the_whole() {
        let tcp = "tcp_congestion_ops";
        let flags = member("flags", 4, false, false);
        let number = member("timeout_ms", 4, false, false);
        for (member, old, new, wanted) in [
            (&flags, 1, 0, 1),
            (&flags, 1, 2, 1),
            (&flags, 3, 2, 1),
            (&flags, 0, 2, 0),
            (&number, 7, 0, 7),
            (&number, 7, 8, 0),
            (&number, 0, 8, 0),
        ] {
            let taken = taken(tcp, member, &u32::to_le_bytes(old), &u32::to_le_bytes(new));
            assert_eq!(taken, u32::to_le_bytes(wanted), "{} {old} {new}", member.name);
        }
    }

    #[test]
    fn values_are_written_as_they_are_set() {
        let tcp = "tcp_congestion_ops";
        for (member, bytes, wanted) in [
            (
                member("flags", 4, false, false),
                &[3, 0, 0, 0][..],
                "non_restricted,needs_ecn",
            ),
            (member("flags", 4, false, false), &[9, 0, 0, 0], "non_restricted,0x8"),
            (member("timeout_ms", 4, false, false), &[0x88, 0x13, 0, 0], "5000"),
            (member("nice", 4, true, false), &[0xfe, 0xff, 0xff, 0xff], "-2"),
            (member("label", 4, false, true), b"ab\0\0", "ab"),
        ] {
            assert_eq!(text(tcp, &member, bytes), wanted, "{}", member.name);
        }
    }
}
