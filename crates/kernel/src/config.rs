//! [`Config`]: what a kernel is built with.

use std::collections::BTreeMap;

/// What the embedded kernel is built with. The defaults are those of the reference, Linux 6.18 with 250 ticks a second.
///
/// ```
/// let config = kernel::Config { hz: 1000, ..kernel::Config::default() };
/// assert_eq!(config.kconfig("CONFIG_HZ").as_deref(), Some("1000"));
/// assert_eq!(config.kconfig("CONFIG_NO_SUCH_THING"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Ticks a second: unit of jiffies, and `CONFIG_HZ`.
    pub hz: u32,
    /// `LINUX_VERSION_CODE` that programs see.
    pub version: u32,
    /// Where `bpf_get_prandom_u32()` begins.
    pub seed: u64,
    /// Further settings for `.kconfig` externs, as the kernel's configuration file has them (`y`, `m`, a number, a quoted string).
    /// `CONFIG_HZ` and `CONFIG_HZ_<n>` follow `hz`, whatever stands here.
    pub kconfig: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        let set = [
            "CONFIG_BPF",
            "CONFIG_BPF_SYSCALL",
            "CONFIG_DEBUG_INFO_BTF",
            "CONFIG_INET",
            "CONFIG_NET",
            "CONFIG_TCP_CONG_ADVANCED",
        ];
        Self {
            hz: 250,
            version: 6 << 16 | 18 << 8 | 44,
            seed: 0,
            kconfig: set.map(|name| (name.to_owned(), "y".to_owned())).into(),
        }
    }
}

impl Config {
    /// A setting by its name with `CONFIG_`.
    pub fn kconfig(&self, name: &str) -> Option<String> {
        match name.strip_prefix("CONFIG_HZ") {
            Some("") => Some(self.hz.to_string()),
            Some(rest) if rest.strip_prefix('_').and_then(|n| n.parse().ok()) == Some(self.hz) => Some("y".to_owned()),
            Some(rest) if rest.starts_with('_') => None,
            _ => self.kconfig.get(name).cloned(),
        }
    }
}
