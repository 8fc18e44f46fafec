//! What this machine can do for opswap, what is missing, and how to mend it. Nothing is changed by asking.

use bpf::{Answer, Bpf, Feature, MapType, ProgType};
use linux::{Capabilities, Linux};
use serde::Serialize;
use std::path::Path;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What.
    pub name: String,
    /// Whether it is there.
    pub answer: Is,
    /// What was seen.
    pub detail: String,
    /// What to do, if something is missing and can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// An answer that may also be that it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Is {
    /// It is there.
    Yes,
    /// It is not there.
    No,
    /// It cannot be told, for lack of permission for instance.
    CannotTell,
}

impl std::fmt::Display for Is {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::CannotTell => "cannot tell",
        })
    }
}

impl From<Answer> for Is {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes => Self::Yes,
            Answer::No => Self::No,
            Answer::CannotTell(_) => Self::CannotTell,
        }
    }
}

impl From<bool> for Is {
    fn from(there: bool) -> Self {
        if there { Self::Yes } else { Self::No }
    }
}

/// Looks at the running kernel, at our rights, at the bpffs and at clang.
pub fn doctor(bpffs: &Path) -> Vec<Finding> {
    let mut findings = vec![embedded()];
    if cfg!(target_os = "linux") {
        let linux = Linux::new();
        findings.extend([rights(), types(&linux)]);
        findings.extend(features(&linux));
        findings.push(mounted(bpffs));
    }
    findings.push(compiler());
    findings
}

fn embedded() -> Finding {
    let detail = "check, try and compare need no root and no kernel".to_owned();
    Finding {
        name: "embedded kernel".to_owned(),
        answer: Is::Yes,
        detail,
        fix: None,
    }
}

fn rights() -> Finding {
    let missing = Capabilities::current().missing_for_struct_ops();
    let names: Vec<&str> = missing.iter().map(|capability| capability.name()).collect();
    let name = "rights to load and register".to_owned();
    if names.is_empty() {
        return Finding {
            name,
            answer: Is::Yes,
            detail: "all capabilities that it takes".to_owned(),
            fix: None,
        };
    }
    let fix = Some("run as root, or grant the capabilities to the process".to_owned());
    Finding {
        name,
        answer: Is::No,
        detail: format!("missing: {}", names.join(", ")),
        fix,
    }
}

fn types(linux: &Linux) -> Finding {
    let name = "kernel types (BTF)".to_owned();
    match crate::kinds(linux) {
        Ok(kinds) => {
            let kinds: Vec<String> = kinds.into_iter().map(|kind| kind.name).collect();
            let detail = format!(
                "ops structures: {}",
                if kinds.is_empty() {
                    "none".to_owned()
                } else {
                    kinds.join(", ")
                }
            );
            Finding {
                name,
                answer: (!kinds.is_empty()).into(),
                detail,
                fix: None,
            }
        }
        Err(error) => Finding {
            name,
            answer: Is::No,
            detail: error.to_string(),
            fix: Some("a kernel built with CONFIG_DEBUG_INFO_BTF=y".to_owned()),
        },
    }
}

fn features(linux: &Linux) -> Vec<Finding> {
    let asked = [
        ("programs of type struct_ops", Feature::ProgType(ProgType::STRUCT_OPS)),
        ("maps of type struct_ops", Feature::MapType(MapType::STRUCT_OPS)),
        ("socket storage", Feature::MapType(MapType::SK_STORAGE)),
    ];
    let finding = |(name, feature): (&str, Feature)| {
        let answer = Is::from(linux.probe(&feature));
        let detail = if answer == Is::CannotTell {
            "asking takes rights that this process lacks"
        } else {
            ""
        };
        Finding {
            name: name.to_owned(),
            answer,
            detail: detail.to_owned(),
            fix: None,
        }
    };
    asked.into_iter().map(finding).collect()
}

fn mounted(bpffs: &Path) -> Finding {
    let answer = Is::from(linux::bpffs::is_bpffs(bpffs));
    let fix = (answer == Is::No).then(|| format!("`opswap load` mounts it, or: mount -t bpf bpf {}", bpffs.display()));
    Finding {
        name: "bpffs".to_owned(),
        answer,
        detail: bpffs.display().to_string(),
        fix,
    }
}

fn compiler() -> Finding {
    let name = "clang for BPF".to_owned();
    match crate::compile::find_clang() {
        Ok(clang) => Finding {
            name,
            answer: Is::Yes,
            detail: clang,
            fix: None,
        },
        Err(error) => Finding {
            name,
            answer: Is::No,
            detail: error.to_string(),
            fix: Some("apt-get install clang (only `build` and .bpf.c files need it)".to_owned()),
        },
    }
}
