//! The running Linux kernel as a [`bpf::Bpf`]: its bpf(2), its types, its settings, and the file system that holds pins. No C library for BPF is used.
//!
//! All descriptors are closed on exec and when their handle is dropped. Nothing is remembered between calls but the BTF and the settings of the kernel.
//! [`Capabilities`] says what the process may do, [`bpffs`] where pins can live, [`netns`] which network namespaces there are. `docs/linux-notes.md` has what was measured of the kernel.
//!
//! ```no_run
//! use bpf::{Bpf, IdKind};
//!
//! let linux = linux::Linux::new();
//! for id in linux.ids(IdKind::Link)? {
//!     let info = linux.link_info(&linux.link_by_id(id)?)?;
//!     eprintln!("link {id} is a {}", info.link_type);
//! }
//! # Ok::<(), bpf::Errno>(())
//! ```
#![deny(unsafe_code)]

pub mod bpffs;
mod btf;
mod capabilities;
mod config;
mod info;
mod links;
mod log;
mod maps;
pub mod netns;
mod perf;
mod probe;
mod progs;
#[expect(unsafe_code, reason = "system calls")]
mod syscall;

pub use capabilities::{Capabilities, Capability};
pub use log::report_from_log;

use ::btf::Btf;
use bpf::{
    Answer, AttachType, Bpf, BtfInfo, BtfLoadError, BtfObject, Errno, Fd, FdTable, Feature, IdKind, KernelBtfError,
    Link, LinkInfo, LinkTarget, LinkUpdate, LinkUpdateError, Map, MapCreate, MapInfo, ModuleBtf, ObjectRef, PinEntry,
    Pinned, Prog, ProgInfo, ProgLoad, ProgLoadError, Stats, TestRun, TestRunResult, UpdateFlags,
};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The kernel that runs this process.
pub struct Linux {
    table: Arc<dyn FdTable>,
    btf: OnceLock<Result<Btf, KernelBtfError>>,
    config: OnceLock<Result<config::Config, Errno>>,
}

/// The process's own descriptors.
struct ProcessFds;

impl FdTable for ProcessFds {
    fn close(&self, fd: i32) {
        syscall::close(fd);
    }

    fn duplicate(&self, fd: i32) -> Result<i32, Errno> {
        syscall::duplicate(fd)
    }
}

impl Linux {
    /// Asks nothing yet: whether BPF can be used shows when it is.
    pub fn new() -> Self {
        Self {
            table: Arc::new(ProcessFds),
            btf: OnceLock::new(),
            config: OnceLock::new(),
        }
    }

    /// Puts names to the offsets in the reason, where the kernel's types have them.
    fn with_field_names(&self, mut error: ProgLoadError) -> ProgLoadError {
        if let Some(report) = error.report.as_deref_mut().filter(|_| log::has_offset(&error.log))
            && let Ok(btf) = self.kernel_btf()
        {
            log::name_field(report, &error.log, &btf);
        }
        error
    }

    /// Takes over a descriptor that the kernel just gave us.
    fn adopt<K>(&self, raw: i32) -> Fd<K> {
        Fd::adopt(raw, Arc::clone(&self.table))
    }
}

impl Default for Linux {
    fn default() -> Self {
        Self::new()
    }
}

impl Bpf for Linux {
    fn name(&self) -> &'static str {
        "linux"
    }

    fn version(&self) -> u32 {
        config::version()
    }

    fn kernel_btf(&self) -> Result<Btf, KernelBtfError> {
        self.btf.get_or_init(btf::read_kernel).clone()
    }

    fn module_btfs(&self) -> Result<Vec<ModuleBtf>, Errno> {
        btf::modules(self)
    }

    fn kconfig(&self, name: &str) -> Result<Option<String>, Errno> {
        let config = self.config.get_or_init(config::Config::read);
        config.as_ref().map(|config| config.get(name)).map_err(|errno| *errno)
    }

    fn ksym_addresses(&self, name: &str) -> Vec<u64> {
        std::fs::read_to_string("/proc/kallsyms")
            .map_or_else(|_| Vec::new(), |symbols| config::ksym_addresses(&symbols, name))
    }

    fn registered_names(&self, kind: &str) -> Vec<String> {
        config::registered_names(kind)
    }

    fn possible_cpus(&self) -> u32 {
        config::possible_cpus()
    }

    fn btf_load(&self, data: &[u8]) -> Result<Fd<BtfObject>, BtfLoadError> {
        progs::btf_load(data).map(|raw| self.adopt(raw))
    }

    fn map_create(&self, args: &MapCreate<'_>) -> Result<Fd<Map>, Errno> {
        maps::create(args).map(|raw| self.adopt(raw))
    }

    fn map_lookup(&self, map: &Fd<Map>, key: &[u8]) -> Result<Vec<u8>, Errno> {
        maps::lookup(map, key)
    }

    fn map_update(&self, map: &Fd<Map>, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
        maps::update(map, key, value, flags)
    }

    fn map_delete(&self, map: &Fd<Map>, key: &[u8]) -> Result<(), Errno> {
        maps::delete(map, key)
    }

    fn map_next_key(&self, map: &Fd<Map>, after: Option<&[u8]>) -> Result<Option<Vec<u8>>, Errno> {
        maps::next_key(map, after)
    }

    fn map_freeze(&self, map: &Fd<Map>) -> Result<(), Errno> {
        maps::freeze(map)
    }

    fn prog_load(&self, args: &ProgLoad<'_>) -> Result<Fd<Prog>, ProgLoadError> {
        let loaded = progs::load(args).map(|raw| self.adopt(raw));
        loaded.map_err(|error| self.with_field_names(error))
    }

    fn prog_load_with_log(&self, args: &ProgLoad<'_>, level: u32) -> Result<(Fd<Prog>, String), ProgLoadError> {
        let loaded = progs::load_with_log(args, level).map(|(raw, log)| (self.adopt(raw), log));
        loaded.map_err(|error| self.with_field_names(error))
    }

    fn prog_test_run(&self, prog: &Fd<Prog>, args: &TestRun<'_>) -> Result<TestRunResult, Errno> {
        progs::test_run(prog, args)
    }

    fn link_create_struct_ops(&self, map: &Fd<Map>) -> Result<Fd<Link>, Errno> {
        links::create_struct_ops(map).map(|raw| self.adopt(raw))
    }

    fn link_create(
        &self,
        prog: &Fd<Prog>,
        attach_type: AttachType,
        target: &LinkTarget<'_>,
    ) -> Result<Fd<Link>, Errno> {
        links::create(prog, attach_type, target).map(|raw| self.adopt(raw))
    }

    fn link_update(&self, link: &Fd<Link>, update: &LinkUpdate<'_>) -> Result<(), LinkUpdateError> {
        links::update(self, link, update)
    }

    fn link_detach(&self, link: &Fd<Link>) -> Result<(), Errno> {
        links::detach(link)
    }

    fn obj_pin(&self, path: &Path, object: ObjectRef<'_>) -> Result<(), Errno> {
        bpffs::pin(path, object)
    }

    fn obj_get(&self, path: &Path) -> Result<Pinned, Errno> {
        bpffs::get(self, path)
    }

    fn pin_remove(&self, path: &Path) -> Result<(), Errno> {
        bpffs::remove(path)
    }

    fn pin_rename(&self, from: &Path, to: &Path) -> Result<(), Errno> {
        Ok(std::fs::rename(from, to)?)
    }

    fn pin_dir_create(&self, path: &Path) -> Result<(), Errno> {
        bpffs::create_dir(path)
    }

    fn pin_dir_remove(&self, path: &Path) -> Result<(), Errno> {
        Ok(std::fs::remove_dir(path)?)
    }

    fn pin_list(&self, path: &Path) -> Result<Vec<PinEntry>, Errno> {
        bpffs::list(path)
    }

    fn prog_info(&self, prog: &Fd<Prog>) -> Result<ProgInfo, Errno> {
        info::prog(prog)
    }

    fn map_info(&self, map: &Fd<Map>) -> Result<MapInfo, Errno> {
        info::map(map)
    }

    fn link_info(&self, link: &Fd<Link>) -> Result<LinkInfo, Errno> {
        info::link(link)
    }

    fn btf_info(&self, btf: &Fd<BtfObject>) -> Result<BtfInfo, Errno> {
        info::btf(btf)
    }

    fn next_id(&self, kind: IdKind, after: u32) -> Result<Option<u32>, Errno> {
        info::next_id(kind, after)
    }

    fn prog_by_id(&self, id: u32) -> Result<Fd<Prog>, Errno> {
        info::by_id(IdKind::Prog, id).map(|raw| self.adopt(raw))
    }

    fn map_by_id(&self, id: u32) -> Result<Fd<Map>, Errno> {
        info::by_id(IdKind::Map, id).map(|raw| self.adopt(raw))
    }

    fn link_by_id(&self, id: u32) -> Result<Fd<Link>, Errno> {
        info::by_id(IdKind::Link, id).map(|raw| self.adopt(raw))
    }

    fn btf_by_id(&self, id: u32) -> Result<Fd<BtfObject>, Errno> {
        info::by_id(IdKind::Btf, id).map(|raw| self.adopt(raw))
    }

    fn enable_stats(&self) -> Result<Fd<Stats>, Errno> {
        progs::enable_stats().map(|raw| self.adopt(raw))
    }

    fn probe(&self, feature: &Feature) -> Answer {
        probe::probe(self, feature)
    }
}
