//! Other strings in an object than its compiler wrote: in place, of the same length, so that everything else stays as it was.

use std::ops::Range;

/// The places of all strings in the tables of an object: BTF's, section names, symbol names, the licence.
pub(crate) struct Strings(std::vec::IntoIter<Range<usize>>);

impl Strings {
    pub(crate) fn of(object: &[u8]) -> Self {
        let btf = section(object, ".BTF");
        // struct btf_header of include/uapi/linux/btf.h: str_off and str_len are its last two words.
        let (header, offset, length) = (
            word(object, btf.start + 4),
            word(object, btf.start + 16),
            word(object, btf.start + 20),
        );
        let strings = btf.start + header + offset;
        let tables = [
            strings..strings + length,
            section(object, ".strtab"),
            section(object, "license"),
        ];
        let mut places = Vec::new();
        for table in tables {
            let mut at = table.start;
            for string in object[table].split(|byte| *byte == 0) {
                if !string.is_empty() {
                    places.push(at..at + string.len());
                }
                at += string.len() + 1;
            }
        }
        Self(places.into_iter())
    }
}

impl Iterator for Strings {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// Writes a string over another that is no shorter.
pub(crate) fn overwrite(place: &mut [u8], string: &[u8]) {
    place.fill(b'X');
    place[..string.len()].copy_from_slice(string);
}

/// Where a section of a 64-bit little-endian ELF file lies.
pub(crate) fn section(object: &[u8], name: &str) -> Range<usize> {
    let headers = long(object, 0x28);
    let count = half(object, 0x3c);
    let of = |number: usize| {
        let header = headers + 64 * number;
        let start = long(object, header + 24);
        (word(object, header), start..start + long(object, header + 32))
    };
    let (_, names) = of(half(object, 0x3e));
    let is_named = |offset: usize| object[names.start + offset..].starts_with(format!("{name}\0").as_bytes());
    let found = (0..count).map(of).find(|(offset, _)| is_named(*offset));
    found.unwrap_or_else(|| panic!("no section {name}")).1
}

fn half(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn word(bytes: &[u8], at: usize) -> usize {
    half(bytes, at) | half(bytes, at + 2) << 16
}

fn long(bytes: &[u8], at: usize) -> usize {
    word(bytes, at) | word(bytes, at + 4) << 32
}
