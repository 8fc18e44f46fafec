//! What the process may do, from `/proc/self/status`, and what it lacks for BPF. `include/uapi/linux/capability.h`.

use std::fmt;

/// The rights that matter for BPF, with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Giving sockets an algorithm that is not among the allowed ones; not needed to load or register one.
    NetAdmin = 12,
    /// Walking ids and opening objects by id, run statistics, mounting a bpffs; stands for the two below.
    SysAdmin = 21,
    /// Programs that see kernel memory, struct_ops among them.
    Perfmon = 38,
    /// bpf(2) at all.
    Bpf = 39,
}

impl Capability {
    /// The kernel's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::Perfmon => "CAP_PERFMON",
            Self::Bpf => "CAP_BPF",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The effective rights of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    effective: u64,
}

impl Capabilities {
    /// Those of this process; none when /proc does not say.
    pub fn current() -> Self {
        Self::from_status(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
    }

    /// From the text of a `/proc/…/status`.
    ///
    /// ```
    /// use linux::{Capabilities, Capability};
    /// let some = Capabilities::from_status("Name:\tx\nCapEff:\t0000008000001000\n");
    /// assert!(some.has(Capability::Bpf) && some.has(Capability::NetAdmin));
    /// assert_eq!(some.missing_for_struct_ops(), [Capability::Perfmon]);
    /// ```
    pub fn from_status(status: &str) -> Self {
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let effective = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        Self {
            effective: effective.unwrap_or(0),
        }
    }

    /// Whether the process has this right. `CAP_SYS_ADMIN` stands for `CAP_BPF` and `CAP_PERFMON`, as `bpf_capable` and `perfmon_capable` have it.
    pub fn has(self, capability: Capability) -> bool {
        let bit = |capability: Capability| self.effective >> capability as u32 & 1 == 1;
        let covered = match capability {
            Capability::Bpf | Capability::Perfmon => bit(Capability::SysAdmin),
            Capability::NetAdmin | Capability::SysAdmin => false,
        };
        bit(capability) || covered
    }

    /// What is missing to load and register an ops structure (measured on Linux 6.18).
    pub fn missing_for_struct_ops(self) -> Vec<Capability> {
        self.missing(&[Capability::Bpf, Capability::Perfmon])
    }

    /// What is missing to list what there is, and so to swap and roll back by name.
    pub fn missing_for_listing(self) -> Vec<Capability> {
        self.missing(&[Capability::SysAdmin])
    }

    fn missing(self, needed: &[Capability]) -> Vec<Capability> {
        needed.iter().copied().filter(|needed| !self.has(*needed)).collect()
    }
}
