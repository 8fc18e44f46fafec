//! A rejection as a good compiler shows it: the code, the source line, the reason, what would help.

use crate::text::Text;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Color, Style};
use opswap::printable::line;
use opswap::{Report, Verdict};

/// The style of the word that opens an error.
pub(crate) const ERROR: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red)));
/// The style of the word that opens a hint.
pub(crate) const HELP: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Cyan)));

/// What is as one wants it.
pub(crate) const GOOD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));
/// What one may want to look at.
pub(crate) const DOUBTFUL: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));

/// What is not as one wants it.
pub(crate) const BAD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));

/// A verdict in its colour.
pub(crate) fn verdict(verdict: Verdict) -> Text {
    let style = match verdict {
        Verdict::Accepted => GOOD,
        Verdict::Rejected => BAD,
        Verdict::Unsupported | Verdict::Unchecked => DOUBTFUL,
    };
    Text::line(&verdict.to_string()).styled(style)
}

/// The report as text that ends with a line break. Every piece is escaped before the renderer gets it, which adds nothing but our colours.
pub(crate) fn report(report: &Report) -> Text {
    let message = line(&report.message);
    let title = match report.insn {
        Some(insn) => format!("{message} (instruction {insn})"),
        None => message.into_owned(),
    };
    let code = line(&report.code);
    let mut group = Group::with_title(Level::ERROR.primary_title(&title).id(code.as_ref()));
    if let Some(source) = &report.source {
        // From the column on it is marked; what is before it is indentation or another statement.
        let text = source.text.trim_end();
        let indent = text.len() - text.trim_start().len();
        let column = (source.column as usize).checked_sub(1).unwrap_or(indent);
        let (before, marked) = text.split_at_checked(column).unwrap_or(text.split_at(indent));
        let shown = |text: &str| line(&text.replace('\t', TAB)).into_owned();
        let (before, marked) = (shown(before), shown(marked));
        let (start, end) = (before.len(), before.len() + marked.len());
        let snippet = Snippet::source(before + &marked)
            .line_start(source.line as usize)
            .path(line(&source.file).into_owned())
            .annotation(AnnotationKind::Primary.span(start..end));
        group = group.element(snippet);
    }
    for note in &report.notes {
        group = group.element(Level::NOTE.message(line(note)));
    }
    if let Some(help) = &report.help {
        group = group.element(Level::HELP.message(line(help)));
    }
    Text::rendered(format!("{}\n", Renderer::styled().render(&[group])))
}

/// A tab is one column to compilers, and the column is told.
const TAB: &str = " ";

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
                text: "\ttp->srtt_us = 100 << 3;".to_owned(),
            }),
            notes: vec!["writable here: snd_cwnd".to_owned()],
            help: Some("keep your own value in icsk_ca_priv".to_owned()),
        };
        insta::assert_snapshot!(super::report(&report).plain());
    }
}
