//! Whether tests that need the Linux kernel can run here: loudly no, or a failure where CI must not skip.

/// Set to `1` where not being able to run a Linux test is a failure.
const REQUIRE: &str = "OPSWAP_REQUIRE_LINUX";
/// Set to `1` where the running kernel is to be left alone.
const LEAVE_ALONE: &str = "OPSWAP_NO_LINUX";

/// Whether the running kernel can be used. If not, says so on stderr, or panics when `OPSWAP_REQUIRE_LINUX=1`.
///
/// ```no_run
/// if !testkit::linux_or_skip("loads a program") {
///     return;
/// }
/// ```
///
/// # Panics
/// When the kernel cannot be used and `OPSWAP_REQUIRE_LINUX=1`.
#[must_use]
pub fn linux_or_skip(purpose: &str) -> bool {
    need(obstacle(), purpose)
}

/// As [`linux_or_skip`], for tests that also need a program of the system.
///
/// # Panics
/// As [`linux_or_skip`].
#[must_use]
pub fn tool_or_skip(tool: &str, purpose: &str) -> bool {
    let found = std::process::Command::new("sh")
        .args(["-c", "command -v \"$0\" >/dev/null", tool])
        .status();
    let missing = !found.is_ok_and(|status| status.success());
    need(missing.then(|| format!("{tool} is not installed")), purpose)
}

pub(crate) fn need(obstacle: Option<String>, purpose: &str) -> bool {
    let Some(obstacle) = obstacle else {
        return true;
    };
    assert!(
        std::env::var(REQUIRE).as_deref() != Ok("1"),
        "a test cannot run ({purpose}): {obstacle}, and {REQUIRE}=1"
    );
    eprintln!("SKIPPED, not tested ({purpose}): {obstacle}. {REQUIRE}=1 makes this a failure.");
    false
}

/// What stands in the way, if anything.
fn obstacle() -> Option<String> {
    if std::env::var(LEAVE_ALONE).as_deref() == Ok("1") {
        return Some(format!("{LEAVE_ALONE}=1"));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    // CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF.
    let needed = [12, 21, 38, 39];
    if !effective.is_some_and(|set: u64| needed.iter().all(|bit| set >> bit & 1 == 1)) {
        return Some("not root, or without the rights of root".to_owned());
    }
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        return Some("the kernel shows no types of its own (/sys/kernel/btf/vmlinux)".to_owned());
    }
    // Bit 7: the kernel has had an oops. Its locks may be held for good, so that whatever registers would hang.
    let tainted = std::fs::read_to_string("/proc/sys/kernel/tainted").unwrap_or_default();
    if tainted.trim().parse::<u64>().unwrap_or(0) >> 7 & 1 == 1 {
        return Some("the kernel has had an oops; reboot it".to_owned());
    }
    None
}
