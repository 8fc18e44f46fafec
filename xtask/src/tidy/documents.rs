//! Documents do not drift: every path that they name or link to exists, and the documents that we promise are there.

use super::architecture::backticked;
use super::{files, shown};
use std::path::Path;

const PROMISED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "GLOSSARY.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "docs/support.md",
    ".ci/run",
];

/// A word in back ticks that begins with one of these is a path of this repository.
const OURS: &[&str] = &[
    "crates/",
    "docs/",
    "xtask/",
    "algorithms/",
    "fuzz/",
    "examples/",
    ".ci/",
];

pub(super) fn check(root: &Path) -> Vec<String> {
    let missing = PROMISED
        .iter()
        .filter(|name| !root.join(name).exists())
        .map(|name| format!("{name} is missing"));
    let mut findings: Vec<String> = missing.collect();
    for document in files(root, ".md") {
        let text = std::fs::read_to_string(&document).unwrap_or_default();
        let paths = text.lines().flat_map(backticked).filter(|word| is_path(word));
        for path in paths.filter(|path| !root.join(path.split(':').next().unwrap_or_default()).exists()) {
            findings.push(format!(
                "{} names `{path}`, which does not exist",
                shown(root, &document)
            ));
        }
        let folder = document.parent().unwrap_or(root);
        for link in links(&text).filter(|link| !folder.join(link).exists()) {
            findings.push(format!(
                "{} links to {link}, which does not exist",
                shown(root, &document)
            ));
        }
    }
    findings
}

/// Where the links of a document lead inside the repository, without the place in the file.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split_once(')')?.0.split('#').next()?;
        (!target.is_empty() && !target.contains(':')).then_some(target)
    })
}

fn is_path(word: &str) -> bool {
    OURS.iter().any(|start| word.starts_with(start)) && !word.contains(['*', '<', '{', ' '])
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_are_told_from_other_words() {
        assert!(super::is_path("crates/isa/src/lib.rs"));
        assert!(!super::is_path("crates/*/src"));
        assert!(!super::is_path("cong_avoid"));
    }

    #[test]
    fn links_into_the_repository_are_found() {
        let text = "see [a](docs/a.md#part), [b](https://example.org/b) and [c](#below), [d](D.md)";
        assert_eq!(super::links(text).collect::<Vec<_>>(), ["docs/a.md", "D.md"]);
    }
}
