//! The kernel's version, settings, symbols and processors, from the files where it shows them.

use bpf::Errno;
use flate2::read::GzDecoder;
use std::collections::HashMap;
use std::io::Read;

/// The settings that the kernel was built with.
pub(crate) struct Config(HashMap<String, String>);

impl Config {
    /// From `/proc/config.gz`, or where distributions put it.
    pub(crate) fn read() -> Result<Self, Errno> {
        if let Ok(file) = std::fs::File::open("/proc/config.gz") {
            let mut text = String::new();
            GzDecoder::new(file).read_to_string(&mut text)?;
            return Ok(Self::parse(&text));
        }
        let release = release();
        [
            format!("/boot/config-{release}"),
            format!("/lib/modules/{release}/config"),
        ]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .map(|text| Self::parse(&text))
        .ok_or(Errno::ENOENT)
    }

    fn parse(text: &str) -> Self {
        let settings = text
            .lines()
            .filter(|line| line.starts_with("CONFIG_"))
            .filter_map(|line| line.split_once('='));
        Self(
            settings
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

fn release() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    text.trim().to_owned()
}

/// `LINUX_VERSION_CODE`.
pub(crate) fn version() -> u32 {
    version_code(&release())
}

/// The last part counts up to 255 (`KERNEL_VERSION` of `include/linux/version.h`).
fn version_code(release: &str) -> u32 {
    let mut parts = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let (major, minor, patch) = (next(), next(), next());
    major << 16 | minor << 8 | patch.min(255)
}

/// The names that a kind's tables have, where the kernel tells: for congestion control, those of modules that are not loaded are not among them.
pub(crate) fn registered_names(kind: &str) -> Vec<String> {
    if kind != "tcp_congestion_ops" {
        return Vec::new();
    }
    let names = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control");
    names
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// CPUs that may ever be there; 1 if the kernel does not say.
pub(crate) fn possible_cpus() -> u32 {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    count_cpus(&text).max(1)
}

/// `0-3,8` is five.
fn count_cpus(list: &str) -> u32 {
    let count = |range: &str| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
        Some(to.checked_sub(from)? + 1)
    };
    list.trim().split(',').filter_map(count).sum()
}

/// The addresses of a symbol in the text of `/proc/kallsyms`, each once; none that is hidden from this process. Link-time optimisation adds `.llvm.` and a
/// number to names, which is no part of them (`libbpf_kallsyms_parse` and `kallsyms_cb` of libbpf, Linux 6.18).
pub(crate) fn ksym_addresses(symbols: &str, name: &str) -> Vec<u64> {
    let of_line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next()?;
        let symbol = words.nth(1)?;
        let plain = symbol.split_once(".llvm.").map_or(symbol, |(plain, _)| plain);
        let address = u64::from_str_radix(address, 16).ok()?;
        (plain == name && address != 0).then_some(address)
    };
    let mut addresses: Vec<u64> = symbols.lines().filter_map(of_line).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(version_code("6.18.44-fc-v669"), 6 << 16 | 18 << 8 | 44);
        assert_eq!(version_code("5.10.300"), 5 << 16 | 10 << 8 | 255);
        assert_eq!(version_code("7.3-rc1"), 7 << 16 | 3 << 8);
    }

    #[test]
    fn symbols() {
        let text = "0000000000000000 D hidden\nffff01 T once\nffff02 t twice\nffff03 t twice\tmodule\nffff03 t twice\nffff04 t lto.llvm.12345\n";
        let cases: [(&str, &[u64]); 5] = [
            ("hidden", &[]),
            ("once", &[0x00ff_ff01]),
            ("twice", &[0x00ff_ff02, 0x00ff_ff03]),
            ("lto", &[0x00ff_ff04]),
            ("absent", &[]),
        ];
        for (name, addresses) in cases {
            assert_eq!(ksym_addresses(text, name), addresses, "{name}");
        }
    }

    #[test]
    fn processors() {
        assert_eq!(count_cpus("0\n"), 1);
        assert_eq!(count_cpus("0-3,8\n"), 5);
        assert_eq!(count_cpus("nonsense"), 0);
    }

    #[test]
    fn settings() {
        let config = Config::parse("# comment\nCONFIG_HZ=250\nCONFIG_X=\"a=b\"\n# CONFIG_Y is not set\n");
        assert_eq!(config.get("CONFIG_HZ").as_deref(), Some("250"));
        assert_eq!(config.get("CONFIG_X").as_deref(), Some("\"a=b\""));
        assert_eq!(config.get("CONFIG_Y"), None);
    }
}
