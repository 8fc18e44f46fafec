//! BTF and `.BTF.ext`: parse or give an error; what parses is written back to the same types, laid out and
//! printed without a panic.
//!
//! The data is BTF, or, if it starts with an `E`, four bytes of length, so much BTF, and a `.BTF.ext` for it.

use ::btf::{Btf, BtfExt};

/// # Panics
/// If writing and parsing again gives other types.
pub fn run(data: &[u8]) {
    match data {
        [b'E', a, b, c, d, rest @ ..] => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            let Some((types, ext)) = rest.split_at_checked(length) else {
                return;
            };
            if let Ok(btf) = Btf::parse(types) {
                run_ext(ext, &btf);
            }
        }
        _ => run_types(data),
    }
}

fn run_types(data: &[u8]) {
    let Ok(btf) = Btf::parse(data) else {
        return;
    };
    let written = btf.to_bytes();
    let again = Btf::parse(&written).expect("what was written parses");
    assert_eq!(btf.types().count(), again.types().count());
    for (one, other) in btf.types().zip(again.types()) {
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
    // Answers of any kind are fine; panics and endless recursion are not.
    for id in (0..btf.end_id()).map(::btf::TypeId) {
        let _ = (
            btf.size_of(id),
            btf.align_of(id),
            btf.skip_mods_and_typedefs(id),
            btf.pointee(id),
        );
        let _ = btf.type_name(id);
    }
    // Padding is printed word by word, which for a structure of gigabytes is slow before it is too long.
    let sizes = btf.types().map(|one| btf.size_of(one.id).unwrap_or(0));
    if sizes.map(u64::from).sum::<u64>() < 1 << 16 {
        let _ = btf.to_c();
    }
}

fn run_ext(data: &[u8], btf: &Btf) {
    if let Ok(ext) = BtfExt::parse(data, btf) {
        let written = ext.to_bytes();
        let again = BtfExt::parse(&written, btf).expect("what was written parses");
        assert_eq!(again.to_bytes(), written);
    }
}
