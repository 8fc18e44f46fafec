//! [`Clock`]: the kernel's time. The host sets it; nothing here reads a clock of the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kernel's time in ns since boot. Clones show the same time.
///
/// ```
/// let clock = kernel::Clock::default();
/// let same = clock.clone();
/// clock.set_ns(1_000_000);
/// assert_eq!(same.now_ns(), 1_000_000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    /// The present, ns since boot.
    pub fn now_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the present. Programs expect that it does not run backwards.
    pub fn set_ns(&self, now_ns: u64) {
        self.0.store(now_ns, Ordering::Relaxed);
    }
}

/// Jiffies that have begun at a time: `ns * HZ` in seconds, rounded down, without an offset.
pub(crate) fn jiffies(now_ns: u64, hz: u32) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    let hz = u64::from(hz);
    // Whole seconds and the rest apart, so that nothing overflows.
    now_ns / SECOND * hz + now_ns % SECOND * hz / SECOND
}

#[cfg(test)]
mod tests {
    #[test]
    fn jiffies_begin_with_their_tick() {
        for (ns, hz, expected) in [
            (0, 250, 0),
            (3_999_999, 250, 0),
            (4_000_000, 250, 1),
            (1_000_000_000, 250, 250),
            (1_003_333_334, 300, 301),
            (u64::MAX, 1000, 18_446_744_073_709),
        ] {
            assert_eq!(super::jiffies(ns, hz), expected, "{ns} ns at {hz} Hz");
        }
    }
}
