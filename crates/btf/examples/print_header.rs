//! Prints a BTF file (by default the running kernel's) as a C header, as `bpftool btf dump file … format c` does.
//!
//! `cargo run -p opswap-btf --release --example print_header -- /sys/kernel/btf/vmlinux > vmlinux.h`

use std::io::Write as _;

use btf::Btf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "/sys/kernel/btf/vmlinux".to_owned());
    let btf = Btf::parse(&std::fs::read(path)?)?;
    std::io::stdout().write_all(btf.to_c()?.as_bytes())?;
    Ok(())
}
