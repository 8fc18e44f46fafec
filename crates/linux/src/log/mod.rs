//! The verifier's log of a refused program, turned into the same report that the embedded kernel gives.
//!
//! Two forms are read: the one up to Linux 7.2, where the error is the line after the last instruction (`kernel/bpf/verifier.c`,
//! `log.c`, Linux 6.18), and the sections of Linux 7.3 (`kernel/bpf/diagnostics.c`), see [`sections`]. A message that is not in the table of
//! [`reasons`] keeps its text and gets the code `SO1000`.

mod fields;
mod ranges;
mod reasons;
mod sections;
mod words;

pub(crate) use fields::{has_offset, name_field};

use bpf::{Report, SourceLine};

/// Lines of the log after the error that are kept as notes.
const NOTES_MOST: usize = 4;

/// The reason in a log; `None` when the log has no error in it.
///
/// ```
/// let log = "0: R1=ctx() R10=fp0\n; return *p; @ a.c:7\n0: (61) r0 = *(u32 *)(r2 +0)\nR2 !read_ok\n\
///     processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n";
/// let report = linux::report_from_log(log).unwrap();
/// assert_eq!((report.code.as_ref(), report.insn), ("SO1101", Some(0)));
/// assert_eq!(report.source.unwrap().line, 7);
/// ```
pub fn report_from_log(log: &str) -> Option<Report> {
    if let Some(report) = sections::report(log) {
        return Some(report);
    }
    let found = find(log)?;
    let mut reason = reasons::of(found.error, &found.more);
    if reason.code == reasons::CONTEXT_ACCESS && found.is_store {
        reason.code = reasons::CONTEXT_WRITE;
    }
    let original = reasons::readable(found.error);
    let words = words::of(&found, log);
    let notes = match words {
        // The kernel's own words can be searched for.
        Some(_) => vec![kernels_words(&original)],
        None => found.more.iter().copied().map(str::to_owned).collect(),
    };
    Some(Report {
        code: reason.code.into(),
        category: reason.category,
        message: words.unwrap_or(original),
        insn: reason.insn.or(found.insn),
        source: found.source.map(source_line),
        notes,
        help: words::help(&found, log).or_else(|| reason.help.map(str::to_owned)),
    })
}

/// How a note begins that has the kernel's message.
fn kernels_words(message: &str) -> String {
    format!("the kernel says: {message}")
}

/// What matters in a log of the older form.
#[derive(Default)]
struct Found<'a> {
    error: &'a str,
    more: Vec<&'a str>,
    insn: Option<u32>,
    /// The instruction's first byte, and all of it as the log prints it.
    opcode: Option<u8>,
    insn_text: Option<&'a str>,
    is_store: bool,
    source: Option<&'a str>,
}

/// The error is the first line of text behind the last instruction; without any instruction the last line of text.
fn find(log: &str) -> Option<Found<'_>> {
    let mut found = Found::default();
    let mut behind: Vec<&str> = Vec::new();
    let mut source = None;
    for line in log.lines() {
        match Line::of(line) {
            Line::Source(text) => source = Some(text),
            Line::Insn { number, opcode, text } => {
                found.insn = Some(number);
                (found.opcode, found.insn_text) = (Some(opcode), Some(text));
                // Classes BPF_ST and BPF_STX.
                found.is_store = matches!(opcode & 7, 2 | 3);
                found.source = source.or(found.source);
                source = None;
                behind.clear();
            }
            Line::Text(text) => behind.push(text),
            Line::State => {}
        }
    }
    if found.insn.is_none() {
        found.source = source;
    }
    // Where no instruction was looked at, remarks come first and the error last.
    let first = if found.insn.is_some() {
        0
    } else {
        behind.len().checked_sub(1)?
    };
    found.error = behind.get(first)?;
    found.more = behind.into_iter().skip(first + 1).take(NOTES_MOST).collect();
    Some(found)
}

/// The kinds of lines.
enum Line<'a> {
    /// `7: (61) r0 = …`.
    Insn { number: u32, opcode: u8, text: &'a str },
    /// `; text @ file:line`.
    Source(&'a str),
    /// Registers, statistics, progress: nothing that an error could be in.
    State,
    /// Anything else.
    Text(&'a str),
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let line = line.trim_end();
        if let Some(text) = line.strip_prefix("; ") {
            return Self::Source(text);
        }
        if let Some((number, rest)) = line.split_once(": ")
            && let Ok(number) = number.parse()
        {
            return opcode(rest).map_or(Self::State, |opcode| Self::Insn {
                number,
                opcode,
                text: rest,
            });
        }
        let trimmed = line.trim_start();
        let frame = trimmed.strip_prefix("frame").and_then(|rest| rest.chars().next());
        if frame.is_some_and(|c| c.is_ascii_digit()) {
            return Self::State;
        }
        let is_argument = trimmed.starts_with("func '") && trimmed.contains(" has btf_id ");
        let is_progress = PROGRESS.iter().any(|start| trimmed.starts_with(start));
        if trimmed.is_empty() || is_progress || is_argument || is_registers(trimmed) {
            return Self::State;
        }
        Self::Text(trimmed)
    }
}

/// `(61) …`.
fn opcode(text: &str) -> Option<u8> {
    let (digits, _) = text.strip_prefix('(')?.split_once(") ")?;
    u8::from_str_radix(digits, 16).ok()
}

/// `R1=ctx() R10=fp0`, as printed after a call or a branch.
fn is_registers(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('R') else {
        return false;
    };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.trim_start_matches("_w").starts_with('=') && rest.len() < text.len() - 1
}

/// Starts of lines that tell of progress, not of errors.
const PROGRESS: &[&str] = &[
    "processed ",
    "verification time ",
    "stack depth ",
    "insns_processed ",
    "from ",
    "func#",
    "Func#",
    "Validating ",
    "mark_precise: ",
    "propagating ",
    "caller:",
    "callee:",
    "returning from callee:",
    "to caller at ",
    "cur state:",
    "old state:",
    "arg#0 reference type('UNKNOWN ')",
];

/// `text @ file:line`; the file is as the compiler was given it.
fn source_line(text: &str) -> SourceLine {
    let place = text.rsplit_once(" @ ").and_then(|(code, place)| {
        let (file, line) = place.rsplit_once(':')?;
        Some((code, file, line.parse().ok()?))
    });
    let (code, file, line) = place.unwrap_or((text, "", 0));
    SourceLine {
        file: file.to_owned(),
        line,
        column: 0,
        text: code.trim().to_owned(),
    }
}
