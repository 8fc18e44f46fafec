//! Which rights Linux asks for: the test runs itself again with fewer of them, and compares what the kernel lets pass.

use bpf::{Bpf, Errno, IdKind, LoadVerdict, MapCreate, MapFlags, MapType, ProgLoad, ProgType};
use linux::{Capabilities, Capability, Linux};
use std::process::Command;
use testkit::{Ops, assemble, linux_or_skip, tool_or_skip};

/// Set for the second run; says which rights it has.
const CHILD: &str = "OPSWAP_TEST_RIGHTS";

#[test]
fn rights() {
    match std::env::var(CHILD) {
        Ok(rights) => eprintln!("{rights}: {}", passes()),
        Err(_) => compare(),
    }
}

fn compare() {
    if !linux_or_skip("rights") || !tool_or_skip("setpriv", "rights") {
        return;
    }
    let cases = [
        ("-all", ""),
        ("-all,+net_admin", ""),
        ("-all,+bpf", "btf array filter"),
        ("-all,+bpf,+net_admin", "btf array filter"),
        ("-all,+bpf,+perfmon", "btf array filter ops link"),
        ("-all,+sys_admin", "btf array filter ops link ids"),
    ];
    for (rights, expected) in cases {
        let output = Command::new("setpriv")
            .args(["--bounding-set", rights, "--inh-caps", "-all"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "rights", "--nocapture"])
            .env(CHILD, rights)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{rights}: ")));
        assert_eq!(line.map(str::trim), Some(expected), "{rights}: {text}");
    }
}

/// What the kernel lets this process do.
fn passes() -> String {
    let linux = Linux::new();
    let rights = Capabilities::current();
    let mut passes = Vec::new();
    let mut types = btf::Builder::new();
    types.int("int", 4, btf::Encoding::SIGNED);
    let types = types.build().unwrap().to_bytes();
    let array = MapCreate {
        key_size: 4,
        value_size: 4,
        max_entries: 1,
        flags: MapFlags::empty(),
        ..MapCreate::new(MapType::ARRAY)
    };
    let insns = assemble("r0 = 0\nexit");
    let filter = linux.prog_load(&ProgLoad::new(ProgType::SOCKET_FILTER, &insns));
    if let Err(error) = &filter {
        assert_eq!((error.errno, error.verdict), (Errno::EPERM, LoadVerdict::Denied));
    }
    let may = [
        ("btf", linux.btf_load(&types).is_ok()),
        ("array", linux.map_create(&array).is_ok()),
        ("filter", filter.is_ok()),
    ];
    passes.extend(may.iter().filter(|(_, may)| *may).map(|(name, _)| *name));
    if may[0].1 {
        let ops = Ops::new(&linux);
        let prog = ops.program("ssthresh", "r0 = 2\nexit");
        assert_eq!(prog.is_ok(), rights.missing_for_struct_ops().is_empty(), "{rights:?}");
        if prog.is_ok() {
            passes.push("ops");
            let table = ops.table(&testkit::unique_name("oswt_"), true).unwrap();
            passes.extend(linux.link_create_struct_ops(&table.map).is_ok().then_some("link"));
        }
    }
    let ids = linux.next_id(IdKind::Prog, 0);
    assert_eq!(ids.is_ok(), rights.has(Capability::SysAdmin));
    passes.extend(ids.is_ok().then_some("ids"));
    passes.join(" ")
}
