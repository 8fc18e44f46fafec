//! Sums over time from which the figures of a run are made. A run is cut into periods (warm-up, before and after a swap); the sums of a period add up,
//! so that any stretch of periods has its figures.

use crate::result::{FlowResult, LinkResult, RunResult, Total, jain, rounded};
use net::{LinkStats, Rate, Span, Time};
use tcp::{Info, Limit};

/// What one flow did in one period.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlowSums {
    acked_bytes: u64,
    retransmits: u64,
    recoveries: u64,
    timeouts: u64,
    rcvbuf_ns: u128,
    sndbuf_ns: u128,
    cwnd_ns: u128,
    cwnd_time_ns: u128,
    srtt_ns_ns: u128,
    srtt_time_ns: u128,
    cwnd_min: u32,
    cwnd_max: u32,
}

impl FlowSums {
    const EMPTY: Self = Self {
        acked_bytes: 0,
        retransmits: 0,
        recoveries: 0,
        timeouts: 0,
        rcvbuf_ns: 0,
        sndbuf_ns: 0,
        cwnd_ns: 0,
        cwnd_time_ns: 0,
        srtt_ns_ns: 0,
        srtt_time_ns: 0,
        cwnd_min: u32::MAX,
        cwnd_max: 0,
    };

    fn add(&mut self, other: &Self) {
        self.acked_bytes += other.acked_bytes;
        self.retransmits += other.retransmits;
        self.recoveries += other.recoveries;
        self.timeouts += other.timeouts;
        self.rcvbuf_ns += other.rcvbuf_ns;
        self.sndbuf_ns += other.sndbuf_ns;
        self.cwnd_ns += other.cwnd_ns;
        self.cwnd_time_ns += other.cwnd_time_ns;
        self.srtt_ns_ns += other.srtt_ns_ns;
        self.srtt_time_ns += other.srtt_time_ns;
        self.cwnd_min = self.cwnd_min.min(other.cwnd_min);
        self.cwnd_max = self.cwnd_max.max(other.cwnd_max);
    }
}

/// Watches one flow: told of its state after everything that may have changed it.
#[derive(Clone, Debug)]
pub(crate) struct FlowAccount {
    sums: FlowSums,
    last: Info,
    last_time: Time,
    /// State at the start of the period.
    base: Info,
    begun: bool,
}

impl FlowAccount {
    pub(crate) fn new() -> Self {
        Self {
            sums: FlowSums::EMPTY,
            last: Info::default(),
            last_time: Time::ZERO,
            base: Info::default(),
            begun: false,
        }
    }

    /// The flow's state from `now` on.
    pub(crate) fn observe(&mut self, now: Time, info: Info) {
        self.pass(now);
        self.sums.cwnd_min = self.sums.cwnd_min.min(info.cwnd);
        self.sums.cwnd_max = self.sums.cwnd_max.max(info.cwnd);
        self.last = info;
        self.begun = true;
    }

    /// Ends the period at `now`, gives its sums and begins the next.
    pub(crate) fn end_period(&mut self, now: Time) -> FlowSums {
        self.pass(now);
        let mut sums = std::mem::replace(&mut self.sums, FlowSums::EMPTY);
        sums.acked_bytes = self.last.bytes_acked - self.base.bytes_acked;
        sums.retransmits = u64::from(self.last.retransmits.wrapping_sub(self.base.retransmits));
        sums.recoveries = u64::from(self.last.recoveries.wrapping_sub(self.base.recoveries));
        sums.timeouts = u64::from(self.last.timeouts.wrapping_sub(self.base.timeouts));
        self.base = self.last;
        if self.begun {
            self.sums.cwnd_min = self.last.cwnd;
            self.sums.cwnd_max = self.last.cwnd;
        }
        sums
    }

    fn pass(&mut self, now: Time) {
        let passed = u128::from((now - self.last_time).as_nanos());
        self.last_time = now;
        if !self.begun || passed == 0 {
            return;
        }
        self.sums.cwnd_ns += passed * u128::from(self.last.cwnd);
        self.sums.cwnd_time_ns += passed;
        match self.last.limit {
            Limit::ReceiveBuffer => self.sums.rcvbuf_ns += passed,
            Limit::SendBuffer => self.sums.sndbuf_ns += passed,
            Limit::Algorithm | Limit::Application => {}
        }
        let srtt = self.last.srtt.as_nanos();
        if srtt > 0 {
            self.sums.srtt_ns_ns += passed * u128::from(srtt);
            self.sums.srtt_time_ns += passed;
        }
    }
}

/// The sums of one period.
#[derive(Clone, Debug)]
pub(crate) struct Period {
    pub(crate) begin: Time,
    pub(crate) end: Time,
    pub(crate) flows: Vec<FlowSums>,
    pub(crate) link_begin: LinkStats,
    pub(crate) link_end: LinkStats,
}

/// The figures of consecutive periods taken together. `labels` are the flows' algorithms.
pub(crate) fn result(periods: &[Period], labels: &[String], cc: String, rate: Rate) -> RunResult {
    let time: Span = periods
        .iter()
        .fold(Span::ZERO, |sum, period| sum + (period.end - period.begin));
    let seconds = time.as_secs_f64();
    let flows: Vec<FlowResult> = (0_u32..)
        .zip(labels)
        .map(|(id, label)| {
            let mut sums = FlowSums::EMPTY;
            for period in periods {
                if let Some(flow) = period.flows.get(id as usize) {
                    sums.add(flow);
                }
            }
            flow_result(id, label, &sums, seconds)
        })
        .collect();
    let goodput: Vec<f64> = flows.iter().map(|flow| flow.goodput_mbps).collect();
    RunResult {
        cc,
        link: link_result(periods, rate, time),
        jain: rounded(jain(&goodput), 4),
        totals: totals(&flows),
        flows,
    }
}

/// What each algorithm has, if there are several.
fn totals(flows: &[FlowResult]) -> Vec<Total> {
    let mut totals: Vec<Total> = Vec::new();
    for flow in flows {
        if totals.iter().all(|total| total.cc != flow.cc) {
            totals.push(Total::of(&flow.cc));
        }
        if let Some(total) = totals.iter_mut().find(|total| total.cc == flow.cc) {
            total.flows += 1;
            total.goodput_mbps += flow.goodput_mbps;
            total.retransmits += flow.retransmits;
            total.loss_recoveries += flow.loss_recoveries;
            total.timeouts += flow.timeouts;
        }
    }
    if totals.len() < 2 {
        return Vec::new();
    }
    let all: f64 = totals.iter().map(|total| total.goodput_mbps).sum();
    for total in &mut totals {
        total.share = rounded(mean(total.goodput_mbps, all), 4);
        total.goodput_mbps = rounded(total.goodput_mbps, 3);
    }
    totals
}

impl Total {
    fn of(cc: &str) -> Self {
        Self {
            cc: cc.to_owned(),
            flows: 0,
            goodput_mbps: 0.0,
            share: 0.0,
            retransmits: 0,
            loss_recoveries: 0,
            timeouts: 0,
        }
    }
}

fn flow_result(id: u32, label: &str, sums: &FlowSums, seconds: f64) -> FlowResult {
    FlowResult {
        id,
        cc: label.to_owned(),
        goodput_mbps: rounded(mean(sums.acked_bytes as f64 * 8.0 / 1e6, seconds), 3),
        cwnd_mean: rounded(mean(sums.cwnd_ns as f64, sums.cwnd_time_ns as f64), 2),
        // A flow that never was in this time has neither.
        cwnd_min: if sums.cwnd_min == u32::MAX { 0 } else { sums.cwnd_min },
        cwnd_max: sums.cwnd_max,
        srtt_mean_ms: rounded(mean(sums.srtt_ns_ns as f64, sums.srtt_time_ns as f64) / 1e6, 3),
        retransmits: sums.retransmits,
        loss_recoveries: sums.recoveries,
        timeouts: sums.timeouts,
        rcvbuf_limited: rounded(mean(sums.rcvbuf_ns as f64, sums.cwnd_time_ns as f64), 3),
        sndbuf_limited: rounded(mean(sums.sndbuf_ns as f64, sums.cwnd_time_ns as f64), 3),
    }
}

fn link_result(periods: &[Period], rate: Rate, time: Span) -> LinkResult {
    let sum = |value: fn(&LinkStats) -> u128| -> u128 {
        periods
            .iter()
            .map(|period| value(&period.link_end) - value(&period.link_begin))
            .sum()
    };
    let capacity = rate.bits_per_second() as f64 * time.as_secs_f64();
    let count = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
    LinkResult {
        utilization: rounded(
            mean(sum(|link| u128::from(link.transmitted_bytes)) as f64 * 8.0, capacity),
            4,
        ),
        queue_mean_pkts: rounded(
            mean(sum(|link| link.waiting_packet_ns) as f64, time.as_nanos() as f64),
            2,
        ),
        drops: count(sum(|link| u128::from(link.queue.dropped + link.lost))),
        marks: count(sum(|link| u128::from(link.queue.marked))),
    }
}

fn mean(sum: f64, weight: f64) -> f64 {
    if weight > 0.0 { sum / weight } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(cwnd: u32, srtt_ms: u64, bytes_acked: u64) -> Info {
        Info {
            cwnd,
            srtt: Span::from_millis(srtt_ms),
            bytes_acked,
            ..Info::default()
        }
    }

    #[test]
    fn means_are_over_time_and_periods_add_up() {
        let mut account = FlowAccount::new();
        account.observe(Time::from_secs(1), info(10, 0, 0));
        account.observe(Time::from_secs(2), info(20, 30, 1_000_000));
        let first = account.end_period(Time::from_secs(3));
        account.observe(Time::from_secs(5), info(5, 10, 3_000_000));
        let second = account.end_period(Time::from_secs(6));
        let period = |begin, end, sums| Period {
            begin: Time::from_secs(begin),
            end: Time::from_secs(end),
            flows: vec![sums],
            link_begin: LinkStats::default(),
            link_end: LinkStats::default(),
        };
        let periods = [period(1, 3, first), period(3, 6, second)];
        let labels = ["x".to_owned()];
        let figures = |periods: &[Period]| {
            let run = result(periods, &labels, "x".to_owned(), Rate::from_mbit(1));
            let flow = run.flows[0].clone();
            (
                flow.goodput_mbps,
                flow.cwnd_mean,
                flow.cwnd_min,
                flow.cwnd_max,
                flow.srtt_mean_ms,
            )
        };
        assert_eq!(figures(&periods[..1]), (4.0, 15.0, 10, 20, 30.0));
        // Two seconds at 20 and 30 ms, one at 5 and 10 ms.
        assert_eq!(figures(&periods[1..]), (5.333, 15.0, 5, 20, 23.333));
        assert_eq!(figures(&periods), (4.8, 15.0, 5, 20, 25.0));
    }
}
