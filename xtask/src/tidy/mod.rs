//! Tests of the repository itself: it must be as ARCHITECTURE.md and the other documents say.

mod architecture;
mod arrows;
mod crates;
mod documents;
mod sources;
mod unsafe_addresses;

use crate::run::StepError;
use std::path::{Path, PathBuf};

/// Runs every check and reports all findings at once.
pub(crate) fn all(root: &Path) -> Result<(), StepError> {
    let mut findings = Vec::new();
    for check in [
        arrows::check,
        crates::check,
        unsafe_addresses::check,
        sources::check,
        documents::check,
    ] {
        findings.extend(check(root));
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(StepError::Findings(findings))
    }
}

/// All files of the repository with this ending, `target` and hidden folders left out, sorted.
fn files(root: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The path as the documents write it: from the root, with slashes.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        if let Err(error) = super::all(&crate::root()) {
            panic!("{error}");
        }
    }
}
