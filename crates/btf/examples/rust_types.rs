//! Types of a kernel written in Rust: derive their BTF, add a function, print the header that BPF programs include.
//!
//! `cargo run -p opswap-btf --example rust_types`
#![expect(clippy::print_stdout, reason = "an example prints")]

use btf::{BtfType, Builder, Kind, Linkage, fn_proto};

/// Operations that programs may implement.
#[derive(BtfType)]
#[repr(C)]
struct scheduler_ops {
    pick: Option<unsafe extern "C" fn(queue: *mut queue, now: u64) -> i32>,
    release: Option<unsafe extern "C" fn(queue: *mut queue)>,
    name: [core::ffi::c_char; 16],
}

/// What they get to see.
#[derive(BtfType)]
#[repr(C)]
struct queue {
    next: *mut Self,
    deadline: u64,
    #[btf(bits(state = 3, urgent = 1))]
    flags: u8,
    #[btf(opaque = "task")]
    owner: *mut core::ffi::c_void,
    #[btf(skip)]
    ours_alone: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Builder::new();
    builder.add_rust::<scheduler_ops>();
    let proto = fn_proto!(&mut builder, fn(queue: *mut queue, deadline: u64) -> bool);
    let func = builder.func("queue_extend", proto, Linkage::Static);
    builder.decl_tag("bpf_kfunc", func, None);
    let btf = builder.build()?;
    println!("{}", btf.to_c()?);

    let id = btf.find("queue", Kind::Struct).ok_or("no queue")?;
    for field in ["deadline", "urgent"] {
        let field_at = btf.field(id, field)?;
        println!("// {field}: byte {}, bits {:?}", field_at.byte_offset(), field_at.bits);
    }
    println!("// byte 12 is {}", btf.describe_offset(id, 12));

    let mut queue = queue {
        next: std::ptr::null_mut(),
        deadline: 0,
        flags: 0,
        owner: std::ptr::null_mut(),
        ours_alone: 0,
    };
    queue.set_urgent(1);
    println!(
        "// urgent set: state {}, urgent {}, flags {:#b}",
        queue.state(),
        queue.urgent(),
        queue.flags
    );
    Ok(())
}
