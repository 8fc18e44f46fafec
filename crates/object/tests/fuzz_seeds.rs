//! The fuzz target of this crate on a few seeds.

#[path = "../../../fuzz/src/object.rs"]
#[expect(unreachable_pub, reason = "public in the crate of the fuzz targets")]
mod target;

#[test]
fn seeds() {
    let seed: &[u8] = include_bytes!("data/ops.clang19.bpf.o");
    assert!(object::Object::parse(seed).is_ok());
    target::run(seed);
    for at in (0..seed.len()).step_by(5) {
        let mut damaged = seed.to_vec();
        damaged[at] ^= 0x11;
        target::run(&damaged);
        target::run(&seed[..at]);
    }
}
