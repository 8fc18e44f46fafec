//! Linux as the judge of error numbers: the verifier's cases, loaded as programs of an operation on both kernels.
//!
//! Verdicts are the verifier's own tests' business; here a program that both refuse must be refused with the same number.

use bpf::{Bpf, Fd, LoadVerdict, Map, MapCreate, MapFlags, MapType, UpdateFlags};
use isa::{Imm64, Insn};
use std::sync::Arc;
use testkit::Ops;

const CASES: [(&str, &str); 9] = [
    ("structure", include_str!("../../verifier/tests/data/structure.txt")),
    ("registers", include_str!("../../verifier/tests/data/registers.txt")),
    ("bounds", include_str!("../../verifier/tests/data/bounds.txt")),
    ("stack", include_str!("../../verifier/tests/data/stack.txt")),
    ("maps", include_str!("../../verifier/tests/data/maps.txt")),
    ("structs", include_str!("../../verifier/tests/data/structs.txt")),
    ("calls", include_str!("../../verifier/tests/data/calls.txt")),
    ("pruning", include_str!("../../verifier/tests/data/pruning.txt")),
    ("history", include_str!("../../verifier/tests/data/history.txt")),
];

/// Cases in which one kernel finds another fault first.
const OTHER_FAULT: [&str; 1] = ["comparison before the copy is changed"];

/// Maps that the cases name 1 to 4.
pub(crate) fn maps(kernel: &dyn Bpf) -> Vec<Fd<Map>> {
    let create = |map_type, key_size, value_size, max_entries, flags| {
        let args = MapCreate {
            key_size,
            value_size,
            max_entries,
            flags,
            name: "oswt_case",
            ..MapCreate::new(map_type)
        };
        kernel.map_create(&args).unwrap()
    };
    let none = MapFlags::empty();
    let constant = create(MapType::ARRAY, 4, 8, 1, MapFlags::RDONLY_PROG);
    let value = 0x8000_0000_0000_0005_u64.to_le_bytes();
    kernel.map_update(&constant, &[0; 4], &value, UpdateFlags::ANY).unwrap();
    kernel.map_freeze(&constant).unwrap();
    vec![
        create(MapType::ARRAY, 4, 16, 4, none),
        create(MapType::HASH, 8, 64, 4, none),
        create(MapType::ARRAY, 4, 48, 1, none),
        constant,
    ]
}

/// Loads a case; none if it was taken.
fn refusal(ops: &Ops<'_>, maps: &[Fd<Map>], insns: &[Insn]) -> Option<bpf::ProgLoadError> {
    let mut insns = insns.to_vec();
    for insn in &mut insns {
        if let Insn::LoadImm64 {
            imm: Imm64::MapFd(fd) | Imm64::MapValue { fd, .. },
            ..
        } = insn
            && let Some(map) = usize::try_from(*fd - 1).ok().and_then(|index| maps.get(index))
        {
            *fd = map.raw();
        }
    }
    let raw = isa::encode(&insns).unwrap();
    ops.kernel.prog_load(&ops.load_args("ssthresh", &raw)).err()
}

#[test]
fn the_same_error_numbers() {
    if !testkit::linux_or_skip("loads the verifier's cases to compare error numbers") {
        return;
    }
    let linux = linux::Linux::new();
    let registry = Arc::new(tcp::ca::Registry::new());
    let embedded = kernel::Kernel::builder()
        .family(tcp_ca::TcpCa::new(&registry))
        .build()
        .unwrap();
    let kernels: [&dyn Bpf; 2] = [&embedded, &linux];
    let grounds = kernels.map(|kernel| (Ops::new(kernel), maps(kernel)));
    let (mut compared, mut wrong) = (0, Vec::new());
    for (file, text) in CASES {
        for case in text.split("\n== ").skip(1) {
            let (name, body) = case.split_once('\n').unwrap();
            // Other contexts than packets have types of their own.
            if name.contains('[') {
                continue;
            }
            let insns = isa::asm::assemble(body).unwrap_or_else(|error| panic!("{file}: {name}: {error}"));
            let [here, there] = grounds.each_ref().map(|(ops, maps)| refusal(ops, maps, &insns));
            let (here, there) = match (here, there) {
                (Some(here), Some(there)) if here.verdict == LoadVerdict::Rejected => (here, there),
                (None, Some(there)) => {
                    wrong.push(format!("{file}: {name}: only Linux refuses it\n{}", there.log));
                    continue;
                }
                _ => continue,
            };
            compared += 1;
            if here.errno != there.errno && !OTHER_FAULT.contains(&name) {
                wrong.push(format!(
                    "{file}: {name}: {here}: {:?}, on Linux {:?}: {there}",
                    here.errno, there.errno
                ));
            }
        }
    }
    assert!(compared > 100, "{compared} cases");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every read and write of a packet's context: the same verdict as Linux's, or not supported where Linux takes it.
#[test]
fn the_same_packet_context() {
    if !testkit::linux_or_skip("loads socket filters to compare what they may read") {
        return;
    }
    let linux = linux::Linux::new();
    let embedded = kernel::Kernel::builder().build().unwrap();
    let (mut taken, mut lacking, mut wrong) = (0, 0, Vec::new());
    for (code, size) in [("u8", 1), ("u16", 2), ("u32", 4), ("u64", 8)] {
        for offset in (0..200).step_by(size) {
            for insn in [
                format!("r0 = *({code} *)(r1 + {offset})"),
                format!("r0 = 0\n *({code} *)(r1 + {offset}) = r0"),
            ] {
                let insns = testkit::assemble(&format!("{insn}\n r0 = 0\n exit"));
                let load = bpf::ProgLoad {
                    license: "GPL",
                    ..bpf::ProgLoad::new(bpf::ProgType::SOCKET_FILTER, &insns)
                };
                let here = embedded.prog_load(&load).map_err(|refused| refused.verdict);
                match (here, linux.prog_load(&load).is_ok()) {
                    (Ok(_), true) => taken += 1,
                    (Err(LoadVerdict::Rejected), false) => {}
                    (Err(LoadVerdict::Unsupported), true) => lacking += 1,
                    (here, there) => wrong.push(format!("{insn}: {here:?}, Linux takes it: {there}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(taken > 50 && lacking > 10, "{taken} taken, {lacking} not supported");
}
