//! Unsafe code has an address: only the files that ARCHITECTURE.md names hold it, and the other crates forbid it.

use super::architecture::rows;
use super::{files, shown};
use std::path::Path;

/// Every source file with unsafe code must be named, and every named file must hold some.
pub(super) fn check(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for row in rows(root) {
        let home = root.join("crates").join(&row.name);
        let sources = files(&home.join("src"), ".rs");
        let holders: Vec<String> = sources
            .iter()
            .filter(|path| holds_unsafe(path))
            .map(|path| shown(&home, path))
            .collect();
        for holder in holders.iter().filter(|holder| !row.unsafe_files.contains(holder)) {
            findings.push(format!(
                "crates/{}/{holder} holds unsafe code; ARCHITECTURE.md does not name it",
                row.name
            ));
        }
        for named in row.unsafe_files.iter().filter(|named| !holders.contains(named)) {
            findings.push(format!(
                "ARCHITECTURE.md says that crates/{}/{named} holds unsafe code; it does not",
                row.name
            ));
        }
        let top = sources
            .iter()
            .find(|path| path.ends_with("src/lib.rs") || path.ends_with("src/main.rs"));
        let top = top
            .and_then(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        let wanted = if row.unsafe_files.is_empty() {
            "#![forbid(unsafe_code"
        } else {
            "#![deny(unsafe_code"
        };
        if !top.contains(wanted) {
            findings.push(format!("crates/{}: the top of the crate lacks `{wanted})]`", row.name));
        }
    }
    findings
}

fn holds_unsafe(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(without_comment).any(is_unsafe)
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// A block, function, impl or attribute that does something unsafe; a function pointer *type* (`unsafe extern "C" fn(`) does not.
fn is_unsafe(line: &str) -> bool {
    let defines = line.contains("unsafe extern \"C\" fn ") && line.contains('{');
    [
        "unsafe {",
        "unsafe fn ",
        "unsafe impl ",
        "unsafe trait ",
        "unsafe(no_mangle",
    ]
    .iter()
    .any(|word| line.contains(word))
        || defines
}

#[cfg(test)]
mod tests {
    use super::{is_unsafe, without_comment};

    #[test]
    fn types_are_not_taken_for_code() {
        assert!(is_unsafe("let x = unsafe { f() };"));
        assert!(is_unsafe("unsafe impl Send for X {}"));
        assert!(!is_unsafe("type F = unsafe extern \"C\" fn(u64) -> u64;"));
        assert!(!is_unsafe(without_comment("// an unsafe { block }")));
    }
}
