//! A line chart as data, and what drawing one needs whatever it is drawn on: axes with round numbers, and lines thinned so that every peak stays.
//! [`crate::plot`] draws it as text, [`crate::report`] as SVG.

use crate::result::Series;
use crate::run::Run;

/// A chart of values over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What is shown.
    pub title: String,
    /// Unit of the values, such as `ms`.
    pub unit: &'static str,
    /// The lines, in the order of the legend.
    pub lines: Vec<Line>,
    /// Moments worth a mark: seconds and a name.
    pub moments: Vec<(f64, String)>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Name in the legend.
    pub label: String,
    /// Number of its colour, below [`COLOURS`]: that of its algorithm, in all charts.
    pub colour: usize,
    /// Seconds, ascending.
    pub x: Vec<f64>,
    /// Values, as many.
    pub y: Vec<f64>,
}

/// Round numbers along an axis from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) step: f64,
}

impl Axis {
    /// An axis from zero to at least `largest`, with about `ticks` steps of 1, 2 or 5 times a power of ten.
    pub(crate) fn from_zero(largest: f64, ticks: f64) -> Self {
        let largest = if largest.is_finite() && largest > 0.0 {
            largest
        } else {
            1.0
        };
        let rough = largest / ticks;
        let power = 10_f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .find(|factor| factor * power >= rough * 0.999_999)
            .unwrap_or(10.0);
        let step = factor * power;
        Self {
            low: 0.0,
            high: (largest / step * 0.999_999).ceil() * step,
            step,
        }
    }

    /// An axis that ends exactly at `high`, for time.
    pub(crate) fn until(high: f64, ticks: f64) -> Self {
        let high = if high.is_finite() && high > 0.0 { high } else { 1.0 };
        Self {
            high,
            ..Self::from_zero(high, ticks)
        }
    }

    /// The round numbers.
    pub(crate) fn ticks(self) -> impl Iterator<Item = f64> {
        let count = ((self.high - self.low) / self.step * 1.000_001).floor().min(1000.0) as u32;
        (0..=count).map(move |tick| self.low + f64::from(tick) * self.step)
    }

    /// Where a value is: 0 at the low end, 1 at the high end.
    pub(crate) fn place(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// A value as text, with as many decimals as the steps need.
    pub(crate) fn label(self, value: f64) -> String {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 6.0) as usize;
        format!("{value:.decimals$}")
    }
}

impl Chart {
    /// Axes for all lines: time, values.
    pub(crate) fn axes(&self, x_ticks: f64, y_ticks: f64) -> (Axis, Axis) {
        let largest = |values: fn(&Line) -> &Vec<f64>| {
            self.lines
                .iter()
                .flat_map(|line| values(line).iter().copied())
                .fold(0.0, f64::max)
        };
        (
            Axis::until(largest(|line| &line.x), x_ticks),
            Axis::from_zero(largest(|line| &line.y), y_ticks),
        )
    }

    /// The four charts of runs: window, round-trip time, queue, goodput. Lines are named by algorithm, and by number where several would have one name.
    pub fn of_runs(runs: &[Run]) -> Vec<Self> {
        let mut charts = [
            Self::empty("Congestion window", "packets"),
            Self::empty("Smoothed round-trip time", "ms"),
            Self::empty("Queue at the bottleneck", "packets"),
            Self::empty("Goodput", "Mbit/s"),
        ];
        let colours = Colours::new(runs);
        for run in runs {
            let series = &run.series;
            let colour = colours.of(&run.result.cc);
            charts[2].lines.push(Line {
                label: run.result.cc.clone(),
                colour,
                x: series.seconds.clone(),
                y: series.queue_packets.clone(),
            });
            for (id, flow) in series.flows.iter().enumerate() {
                let alone = series.flows.len() == 1;
                let label = if alone {
                    flow.cc.clone()
                } else {
                    format!("{} #{id}", flow.cc)
                };
                let colour = colours.of(&flow.cc);
                let smooth = smoothed(&flow.goodput_mbps, smoothing(series));
                for (chart, y) in [(0, &flow.cwnd_packets), (1, &flow.srtt_ms), (3, &smooth)] {
                    charts[chart].lines.push(Line {
                        label: label.clone(),
                        colour,
                        x: series.seconds.clone(),
                        y: y.clone(),
                    });
                }
            }
            for chart in &mut charts {
                let moment = run.swap.as_ref().map(|(at, label)| (at.as_secs_f64(), label.clone()));
                chart
                    .moments
                    .extend(moment.filter(|moment| !chart.moments.contains(moment)));
            }
        }
        charts.into()
    }

    fn empty(title: &str, unit: &'static str) -> Self {
        Self {
            title: title.to_owned(),
            unit,
            lines: Vec::new(),
            moments: Vec::new(),
        }
    }
}

/// Colours that there are; further algorithms share.
pub const COLOURS: usize = 8;

/// Which algorithm has which colour: the one that its name falls on, so that it is the same in every report, or the next that nobody in this one has.
struct Colours<'a>(Vec<&'a str>);

impl<'a> Colours<'a> {
    fn new(runs: &'a [Run]) -> Self {
        // Flows come first: a name of several algorithms together takes what is left.
        let flows = runs
            .iter()
            .flat_map(|run| run.series.flows.iter().map(|flow| flow.cc.as_str()));
        let whole = runs.iter().map(|run| run.result.cc.as_str());
        let mut names: Vec<&str> = vec![""; COLOURS];
        for name in flows.chain(whole) {
            if names.contains(&name) {
                continue;
            }
            let first = usual_colour(name);
            let free = (0..COLOURS)
                .map(|step| (first + step) % COLOURS)
                .find(|place| names[*place].is_empty());
            if let Some(place) = free {
                names[place] = name;
            }
        }
        Self(names)
    }

    fn of(&self, name: &str) -> usize {
        let place = self.0.iter().position(|known| *known == name);
        place.unwrap_or_else(|| usual_colour(name))
    }
}

/// FNV-1a of the name.
fn usual_colour(name: &str) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash as usize % COLOURS
}

/// Points to average so that goodput, which comes in bursts, is that of about a hundredth of the run.
fn smoothing(series: &Series) -> usize {
    (series.seconds.len() / 100).max(1)
}

/// The mean of each value and those before it, `width` together.
fn smoothed(values: &[f64], width: usize) -> Vec<f64> {
    let mut sum = 0.0;
    let mut means = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        sum += value;
        if index >= width {
            sum -= values[index - width];
        }
        // The sum of what was added and taken away may end a hair below zero.
        means.push((sum / width.min(index + 1) as f64).max(0.0));
    }
    means
}

impl Line {
    /// For each of `columns` equal parts of `axis`, the smallest and the largest value in it, joined to the part before so that a drawing has no gaps.
    /// `None` where there is no value.
    pub(crate) fn columns(&self, axis: Axis, columns: usize) -> Vec<Option<(f64, f64)>> {
        let mut parts: Vec<Option<(f64, f64)>> = vec![None; columns];
        let mut last: Option<(usize, f64)> = None;
        for (x, y) in self.x.iter().zip(&self.y).filter(|(_, y)| y.is_finite()) {
            let column = ((axis.place(*x) * columns as f64) as usize).min(columns.saturating_sub(1));
            // Columns between two points get the straight line between them.
            if let Some((from, before)) = last {
                let gap = parts.iter_mut().enumerate().take(column).skip(from + 1);
                for (between, part) in gap {
                    let share = (between - from) as f64 / (column - from) as f64;
                    let value = before + (y - before) * share;
                    *part = Some((value, value));
                }
            }
            if let Some(part) = parts.get_mut(column) {
                let (low, high) = part.unwrap_or((*y, *y));
                let joined = last
                    .filter(|(from, _)| *from != column)
                    .map_or(*y, |(_, before)| before);
                *part = Some((low.min(*y).min(joined), high.max(*y).max(joined)));
            }
            last = Some((column, *y));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers_and_hold_every_value() {
        for (largest, ticks, labels) in [
            (335.0, 4.0, "0 100 200 300 400"),
            (0.83, 4.0, "0.0 0.5 1.0"),
            (96.5, 5.0, "0 20 40 60 80 100"),
            (30.0, 3.0, "0 10 20 30"),
            (0.0, 2.0, "0.0 0.5 1.0"),
            (f64::NAN, 2.0, "0.0 0.5 1.0"),
        ] {
            let axis = Axis::from_zero(largest, ticks);
            let shown: Vec<String> = axis.ticks().map(|tick| axis.label(tick)).collect();
            assert_eq!(shown.join(" "), labels, "{largest}");
            assert!(axis.high >= largest || largest.is_nan());
        }
    }

    #[test]
    fn thinning_keeps_peaks_and_leaves_no_gap() {
        let line = Line {
            label: String::new(),
            colour: 0,
            x: (0..1000).map(f64::from).collect(),
            y: (0..1000).map(|x| if x == 500 { 9.0 } else { 1.0 }).collect(),
        };
        let columns = line.columns(Axis::until(999.0, 2.0), 10);
        assert_eq!(columns.len(), 10);
        assert_eq!(columns[5], Some((1.0, 9.0)));
        assert_eq!(columns[4], Some((1.0, 1.0)));
        let sparse = Line {
            label: String::new(),
            colour: 0,
            x: vec![0.0, 10.0],
            y: vec![0.0, 10.0],
        };
        assert!(sparse.columns(Axis::until(10.0, 2.0), 40).iter().all(Option::is_some));
    }

    #[test]
    fn smoothing_keeps_the_mean() {
        assert_eq!(smoothed(&[2.0, 4.0, 6.0, 8.0], 2), [2.0, 3.0, 5.0, 7.0]);
        assert_eq!(smoothed(&[], 3), Vec::<f64>::new());
    }
}
