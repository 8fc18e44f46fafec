//! Which ops structures a kernel offers, and what is in one of them.

use crate::Error;
use crate::host::shape::{self, Shape};
use bpf::{Bpf, KernelBtfError};
use btf::{Btf, Def, Kind};
use serde::Serialize;

/// One kind of ops structure, in short.
#[derive(Clone, Debug, Serialize)]
pub struct KindSummary {
    /// The C type's name: `tcp_congestion_ops`.
    pub name: String,
    /// How many function members it has.
    pub functions: usize,
    /// Whether it can be registered by a link, and so swapped.
    pub links: bool,
}

/// One kind with its members.
#[derive(Clone, Debug, Serialize)]
pub struct KindDetail {
    /// The C type's name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u32,
    /// Its members in their order.
    pub members: Vec<Member>,
    /// What must hold beyond that to be registered, in a sentence; empty if nothing is known.
    pub rule: &'static str,
    /// Kernel functions (kfuncs) whose first argument is a type that the members are called with; empty where the kernel does not tell.
    pub kfuncs: Vec<String>,
}

/// One member of an ops structure.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its index, which a program names as its expected attach type.
    pub index: usize,
    /// Its offset in bytes.
    pub offset: u32,
    /// What may stand there.
    #[serde(rename = "use")]
    pub use_: MemberUse,
    /// The member as C declares it.
    pub declaration: String,
}

/// What a program or an object may do with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberUse {
    /// A function that a table must have to be registered.
    Required,
    /// A function that a table may have.
    Optional,
    /// A function that BPF may not implement.
    Unsupported,
    /// Plain data.
    Data,
}

/// Every kind that `kernel` offers.
///
/// # Errors
/// The kernel's types cannot be read.
pub fn kinds(kernel: &dyn Bpf) -> Result<Vec<KindSummary>, Error> {
    let btf = kernel_btf(kernel)?;
    let links = shape::has_links(kernel);
    let summary = |shape: Shape| KindSummary {
        functions: shape.functions.len(),
        links: links && !loader::rules::only_for_test_runs(&shape.kind),
        name: shape.kind,
    };
    Ok(Shape::all(&btf).into_iter().map(summary).collect())
}

/// One kind with its members.
///
/// # Errors
/// The kernel's types cannot be read, or there is no such kind: the error names those that there are.
pub fn kind(kernel: &dyn Bpf, name: &str) -> Result<KindDetail, Error> {
    let btf = kernel_btf(kernel)?;
    let known = || Shape::all(&btf).into_iter().map(|shape| shape.kind).collect();
    let no_such = || Error::NoSuchKind {
        name: name.to_owned(),
        known: known(),
    };
    if btf.find(&format!("bpf_struct_ops_{name}"), Kind::Struct).is_none() {
        return Err(no_such());
    }
    let table = btf.find(name, Kind::Struct).ok_or_else(no_such)?;
    let composite = btf
        .resolve(table)
        .ok()
        .and_then(|ty| ty.composite())
        .ok_or_else(no_such)?;
    let members = composite.members().enumerate().map(|(index, member)| {
        let function = btf
            .pointee(member.ty)
            .ok()
            .flatten()
            .is_some_and(|ty| matches!(ty.def, Def::FuncProto(_)));
        Member {
            name: member.name.to_owned(),
            index,
            offset: member.byte_offset(),
            use_: if function {
                rule(name, member.name)
            } else {
                MemberUse::Data
            },
            declaration: btf.declaration(member.ty, member.name),
        }
    });
    Ok(KindDetail {
        name: name.to_owned(),
        bytes: composite.size,
        members: members.collect(),
        rule: sentence(name),
        kfuncs: kfuncs(&btf, name),
    })
}

/// What must, may and may not be implemented: rules of the family that the kernel's BTF does not hold
/// (`tcp_validate_congestion_control` in net/ipv4/tcp_cong.c and net/ipv4/bpf_tcp_ca.c, Linux 6.18).
fn rule(kind: &str, member: &str) -> MemberUse {
    match (kind, member) {
        ("tcp_congestion_ops", "ssthresh" | "undo_cwnd") => MemberUse::Required,
        ("tcp_congestion_ops", "get_info") => MemberUse::Unsupported,
        _ => MemberUse::Optional,
    }
}

/// The rules that concern more than one member.
fn sentence(kind: &str) -> &'static str {
    match kind {
        "tcp_congestion_ops" => {
            "cong_avoid or cong_control is required; name has 1 to 15 letters, digits, _ or .; in a namespace other than the first, \
             only an algorithm with flags=non_restricted can be the default"
        }
        kind if loader::rules::only_for_test_runs(kind) => "for test runs only: the kernel registers no such table",
        _ => "",
    }
}

/// The kernel functions offered to a family: those that are in this kernel.
fn kfuncs(btf: &Btf, kind: &str) -> Vec<String> {
    let candidates: &[&str] = match kind {
        "tcp_congestion_ops" => TCP_KFUNCS,
        _ => &[],
    };
    let found = candidates.iter().filter(|name| btf.find(name, Kind::Func).is_some());
    found.map(|name| (*name).to_owned()).collect()
}

/// `bpf_tcp_ca_check_kfunc_ids` of net/ipv4/bpf_tcp_ca.c and the sets of the built-in algorithms, Linux 6.18.
const TCP_KFUNCS: &[&str] = &[
    "tcp_reno_ssthresh",
    "tcp_reno_cong_avoid",
    "tcp_reno_undo_cwnd",
    "tcp_slow_start",
    "tcp_cong_avoid_ai",
    "cubictcp_init",
    "cubictcp_recalc_ssthresh",
    "cubictcp_cong_avoid",
    "cubictcp_state",
    "cubictcp_cwnd_event",
    "cubictcp_acked",
    "dctcp_init",
    "dctcp_update_alpha",
    "dctcp_cwnd_event",
    "dctcp_ssthresh",
    "dctcp_cwnd_undo",
    "dctcp_state",
    "bbr_init",
    "bbr_main",
    "bbr_sndbuf_expand",
    "bbr_undo_cwnd",
    "bbr_cwnd_event",
    "bbr_ssthresh",
    "bbr_min_tso_segs",
    "bbr_set_state",
];

pub(crate) fn kernel_btf(kernel: &dyn Bpf) -> Result<Btf, Error> {
    kernel.kernel_btf().map_err(|error: KernelBtfError| Error::KernelTypes {
        kernel: kernel.name(),
        error,
    })
}
