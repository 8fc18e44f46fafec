//! Programs: what is kept of one, and what is said of it. `load` makes them, `environment` is the world that the verifier sees, `linker` gives
//! addresses to what they name, `refusal` turns a verifier's answer into the kernel's.

mod debug;
mod environment;
mod linker;
mod load;
mod refusal;
mod socket_filter;
mod turn;

pub(crate) use load::{has_type, load};
pub(crate) use socket_filter::test_run as socket_filter_test_run;
pub(crate) use turn::take as take_turn;

use crate::btf_object::BtfObject;
use crate::env::Env;
use crate::map::Map;
use crate::program::debug::Debug;
use crate::struct_ops::Desc;
use bpf::{Errno, ProgInfo, ProgType, Report};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A program that the verifier accepted, ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) id: u32,
    pub(crate) prog_type: ProgType,
    /// For struct_ops: of which kind, for which member.
    pub(crate) attach: Option<Attach>,
    pub(crate) code: vm::Program,
    pub(crate) env: Env,
    runs: Runs,
    about: About,
}

/// What a struct_ops program is for.
#[derive(Clone, Debug)]
pub(crate) struct Attach {
    pub(crate) desc: Arc<Desc>,
    /// Index of the member.
    pub(crate) member: u32,
}

/// Run statistics.
#[derive(Debug, Default)]
struct Runs {
    count: AtomicU64,
    time_ns: AtomicU64,
}

/// What is only said of a program, and what it keeps alive.
#[derive(Debug)]
struct About {
    name: String,
    tag: [u8; 8],
    load_time_ns: u64,
    gpl_compatible: bool,
    verified_insns: u32,
    slots: u32,
    btf: Option<Arc<BtfObject>>,
    /// Its functions and lines.
    debug: Debug,
    /// The maps that it names, whose addresses are in its code.
    maps: Vec<Arc<Map>>,
}

impl Program {
    /// It is about to be run, or to be put where it will be: its maps get the memory that they have on Linux from the start.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub(crate) fn prepare(&self) -> Result<(), Errno> {
        self.about.maps.iter().try_for_each(|map| map.prepare())
    }

    /// Its name, as the kernel has it.
    pub(crate) fn name(&self) -> &str {
        &self.about.name
    }

    /// The member of an ops structure that it is for.
    pub(crate) fn member(&self) -> Option<&str> {
        let attach = self.attach.as_ref()?;
        let member = attach.desc.members.get(attach.member as usize)?;
        Some(&member.name)
    }

    /// It has executed as many instructions as one call may, and was about to execute the one at `slot`.
    #[cold]
    pub(crate) fn ran_too_long(&self, slot: usize) -> Report {
        let btf = self.about.btf.as_deref();
        let limit = self.env.runtime().insns_per_call;
        refusal::ran_too_long(
            self.about.debug.name(btf).unwrap_or(self.name()),
            self.member(),
            limit,
            slot,
            self.about.debug.place(btf, slot),
        )
    }

    /// Counts a run that began when the stopwatch showed `start_ns`.
    pub(crate) fn count_run(&self, start_ns: u64) {
        let passed = self.env.runtime().stopwatch_ns().saturating_sub(start_ns);
        self.runs.count.fetch_add(1, Ordering::Relaxed);
        self.runs.time_ns.fetch_add(passed, Ordering::Relaxed);
    }

    /// `BPF_OBJ_GET_INFO_BY_FD`; `vmlinux` is the id of the kernel's own types.
    pub(crate) fn info(&self, vmlinux: u32) -> ProgInfo {
        let mut map_ids: Vec<u32> = Vec::new();
        for map in &self.about.maps {
            // Named by two descriptors it is still one map.
            if !map_ids.contains(&map.id) {
                map_ids.push(map.id);
            }
        }
        ProgInfo {
            prog_type: self.prog_type,
            id: self.id,
            name: self.about.name.clone(),
            tag: self.about.tag,
            load_time_ns: self.about.load_time_ns,
            created_by_uid: 0,
            gpl_compatible: self.about.gpl_compatible,
            map_ids,
            btf_id: self.about.btf.as_ref().map_or(0, |btf| btf.id),
            attach_btf_obj_id: if self.attach.is_some() { vmlinux } else { 0 },
            attach_btf_id: self.attach.as_ref().map_or(0, |attach| attach.desc.ty.0),
            verified_insns: self.about.verified_insns,
            xlated_len: self.about.slots * 8,
            jited_len: 0,
            run_time_ns: self.runs.time_ns.load(Ordering::Relaxed),
            run_cnt: self.runs.count.load(Ordering::Relaxed),
            recursion_misses: 0,
        }
    }
}
