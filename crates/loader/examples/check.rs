//! Loads the programs of object files into the running kernel, one by one, keeps none, and registers nothing:
//! `cargo run -p opswap-loader --example check FILE.bpf.o`, as root.
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

use loader::{Plan, PlanOptions};
use std::sync::Arc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kernel: Arc<dyn bpf::Bpf> = Arc::new(linux::Linux::new());
    let types = kernel.kernel_btf()?;
    for path in std::env::args().skip(1) {
        let object = object::Object::parse(&std::fs::read(&path)?)?;
        let options = PlanOptions {
            modules: kernel.module_btfs()?,
            ..PlanOptions::default()
        };
        let plan = Plan::new(&object, &types, &options)?;
        print!("{path}\n{plan}");
        for (ops, breach) in plan.breaches() {
            println!("{ops}: {breach}");
        }
        for program in plan.check(&kernel)?.programs {
            match program.result {
                Ok(insns) => println!("{}: accepted, {insns} instructions processed", program.name),
                Err(refusal) => println!("{}: {refusal}\n{}", program.name, refusal.log),
            }
        }
    }
    Ok(())
}
