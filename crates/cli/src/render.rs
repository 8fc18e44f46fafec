//! A rejection as a good compiler shows it: the code, the source line, the reason, what would help.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Color, Reset, Style};
use opswap::Report;

/// The style of the word that opens an error.
pub(crate) const ERROR: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red)));
/// The style of the word that opens a hint.
pub(crate) const HELP: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Cyan)));
/// Back to plain text.
pub(crate) const RESET: Reset = Reset;

/// The report as text that ends with a line break.
pub(crate) fn report(report: &Report, colored: bool) -> String {
    let title = match report.insn {
        Some(insn) => format!("{} (instruction {insn})", report.message),
        None => report.message.clone(),
    };
    let mut group = Group::with_title(Level::ERROR.primary_title(&title).id(report.code.as_ref()));
    if let Some(source) = &report.source {
        // clang keeps the line without its file's indentation in BTF; the column counts it, so it is put back.
        let indent = (source.column as usize).saturating_sub(1).min(80);
        let trimmed = source.text.trim_start();
        let line = if source.text.starts_with(char::is_whitespace) {
            source.text.clone()
        } else {
            format!("{}{trimmed}", " ".repeat(indent))
        };
        let start = line.len() - line.trim_start().len();
        let (start, end) = (start.min(line.len()), line.trim_end().len().max(start));
        let snippet = Snippet::source(line)
            .line_start(source.line as usize)
            .path(source.file.clone())
            .annotation(AnnotationKind::Primary.span(start..end));
        group = group.element(snippet);
    }
    for note in &report.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    if let Some(help) = &report.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colored { Renderer::styled() } else { Renderer::plain() };
    format!("{}\n", renderer.render(&[group]))
}

#[cfg(test)]
mod tests {
    use opswap::{Category, Report, SourceLine};

    #[test]
    fn a_rejection_with_its_source_line() {
        let report = Report {
            code: "SO1999".into(),
            category: Category::Policy,
            message: "`cong_avoid` writes `tcp_sock.srtt_us`, which the kernel makes read-only".to_owned(),
            insn: Some(6),
            source: Some(SourceLine {
                file: "bad.bpf.c".to_owned(),
                line: 25,
                column: 2,
                text: "tp->srtt_us = 100 << 3;".to_owned(),
            }),
            notes: vec!["writable here: snd_cwnd".to_owned()],
            help: Some("keep your own value in icsk_ca_priv".to_owned()),
        };
        insta::assert_snapshot!(super::report(&report, false));
    }
}
