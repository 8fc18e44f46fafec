//! The helpers that every program gets (`bpf_base_func_proto`, `kernel/bpf/helpers.c`, Linux 6.12; which of them a congestion control gets was asked
//! of 6.18). Those that only Linux has are listed too, so that a program that calls one learns that, and not that it is wrong.

use crate::helpers::{Helper, raw};
use bpf::MapType;
use std::collections::HashMap;
use verifier::{ArgKind, CallContract, RetKind};

/// Helpers by number.
#[derive(Debug)]
pub(crate) struct Helpers(HashMap<u32, Helper>);

/// Maps whose elements programs look up.
const ELEMENTS: &[MapType] = &[
    MapType::ARRAY,
    MapType::PERCPU_ARRAY,
    MapType::HASH,
    MapType::PERCPU_HASH,
];
const PER_CPU: &[MapType] = &[MapType::PERCPU_ARRAY, MapType::PERCPU_HASH];

impl Helpers {
    pub(crate) fn base() -> Self {
        let here = maps().into_iter().chain(plain()).chain([trace()]);
        let elsewhere = ELSEWHERE
            .iter()
            .map(|(id, name, what)| Helper::unsupported(*id, name, what));
        Self(here.chain(elsewhere).map(|helper| (helper.id, helper)).collect())
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Helper> {
        self.0.get(&id)
    }
}

/// Elements of maps.
fn maps() -> [Helper; 4] {
    let value = ArgKind::MapValue {
        fills: false,
        nullable: false,
    };
    let contract = |name, args: &[ArgKind], ret| CallContract::new(name, args, ret);
    [
        Helper::new(
            1,
            contract(
                "bpf_map_lookup_elem",
                &[ArgKind::Map, ArgKind::MapKey],
                RetKind::MapValueOrNull,
            ),
            raw::MAP_LOOKUP_ELEM,
        )
        .on_maps(ELEMENTS),
        Helper::new(
            2,
            contract(
                "bpf_map_update_elem",
                &[ArgKind::Map, ArgKind::MapKey, value, ArgKind::Anything],
                RetKind::Scalar,
            ),
            raw::MAP_UPDATE_ELEM,
        )
        .on_maps(ELEMENTS)
        .writing(),
        Helper::new(
            3,
            contract("bpf_map_delete_elem", &[ArgKind::Map, ArgKind::MapKey], RetKind::Scalar),
            raw::MAP_DELETE_ELEM,
        )
        .on_maps(ELEMENTS)
        .writing(),
        Helper::new(
            195,
            contract(
                "bpf_map_lookup_percpu_elem",
                &[ArgKind::Map, ArgKind::MapKey, ArgKind::Anything],
                RetKind::MapValueOrNull,
            ),
            raw::MAP_LOOKUP_PERCPU_ELEM,
        )
        .on_maps(PER_CPU),
    ]
}

/// Time, numbers, machine: no arguments, a number back.
fn plain() -> impl Iterator<Item = Helper> {
    [
        (5, "bpf_ktime_get_ns", raw::KTIME_GET_NS),
        (7, "bpf_get_prandom_u32", raw::GET_PRANDOM_U32),
        (8, "bpf_get_smp_processor_id", raw::ZERO),
        (42, "bpf_get_numa_node_id", raw::ZERO),
        (118, "bpf_jiffies64", raw::JIFFIES64),
        (125, "bpf_ktime_get_boot_ns", raw::KTIME_GET_NS),
        (208, "bpf_ktime_get_tai_ns", raw::KTIME_GET_NS),
    ]
    .into_iter()
    .map(|(id, name, native)| Helper::new(id, CallContract::new(name, &[], RetKind::Scalar), native))
}

/// A line for the trace.
fn trace() -> Helper {
    let text = ArgKind::Mem {
        fills: false,
        writes: false,
        nullable: false,
    };
    let size = ArgKind::MemSize { zero_ok: false };
    // As on Linux nothing is said of the numbers that follow: what is in their registers is printed.
    let args = [text, size];
    Helper::new(
        6,
        CallContract::new("bpf_trace_printk", &args, RetKind::Scalar),
        raw::TRACE_PRINTK,
    )
    .gpl_only()
}

/// Helpers of Linux's base set that are not here.
const ELSEWHERE: &[(u32, &str, &str)] = &[
    (12, "bpf_tail_call", "tail calls"),
    (14, "bpf_get_current_pid_tgid", "processes"),
    (15, "bpf_get_current_uid_gid", "processes"),
    (16, "bpf_get_current_comm", "processes"),
    (17, "bpf_get_cgroup_classid", "control groups"),
    (22, "bpf_perf_event_read", "perf events"),
    (35, "bpf_get_current_task", "processes"),
    (37, "bpf_current_task_under_cgroup", "control groups"),
    (55, "bpf_perf_event_read_value", "perf events"),
    (80, "bpf_get_current_cgroup_id", "control groups"),
    (87, "bpf_map_push_elem", "queues and stacks"),
    (88, "bpf_map_pop_elem", "queues and stacks"),
    (89, "bpf_map_peek_elem", "queues and stacks"),
    (93, "bpf_spin_lock", "locks in map values"),
    (94, "bpf_spin_unlock", "locks in map values"),
    (105, "bpf_strtol", "results in a number argument"),
    (106, "bpf_strtoul", "results in a number argument"),
    (109, "bpf_send_signal", "processes"),
    (112, "bpf_probe_read_user", "reads at addresses that nobody has checked"),
    (
        113,
        "bpf_probe_read_kernel",
        "reads at addresses that nobody has checked",
    ),
    (
        114,
        "bpf_probe_read_user_str",
        "reads at addresses that nobody has checked",
    ),
    (
        115,
        "bpf_probe_read_kernel_str",
        "reads at addresses that nobody has checked",
    ),
    (117, "bpf_send_signal_thread", "processes"),
    (120, "bpf_get_ns_current_pid_tgid", "processes"),
    (123, "bpf_get_current_ancestor_cgroup_id", "control groups"),
    (130, "bpf_ringbuf_output", "ring buffers"),
    (131, "bpf_ringbuf_reserve", "ring buffers"),
    (132, "bpf_ringbuf_submit", "ring buffers"),
    (133, "bpf_ringbuf_discard", "ring buffers"),
    (134, "bpf_ringbuf_query", "ring buffers"),
    (141, "bpf_get_task_stack", "processes"),
    (148, "bpf_copy_from_user", "reads at addresses that nobody has checked"),
    (149, "bpf_snprintf_btf", "constant strings as arguments"),
    (153, "bpf_per_cpu_ptr", "kernel variables"),
    (154, "bpf_this_cpu_ptr", "kernel variables"),
    (156, "bpf_task_storage_get", "processes"),
    (157, "bpf_task_storage_delete", "processes"),
    (158, "bpf_get_current_task_btf", "processes"),
    (164, "bpf_for_each_map_elem", "callbacks"),
    (165, "bpf_snprintf", "constant strings as arguments"),
    (169, "bpf_timer_init", "timers"),
    (170, "bpf_timer_set_callback", "timers"),
    (171, "bpf_timer_start", "timers"),
    (172, "bpf_timer_cancel", "timers"),
    (175, "bpf_task_pt_regs", "processes"),
    (176, "bpf_get_branch_snapshot", "processes"),
    (177, "bpf_trace_vprintk", "constant strings as arguments"),
    (180, "bpf_find_vma", "callbacks"),
    (181, "bpf_loop", "callbacks"),
    (182, "bpf_strncmp", "constant strings as arguments"),
    (
        191,
        "bpf_copy_from_user_task",
        "reads at addresses that nobody has checked",
    ),
    (194, "bpf_kptr_xchg", "kernel pointers in map values"),
    (197, "bpf_dynptr_from_mem", "dynamic pointers"),
    (198, "bpf_ringbuf_reserve_dynptr", "ring buffers"),
    (199, "bpf_ringbuf_submit_dynptr", "ring buffers"),
    (200, "bpf_ringbuf_discard_dynptr", "ring buffers"),
    (201, "bpf_dynptr_read", "dynamic pointers"),
    (202, "bpf_dynptr_write", "dynamic pointers"),
    (203, "bpf_dynptr_data", "dynamic pointers"),
    (209, "bpf_user_ringbuf_drain", "ring buffers"),
    (210, "bpf_cgrp_storage_get", "control groups"),
    (211, "bpf_cgrp_storage_delete", "control groups"),
];
