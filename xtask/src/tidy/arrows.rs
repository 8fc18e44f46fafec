//! Dependencies go down only, and only along the arrows that ARCHITECTURE.md names.

use super::architecture::rows;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Compares `cargo metadata` with the table.
pub(super) fn check(root: &Path) -> Vec<String> {
    let metadata = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output();
    let Some(metadata) = metadata
        .ok()
        .and_then(|output| serde_json::from_slice::<serde_json::Value>(&output.stdout).ok())
    else {
        return vec!["cargo metadata cannot be read".to_owned()];
    };
    compare(
        &rows(root)
            .into_iter()
            .map(|row| (row.name, (row.layer, row.uses)))
            .collect(),
        &actual(&metadata),
    )
}

/// Our crates with those of ours that they use: what `[dependencies]` says, without dev-dependencies.
fn actual(metadata: &serde_json::Value) -> BTreeMap<String, Vec<String>> {
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let mut crates = BTreeMap::new();
    for package in list(&metadata["packages"]) {
        let Some(name) = folder(&package["manifest_path"]) else {
            continue;
        };
        let uses = list(&package["dependencies"])
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| Some(dependency["path"].as_str()?.rsplit('/').next()?.to_owned()))
            .collect();
        crates.insert(name, uses);
    }
    crates
}

/// `crates/<name>/Cargo.toml` gives the name; other members (xtask) are outside the layers.
fn folder(manifest: &serde_json::Value) -> Option<String> {
    let (head, name) = manifest.as_str()?.strip_suffix("/Cargo.toml")?.rsplit_once('/')?;
    head.ends_with("/crates").then(|| name.to_owned())
}

type Table = BTreeMap<String, (u32, Vec<String>)>;

fn compare(table: &Table, actual: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, uses) in actual.iter().filter(|(name, _)| *name != "testkit") {
        let Some((layer, allowed)) = table.get(name) else {
            findings.push(format!("ARCHITECTURE.md has no row for crate {name}"));
            continue;
        };
        for used in uses {
            if !allowed.contains(used) {
                findings.push(format!("{name} uses {used}: ARCHITECTURE.md has no such arrow"));
            }
            if table.get(used).is_some_and(|(below, _)| below > layer) {
                findings.push(format!("{name} (layer {layer}) uses {used}, which is above it"));
            }
        }
        for unused in allowed.iter().filter(|allowed| !uses.contains(allowed)) {
            findings.push(format!("ARCHITECTURE.md says that {name} uses {unused}; it does not"));
        }
    }
    for name in table.keys().filter(|name| !actual.contains_key(*name)) {
        findings.push(format!("ARCHITECTURE.md names crate {name}, which does not exist"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    #[test]
    fn a_wrong_arrow_is_found() {
        let table = BTreeMap::from([
            ("a".to_owned(), (0, vec![])),
            ("b".to_owned(), (1, vec!["a".to_owned()])),
        ]);
        let right = BTreeMap::from([("a".to_owned(), vec![]), ("b".to_owned(), vec!["a".to_owned()])]);
        assert_eq!(super::compare(&table, &right), Vec::<String>::new());
        let upward = BTreeMap::from([("a".to_owned(), vec!["b".to_owned()]), ("b".to_owned(), vec![])]);
        assert_eq!(super::compare(&table, &upward).len(), 3);
    }
}
