//! What clang prints, as a user should read it: without the compiler's own stack, and with our headers under a name that stays true.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

/// Stands for the folder of our headers in what clang prints and in line information; absolute, so that no clang puts a folder before it.
pub(super) const OURS: &str = "/<opswap>";

/// Lines that say something of the compiler's inside and nothing of the source.
const NOISE: &[&str] = &[
    "PLEASE submit a bug report",
    "Stack dump",
    "Program arguments",
    "error: clang frontend command failed",
    "error: unable to execute command",
    "note: could not determine the original source location",
];

/// What clang printed to standard error about a source.
pub(super) fn tidy(stderr: &[u8], folder: &Path, source: &Path) -> String {
    let text = String::from_utf8_lossy(stderr).replace(folder.to_string_lossy().as_ref(), OURS);
    // clang repeats the file's name as it is: one with a line break in it would make lines of its own among clang's.
    let name = source.to_string_lossy();
    let text = text.replace(&*name, &lab::printable::line(&name));
    let mut kept = String::new();
    let mut in_dump = false;
    for line in text.lines() {
        // The operations that the backend could not select, and the stack of the compiler itself, run to the end or to the next message.
        if line.starts_with("Stack dump") {
            in_dump = true;
        } else if in_dump && is_message(line) {
            in_dump = false;
        }
        if !in_dump && !NOISE.iter().any(|noise| line.contains(noise)) && !line.trim().is_empty() {
            kept.push_str(line);
            kept.push('\n');
        }
        if line.contains("fatal error: error in backend: Cannot select") {
            in_dump = true;
        }
    }
    kept
}

fn is_message(line: &str) -> bool {
    [": error: ", ": warning: ", "Error at line "]
        .iter()
        .any(|word| line.contains(word))
        && !line.starts_with("clang")
}

/// A crash of the compiler.
#[derive(Debug, PartialEq)]
pub(super) struct Crash {
    /// The function that it was at.
    pub(super) function: Option<String>,
}

/// Whether clang crashed: it prints its own stack, or a signal ended it.
pub(super) fn crash(stderr: &[u8], status: ExitStatus) -> Option<Crash> {
    let text = String::from_utf8_lossy(stderr);
    if !text.contains("Stack dump:") && status.signal().is_none() {
        return None;
    }
    let function = text.lines().find_map(|line| line.split("on function '@").nth(1));
    Some(Crash {
        function: function.map(|name| name.trim_end_matches('\'').to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_left_out_and_messages_stay() {
        let said = b"x.c:1:59: error: unsupported atomic operation\n    1 | line\n      | ^\n\
            fatal error: error in backend: Cannot select: 0x1: i32,ch = AtomicLoadAdd\n  0x2: i64 = x\nIn function: f\n\
            PLEASE submit a bug report to https://example.org/\nStack dump:\n0.\tProgram arguments: clang -c\n #0 0x0000\n\
            In file included from /tmp/opswap-1-0/a.h:3:\nx.c:2:2: warning: /tmp/opswap-1-0/b.h\n";
        assert_eq!(
            tidy(said, Path::new("/tmp/opswap-1-0"), Path::new("x.c")),
            "x.c:1:59: error: unsupported atomic operation\n    1 | line\n      | ^\n\
             fatal error: error in backend: Cannot select: 0x1: i32,ch = AtomicLoadAdd\nx.c:2:2: warning: /<opswap>/b.h\n"
        );
    }

    #[test]
    fn a_crash_is_told_from_a_refusal() {
        let refused = ExitStatus::from_raw(256);
        assert_eq!(crash(b"x.c:1:1: error: y\n", refused), None);
        let dump = b"Stack dump:\n4.\tRunning pass 'Selection' on function '@cubic_cong_avoid'\n";
        let function = Some("cubic_cong_avoid".to_owned());
        assert_eq!(crash(dump, refused), Some(Crash { function }));
        assert_eq!(crash(b"", ExitStatus::from_raw(11)), Some(Crash { function: None }));
    }
}
