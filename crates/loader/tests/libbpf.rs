//! The loader against libbpf, on the running kernel: the same object gives the same programs, maps and refusals.
//!
//! Programs are loaded and thrown away; nothing is registered. The tag is the kernel's checksum of the instructions as
//! they were given to it; the translated instructions are what its verifier made of them.

use bpf::{Bpf, Fd, Prog};
use loader::{Loaded, Plan, PlanOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use testkit::KernelTools;

/// What both loaders must agree about.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    tag: String,
    /// The translated instructions, with ids of maps blanked.
    translated: Vec<u8>,
    /// Instructions that the verifier processed.
    verified: u32,
}

/// Selftest programs that load on this kernel, and whether their ops structures could be registered.
const ACCEPTED: &[&str] = &[
    "bpf_cubic",
    "bpf_dctcp",
    "bpf_cc_cubic",
    "tcp_ca_incompl_cong_ops",
    "tcp_ca_update",
    "tcp_ca_write_sk_pacing",
    "dummy_st_ops_success",
    "loop4",
];

/// Selftest programs that do not load on this kernel, and what stands in the way.
const REFUSED: &[(&str, &str)] = &[
    ("tcp_ca_unsupp_cong_op", "program `unsupp_cong_op_get_info`"),
    ("bpf_dctcp_release", "program `dctcp_nouse_release`"),
    ("bpf_tcp_nogpl", "program `nogpltcp_init`"),
    ("dummy_st_ops_fail", "program `test_unsupported_field_sleepable`"),
    ("tcp_ca_kfunc", "the kernel has no function `dctcp_cwnd_event`"),
    (
        "bad_struct_ops",
        "the kernel has no ops structure `bpf_testmod_ops` that programs may implement",
    ),
    (
        "bad_struct_ops2",
        "program `foo` is not referenced by any ops structure",
    ),
];

#[test]
fn the_kernels_selftests_load_as_with_libbpf() {
    let Some(tools) = testkit::kernel_tools_or_skip("the loader's programs against libbpf's") else {
        return;
    };
    for name in ACCEPTED {
        let object = tools.selftest(name).unwrap_or_else(|error| panic!("{error}"));
        agree(&tools, &object);
    }
}

#[test]
fn our_algorithms_load_as_with_libbpf() {
    let Some(tools) = testkit::kernel_tools_or_skip("our algorithms by our loader and by libbpf") else {
        return;
    };
    for name in ["reno", "cubic", "dctcp"] {
        agree(&tools, Path::new(&format!("../../algorithms/objects/{name}.bpf.o")));
    }
}

#[test]
fn our_fixtures_load_as_with_libbpf() {
    let Some(tools) = testkit::kernel_tools_or_skip("our fixtures by our loader and by libbpf") else {
        return;
    };
    for fixture in ["calls", "externs", "maps", "values"] {
        for compiler in [14, 19] {
            let object = format!("../object/tests/data/{fixture}.clang{compiler}.bpf.o");
            agree(&tools, Path::new(&object));
        }
    }
    for fixture in ["core", "runs", "ksyms"] {
        agree(&tools, Path::new(&format!("tests/data/linux/{fixture}.bpf.o")));
    }
}

#[test]
fn what_libbpf_refuses_we_refuse() {
    let Some(tools) = testkit::kernel_tools_or_skip("refusals of our loader and of libbpf") else {
        return;
    };
    let kernel = kernel();
    for (name, expected) in REFUSED {
        let object = tools.selftest(name).unwrap_or_else(|error| panic!("{error}"));
        let ours = load(&kernel, &object).err().unwrap_or_else(|| panic!("{name} loads"));
        assert!(ours.contains(expected), "{name}: {ours}");
        let pins = Pins::new();
        assert!(pins.load_all(&tools, &object).is_err(), "{name}: libbpf loads it");
    }
}

/// Whether the kernel knows where its variables are is a matter of its configuration (`CONFIG_KALLSYMS_ALL`): both loaders hear the same.
#[test]
fn a_variable_of_the_kernel_is_found_as_by_libbpf() {
    let Some(tools) = testkit::kernel_tools_or_skip("a variable of the kernel by our loader and by libbpf") else {
        return;
    };
    let object = Path::new("tests/data/linux/per_cpu.bpf.o");
    let ours = load(&kernel(), object);
    let symbols = std::fs::read_to_string("/proc/kallsyms").unwrap();
    let is_known = symbols.lines().any(|line| line.ends_with(" bpf_prog_active"));
    match ours {
        Ok(_) => agree(&tools, object),
        Err(error) => {
            assert!(!is_known, "{error}");
            assert!(
                error.contains("program `look`") && error.contains("bpf_prog_active"),
                "{error}"
            );
            let pins = Pins::new();
            assert!(pins.load_all(&tools, object).is_err(), "libbpf loads it");
        }
    }
}

/// Loads the object both ways and compares.
fn agree(tools: &KernelTools, object: &Path) {
    let kernel = kernel();
    let loaded = load(&kernel, object).unwrap_or_else(|error| panic!("{}: {error}", object.display()));
    let mut ours = BTreeMap::new();
    for program in loaded.programs() {
        ours.insert(program.name.clone(), describe(tools, &*kernel, &program.program));
    }
    let our_maps: Vec<String> = all_maps(&loaded)
        .into_iter()
        .map(|map| map_shape(&*kernel, map))
        .collect();

    let pins = Pins::new();
    pins.load_all(tools, object)
        .unwrap_or_else(|error| panic!("{}: libbpf: {error}", object.display()));
    let mut theirs = BTreeMap::new();
    for (name, program) in pins.programs(&*kernel) {
        theirs.insert(name, describe(tools, &*kernel, &program));
    }
    let names = |programs: &BTreeMap<String, Program>| programs.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&ours),
        names(&theirs),
        "{}: other programs are loaded",
        object.display()
    );
    for (name, program) in &ours {
        assert_eq!(program, &theirs[name], "{}: {name}", object.display());
    }
    // One program stands for all: bpftool takes its time to print lines.
    if let Some((name, their)) = pins.programs(&*kernel).first() {
        let our = loaded.program(name).unwrap();
        assert_eq!(
            lines(tools, &*kernel, our),
            lines(tools, &*kernel, their),
            "{}: {name}",
            object.display()
        );
    }
    let mut their_maps = pins.maps(&*kernel);
    let mut our_maps = our_maps;
    our_maps.sort();
    their_maps.sort();
    // libbpf's maps are seen through its programs: one that no program uses is not among them.
    for map in &their_maps {
        assert!(
            our_maps.contains(map),
            "{}: {map} is not among {our_maps:?}",
            object.display()
        );
    }
}

fn kernel() -> Arc<dyn Bpf> {
    Arc::new(linux::Linux::new())
}

fn load(kernel: &Arc<dyn Bpf>, path: &Path) -> Result<Loaded, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let object = object::Object::parse(&bytes).map_err(|error| error.to_string())?;
    let types = kernel.kernel_btf().map_err(|error| error.to_string())?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let options = PlanOptions {
        others: loader::Others::Load,
        object_name: file.split('.').next().unwrap_or_default().to_owned(),
        ..PlanOptions::default()
    };
    let plan = Plan::new(&object, &types, &options).map_err(|error| error.to_string())?;
    plan.load(kernel).map_err(|error| error.to_string())
}

fn all_maps(loaded: &Loaded) -> Vec<&Fd<bpf::Map>> {
    loaded
        .maps()
        .iter()
        .map(|map| &map.map)
        .chain(loaded.ops().iter().map(|ops| &ops.map))
        .collect()
}

fn map_shape(kernel: &dyn Bpf, map: &Fd<bpf::Map>) -> String {
    let info = kernel.map_info(map).unwrap();
    // The value of a data section is part of what both must agree about.
    let value = match (info.map_type, info.max_entries) {
        (bpf::MapType::ARRAY, 1) => kernel.map_lookup(map, &[0; 4]).unwrap(),
        _ => Vec::new(),
    };
    // Ids differ between two loads, names do not.
    let holds_maps = [bpf::MapType::ARRAY_OF_MAPS, bpf::MapType::HASH_OF_MAPS].contains(&info.map_type);
    let slots = (0..info.max_entries).filter(|_| holds_maps).filter_map(|slot| {
        let id = kernel.map_lookup(map, &slot.to_le_bytes()).ok()?;
        let held = kernel.map_by_id(u32::from_le_bytes(id.try_into().unwrap())).unwrap();
        Some((slot, kernel.map_info(&held).unwrap().name))
    });
    let slots: Vec<_> = slots.collect();
    format!(
        "{} {} key {} value {} entries {} flags {:?} types {} {} holds {value:?} {slots:?}",
        info.name,
        info.map_type,
        info.key_size,
        info.value_size,
        info.max_entries,
        info.flags,
        info.btf_key_type_id,
        info.btf_value_type_id,
    )
}

fn describe(tools: &KernelTools, kernel: &dyn Bpf, program: &Fd<Prog>) -> Program {
    let info = kernel.prog_info(program).unwrap();
    let dump = std::env::temp_dir().join(testkit::unique_name("oslo_dump"));
    let id = info.id.to_string();
    run(tools
        .bpftool()
        .args(["prog", "dump", "xlated", "id", &id, "file"])
        .arg(&dump))
    .unwrap();
    let translated = std::fs::read(&dump).unwrap();
    let _ = std::fs::remove_file(&dump);
    Program {
        tag: info.tag.iter().map(|byte| format!("{byte:02x}")).collect(),
        translated: blank_maps(translated),
        verified: info.verified_insns,
    }
}

/// The prototypes and source lines that the kernel has for a program.
fn lines(tools: &KernelTools, kernel: &dyn Bpf, program: &Fd<Prog>) -> Vec<String> {
    let id = kernel.prog_info(program).unwrap().id.to_string();
    let text = run(tools.bpftool().args(["prog", "dump", "xlated", "id", &id, "linum"])).unwrap();
    let is_insn = |line: &str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    let lines: Vec<String> = text.lines().filter(|line| !is_insn(line)).map(str::to_owned).collect();
    assert!(lines.iter().any(|line| line.contains("[file:")), "no lines in {text}");
    lines
}

/// A 64-bit immediate that is a map shows the map's id, which differs between two loads.
fn blank_maps(mut insns: Vec<u8>) -> Vec<u8> {
    for insn in insns.chunks_exact_mut(8) {
        let source = insn[1] >> 4;
        if insn[0] == 0x18 && (source == 1 || source == 2) {
            insn[4..8].fill(0);
        }
    }
    insns
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What bpftool loaded, in a bpffs of our own that is gone at the end.
struct Pins(testkit::Bpffs);

impl Pins {
    fn new() -> Self {
        Self(testkit::Bpffs::new())
    }

    fn programs_dir(&self) -> PathBuf {
        self.0.path().join("programs")
    }

    fn load_all(&self, tools: &KernelTools, object: &Path) -> Result<String, String> {
        run(tools
            .bpftool()
            .args(["prog", "loadall"])
            .arg(object)
            .arg(self.programs_dir()))
    }

    fn programs(&self, kernel: &dyn Bpf) -> Vec<(String, Fd<Prog>)> {
        let entries = kernel.pin_list(&self.programs_dir()).unwrap();
        entries
            .into_iter()
            .filter_map(|entry| match kernel.obj_get(&self.programs_dir().join(&entry.name)) {
                Ok(bpf::Pinned::Prog(program)) => Some((entry.name, program)),
                _ => None,
            })
            .collect()
    }

    fn maps(&self, kernel: &dyn Bpf) -> Vec<String> {
        let ids: std::collections::BTreeSet<u32> = self
            .programs(kernel)
            .iter()
            .flat_map(|(_, program)| kernel.prog_info(program).unwrap().map_ids)
            .collect();
        ids.into_iter()
            .map(|id| map_shape(kernel, &kernel.map_by_id(id).unwrap()))
            .collect()
    }
}
