//! Helpers and kernel functions that congestion controls may call beside the base set, and what the verifier asks of the calls
//! (`bpf_tcp_ca_get_func_proto` and the kfunc set of `net/ipv4/bpf_tcp_ca.c`, Linux 6.12).

use crate::{Ids, family};
use btf::fn_proto;
use kernel::{ArgKind, CallContract, Helper, Kfunc, MapType, RetKind, helpers};
use tcp::sock::{sock, tcp_sock};

/// Maps that the storage helpers work on.
const SK_STORAGE: &[MapType] = &[MapType::SK_STORAGE];

/// `bpf_setsockopt`.
pub(crate) const SETSOCKOPT: u32 = 49;
/// `bpf_getsockopt`.
pub(crate) const GETSOCKOPT: u32 = 57;

pub(crate) fn helpers(ids: Ids) -> Vec<Helper> {
    let tcp_sock = ArgKind::Btf {
        ty: ids.tcp_sock,
        nullable: false,
    };
    let socket = ArgKind::Btf {
        ty: ids.sock_common,
        nullable: false,
    };
    let init = ArgKind::MapValue {
        fills: false,
        nullable: true,
    };
    let memory = |fills| ArgKind::Mem {
        fills,
        writes: fills,
        nullable: false,
    };
    let size = ArgKind::MemSize { zero_ok: false };
    let number = ArgKind::Anything;
    let contract = |name, args: &[ArgKind], ret| CallContract::new(name, args, ret);
    vec![
        Helper::new(
            116,
            contract("bpf_tcp_send_ack", &[tcp_sock, number], RetKind::Scalar),
            family::TCP_SEND_ACK,
        ),
        Helper::new(
            107,
            contract(
                "bpf_sk_storage_get",
                &[ArgKind::Map, socket, init, number],
                RetKind::MapValueOrNull,
            ),
            family::SK_STORAGE_GET,
        )
        .on_maps(SK_STORAGE),
        Helper::new(
            108,
            contract("bpf_sk_storage_delete", &[ArgKind::Map, socket], RetKind::Scalar),
            family::SK_STORAGE_DELETE,
        )
        .on_maps(SK_STORAGE),
        Helper::new(
            SETSOCKOPT,
            contract(
                "bpf_setsockopt",
                &[socket, number, number, memory(false), size],
                RetKind::Scalar,
            ),
            family::SETSOCKOPT_NATIVE,
        ),
        Helper::new(
            GETSOCKOPT,
            contract(
                "bpf_getsockopt",
                &[socket, number, number, memory(true), size],
                RetKind::Scalar,
            ),
            family::GETSOCKOPT_NATIVE,
        ),
        Helper::new(
            160,
            contract("bpf_ktime_get_coarse_ns", &[], RetKind::Scalar),
            helpers::KTIME_GET_COARSE_NS,
        ),
    ]
}

pub(crate) fn kfuncs() -> Vec<Kfunc> {
    vec![
        Kfunc::new(
            "tcp_reno_ssthresh",
            |b| fn_proto!(b, fn(sk: *mut sock) -> u32),
            family::RENO_SSTHRESH,
        ),
        Kfunc::new(
            "tcp_reno_cong_avoid",
            |b| fn_proto!(b, fn(sk: *mut sock, ack: u32, acked: u32)),
            family::RENO_CONG_AVOID,
        ),
        Kfunc::new(
            "tcp_reno_undo_cwnd",
            |b| fn_proto!(b, fn(sk: *mut sock) -> u32),
            family::RENO_UNDO_CWND,
        ),
        Kfunc::new(
            "tcp_slow_start",
            |b| fn_proto!(b, fn(tp: *mut tcp_sock, acked: u32) -> u32),
            family::SLOW_START,
        ),
        Kfunc::new(
            "tcp_cong_avoid_ai",
            |b| fn_proto!(b, fn(tp: *mut tcp_sock, w: u32, acked: u32)),
            family::CONG_AVOID_AI,
        ),
    ]
}
