//! [`Clock`]: virtual time in the units that Linux's TCP counts in: jiffies, microseconds (`tcp_mstamp`), milliseconds
//! (timestamps option).
//!
//! Jiffies are `now * HZ` rounded down, with no offset, so that `bpf_jiffies64()` and `tcp_jiffies32` agree when both are
//! derived from the same `now`.

use net::{Span, Time};

/// The present, as the last call of a driving function gave it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) now: Time,
    hz: u32,
}

impl Clock {
    pub(crate) fn new(hz: u32) -> Self {
        Self {
            now: Time::ZERO,
            hz: hz.clamp(1, 1_000_000),
        }
    }

    /// `tcp_jiffies32`.
    pub(crate) fn jiffies(&self) -> u32 {
        self.jiffies_at(self.now) as u32
    }

    /// Jiffies that have begun at a point in time.
    fn jiffies_at(&self, at: Time) -> u64 {
        (u128::from(at.as_nanos()) * u128::from(self.hz) / 1_000_000_000) as u64
    }

    /// When that jiffy begins, rounded up to whole nanoseconds.
    fn start_of(&self, jiffy: u64) -> Time {
        let nanos = (u128::from(jiffy) * 1_000_000_000).div_ceil(u128::from(self.hz));
        Time::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// When a timer armed now for that many jiffies fires. Linux's timer wheel never fires early: it takes the tick after
    /// the one asked for, and the further away, the coarser its steps (kernel/time/timer.c, `calc_wheel_index()`).
    pub(crate) fn timer(&self, delta_jiffies: u32) -> Time {
        let expires = self.jiffies_at(self.now) + u64::from(delta_jiffies);
        let level = match delta_jiffies {
            0..63 => 0,
            63..504 => 1,
            504..4_032 => 2,
            _ => 3,
        };
        let shift = 3 * level;
        self.start_of(((expires >> shift) + 1) << shift)
    }

    /// Length of that many jiffies.
    pub(crate) fn span(&self, jiffies: u32) -> Span {
        Span::from_nanos((u128::from(jiffies) * 1_000_000_000 / u128::from(self.hz)) as u64)
    }

    /// `usecs_to_jiffies()`: rounded up.
    pub(crate) fn usecs_to_jiffies(&self, usecs: u32) -> u32 {
        (u64::from(usecs) * u64::from(self.hz)).div_ceil(1_000_000) as u32
    }

    /// `jiffies_to_usecs()`.
    pub(crate) fn jiffies_to_usecs(&self, jiffies: u32) -> u32 {
        (u64::from(jiffies) * 1_000_000 / u64::from(self.hz)).min(u64::from(u32::MAX)) as u32
    }

    /// Jiffies in a span, rounded up.
    pub(crate) fn span_to_jiffies(&self, span: Span) -> u32 {
        let jiffies = (u128::from(span.as_nanos()) * u128::from(self.hz)).div_ceil(1_000_000_000);
        jiffies.min(u128::from(u32::MAX)) as u32
    }

    /// Microseconds, what `tcp_mstamp_refresh()` stores.
    pub(crate) fn mstamp(&self) -> u64 {
        self.now.as_micros()
    }
}
