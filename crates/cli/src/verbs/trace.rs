//! What the programs of a run print (`bpf_printk`): each line as it comes on standard error, beside the result, or all of them in the JSON object.

use crate::output::Output;
use crate::text::Text;
use opswap::lab::{End, TraceLine};
use serde::Serialize;
use std::cell::{Cell, RefCell};

/// Lines in a JSON object at most; a program may print some for every packet.
const LINES_MAX: usize = 10_000;

/// Where lines go; without `--trace` there are none.
pub(super) struct Trace<'a> {
    output: &'a Output,
    lines: RefCell<Vec<Line>>,
    dropped: Cell<u64>,
}

/// A line as JSON.
#[derive(Serialize)]
struct Line {
    /// Number of the run, from 0.
    run: usize,
    at_s: f64,
    cc: String,
    flow: u32,
    end: &'static str,
    program: String,
    text: String,
}

/// All lines as JSON.
#[derive(Serialize)]
pub(super) struct TraceBody {
    trace: Vec<Line>,
    /// Lines that found no room here.
    #[serde(skip_serializing_if = "is_zero")]
    trace_dropped: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl<'a> Trace<'a> {
    pub(super) fn new(output: &'a Output) -> Self {
        Self {
            output,
            lines: RefCell::default(),
            dropped: Cell::new(0),
        }
    }

    /// One more line.
    pub(super) fn line(&self, run: usize, line: TraceLine) {
        let end = match line.end {
            End::Sender => "sender",
            End::Receiver => "receiver",
        };
        if !self.output.json() {
            self.output.complain(&shown(&line, end));
            return;
        }
        let mut lines = self.lines.borrow_mut();
        if lines.len() == LINES_MAX {
            self.dropped.set(self.dropped.get() + 1);
            return;
        }
        lines.push(Line {
            run,
            at_s: line.at.as_secs_f64(),
            cc: line.cc,
            flow: line.flow,
            end,
            program: line.program,
            text: line.text,
        });
    }

    /// The lines, if they were asked for.
    pub(super) fn body(self, asked: bool) -> Option<TraceBody> {
        asked.then(|| TraceBody {
            trace: self.lines.into_inner(),
            trace_dropped: self.dropped.get(),
        })
    }
}

/// `  1.234567s cubic #0 sender cubic_acked: text`
fn shown(line: &TraceLine, end: &'static str) -> Text {
    let at = format!("{:>11.6}s", line.at.as_secs_f64());
    crate::text!(
        "{} {} #{} {} {}: {}\n",
        at,
        line.cc,
        line.flow,
        end,
        line.program,
        line.text
    )
}
