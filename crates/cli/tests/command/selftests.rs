//! The kernel's own selftest programs of this family, from Debian's kernel source: `opswap` on Linux says what libbpf (by bpftool) finds, and the
//! embedded kernel the same or `unsupported` with a reason.

use crate::common::json;
use std::collections::BTreeMap;
use testkit::{KernelTools, kernel_tools_or_skip};

const OBJECTS: &[&str] = &[
    "bpf_cubic",
    "bpf_dctcp",
    "bpf_cc_cubic",
    "bpf_dctcp_release",
    "tcp_ca_incompl_cong_ops",
    "tcp_ca_kfunc",
    "tcp_ca_unsupp_cong_op",
    "tcp_ca_update",
    "tcp_ca_write_sk_pacing",
];

/// One test, since the objects bring their own names, which nobody else may register meanwhile.
#[test]
fn verdicts_are_libbpfs() {
    let Some(tools) = kernel_tools_or_skip("verdicts against libbpf's") else {
        return;
    };
    for name in OBJECTS {
        let object = tools.selftest(name).unwrap_or_else(|error| panic!("{error}"));
        let path = object.to_str().expect("a path in UTF-8");
        let registered = registered_by_libbpf(&tools, path);
        let linux = verdicts(&["check", path, "--kernel", "linux"]);
        if linux.tables.is_empty() {
            assert_eq!(registered, Vec::<String>::new(), "{name}: {linux:?}");
            assert_ne!(linux.object, "accepted", "{name}");
        }
        for table in linux.tables.keys() {
            // bpftool lets go of a link before it makes the next: tables of one name do not meet.
            let alone = verdicts(&["check", &format!("{path}:{table}"), "--kernel", "linux"]);
            assert_eq!(
                registered.contains(table),
                alone.tables[table] == "accepted",
                "{name}, {table}: bpftool registered {registered:?}"
            );
        }
        let embedded = verdicts(&["check", path, "--kernel", "embedded"]);
        if embedded.object == "unsupported" {
            assert!(
                !embedded.reasons.is_empty() && embedded.reasons.iter().all(|reason| reason.len() > 15),
                "{name}: {embedded:?}"
            );
        } else {
            assert_eq!(embedded.object, linux.object, "{name}: {embedded:?}");
        }
        eprintln!(
            "{name:<26} linux {:<11} embedded {:<11} {:?}",
            linux.object, embedded.object, embedded.reasons
        );
    }
}

#[test]
fn the_kernels_cubic_and_dctcp_run() {
    let Some(tools) = kernel_tools_or_skip("the kernel's own programs in a run") else {
        return;
    };
    let object = |name: &str| {
        tools
            .selftest(name)
            .unwrap_or_else(|error| panic!("{error}"))
            .to_string_lossy()
            .into_owned()
    };
    let (cubic, dctcp) = (object("bpf_cubic"), object("bpf_dctcp"));
    let (code, value) = json(&[
        "compare",
        &cubic,
        &dctcp,
        "--ecn-at",
        "36000b",
        "--duration",
        "6s",
        "--warmup",
        "2s",
    ]);
    assert_eq!(code, 0, "{value}");
    for run in value["runs"].as_array().expect("a list") {
        assert!(run["link"]["utilization"].as_f64() > Some(0.9), "{run}");
        assert!(run["link"]["marks"].as_u64() > Some(0), "{run}");
    }
}

#[derive(Debug)]
struct Verdicts {
    object: String,
    /// Map name → verdict.
    tables: BTreeMap<String, String>,
    reasons: Vec<String>,
}

fn verdicts(words: &[&str]) -> Verdicts {
    let (_, value) = json(words);
    let object = &value["objects"][0];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let list = |name: &str| object[name].as_array().cloned().unwrap_or_default();
    let parts: Vec<serde_json::Value> = list("programs")
        .into_iter()
        .chain(list("ops"))
        .chain([object.clone()])
        .collect();
    Verdicts {
        object: text(&object["verdict"]),
        tables: list("ops")
            .iter()
            .map(|ops| (text(&ops["map"]), text(&ops["verdict"])))
            .collect(),
        reasons: parts
            .iter()
            .map(|part| text(&part["error"]["message"]))
            .filter(|reason| !reason.is_empty())
            .collect(),
    }
}

/// Registers with bpftool, unregisters, and gives the names of the maps that it said it registered.
fn registered_by_libbpf(tools: &KernelTools, path: &str) -> Vec<String> {
    let output = tools
        .bpftool()
        .args(["struct_ops", "register", path])
        .output()
        .expect("bpftool");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let mut registered = Vec::new();
    for line in said.lines() {
        // Several tables of one object have the same name on purpose: each is right, only not both at once.
        let taken = line
            .strip_prefix("Error: can't register struct_ops ")
            .and_then(|rest| rest.strip_suffix(": File exists"));
        registered.extend(taken.map(str::to_owned));
        // `NAME id 7`, or with a link `NAME map id 7 link id 8`; such a link has ended with bpftool.
        let Some(facts) = line.strip_prefix("Registered tcp_congestion_ops ") else {
            continue;
        };
        let words: Vec<&str> = facts.split_whitespace().collect();
        if let [name, "id", id] = words[..] {
            let ended = tools
                .bpftool()
                .args(["struct_ops", "unregister", "id", id])
                .status()
                .expect("bpftool");
            assert!(ended.success(), "{name} is unregistered");
        }
        registered.extend(words.first().map(|name| (*name).to_owned()));
    }
    registered
}
