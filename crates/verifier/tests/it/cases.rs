//! The cases of `tests/data`: programs as text, with the expected verdict as a comment on the line it is about.
//!
//! ```text
//! == name [world]
//! r0 = *(u32 *)(r2 +0)   ; SO1101
//! exit
//! ```
//!
//! Without such a comment the program must be accepted; `; unsupported` expects just that. A comment `; probe` on
//! a load expects it to be guarded.

/// One program and what is expected.
pub(crate) struct Case {
    pub(crate) file: &'static str,
    pub(crate) name: String,
    pub(crate) world: String,
    pub(crate) text: String,
    pub(crate) expected: Expected,
    pub(crate) probes: Vec<usize>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Accepted,
    Rejected(String, usize),
    Unsupported(usize),
}

pub(crate) fn all() -> Vec<Case> {
    let files = [
        ("structure", include_str!("../data/structure.txt")),
        ("registers", include_str!("../data/registers.txt")),
        ("bounds", include_str!("../data/bounds.txt")),
        ("stack", include_str!("../data/stack.txt")),
        ("maps", include_str!("../data/maps.txt")),
        ("structs", include_str!("../data/structs.txt")),
        ("calls", include_str!("../data/calls.txt")),
        ("pruning", include_str!("../data/pruning.txt")),
        ("history", include_str!("../data/history.txt")),
    ];
    let mut cases = Vec::new();
    for (file, text) in files {
        let (_comment, rest) = text.split_once("\n== ").expect("a comment, then cases");
        cases.extend(rest.split("\n== ").map(|text| case(file, text)));
    }
    cases
}

fn case(file: &'static str, text: &str) -> Case {
    let (head, body) = text.split_once('\n').expect("a name and a program");
    let (name, world) = match head.split_once(" [") {
        Some((name, world)) => (name, world.trim_end_matches(']')),
        None => (head, "filter"),
    };
    let (mut slot, mut expected, mut probes) = (0, Expected::Accepted, Vec::new());
    for line in body.lines() {
        let (code, comment) = line.split_once(';').unwrap_or((line, ""));
        let comment = comment.trim();
        let insn = code.rsplit(": ").next().unwrap_or_default().trim();
        if comment.starts_with("SO1") {
            expected = Expected::Rejected(comment.split_whitespace().next().unwrap_or_default().to_owned(), slot);
        } else if comment == "unsupported" {
            expected = Expected::Unsupported(slot);
        } else if comment == "probe" {
            probes.push(slot);
        }
        if insn.is_empty() || insn.ends_with(':') {
            continue;
        }
        let wide = insn.ends_with(" ll");
        slot += if wide { 2 } else { 1 };
    }
    Case {
        file,
        name: name.to_owned(),
        world: world.to_owned(),
        text: body.to_owned(),
        expected,
        probes,
    }
}
