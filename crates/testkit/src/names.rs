//! Names for things that tests make in the system: unique to process and call, so that tests run side by side.

use std::sync::atomic::{AtomicU32, Ordering};

/// A name for an algorithm: `prefix`, the process, a number; at most 15 bytes, so that Linux takes it.
///
/// ```
/// let name = testkit::unique_name("oswt_");
/// assert!(name.starts_with("oswt_") && name.len() <= 15);
/// assert_ne!(name, testkit::unique_name("oswt_"));
/// ```
pub fn unique_name(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{prefix}{:x}_{number:x}", std::process::id());
    let excess = name.len().saturating_sub(15);
    // The process is what gives way when the prefix is long: its high digits tell least.
    let cut = excess.min(name.len() - prefix.len() - 2);
    format!("{prefix}{}", &name[prefix.len() + cut..])
}

/// Whether a name is `prefix`, the number of a process that is gone in hexadecimal digits, and `-…`.
pub(crate) fn is_of_dead_process(name: &str, prefix: &str) -> bool {
    let process = name.strip_prefix(prefix).and_then(|rest| rest.split('-').next());
    let process = process.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    process.is_some_and(|id| !std::path::Path::new(&format!("/proc/{id}")).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dead_processes_leave_orphans() {
        let own = format!("oswt-{:x}-0-c", std::process::id());
        assert!(!is_of_dead_process(&own, "oswt-"));
        assert!(is_of_dead_process("oswt-7fffffff-0-c", "oswt-"));
        assert!(!is_of_dead_process("other-7fffffff-0", "oswt-"));
        assert!(!is_of_dead_process("oswt-x-0", "oswt-"));
    }

    #[test]
    fn names_are_short_and_differ() {
        for prefix in ["", "oswt_", "oswt_longer_"] {
            let (first, second) = (unique_name(prefix), unique_name(prefix));
            assert!(first.len() <= 15 && first.starts_with(prefix), "{first}");
            assert_ne!(first, second);
        }
    }
}
