//! Which Linux has which kind of ops structure, and by which setting: what an object that asks for one in vain is told.
//!
//! The first version that has it, from the kernel's own history; members that came later than their kind.

use std::fmt;

/// What is known of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The C type's name.
    pub kind: &'static str,
    /// The first version that has it; none for what no release of Linux has.
    pub since: Option<Version>,
    /// The setting without which it is not built.
    pub option: &'static str,
    /// Members that were added later.
    pub members: &'static [(&'static str, Version)],
}

/// A version of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Every kind of Linux up to 7.1, and the one of MPTCP's own tree.
pub const ORIGINS: &[Origin] = &[
    Origin {
        kind: "tcp_congestion_ops",
        since: Some(Version(5, 6)),
        option: "CONFIG_BPF_JIT",
        members: &[("cwnd_event_tx_start", Version(7, 1))],
    },
    Origin {
        kind: "bpf_dummy_ops",
        since: Some(Version(5, 16)),
        option: "CONFIG_NET",
        members: &[],
    },
    Origin {
        kind: "hid_bpf_ops",
        since: Some(Version(6, 11)),
        option: "CONFIG_HID_BPF",
        members: &[],
    },
    Origin {
        kind: "sched_ext_ops",
        since: Some(Version(6, 12)),
        option: "CONFIG_SCHED_CLASS_EXT",
        members: &[
            ("cgroup_set_bandwidth", Version(6, 17)),
            ("cgroup_set_idle", Version(6, 19)),
            ("sub_attach", Version(7, 1)),
            ("sub_detach", Version(7, 1)),
            ("sub_cgroup_id", Version(7, 1)),
        ],
    },
    Origin {
        kind: "Qdisc_ops",
        since: Some(Version(6, 16)),
        option: "CONFIG_NET_SCH_BPF",
        members: &[],
    },
    Origin {
        kind: "smc_hs_ctrl",
        since: Some(Version(6, 19)),
        option: "CONFIG_SMC_HS_CTRL_BPF",
        members: &[],
    },
    Origin {
        kind: "mptcp_sched_ops",
        since: None,
        option: "CONFIG_MPTCP",
        members: &[],
    },
];

/// Where a kind comes from, if we know it.
///
/// ```
/// let origin = loader::history::origin("sched_ext_ops").unwrap();
/// assert_eq!(origin.to_string(), "Linux has it since 6.12, when it is built with CONFIG_SCHED_CLASS_EXT");
/// ```
pub fn origin(kind: &str) -> Option<&'static Origin> {
    ORIGINS.iter().find(|origin| origin.kind == kind)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.since {
            Some(since) => write!(f, "Linux has it since {since}, when it is built with {}", self.option),
            None => write!(
                f,
                "no release of Linux has it; a tree outside has, when it is built with {}",
                self.option
            ),
        }
    }
}

/// The end of a message about a kind that is not there.
pub(crate) fn of_kind(kind: &str) -> String {
    origin(kind).map_or_else(String::new, |origin| format!(": {origin}"))
}

/// The end of a message about a member that is not there.
pub(crate) fn of_member(kind: &str, member: &str) -> String {
    let since = |origin: &Origin| {
        origin
            .members
            .iter()
            .find(|(name, _)| *name == member)
            .map(|(_, since)| *since)
    };
    origin(kind)
        .and_then(since)
        .map_or_else(String::new, |since| format!("; Linux has it since {since}"))
}
