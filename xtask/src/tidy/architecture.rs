//! Reads the table of crates in ARCHITECTURE.md: the written form of the arrows and of the unsafe addresses.

use std::path::Path;

/// One row of the table.
pub(super) struct Row {
    pub(super) layer: u32,
    pub(super) name: String,
    /// Crates of ours that it may use.
    pub(super) uses: Vec<String>,
    /// Files below `crates/<name>/` that may hold unsafe code; empty: the crate forbids it.
    pub(super) unsafe_files: Vec<String>,
}

/// The rows of the table of crates: `| layer | crate | one line | uses | unsafe |`.
pub(super) fn rows(root: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line
        .strip_prefix('|')?
        .strip_suffix('|')?
        .split('|')
        .map(str::trim)
        .collect();
    let [layer, name, _, uses, unsafe_files] = cells.as_slice() else {
        return None;
    };
    Some(Row {
        layer: layer.parse().ok()?,
        name: name.trim_matches('`').to_owned(),
        uses: backticked(uses),
        unsafe_files: backticked(unsafe_files),
    })
}

/// The words in back ticks.
pub(super) fn backticked(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_row_is_read() {
        let row = super::row("| 2 | `linux` | one | `bpf`, `btf` | `src/syscall.rs` |").unwrap();
        assert_eq!((row.layer, row.name.as_str()), (2, "linux"));
        assert_eq!(row.uses, ["bpf", "btf"]);
        assert_eq!(row.unsafe_files, ["src/syscall.rs"]);
        assert!(super::row("| layer | crate | one line | uses | unsafe |").is_none());
    }
}
