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
