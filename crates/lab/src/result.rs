//! What a run gives: [`RunResult`] with the figures, serialised under the names that `opswap compare --json` documents, and [`Series`] over time.

use serde::Serialize;

/// The figures of one run over its time after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunResult {
    /// Algorithm, or algorithms joined by `+` when several share the bottleneck.
    pub cc: String,
    /// One entry a flow.
    pub flows: Vec<FlowResult>,
    /// The bottleneck, towards the receivers.
    pub link: LinkResult,
    /// Jain's fairness index of the flows' goodput: 1 when all are equal, 1/n when one has all.
    pub jain: f64,
    /// What each algorithm's flows have together, where several algorithms share the bottleneck; else empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<Total>,
}

/// What the flows of one algorithm have together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Total {
    /// The algorithm, as in [`FlowResult::cc`].
    pub cc: String,
    /// How many flows.
    pub flows: u32,
    /// Payload acknowledged, megabits a second.
    pub goodput_mbps: f64,
    /// Share of the goodput of all flows.
    pub share: f64,
    /// Packets retransmitted.
    pub retransmits: u64,
    /// Fast recoveries entered.
    pub loss_recoveries: u64,
    /// Retransmission timeouts.
    pub timeouts: u64,
}

/// The figures of one flow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlowResult {
    /// Number of the flow, from 0.
    pub id: u32,
    /// Its algorithm; after a swap in the middle of the time, both joined by `→`.
    pub cc: String,
    /// Payload acknowledged, megabits a second.
    pub goodput_mbps: f64,
    /// Congestion window, packets, mean over time.
    pub cwnd_mean: f64,
    /// Smallest window, packets.
    pub cwnd_min: u32,
    /// Largest window, packets.
    pub cwnd_max: u32,
    /// Smoothed round-trip time, milliseconds, mean over time.
    pub srtt_mean_ms: f64,
    /// Packets retransmitted.
    pub retransmits: u64,
    /// Fast recoveries entered.
    pub loss_recoveries: u64,
    /// Retransmission timeouts.
    pub timeouts: u64,
    /// Share of the time in which the receiver's window kept it from sending more, not the algorithm.
    pub rcvbuf_limited: f64,
    /// Share of the time in which the send buffer did.
    pub sndbuf_limited: f64,
}

/// The figures of the bottleneck.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkResult {
    /// Share of the rate that was used, headers included.
    pub utilization: f64,
    /// Packets waiting, mean over time, without the one being sent.
    pub queue_mean_pkts: f64,
    /// Packets dropped by the queue or lost by the loss model.
    pub drops: u64,
    /// Packets marked by the queue.
    pub marks: u64,
}

/// The course of a run, for plots: values at evenly spaced points in time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Seconds since the start.
    pub seconds: Vec<f64>,
    /// Packets waiting at the bottleneck.
    pub queue_packets: Vec<f64>,
    /// One entry a flow.
    pub flows: Vec<FlowSeries>,
}

/// The course of one flow; values at [`Series::seconds`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowSeries {
    /// Algorithm, as in [`FlowResult::cc`].
    pub cc: String,
    /// Congestion window, packets.
    pub cwnd_packets: Vec<f64>,
    /// Smoothed round-trip time, milliseconds; 0 before the first measurement.
    pub srtt_ms: Vec<f64>,
    /// Payload acknowledged since the point before, megabits a second.
    pub goodput_mbps: Vec<f64>,
}

/// Jain's fairness index: `(Σx)² / (n Σx²)`; 1 for no flows and for flows that all have nothing.
///
/// ```
/// assert_eq!(lab::jain(&[5.0, 5.0]), 1.0);
/// assert_eq!(lab::jain(&[10.0, 0.0]), 0.5);
/// ```
pub fn jain(values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    let squares: f64 = values.iter().map(|value| value * value).sum();
    if squares == 0.0 {
        return 1.0;
    }
    sum * sum / (values.len() as f64 * squares)
}

/// To that many decimals, so that results read well and say no more than they know.
pub(crate) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}
