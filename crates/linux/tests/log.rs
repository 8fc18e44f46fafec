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

/// Parts of real logs, so that random text reaches the parser's branches.
const PARTS: &[&str] = &[
    "0: R1=ctx() R10=fp0",
    "0: (61) r0 = *(u32 *)(r2 +0)",
    "; return *p; @ a.c:7",
    "R2 !read_ok",
    "processed 1 insns",
    "Verification failed: Policy: X",
    "Verification failed: ",
    "At:",
    "  f @ a.c:7:3",
    "  insn 7",
    "  Source context:",
    "  >>> 7 | x",
    "Reason:",
    "unreachable insn 5",
    ": ",
    "; ",
    "R",
    "frame",
    "\u{e9}\u{1f600}",
];

proptest::proptest! {
    #[test]
    fn any_text_is_read(parts in proptest::collection::vec((0..PARTS.len(), ".{0,6}"), 0..20)) {
        let log: String = parts.iter().map(|(part, noise)| format!("{}{noise}\n", PARTS[*part])).collect();
        if let Some(report) = linux::report_from_log(&log) {
            proptest::prop_assert!(report.code.starts_with("SO"));
        }
    }
}
