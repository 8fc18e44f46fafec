//! [`Scenario`]: the path, the flows, the time and the seed of an experiment, as plain data with the units people write.

use net::{Rate, Span};
use std::fmt;
use std::str::FromStr;

/// Bytes of a full IPv4 packet; queue sizes in packets count such.
pub const MTU: u64 = 1500;

/// All that decides a run, apart from the algorithms. The same scenario and algorithms give the same result, to the last digit.
///
/// ```
/// use lab::Scenario;
/// let mut scenario = Scenario::default();
/// scenario.path.rate = "1gbit".parse().unwrap();
/// scenario.path.queue = "0.5bdp".parse().unwrap();
/// scenario.check().unwrap();
/// assert_eq!(scenario.path.queue_bytes(), 1_250_000);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The bottleneck.
    pub path: PathSpec,
    /// How long the whole run lasts, warm-up included.
    pub duration: Span,
    /// Figures are of the time after this.
    pub warmup: Span,
    /// Flows of each algorithm.
    pub flows: u32,
    /// Decides start times, initial sequence numbers and random loss.
    pub seed: u64,
    /// Flows start at a random point within this.
    pub start_spread: Span,
    /// `CONFIG_HZ` of the kernel in the experiment: jiffies a second.
    pub hz: u32,
    /// The largest receive buffer (`tcp_rmem[2]`), bytes of memory, of which a part is window; `None` is Linux's usual one.
    pub rcvbuf_bytes: Option<u32>,
    /// Payload that a sender may have written and that is not acknowledged, bytes; `None` is as much as it likes.
    pub sndbuf_bytes: Option<u32>,
}

/// The bottleneck: one link each way, the sender's with a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct PathSpec {
    /// Rate, both ways, of IPv4 packets.
    pub rate: Rate,
    /// Round-trip time without queueing; half of it each way.
    pub rtt: Span,
    /// Room in the queue.
    pub queue: QueueSize,
    /// Packets that find this much waiting are marked if they are ECN-capable; with it, senders and receivers ask for ECN.
    pub ecn_at: Option<QueueSize>,
    /// Probability that a packet towards the receiver is lost.
    pub loss: f64,
    /// Every so many packets towards the receiver one is lost.
    pub loss_every: Option<u64>,
}

impl Default for Scenario {
    /// One flow at 100 Mbit/s and 20 ms with a queue of 250,000 bytes (one bandwidth-delay product), 30 s, figures of the last 20 s: the setting of
    /// the project's Linux reference traces.
    fn default() -> Self {
        Self {
            path: PathSpec {
                rate: Rate::from_mbit(100),
                rtt: Span::from_millis(20),
                queue: QueueSize::Bytes(250_000),
                ecn_at: None,
                loss: 0.0,
                loss_every: None,
            },
            duration: Span::from_secs(30),
            warmup: Span::from_secs(10),
            flows: 1,
            seed: 1,
            start_spread: Span::from_millis(20),
            hz: 250,
            rcvbuf_bytes: None,
            sndbuf_bytes: None,
        }
    }
}

impl Scenario {
    /// Flows of one algorithm at most.
    pub const FLOWS_MAX: u32 = 1000;
    /// The longest run.
    pub const DURATION_MAX: Span = Span::from_secs(24 * 3600);

    /// Whether the values make sense together.
    ///
    /// # Errors
    /// The first value that does not, and what would do.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let fault = |parameter, value: String, must: &'static str| Err(ScenarioError { parameter, value, must });
        let path = &self.path;
        if path.rate < Rate::from_bits_per_second(1000) || path.rate > Rate::from_mbit(400_000) {
            return fault("rate", path.rate.to_string(), "be between 1kbit and 400gbit");
        }
        if path.rtt > Span::from_secs(60) {
            return fault("rtt", path.rtt.to_string(), "be at most 60s");
        }
        if path.queue_bytes() < MTU {
            return fault(
                "queue",
                path.queue.to_string(),
                "have room for one packet of 1500 bytes",
            );
        }
        if !(0.0..1.0).contains(&path.loss) {
            return fault("loss", path.loss.to_string(), "be at least 0 and below 1 (100%)");
        }
        if matches!(path.loss_every, Some(0 | 1)) {
            return fault("loss-every", "0 or 1".to_owned(), "leave some packets: 2 or more");
        }
        if self.flows == 0 || self.flows > Self::FLOWS_MAX {
            return fault("flows", self.flows.to_string(), "be between 1 and 1000");
        }
        if self.duration.is_zero() || self.duration > Self::DURATION_MAX {
            return fault("duration", self.duration.to_string(), "be above zero and at most a day");
        }
        if self.warmup >= self.duration {
            return fault("warmup", self.warmup.to_string(), "be shorter than the duration");
        }
        if self.start_spread >= self.duration {
            return fault(
                "start spread",
                self.start_spread.to_string(),
                "be shorter than the duration",
            );
        }
        let buffers = [("rcvbuf", self.rcvbuf_bytes), ("sndbuf", self.sndbuf_bytes)];
        for (parameter, bytes) in buffers {
            if let Some(bytes) = bytes
                && !(BUFFER_MIN..=BUFFER_MAX).contains(&bytes)
            {
                return fault(parameter, format!("{bytes}b"), "be between 4096b and 1gib");
            }
        }
        if !(1..=10_000).contains(&self.hz) {
            return fault("hz", self.hz.to_string(), "be between 1 and 10000");
        }
        Ok(())
    }
}

/// Two packets with what they take beside: with less nothing moves.
const BUFFER_MIN: u32 = 4096;
/// As much as the window of TCP can say.
const BUFFER_MAX: u32 = 1 << 30;

impl PathSpec {
    /// Room in the queue, in bytes.
    pub fn queue_bytes(&self) -> u64 {
        self.queue.bytes(self)
    }

    /// Rate times round-trip time, in bytes.
    pub fn bdp_bytes(&self) -> u64 {
        self.rate.bytes_in(self.rtt)
    }
}

impl fmt::Display for PathSpec {
    /// One line for people: `100mbit, 20ms, queue 250000b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, queue {}", self.rate, self.rtt, self.queue)?;
        if let Some(threshold) = self.ecn_at {
            write!(f, ", ECN marks at {threshold}")?;
        }
        if self.loss > 0.0 {
            write!(f, ", loss {}%", self.loss * 100.0)?;
        }
        if let Some(every) = self.loss_every {
            write!(f, ", every {every}th packet lost")?;
        }
        Ok(())
    }
}

/// A value of a scenario is outside of what can be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter} is {value} but must {must}")]
pub struct ScenarioError {
    /// Which value, in the words of the command line.
    pub parameter: &'static str,
    /// What it is.
    pub value: String,
    /// What it must do instead; follows "must".
    pub must: &'static str,
}

/// A queue's size or threshold: in bytes, in full packets, or in bandwidth-delay products of the path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QueueSize {
    /// `250000b`
    Bytes(u64),
    /// `166p`: packets of 1500 bytes
    Packets(u64),
    /// `1.5bdp`
    Bdp(f64),
}

impl QueueSize {
    /// The size in bytes on a given path.
    pub fn bytes(self, path: &PathSpec) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Packets(packets) => packets.saturating_mul(MTU),
            // Saturates by itself: a float turned into an integer keeps within it.
            Self::Bdp(factor) => (path.bdp_bytes() as f64 * factor) as u64,
        }
    }
}

impl fmt::Display for QueueSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes}b"),
            Self::Packets(packets) => write!(f, "{packets}p"),
            Self::Bdp(factor) => write!(f, "{factor}bdp"),
        }
    }
}

/// A text is not a queue size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a queue size: expected bytes (`250000b`, `250kb`), packets (`166p`) or bandwidth-delay products (`1bdp`)"
)]
pub struct ParseQueueSizeError {
    text: String,
}

impl FromStr for QueueSize {
    type Err = ParseQueueSizeError;

    fn from_str(text: &str) -> Result<Self, ParseQueueSizeError> {
        let error = || ParseQueueSizeError { text: text.to_owned() };
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(error)?;
        let (number, unit) = text.split_at(split);
        let whole = |factor: u64| number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
        let size = match unit {
            "b" => whole(1).map(Self::Bytes),
            "kb" => whole(1000).map(Self::Bytes),
            "mb" => whole(1_000_000).map(Self::Bytes),
            "p" => whole(1).map(Self::Packets),
            "bdp" => number.parse().ok().map(Self::Bdp),
            _ => None,
        };
        size.ok_or_else(error)
    }
}

/// A text is not a number of bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a number of bytes: expected `65536b`, `256kb`, `64mb` or `2gb` (of 1000), or `64mib` (of 1024)"
)]
pub struct ParseBytesError {
    text: String,
}

/// Reads a number of bytes with its unit.
///
/// # Errors
/// Without a unit, and what does not fit 64 bits.
///
/// ```
/// assert_eq!(lab::parse_bytes("64mb"), Ok(64_000_000));
/// assert_eq!(lab::parse_bytes("64mib"), Ok(64 << 20));
/// ```
pub fn parse_bytes(text: &str) -> Result<u64, ParseBytesError> {
    let error = || ParseBytesError { text: text.to_owned() };
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
    let (number, unit) = text.split_at(split);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(error()),
    };
    let number: u64 = number.parse().map_err(|_| error())?;
    number.checked_mul(factor).ok_or_else(error)
}

/// A text is not a share such as `0.01%` or `1e-4`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a probability: expected a share such as `0.01%` or `1e-4`, at least 0 and below 1 (100%)")]
pub struct ParseProbabilityError {
    text: String,
}

/// Reads a probability: `0.01%`, `0.0001` or `1e-4`.
///
/// # Errors
/// If it is no number or not in `0..1`.
pub fn parse_probability(text: &str) -> Result<f64, ParseProbabilityError> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    match number.parse::<f64>() {
        Ok(value) if (0.0..1.0).contains(&(value / scale)) => Ok(value / scale),
        _ => Err(ParseProbabilityError { text: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_sizes() {
        let path = Scenario::default().path;
        for (text, bytes) in [
            ("250000b", 250_000),
            ("250kb", 250_000),
            ("1mb", 1_000_000),
            ("166p", 249_000),
            ("1bdp", 250_000),
            ("0.5bdp", 125_000),
        ] {
            let size: QueueSize = text.parse().unwrap();
            assert_eq!(size.bytes(&path), bytes, "{text}");
            assert_eq!(
                size.to_string().parse::<QueueSize>().unwrap().bytes(&path),
                bytes,
                "{text}"
            );
        }
        for text in [
            "",
            "10",
            "b",
            "-1b",
            "1.5b",
            "1e3b",
            "10 b",
            "99999999999999999999b",
            "bdp",
            "1..5bdp",
        ] {
            assert!(text.parse::<QueueSize>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn bytes() {
        for (text, value) in [
            ("0b", 0),
            ("7b", 7),
            ("3kb", 3000),
            ("2MB", 2_000_000),
            ("1gib", 1 << 30),
        ] {
            assert_eq!(parse_bytes(text), Ok(value), "{text}");
        }
        for text in ["", "7", "b", "-1b", "1.5mb", "1 mb", "20000000000gb", "1p"] {
            assert!(parse_bytes(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn probabilities() {
        for (text, value) in [("0", 0.0), ("0.01%", 1e-4), ("1e-4", 1e-4), ("50%", 0.5)] {
            assert!((parse_probability(text).unwrap() - value).abs() < 1e-12, "{text}");
        }
        for text in ["", "%", "100%", "1", "-0.1", "nan", "inf", "0,1"] {
            assert!(parse_probability(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn each_senseless_value_is_named() {
        let base = Scenario::default;
        let with = |change: fn(&mut Scenario)| {
            let mut scenario = base();
            change(&mut scenario);
            scenario.check().unwrap_err().to_string()
        };
        assert_eq!(base().check(), Ok(()));
        let faults = [
            with(|s| s.path.rate = Rate::from_bits_per_second(10)),
            with(|s| s.path.rtt = Span::from_secs(61)),
            with(|s| s.path.queue = QueueSize::Bytes(1499)),
            with(|s| s.path.queue = QueueSize::Bdp(0.0)),
            with(|s| s.path.loss = f64::NAN),
            with(|s| s.path.loss_every = Some(1)),
            with(|s| s.flows = 0),
            with(|s| s.duration = Span::ZERO),
            with(|s| s.warmup = s.duration),
            with(|s| s.start_spread = s.duration),
            with(|s| s.hz = 0),
        ];
        insta::assert_snapshot!(faults.join("\n"), @r"
        rate is 10bit but must be between 1kbit and 400gbit
        rtt is 61s but must be at most 60s
        queue is 1499b but must have room for one packet of 1500 bytes
        queue is 0bdp but must have room for one packet of 1500 bytes
        loss is NaN but must be at least 0 and below 1 (100%)
        loss-every is 0 or 1 but must leave some packets: 2 or more
        flows is 0 but must be between 1 and 1000
        duration is 0ns but must be above zero and at most a day
        warmup is 30s but must be shorter than the duration
        start spread is 30s but must be shorter than the duration
        hz is 0 but must be between 1 and 10000
        ");
    }
}
