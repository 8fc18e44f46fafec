//! The fuzz target of this crate on a few seeds.

#[path = "../../../fuzz/src/btf.rs"]
#[expect(unreachable_pub, reason = "public in the crate of the fuzz targets")]
mod target;

#[test]
fn seeds() {
    let seed: &[u8] = include_bytes!("data/core/kernel-19.btf");
    assert!(btf::Btf::parse(seed).is_ok());
    target::run(seed);
    let mut with_ext = b"E".to_vec();
    with_ext.extend((seed.len() as u32).to_le_bytes());
    with_ext.extend(seed);
    target::run(&with_ext);
    // The header byte by byte, then here and there.
    for at in (0..24).chain((24..seed.len()).step_by(seed.len() / 60)) {
        let mut damaged = seed.to_vec();
        damaged[at] ^= 0x11;
        target::run(&damaged);
        target::run(&seed[..at]);
    }
}
