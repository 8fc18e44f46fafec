//! What the name of a section asks for, beside ops structures: the type of its programs, and what they are attached to.
//!
//! `section_defs` of libbpf (Linux 6.12, tools/lib/bpf/libbpf.c) decides; the numbers are those of `include/uapi/linux/bpf.h`.

use bpf::{AttachType, ProgType};

/// A program that belongs to no ops structure: what it is loaded as, and where it can be attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The program's type.
    pub prog_type: ProgType,
    /// What it will be attached as; 0 where the type takes nothing.
    pub attach_type: AttachType,
    /// Whether it may sleep (`fentry.s`).
    pub sleepable: bool,
    /// What it is attached to.
    pub place: Place,
}

/// What a program is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A cgroup.
    Cgroup,
    /// A network interface.
    Interface,
    /// A function, tracepoint or iterator that the kernel's types have: the name as they have it.
    Typed {
        /// What `find` looks for.
        name: String,
        /// Whether it is a typedef (`btf_trace_…`) and not a function.
        is_typedef: bool,
    },
    /// A raw tracepoint, by name.
    RawTracepoint(String),
    /// A tracepoint: category and name.
    Tracepoint(String, String),
    /// The beginning or the end of a function, by a probe.
    Kprobe {
        /// The function.
        function: String,
        /// Its end.
        at_return: bool,
    },
    /// Nothing that this loader attaches to.
    Nothing,
}

/// Cgroup sections: name, program type, attach type.
const CGROUP: &[(&str, u32, u32)] = &[
    ("cgroup_skb/ingress", 8, 0),
    ("cgroup_skb/egress", 8, 1),
    ("cgroup/sock_create", 9, 2),
    ("cgroup/sock", 9, 2),
    ("cgroup/sock_release", 9, 34),
    ("cgroup/post_bind4", 9, 12),
    ("cgroup/post_bind6", 9, 13),
    ("cgroup/bind4", 18, 8),
    ("cgroup/bind6", 18, 9),
    ("cgroup/connect4", 18, 10),
    ("cgroup/connect6", 18, 11),
    ("cgroup/connect_unix", 18, 49),
    ("cgroup/sendmsg4", 18, 14),
    ("cgroup/sendmsg6", 18, 15),
    ("cgroup/sendmsg_unix", 18, 50),
    ("cgroup/recvmsg4", 18, 19),
    ("cgroup/recvmsg6", 18, 20),
    ("cgroup/recvmsg_unix", 18, 51),
    ("cgroup/getpeername4", 18, 29),
    ("cgroup/getpeername6", 18, 30),
    ("cgroup/getpeername_unix", 18, 52),
    ("cgroup/getsockname4", 18, 31),
    ("cgroup/getsockname6", 18, 32),
    ("cgroup/getsockname_unix", 18, 53),
    ("cgroup/sysctl", 23, 18),
    ("cgroup/getsockopt", 25, 21),
    ("cgroup/setsockopt", 25, 22),
    ("cgroup/dev", 15, 6),
    ("sockops", 13, 3),
];

/// Sections of interfaces, and those that are loaded and attached by other means than ours.
const FIXED: &[(&str, u32, u32, Place)] = &[
    ("xdp", 6, 37, Place::Interface),
    ("tcx/ingress", 3, 46, Place::Interface),
    ("tcx/egress", 3, 47, Place::Interface),
    ("tc/ingress", 3, 46, Place::Interface),
    ("tc/egress", 3, 47, Place::Interface),
    ("tc", 3, 0, Place::Nothing),
    ("classifier", 3, 0, Place::Nothing),
    ("action", 4, 0, Place::Nothing),
    ("perf_event", 7, 0, Place::Nothing),
    ("cgroup/skb", 8, 0, Place::Nothing),
    ("sk_skb/stream_parser", 14, 4, Place::Nothing),
    ("sk_skb/stream_verdict", 14, 5, Place::Nothing),
    ("sk_skb/verdict", 14, 38, Place::Nothing),
    ("sk_skb", 14, 0, Place::Nothing),
    ("sk_msg", 16, 7, Place::Nothing),
    ("sk_reuseport/migrate", 21, 40, Place::Nothing),
    ("sk_reuseport", 21, 39, Place::Nothing),
    ("sk_lookup", 30, 36, Place::Nothing),
    ("flow_dissector", 22, 17, Place::Nothing),
    ("netfilter", 32, 45, Place::Nothing),
    ("lwt_in", 10, 0, Place::Nothing),
    ("lwt_out", 11, 0, Place::Nothing),
    ("lwt_xmit", 12, 0, Place::Nothing),
];

/// Sections whose name goes on with a name of the kernel's types: prefix, program type, attach type, what the name begins with there.
const TYPED: &[(&str, u32, u32, &str)] = &[
    ("fentry", 26, 24, ""),
    ("fexit", 26, 25, ""),
    ("fmod_ret", 26, 26, ""),
    ("tp_btf", 26, 23, "btf_trace_"),
    ("iter", 26, 28, "bpf_iter_"),
    ("lsm", 29, 27, "bpf_lsm_"),
];

/// What a section's name (without `?`) asks for; `None` for a name that libbpf does not know either.
///
/// ```
/// use loader::sections::{Place, section};
/// assert_eq!(section("cgroup/setsockopt").unwrap().place, Place::Cgroup);
/// assert!(section("cgroup/no_such_hook").is_none());
/// ```
pub fn section(name: &str) -> Option<Section> {
    let found = |prog_type, attach_type, place| Section {
        prog_type: ProgType(prog_type),
        attach_type: AttachType(attach_type),
        sleepable: false,
        place,
    };
    if let Some((_, prog_type, attach_type)) = CGROUP.iter().find(|(known, _, _)| *known == name) {
        return Some(found(*prog_type, *attach_type, Place::Cgroup));
    }
    if let Some((_, prog_type, attach_type, place)) = FIXED.iter().find(|(known, ..)| *known == name) {
        return Some(found(*prog_type, *attach_type, place.clone()));
    }
    let (kind, rest) = name.split_once('/')?;
    if rest.is_empty() {
        return None;
    }
    let (base, sleepable) = kind.strip_suffix(".s").map_or((kind, false), |base| (base, true));
    if let Some((_, prog_type, attach_type, prefix)) = TYPED.iter().find(|(known, ..)| *known == base) {
        let place = Place::Typed {
            name: format!("{prefix}{rest}"),
            is_typedef: base == "tp_btf",
        };
        return Some(Section {
            sleepable,
            ..found(*prog_type, *attach_type, place)
        });
    }
    let probe = |at_return| Place::Kprobe {
        function: rest.to_owned(),
        at_return,
    };
    match kind {
        "raw_tp" | "raw_tracepoint" => Some(found(17, 0, Place::RawTracepoint(rest.to_owned()))),
        "tp" | "tracepoint" => {
            let (category, event) = rest.split_once('/')?;
            Some(found(5, 0, Place::Tracepoint(category.to_owned(), event.to_owned())))
        }
        "kprobe" => Some(found(2, 0, probe(false))),
        "kretprobe" => Some(found(2, 0, probe(true))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_libbpf_says() {
        for (name, prog_type, attach_type) in [
            ("cgroup/setsockopt", 25, 22),
            ("sockops", 13, 3),
            ("xdp", 6, 37),
            ("fentry/tcp_v4_rcv", 26, 24),
            ("fexit.s/x", 26, 25),
            ("tp_btf/tcp_probe", 26, 23),
            ("iter/tcp", 26, 28),
            ("raw_tp/sys_enter", 17, 0),
            ("tracepoint/tcp/tcp_probe", 5, 0),
            ("kretprobe/tcp_ack", 2, 0),
        ] {
            let found = section(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(
                (found.prog_type.0, found.attach_type.0),
                (prog_type, attach_type),
                "{name}"
            );
        }
        assert!(section("fexit.s/x").unwrap().sleepable);
        for unknown in [
            "",
            "xdp/",
            "cgroup",
            "tracepoint/tcp",
            "kprobe",
            "mine",
            "cgroup/setsockopt/more",
        ] {
            assert_eq!(section(unknown), None, "{unknown}");
        }
    }
}
