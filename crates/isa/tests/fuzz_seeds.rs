//! The fuzz target of this crate on a few seeds.

#[path = "../../../fuzz/src/isa.rs"]
#[expect(unreachable_pub, reason = "public in the crate of the fuzz targets")]
mod target;

#[test]
fn seeds() {
    let listing = include_str!("data/llvm.txt");
    let texts: Vec<&str> = listing.lines().filter_map(|line| line.split(" => ").next()).collect();
    for text in &texts {
        target::run(text.as_bytes());
    }
    target::run(texts.join("\n").as_bytes());
    let bytes: Vec<u8> = listing
        .lines()
        .filter_map(|line| line.split(" => ").nth(1))
        .flat_map(|hex| (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..][..2], 16).expect(hex)))
        .collect();
    target::run(&bytes);
    for at in 0..bytes.len() {
        let mut damaged = bytes[at / 8 * 8..].to_vec();
        damaged.truncate(32);
        damaged[at % 8] ^= 0x55;
        target::run(&damaged);
    }
}
