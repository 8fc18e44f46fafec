//! Header and string section (`btf_parse_hdr`, `btf_check_sec_info`, `btf_parse_str_sec`).

use super::rule::{Refusal, Rule};
use crate::raw::{HEADER_LEN, MAGIC, VERSION};

/// `BTF_MAX_SIZE`.
const SIZE_MAX: usize = 16 << 20;
/// `BTF_MAX_NAME_OFFSET`.
pub(super) const NAME_OFFSET_MAX: u32 = 0xff_ffff;

/// The two sections; the strings are known to be the last bytes only after [`strings`].
pub(super) struct Sections<'a> {
    pub(super) types: &'a [u8],
    types_offset: u32,
    strings: &'a [u8],
    strings_end: usize,
    body: usize,
}

pub(super) fn sections(data: &[u8]) -> Result<Sections<'_>, Refusal> {
    let refuse = |rule| Err(Refusal::whole(rule));
    if data.len() > SIZE_MAX {
        return refuse(Rule::TooLarge { bytes: data.len() });
    }
    let Some(fixed) = data.first_chunk::<8>() else {
        return refuse(Rule::NoHeaderLength);
    };
    let length = u32::from_le_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    let Some((copied, body)) = data.split_at_checked(length as usize) else {
        return refuse(Rule::HeaderCut { length });
    };
    if copied.iter().skip(HEADER_LEN as usize).any(|&byte| byte != 0) {
        return refuse(Rule::UnknownHeader);
    }
    // A shorter header is as one with zeros.
    let mut header = [0; HEADER_LEN as usize];
    let known = copied.len().min(header.len());
    header[..known].copy_from_slice(&copied[..known]);
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let magic = u16::from_le_bytes([header[0], header[1]]);
    match (magic, header[2], header[3]) {
        (MAGIC, VERSION, 0) => {}
        (MAGIC, VERSION, flags) => return refuse(Rule::HeaderFlags(flags)),
        (MAGIC, version, _) => return refuse(Rule::Version(version)),
        (magic, ..) => return refuse(Rule::Magic(magic)),
    }
    if body.is_empty() {
        return refuse(Rule::NoData);
    }
    let (types, strings) = ((word(8), word(12)), (word(16), word(20)));
    let mut sections = [types, strings];
    // Linux takes the difference of two offsets as a signed number.
    let difference = (
        types.0.wrapping_sub(strings.0) as i32,
        types.1.wrapping_sub(strings.1) as i32,
    );
    if difference > (0, 0) {
        sections.swap(0, 1);
    }
    let total = body.len() as u64;
    let mut end = 0u64;
    for (offset, length) in sections.map(|(offset, length)| (u64::from(offset), u64::from(length))) {
        if total < offset {
            return refuse(Rule::SectionOutside);
        }
        if end < offset {
            return refuse(Rule::SectionGap);
        }
        if end > offset {
            return refuse(Rule::SectionOverlap);
        }
        if total - end < length {
            return refuse(Rule::SectionCut);
        }
        end += length;
    }
    if end != total {
        return refuse(Rule::SectionGap);
    }
    let part = |(offset, length): (u32, u32)| {
        let start = offset as usize;
        body.get(start..start + length as usize).unwrap_or_default()
    };
    Ok(Sections {
        types: part(types),
        types_offset: types.0,
        strings: part(strings),
        strings_end: strings.0 as usize + strings.1 as usize,
        body: body.len(),
    })
}

/// The bytes of the strings.
pub(super) fn strings<'a>(sections: &Sections<'a>) -> Result<&'a [u8], Refusal> {
    let strings = sections.strings;
    if sections.strings_end != sections.body {
        return Err(Refusal::whole(Rule::StringsNotLast));
    }
    let fits = strings.len() <= NAME_OFFSET_MAX as usize + 1;
    if !fits || strings.first() != Some(&0) || strings.last() != Some(&0) {
        return Err(Refusal::whole(Rule::Strings));
    }
    Ok(strings)
}

/// The words of the types.
pub(super) fn words(sections: &Sections<'_>) -> Result<Vec<u32>, Refusal> {
    if !sections.types_offset.is_multiple_of(4) {
        return Err(Refusal::whole(Rule::TypesUnaligned));
    }
    if sections.types.is_empty() {
        return Err(Refusal::whole(Rule::NoTypes));
    }
    let words = sections.types.chunks_exact(4);
    Ok(words
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect())
}
