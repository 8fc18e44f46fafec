//! Every source file says in its first line what it is for, and no file hides more than one idea by its size.

use super::{files, shown};
use std::path::Path;

/// Past this many lines something is hiding in a file.
const LINES_MAX: usize = 900;

pub(super) fn check(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for path in files(root, ".rs") {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let name = shown(root, &path);
        if !text.starts_with("//!") && !text.starts_with("#!") {
            findings.push(format!("{name}: no `//!` paragraph at its top"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{name}: {lines} lines (at most {LINES_MAX})"));
        }
    }
    findings
}
