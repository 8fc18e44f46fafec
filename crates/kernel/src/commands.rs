//! The commands of bpf(2): arguments are looked up here, and the work is done by the objects.

use crate::btf_object::BtfObject;
use crate::env::StatsOn;
use crate::kernel::Kernel;
use crate::map::{CPUS, Elements, Map, Plan};
use crate::probe;
use crate::program::{self, Program, socket_filter_test_run};
use crate::struct_ops::{OpsLink, OpsMap, TestCall};
use crate::tables::Object;
use bpf::{
    Answer, Bpf, BtfInfo, BtfLoadError, BtfObject as BtfKind, Errno, Fd, Feature, IdKind, KernelBtfError, Link,
    LinkInfo, LinkUpdate, LinkUpdateError, Map as MapKind, MapCreate, MapInfo, MapMemory, ObjectRef, PinEntry, Pinned,
    Prog, ProgInfo, ProgLoad, ProgLoadError, ProgType, Stats, TestRun, TestRunResult, UpdateFlags,
};
use btf::Btf;
use std::path::Path;
use std::sync::Arc;

impl Kernel {
    fn open<K>(&self, object: Object) -> Result<Fd<K>, Errno> {
        Ok(Fd::adopt(self.fds.open(object)?, Arc::clone(&self.fd_table)))
    }

    /// What a handle stands for; `EBADF` for one of another kernel.
    fn object<K>(&self, fd: &Fd<K>) -> Result<Object, Errno> {
        if fd.is_of(&self.fd_table) {
            self.fds.get(fd.raw())
        } else {
            Err(Errno::EBADF)
        }
    }

    fn map(&self, fd: &Fd<MapKind>) -> Result<Arc<Map>, Errno> {
        self.object(fd)?.map()
    }

    fn prog(&self, fd: &Fd<Prog>) -> Result<Arc<Program>, Errno> {
        self.object(fd)?.prog()
    }

    fn link(&self, fd: &Fd<Link>) -> Result<Arc<OpsLink>, Errno> {
        self.object(fd)?.link()
    }

    fn btf(&self, fd: &Fd<BtfKind>) -> Result<Arc<BtfObject>, Errno> {
        self.object(fd)?.btf()
    }

    fn load(&self, args: &ProgLoad<'_>, level: u32) -> Result<(Fd<Prog>, String), ProgLoadError> {
        let request = |errno| ProgLoadError {
            errno,
            verdict: bpf::LoadVerdict::BadRequest,
            log: String::new(),
            report: None,
        };
        let types = args.btf.map(|fd| self.btf(fd)).transpose().map_err(request)?;
        let (prog, log) = program::load(self, args, types, level)?;
        let fd = self.open(Object::Prog(prog)).map_err(|errno| ProgLoadError {
            verdict: bpf::LoadVerdict::Exhausted,
            ..request(errno)
        })?;
        Ok((fd, log))
    }
}

impl Bpf for Kernel {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn version(&self) -> u32 {
        self.config.version
    }

    fn kernel_btf(&self) -> Result<Btf, KernelBtfError> {
        Ok(self.vmlinux.btf.clone())
    }

    fn kconfig(&self, name: &str) -> Result<Option<String>, Errno> {
        Ok(self.config.kconfig(name))
    }

    fn registered_names(&self, kind: &str) -> Vec<String> {
        let desc = self.descs.iter().find(|desc| desc.family.name() == kind);
        desc.map_or_else(Vec::new, |desc| desc.family.registered_names())
    }

    fn possible_cpus(&self) -> u32 {
        CPUS
    }

    fn btf_load(&self, data: &[u8]) -> Result<Fd<BtfKind>, BtfLoadError> {
        let failed = |errno, log| BtfLoadError {
            errno,
            log,
            refusal: None,
        };
        let types = btf::check::KernelTypes {
            btf: Some(&self.vmlinux.btf),
            destructible: &[],
        };
        btf::check::check(data, types).map_err(|refusal| BtfLoadError {
            errno: Errno(refusal.errno()),
            log: format!("{refusal}\n"),
            refusal: Some(Box::new(refusal)),
        })?;
        let size = u32::try_from(data.len()).map_err(|_| failed(Errno::E2BIG, String::new()))?;
        // What Linux takes can be read, but for names that are not UTF-8, which Linux lets pass.
        let btf = Btf::parse(data).map_err(|error| failed(Errno::ENOTSUPP, format!("{error}\n")))?;
        let object = self.btfs.add(|id| {
            Ok(BtfObject {
                id,
                btf,
                size,
                name: "",
            })
        })?;
        self.open(Object::Btf(object))
            .map_err(|errno| failed(errno, String::new()))
    }

    fn map_memory(&self) -> Option<MapMemory> {
        Some(self.map_budget.state())
    }

    fn map_create(&self, args: &MapCreate<'_>) -> Result<Fd<MapKind>, Errno> {
        let types = args.btf.map(|fd| self.btf(fd)).transpose()?;
        let plan = Plan::new(args, types)?;
        let elements = match plan.elements(&self.map_budget)? {
            Some(elements) => elements,
            None => {
                let desc = self.descs.iter().find(|desc| desc.value_ty == plan.ops_value_ty);
                let desc = desc.ok_or(Errno::ENOTSUPP)?;
                if plan.value_size != desc.value_size {
                    return Err(Errno::EINVAL);
                }
                Elements::Ops(Box::new(OpsMap::new(Arc::clone(desc), plan.flags)))
            }
        };
        let map = self.maps.add(|id| Ok::<_, Errno>(Map::new(id, plan, elements)))?;
        self.open(Object::Map(map))
    }

    fn map_lookup(&self, map: &Fd<MapKind>, key: &[u8]) -> Result<Vec<u8>, Errno> {
        self.map(map)?.lookup(key)
    }

    fn map_update(&self, map: &Fd<MapKind>, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
        let map = self.map(map)?;
        match map.ops() {
            Some(ops) => {
                let _writing = map.writing()?;
                map.check_sizes(key, value)?;
                ops.update(&map, (key, value), flags, (&self.fds, &self.vmlinux.btf))
            }
            None => map.update(key, value, flags),
        }
    }

    fn map_delete(&self, map: &Fd<MapKind>, key: &[u8]) -> Result<(), Errno> {
        self.map(map)?.delete(key)
    }

    fn map_next_key(&self, map: &Fd<MapKind>, after: Option<&[u8]>) -> Result<Option<Vec<u8>>, Errno> {
        self.map(map)?.next_key(after)
    }

    fn map_freeze(&self, map: &Fd<MapKind>) -> Result<(), Errno> {
        self.map(map)?.freeze()
    }

    fn prog_load(&self, args: &ProgLoad<'_>) -> Result<Fd<Prog>, ProgLoadError> {
        self.load(args, 0).map(|(fd, _)| fd)
    }

    fn prog_load_with_log(&self, args: &ProgLoad<'_>, level: u32) -> Result<(Fd<Prog>, String), ProgLoadError> {
        self.load(args, level)
    }

    fn prog_test_run(&self, prog: &Fd<Prog>, args: &TestRun<'_>) -> Result<TestRunResult, Errno> {
        let prog = self.prog(prog)?;
        prog.prepare()?;
        let result = match &prog.attach {
            Some(attach) => attach.desc.family.test_run(&TestCall::new(&prog), args),
            None if prog.prog_type == ProgType::SOCKET_FILTER => socket_filter_test_run(&prog, args),
            None => Err(Errno::ENOTSUPP),
        };
        // Where Linux would go on for hours. The next run has nothing to do with it; the report stays for the host.
        if self.runtime.resume() {
            return Err(Errno::ETIMEDOUT);
        }
        result
    }

    fn link_create_struct_ops(&self, map: &Fd<MapKind>) -> Result<Fd<Link>, Errno> {
        let map = self.map(map)?;
        let link = self.links.add(|id| OpsLink::new(id, map, &self.exchange))?;
        self.open(Object::Link(link))
    }

    fn link_update(&self, link: &Fd<Link>, update: &LinkUpdate<'_>) -> Result<(), LinkUpdateError> {
        let link = self.link(link)?;
        let new = self.map(update.new)?;
        let expected = update.expected.map(|fd| self.map(fd)).transpose()?;
        link.update(&new, expected.as_ref())
    }

    fn link_detach(&self, link: &Fd<Link>) -> Result<(), Errno> {
        self.link(link)?.detach();
        Ok(())
    }

    fn obj_pin(&self, path: &Path, object: ObjectRef<'_>) -> Result<(), Errno> {
        let object = match object {
            ObjectRef::Prog(fd) => Object::Prog(self.prog(fd)?),
            ObjectRef::Map(fd) => Object::Map(self.map(fd)?),
            ObjectRef::Link(fd) => Object::Link(self.link(fd)?),
        };
        self.pins.pin(path, object)
    }

    fn obj_get(&self, path: &Path) -> Result<Pinned, Errno> {
        Ok(match self.pins.get(path)? {
            object @ Object::Prog(_) => Pinned::Prog(self.open(object)?),
            object @ Object::Map(_) => Pinned::Map(self.open(object)?),
            object @ Object::Link(_) => Pinned::Link(self.open(object)?),
            Object::Btf(_) | Object::Stats(_) => return Err(Errno::EACCES),
        })
    }

    fn pin_remove(&self, path: &Path) -> Result<(), Errno> {
        self.pins.remove(path)
    }

    fn pin_rename(&self, from: &Path, to: &Path) -> Result<(), Errno> {
        self.pins.rename(from, to)
    }

    fn pin_dir_create(&self, path: &Path) -> Result<(), Errno> {
        self.pins.create_directory(path)
    }

    fn pin_dir_remove(&self, path: &Path) -> Result<(), Errno> {
        self.pins.remove_directory(path)
    }

    fn pin_list(&self, path: &Path) -> Result<Vec<PinEntry>, Errno> {
        self.pins.list(path)
    }

    fn prog_info(&self, prog: &Fd<Prog>) -> Result<ProgInfo, Errno> {
        Ok(self.prog(prog)?.info(self.vmlinux.id))
    }

    fn map_info(&self, map: &Fd<MapKind>) -> Result<MapInfo, Errno> {
        Ok(self.map(map)?.info(self.vmlinux.id))
    }

    fn link_info(&self, link: &Fd<Link>) -> Result<LinkInfo, Errno> {
        Ok(self.link(link)?.info())
    }

    fn btf_info(&self, btf: &Fd<BtfKind>) -> Result<BtfInfo, Errno> {
        let btf = self.btf(btf)?;
        Ok(BtfInfo {
            id: btf.id,
            name: btf.name.to_owned(),
            kernel: !btf.name.is_empty(),
            size: btf.size,
        })
    }

    fn next_id(&self, kind: IdKind, after: u32) -> Result<Option<u32>, Errno> {
        Ok(match kind {
            IdKind::Prog => self.progs.next(after),
            IdKind::Map => self.maps.next(after),
            IdKind::Link => self.links.next(after),
            IdKind::Btf => self.btfs.next(after),
        })
    }

    fn prog_by_id(&self, id: u32) -> Result<Fd<Prog>, Errno> {
        self.open(Object::Prog(self.progs.get(id).ok_or(Errno::ENOENT)?))
    }

    fn map_by_id(&self, id: u32) -> Result<Fd<MapKind>, Errno> {
        self.open(Object::Map(self.maps.get(id).ok_or(Errno::ENOENT)?))
    }

    fn link_by_id(&self, id: u32) -> Result<Fd<Link>, Errno> {
        self.open(Object::Link(self.links.get(id).ok_or(Errno::ENOENT)?))
    }

    fn btf_by_id(&self, id: u32) -> Result<Fd<BtfKind>, Errno> {
        self.open(Object::Btf(self.btfs.get(id).ok_or(Errno::ENOENT)?))
    }

    fn enable_stats(&self) -> Result<Fd<Stats>, Errno> {
        self.open(Object::Stats(Arc::new(StatsOn::new(&self.runtime))))
    }

    fn probe(&self, feature: &Feature) -> Answer {
        if probe::has(self, feature) {
            Answer::Yes
        } else {
            Answer::No
        }
    }
}
