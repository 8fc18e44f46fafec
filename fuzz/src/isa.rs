//! Instructions: bytes decode or give an error, what decodes encodes to the same bytes, and what is printed
//! assembles to the same instructions. The same bytes as text must not upset the assembler.

/// # Panics
/// If one of the inverses is none.
pub fn run(data: &[u8]) {
    let whole = &data[..data.len() / 8 * 8];
    let raw = ::isa::from_bytes(whole).expect("a multiple of eight");
    assert_eq!(::isa::to_bytes(&raw), whole);
    if let Ok(insns) = ::isa::decode(&raw) {
        assert_eq!(::isa::encode(&insns).as_ref(), Ok(&raw));
        let listing = ::isa::listing(&insns).to_string();
        assert_eq!(::isa::asm::assemble(&listing), Ok(insns), "{listing}");
    }
    if let Ok(insns) = ::isa::asm::assemble(&String::from_utf8_lossy(data)) {
        let raw = ::isa::encode(&insns).expect("what assembles can be encoded");
        assert_eq!(::isa::decode(&raw), Ok(insns));
    }
}
