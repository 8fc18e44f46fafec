//! What this machine can do for opswap, what is missing, and how to mend it: a dry run of what `load` does, up to the point where it would register.
//! Nothing that outlives the call is changed by asking.

use crate::host::folders::Keeping;
use crate::host::load::{Settings, prepare};
use crate::{Class, Error, Host, Source};
use bpf::{Answer, Bpf, Feature};
use linux::{Capabilities, Capability, Linux};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

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
    /// If `opswap load` would fail for it: with which class of error.
    #[serde(rename = "stops_load", serialize_with = "is_some")]
    pub stops_load: Option<Class>,
}

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn is_some<S: serde::Serializer>(class: &Option<Class>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(class.is_some())
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

impl Finding {
    fn yes(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            answer: Is::Yes,
            detail: detail.into(),
            fix: None,
            stops_load: None,
        }
    }

    fn no(name: &str, detail: impl Into<String>, fix: Option<String>) -> Self {
        Self {
            answer: Is::No,
            fix,
            ..Self::yes(name, detail)
        }
    }

    fn that_stops(self, class: Class) -> Self {
        Self {
            stops_load: Some(class),
            ..self
        }
    }

    /// What an operation came to that `load` does as well.
    fn of(name: &str, tried: Result<String, Error>) -> Self {
        match tried {
            Ok(detail) => Self::yes(name, detail),
            Err(error) => {
                // What sends the reader of another command here says nothing here.
                let fix = error
                    .hint()
                    .map(|hint| hint.replace("; `opswap doctor` tells what is missing", ""));
                Self::no(name, error.to_string().trim_end(), fix).that_stops(error.class())
            }
        }
    }
}

/// Looks at the running kernel, at our rights, at the bpffs and at clang. `load` would fail if a finding says so ([`Finding::stops_load`]).
pub fn doctor(bpffs: &Path) -> Vec<Finding> {
    let mut findings = vec![Finding::yes(
        "embedded kernel",
        "check, try and compare need no root and no kernel",
    )];
    if cfg!(target_os = "linux") {
        let linux = Arc::new(Linux::new());
        let kernel: Arc<dyn Bpf> = linux.clone();
        findings.extend([
            rights(),
            types(&linux),
            links(&linux),
            dry_run(&kernel),
            kept(bpffs),
            listing(),
        ]);
    } else {
        let only = Finding::no("the running kernel", "it is not Linux", None);
        findings.push(only.that_stops(Class::Unsupported));
    }
    findings.push(compiler());
    findings
}

fn names(missing: &[Capability]) -> String {
    let names: Vec<&str> = missing.iter().map(|capability| capability.name()).collect();
    names.join(", ")
}

fn rights() -> Finding {
    let name = "rights to load and register";
    let missing = Capabilities::current().missing_for_struct_ops();
    if missing.is_empty() {
        return Finding::yes(name, "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN");
    }
    let fix = format!("run as root, or grant {}", names(&missing));
    Finding::no(name, format!("missing: {}", names(&missing)), Some(fix)).that_stops(Class::Permission)
}

fn types(linux: &Linux) -> Finding {
    let name = "kernel types (BTF)";
    match crate::kinds(linux) {
        Ok(kinds) if kinds.is_empty() => {
            let fix = Some(
                "a kernel with an ops structure for programs (CONFIG_BPF_JIT=y, CONFIG_DEBUG_INFO_BTF=y)".to_owned(),
            );
            Finding::no(name, "ops structures: none", fix).that_stops(Class::Unsupported)
        }
        Ok(kinds) => {
            let kinds: Vec<String> = kinds.into_iter().map(|kind| kind.name).collect();
            Finding::yes(name, format!("ops structures: {}", kinds.join(", ")))
        }
        Err(error) => {
            let fix = error
                .hint()
                .unwrap_or_else(|| "a kernel built with CONFIG_DEBUG_INFO_BTF=y".to_owned());
            Finding::no(name, error.to_string(), Some(fix)).that_stops(error.class())
        }
    }
}

fn links(linux: &Linux) -> Finding {
    let name = "registering by link";
    match Is::from(linux.probe(&Feature::StructOpsLink)) {
        Is::Yes => Finding::yes(name, ""),
        Is::No => Finding::no(name, "Linux has it since 6.4", Some("a newer kernel".to_owned()))
            .that_stops(Class::Unsupported),
        Is::CannotTell => Finding {
            answer: Is::CannotTell,
            ..Finding::yes(name, "asking takes rights that this process lacks")
        },
    }
}

/// Programs, maps and the table of a shipped algorithm are given to the kernel, which validates them; they go with their handles.
fn dry_run(kernel: &Arc<dyn Bpf>) -> Finding {
    let tried = || {
        let source = Source::find("reno")?;
        let loaded = prepare(kernel, &source, &Settings::default(), None, |_| ())?;
        Ok(format!(
            "{} programs and a table of reno were accepted, nothing was registered",
            loaded.programs().len()
        ))
    };
    Finding::of("dry run of a load", tried())
}

fn kept(bpffs: &Path) -> Finding {
    let tried = || {
        let host = Host::on_linux(bpffs)?;
        let keeping = host.can_keep("tcp_congestion_ops")?;
        let mounts = match keeping {
            Keeping::AsItIs => "",
            Keeping::AfterMounting => ": `opswap load` mounts it",
        };
        let ends = match host.place().lasts {
            Some(false) => ": only this mount namespace has it, and it ends with the last process there",
            _ => "",
        };
        Ok(format!("{}{mounts}{ends}", bpffs.display()))
    };
    let mut finding = Finding::of("bpffs to keep it in", tried());
    if finding.stops_load == Some(Class::Permission) {
        finding.fix = Some(format!(
            "run as root, or name a bpffs in which this user may make folders: as root `mount -t bpf bpf DIR`, then --bpffs DIR (here {})",
            bpffs.display()
        ));
    }
    finding
}

fn listing() -> Finding {
    let name = "rights to list, swap and roll back";
    let missing = Capabilities::current().missing_for_listing();
    if missing.is_empty() {
        return Finding::yes(name, "CAP_SYS_ADMIN");
    }
    let fix = format!(
        "run as root, or grant {}; `opswap load` and `opswap check` do without",
        names(&missing)
    );
    Finding::no(name, format!("missing: {}", names(&missing)), Some(fix))
}

fn compiler() -> Finding {
    let name = "clang for BPF";
    match crate::compile::find_clang() {
        Ok(clang) => Finding::yes(name, clang),
        Err(error) => {
            let fix = "apt-get install clang (only `build` and .bpf.c files need it)".to_owned();
            Finding::no(name, error.to_string(), Some(fix))
        }
    }
}
