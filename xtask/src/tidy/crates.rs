//! Other people's crates are few and named with a reason: each in `[workspace.dependencies]` stands in ARCHITECTURE.md, and no other does.

use super::architecture::backticked;
use std::path::Path;

/// Begins the part of ARCHITECTURE.md that the table stands in.
const HEADING: &str = "## Other people's crates";

pub(super) fn check(root: &Path) -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap_or_default();
    compare(&declared(&read("Cargo.toml")), &named(&read("ARCHITECTURE.md")))
}

/// Names in `[workspace.dependencies]` of crates that are not in this repository.
fn declared(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().map(str::trim);
    lines
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#') && !line.contains("path ="))
        .filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()))
        .collect()
}

/// Names in the first column of the table; of `object` (as `elf`) both.
fn named(architecture: &str) -> Vec<String> {
    let (_, rest) = architecture.split_once(HEADING).unwrap_or_default();
    let section = rest.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    rows.flat_map(|row| backticked(row.split('|').next().unwrap_or_default()))
        .collect()
}

fn compare(declared: &[String], named: &[String]) -> Vec<String> {
    let unnamed = declared.iter().filter(|name| !named.contains(name));
    let gone = named
        .iter()
        // What `elf` is called on crates.io.
        .filter(|name| !declared.contains(name) && *name != "object");
    unnamed
        .map(|name| format!("ARCHITECTURE.md gives no reason for the crate {name}"))
        .chain(gone.map(|name| format!("ARCHITECTURE.md names the crate {name}, which is not used")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{compare, declared, named};

    #[test]
    fn a_crate_without_a_reason_is_found() {
        let manifest = "[workspace]\n[workspace.dependencies]\n# ours\nisa = { path = \"crates/isa\" }\n# others\nelf = { package = \"object\" }\nserde = \"1\"\n\n[profile.dev]\nx = 1\n";
        assert_eq!(declared(manifest), ["elf", "serde"]);
        let table = "# A\n## Other people's crates, and why\n\n| crate | for |\n|---|---|\n| `object` (as `elf`) | `ELF` |\n| `libc` | numbers |\n\n## More\n| `x` | y |\n";
        assert_eq!(named(table), ["object", "elf", "libc"]);
        assert_eq!(
            compare(&declared(manifest), &named(table)),
            [
                "ARCHITECTURE.md gives no reason for the crate serde",
                "ARCHITECTURE.md names the crate libc, which is not used"
            ]
        );
    }
}
