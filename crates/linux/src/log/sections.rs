//! The log of Linux 7.3 and later: after the log of the older form comes
//! `Verification failed: <category>: <Problem>`, then `Reason:`, `At:`, `Causal path:` and `Suggestion:`, each with indented text
//! (`kernel/bpf/diagnostics.c` of Linux 7.3).

use super::reasons;
use bpf::{Category, Report, SourceLine};

const HEADER: &str = "Verification failed: ";

/// The report in such a log; `None` when it is of the older form.
pub(super) fn report(log: &str) -> Option<Report> {
    let at = log.rfind(HEADER)?;
    let (older, newer) = log.split_at(at);
    let (header, body) = newer.split_once('\n').unwrap_or((newer, ""));
    let header = header.trim_start_matches(HEADER).trim();
    let (category, problem) = header.split_once(": ").unwrap_or((header, header));
    let sections = split(body);
    let section = |name: &str| {
        sections
            .iter()
            .find(|(title, _)| *title == name)
            .map(|(_, lines)| lines)
    };

    let reason = section("Reason").map(|lines| joined(lines));
    let place = section("At").map(|lines| place(lines)).unwrap_or_default();
    // The older log still ends in the terse message, which tells the rule more exactly than the category does.
    let terse = super::find(older);
    let known = terse.as_ref().map(|found| reasons::of(found.error, &found.more));
    let code = known.as_ref().map_or(reasons::UNRECOGNISED, |known| known.code);
    let mut notes: Vec<String> = section("Causal path").map(|lines| kept(lines)).unwrap_or_default();
    notes.extend(terse.map(|found| found.error.to_owned()));
    Some(Report {
        code: code.into(),
        category: class(category),
        message: reason.map_or_else(|| lower_first(problem), |text| lower_first(text.trim_end_matches('.'))),
        insn: place.insn,
        source: place.source,
        notes,
        help: section("Suggestion")
            .map(|lines| joined(lines))
            .filter(|text| !text.is_empty()),
    })
}

/// Lines that end in a colon and are not indented begin a section.
fn split(body: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in body.lines() {
        match line.strip_suffix(':') {
            Some(title) if !line.starts_with(' ') => sections.push((title, Vec::new())),
            _ if line.starts_with("processed ") => break,
            _ => {
                if let Some((_, lines)) = sections.last_mut() {
                    lines.push(line);
                }
            }
        }
    }
    sections
}

fn joined(lines: &[&str]) -> String {
    kept(lines).join(" ")
}

fn kept(lines: &[&str]) -> Vec<String> {
    let lines = lines.iter().map(|line| line.trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[derive(Default)]
struct Place {
    insn: Option<u32>,
    source: Option<SourceLine>,
}

/// `func @ file:line:column` or `insn N`, then source and instructions, in each the one concerned behind `>>>`.
fn place(lines: &[&str]) -> Place {
    let marked = |line: &str| {
        let (number, text) = line.trim_start().strip_prefix(">>>")?.split_once('|')?;
        Some((number.trim().parse::<u32>().ok()?, text.trim().to_owned()))
    };
    let mut place = Place::default();
    let mut in_source = false;
    for line in lines {
        let text = line.trim();
        if let Some(insn) = text.strip_prefix("insn ") {
            place.insn = insn.parse().ok();
        } else if text == "Source context:" || text == "Instruction context:" {
            in_source = text.starts_with("Source");
        } else if let Some((number, text)) = marked(line) {
            match place.source.as_mut().filter(|_| in_source) {
                Some(source) => source.text = text,
                None => place.insn = Some(number),
            }
        } else if place.source.is_none() && !line.contains('|') {
            place.source = file_line_column(text.rsplit_once(" @ ").map_or(text, |(_, place)| place));
        }
    }
    place
}

fn file_line_column(text: &str) -> Option<SourceLine> {
    let (rest, column) = text.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(SourceLine {
        file: file.to_owned(),
        line: line.parse().ok()?,
        column: column.parse().ok()?,
        text: String::new(),
    })
}

fn class(name: &str) -> Category {
    match name {
        "Register Type Safety" => Category::RegisterType,
        "Memory Safety" => Category::Memory,
        "Resource Lifetime Safety" => Category::Lifetime,
        "Call Type Safety" => Category::Call,
        "Execution Context Safety" => Category::Context,
        "Program Structure" => Category::Structure,
        "Policy" => Category::Policy,
        _ => Category::Unrecognised,
    }
}

fn lower_first(text: &str) -> String {
    // Register names keep their capital.
    let mut chars = text.chars();
    match (chars.next(), chars.as_str().chars().next()) {
        (Some(first), Some(second)) if first.is_ascii_uppercase() && second.is_ascii_lowercase() => {
            format!("{}{}", first.to_ascii_lowercase(), chars.as_str())
        }
        _ => text.to_owned(),
    }
}
