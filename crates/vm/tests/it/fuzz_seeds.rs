//! The fuzz target of this crate on a few seeds.

#[path = "../../../../fuzz/src/vm.rs"]
#[expect(unreachable_pub, reason = "public in the crate of the fuzz targets")]
mod target;

use crate::cases;

#[test]
fn seeds() {
    for case in cases::all() {
        let insns = isa::asm::assemble(&case.text).expect("assembles");
        let mut bytes = isa::to_bytes(&isa::encode(&insns).expect("encodes"));
        target::run(&bytes);
        for at in 0..bytes.len() {
            bytes[at] ^= 0x11;
            target::run(&bytes);
            bytes[at] ^= 0x11;
        }
    }
}
