//! Logs of the kernel's verifier as files, and the reports that are made of them as one snapshot.
//!
//! Those of Linux 6.18 were recorded (addresses redacted, the beginning cut off); `linux73_*` follow the form of `kernel/bpf/diagnostics.c` of Linux 7.3.

use std::fmt::Write;
use std::path::Path;

#[test]
fn reports_from_logs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/logs");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut text = String::new();
    for file in files {
        writeln!(text, "== {}", file.file_stem().unwrap().to_string_lossy()).unwrap();
        let log = std::fs::read_to_string(file).unwrap();
        let Some(report) = linux::report_from_log(&log) else {
            writeln!(text, "no reason").unwrap();
            continue;
        };
        writeln!(text, "{} [{}]", report, report.category).unwrap();
        if let Some(source) = report.source {
            writeln!(
                text,
                "  {}:{}:{}: {}",
                source.file, source.line, source.column, source.text
            )
            .unwrap();
        }
        for note in report.notes {
            writeln!(text, "  note: {note}").unwrap();
        }
        if let Some(help) = report.help {
            writeln!(text, "  help: {help}").unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn any_text_is_read_without_a_panic() {
    for text in [
        "",
        "\n\n",
        ":",
        "0: (",
        "Verification failed: ",
        "Verification failed: X\nAt:\n  >>> |",
        "; ",
        "R",
        "R1=",
    ] {
        let _ = linux::report_from_log(text);
    }
}
