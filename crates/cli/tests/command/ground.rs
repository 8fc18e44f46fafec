//! A bpffs and a name of a test's own on the running kernel.

use crate::common::{Ran, json, run};
use std::path::{Path, PathBuf};
use testkit::{Bpffs, unique_name};

/// A bpffs and a name of this test's own; whatever is registered under the name is unregistered at the end, even of a test that fails.
pub(crate) struct Ground {
    pub(crate) bpffs: Bpffs,
    pub(crate) name: String,
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self {
            bpffs: Bpffs::new(),
            name: unique_name("cli_"),
        }
    }

    pub(crate) fn words<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let path = self.bpffs.path().to_str().expect("a path in UTF-8");
        [words, &["--bpffs", path]].concat()
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        run(&self.words(words))
    }

    pub(crate) fn json(&self, words: &[&str]) -> serde_json::Value {
        let (code, value) = json(&self.words(words));
        assert_eq!(code, 0, "{words:?}: {value}");
        value
    }

    pub(crate) fn load(&self, file: &str) {
        let ran = self.run(&["load", file, "--as", &self.name, "--set", "flags=non_restricted"]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    /// State and version of every table of our name, as `list` shows them.
    pub(crate) fn tables(&self) -> Vec<(String, u64)> {
        let list = self.json(&["list"]);
        let tables = list["tables"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|table| table["name"] == self.name.as_str());
        let fact = |table: &serde_json::Value| {
            (
                table["state"].as_str().unwrap_or_default().to_owned(),
                table["version"].as_u64().unwrap_or(0),
            )
        };
        tables.map(fact).collect()
    }

    /// Waits until nothing of our name is left: maps are freed after a grace period.
    pub(crate) fn gone(&self) {
        testkit::eventually("every table is freed", || self.tables().is_empty());
        assert!(!available().contains(&self.name));
        assert_eq!(pins(self.bpffs.path()), Vec::<PathBuf>::new());
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _nothing_there_if_the_test_went_well = self.run(&["unload", &self.name]);
    }
}

/// Names that Linux offers to sockets.
pub(crate) fn available() -> Vec<String> {
    let text =
        std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control").expect("a file of every Linux");
    text.split_whitespace().map(str::to_owned).collect()
}

/// Everything in a bpffs but the kernel's own two files.
fn pins(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            if entry.file_name().to_string_lossy().ends_with(".debug") {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found.sort();
    found
}
