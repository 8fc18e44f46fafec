//! Bit rates and the time that a packet takes at one.

use crate::time::Span;
use std::fmt;
use std::str::FromStr;

/// A bit rate in bits per second. [`Rate::UNLIMITED`] takes no time for any packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// A packet takes no time.
    pub const UNLIMITED: Self = Self(u64::MAX);

    /// That many bits per second; zero is taken as one, so that a packet always ends.
    pub const fn from_bits_per_second(bits: u64) -> Self {
        if bits == 0 { Self(1) } else { Self(bits) }
    }

    /// That many times a million bits per second.
    pub const fn from_mbit(mbit: u64) -> Self {
        Self::from_bits_per_second(mbit.saturating_mul(1_000_000))
    }

    /// Bits per second.
    pub const fn bits_per_second(self) -> u64 {
        self.0
    }

    /// How long `bytes` take, rounded up to a whole nanosecond, so that the rate is never exceeded.
    pub fn time_for(self, bytes: u32) -> Span {
        if self == Self::UNLIMITED {
            return Span::ZERO;
        }
        let bits_ns = u64::from(bytes) * 8 * 1_000_000_000;
        Span::from_nanos(bits_ns.div_ceil(self.0))
    }

    /// How many whole bytes fit into `span`; the bandwidth-delay product if `span` is a round-trip time.
    pub fn bytes_in(self, span: Span) -> u64 {
        let bits = u128::from(self.0) * u128::from(span.as_nanos()) / 1_000_000_000;
        u64::try_from(bits / 8).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Rate {
    /// In the largest unit that divides it: `100mbit`, `1500kbit`. [`FromStr`] reads it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNLIMITED {
            return f.write_str("unlimited");
        }
        let (unit, name) = UNITS
            .iter()
            .find(|(unit, _)| self.0.is_multiple_of(*unit))
            .unwrap_or(&UNITS[UNITS.len() - 1]);
        write!(f, "{}{name}", self.0 / unit)
    }
}

/// Bits per second in a unit and its name as `tc` writes it, largest first.
const UNITS: [(u64, &str); 4] = [
    (1_000_000_000, "gbit"),
    (1_000_000, "mbit"),
    (1_000, "kbit"),
    (1, "bit"),
];

/// A text is not a rate such as `100mbit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseRateError {
    text: String,
}

impl fmt::Display for ParseRateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a rate: expected a number above zero and gbit, mbit, kbit or bit, as in `100mbit`",
            self.text
        )
    }
}

impl std::error::Error for ParseRateError {}

impl FromStr for Rate {
    type Err = ParseRateError;

    /// Reads `100mbit`, `2.5gbit`, `64kbit`, `9600bit`; capitals do not matter.
    fn from_str(text: &str) -> Result<Self, ParseRateError> {
        let error = || ParseRateError { text: text.to_owned() };
        let lower = text.to_ascii_lowercase();
        let split = lower
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(error)?;
        let (number, name) = lower.split_at(split);
        let (unit, _) = UNITS.iter().find(|(_, unit)| *unit == name).ok_or_else(error)?;
        match scaled(number, *unit) {
            Some(bits) if bits > 0 => Ok(Self(bits)),
            _ => Err(error()),
        }
    }
}

/// `number` (digits with at most one point) times `unit`, exactly, rounded down; `None` if it is no number or too large.
pub(crate) fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || fraction.len() > 18 {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10_u128.pow(fraction.len() as u32);
    let value = whole
        .checked_mul(u128::from(unit))?
        .checked_add(part * u128::from(unit) / scale)?;
    u64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_packet_at_a_hundred_megabit_takes_120_microseconds() {
        assert_eq!(Rate::from_mbit(100).time_for(1500), Span::from_micros(120));
        assert_eq!(Rate::UNLIMITED.time_for(u32::MAX), Span::ZERO);
        assert_eq!(Rate::from_mbit(100).bytes_in(Span::from_millis(20)), 250_000);
    }

    #[test]
    fn rounding_never_exceeds_the_rate() {
        let rate = Rate::from_bits_per_second(3);
        assert_eq!(rate.time_for(1), Span::from_nanos(2_666_666_667));
        assert_eq!(Rate::from_bits_per_second(0).time_for(1), Span::from_secs(8));
    }

    #[test]
    fn text_and_back() {
        for (text, bits) in [
            ("100mbit", 100_000_000),
            ("2.5Gbit", 2_500_000_000),
            ("64kbit", 64_000),
            ("9600bit", 9_600),
            (".5mbit", 500_000),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.bits_per_second(), bits, "{text}");
            assert_eq!(rate.to_string().parse::<Rate>().unwrap(), rate, "{text}");
        }
        for text in [
            "",
            "100",
            "mbit",
            "0mbit",
            "1.2.3mbit",
            "100 mbit",
            "-1mbit",
            "100mb",
            "0.0000000000000000001gbit",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text:?}");
        }
    }
}
