//! Prints what a BPF object file contains: `cargo run -p opswap-object --example show FILE.bpf.o`.
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let object = object::Object::parse(&std::fs::read(&path)?)?;
        print!("{path}\n{object}");
    }
    Ok(())
}
