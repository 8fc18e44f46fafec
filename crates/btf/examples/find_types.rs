//! Reads a BTF file (by default the running kernel's) and shows where a few fields of TCP are.
//!
//! `cargo run -p opswap-btf --release --example find_types -- /sys/kernel/btf/vmlinux`
#![expect(clippy::print_stdout, reason = "an example prints")]

use btf::{Btf, Kind};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "/sys/kernel/btf/vmlinux".to_owned());
    let data = std::fs::read(&path)?;
    let start = std::time::Instant::now();
    let btf = Btf::parse(&data)?;
    let parsed = start.elapsed();
    let names = [
        "sock",
        "tcp_sock",
        "inet_connection_sock",
        "tcp_congestion_ops",
        "rate_sample",
        "ack_sample",
    ];
    let found: Vec<_> = names.iter().map(|name| (name, btf.find(name, Kind::Struct))).collect();
    println!(
        "{path}: {btf:?}, parsed in {parsed:?}, types found after {:?}",
        start.elapsed()
    );
    for (name, id) in found {
        let Some(id) = id else {
            println!("struct {name}: not there");
            continue;
        };
        println!("struct {name} {id}: {} bytes", btf.size_of(id)?);
    }
    let Some(tcp_sock) = btf.find("tcp_sock", Kind::Struct) else {
        return Ok(());
    };
    for path in [
        "inet_conn.icsk_inet.sk.__sk_common.skc_state",
        "srtt_us",
        "rate_app_limited",
    ] {
        let field = btf.field(tcp_sock, path)?;
        let at = field.byte_offset();
        println!(
            "{path}: byte {at}, bits {:?}, back: {}",
            field.bits,
            btf.describe_offset(tcp_sock, at)
        );
    }
    Ok(())
}
