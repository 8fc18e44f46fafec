//! Resolves the CO-RE relocations of a BPF object against a kernel's BTF and prints each answer.
//!
//! `cargo run -p opswap-btf --example relocate -- program.bpf.o [/sys/kernel/btf/vmlinux]`
#![expect(clippy::print_stdout, reason = "an example prints")]

use btf::core::Resolver;
use btf::{Btf, BtfExt};
use elf::{Object as _, ObjectSection as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let object = std::fs::read(arguments.next().ok_or("which object?")?)?;
    let kernel = arguments.next().unwrap_or_else(|| "/sys/kernel/btf/vmlinux".to_owned());
    let kernel = Btf::parse(&std::fs::read(kernel)?)?;

    let file = elf::File::parse(&*object)?;
    let section = |name: &'static str| file.section_by_name(name).ok_or(name)?.data().map_err(|_| name);
    let local = Btf::parse(section(".BTF")?)?;
    let ext = BtfExt::parse(section(".BTF.ext")?, &local)?;

    let mut resolver = Resolver::new(&local, [&kernel]);
    for info in &ext.sections {
        for record in &info.relocations {
            let relocation = record.relocation(&local);
            let ty = local.declaration(relocation.ty, "");
            let question = format!("{} of {ty} {}", relocation.kind.name(), relocation.access);
            let place = format!("{}+{}", info.name, record.insn_offset);
            match resolver.resolve(&relocation) {
                Ok(fixup) if fixup.poisoned => println!("{place}: {question}: not in this kernel"),
                Ok(fixup) => println!("{place}: {question}: {} -> {}", fixup.local, fixup.target),
                Err(error) => println!("{place}: {question}: {error}"),
            }
        }
    }
    Ok(())
}
