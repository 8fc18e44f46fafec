//! What the kernel demands of an ops structure only when it is registered, and says only in its own log.
//!
//! One entry a kind; a kind without an entry has no rules that we know. The loader uses them to say why a
//! registration failed and to check without registering; the kernel decides. Rules of `tcp_congestion_ops`:
//! `tcp_register_congestion_control` and `tcp_validate_congestion_control` of `net/ipv4/tcp_cong.c`,
//! `bpf_tcp_ca_init_member` of `net/ipv4/bpf_tcp_ca.c` (Linux 6.18).

use crate::struct_ops::{Fate, OpsPlan};

/// A rule that an ops structure breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// None of these members has a program, and one of them must.
    #[error("no program for {}", list(.members))]
    Required {
        /// One of these is needed.
        members: Vec<&'static str>,
    },
    /// The name is empty.
    #[error("`{member}` is empty")]
    NoName {
        /// The member that holds the name.
        member: &'static str,
    },
    /// The name fills the array, so that nothing ends it.
    #[error("`{member}` has {len} bytes, the kernel takes {len_max}")]
    NameTooLong {
        /// The member that holds the name.
        member: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The greatest length in bytes.
        len_max: usize,
    },
    /// The name has a character other than letters, digits, `_` and `.`.
    #[error("`{member}` has the character {character:?}; the kernel takes letters, digits, `_` and `.`")]
    NameCharacter {
        /// The member that holds the name.
        member: &'static str,
        /// The first such character.
        character: char,
    },
    /// Bits that no kernel has a flag for.
    #[error("`{member}` is {value:#x}, but flags lie within {known:#x}")]
    UnknownFlags {
        /// The member.
        member: &'static str,
        /// Its value.
        value: u64,
        /// All bits that some kernel takes.
        known: u64,
    },
    /// Data that the kernel keeps for itself.
    #[error("`{member}` is set, but the kernel wants zero there")]
    NotZero {
        /// The member.
        member: String,
    },
    /// A map of its programs gets no memory.
    #[error("{memory}")]
    NoMemory {
        /// Which one, and what there is.
        memory: bpf::MapMemory,
    },
    /// Another ops structure has this name.
    #[error("an ops structure of kind {kind} named `{name}` is registered already")]
    NameTaken {
        /// The kind.
        kind: String,
        /// The name.
        name: String,
    },
    /// A program for a member that the kernel does not let programs implement.
    #[error("the kernel lets no program implement `{member}`")]
    Unsupported {
        /// The member.
        member: &'static str,
    },
}

/// A member that holds flags, their names, and all bits that some kernel takes.
type Flags = (&'static str, &'static [(&'static str, u64)], u64);

struct Rules {
    kind: &'static str,
    /// Of each group at least one member has a program.
    required: &'static [&'static [&'static str]],
    /// Members that no program may implement.
    unsupported: &'static [&'static str],
    /// Member that holds the name, with the name's greatest length.
    name: Option<(&'static str, usize)>,
    flags: Option<Flags>,
}

const RULES: &[Rules] = &[Rules {
    kind: "tcp_congestion_ops",
    required: &[&["ssthresh"], &["undo_cwnd"], &["cong_avoid", "cong_control"]],
    unsupported: &["get_info"],
    name: Some(("name", 15)),
    // Linux 6.18 takes bits 0 to 4, 6.12 only the two that have a name here.
    flags: Some(("flags", &[("non_restricted", 1), ("needs_ecn", 2)], 0x1f)),
}];

/// Names and values of the flags of a member.
pub fn flags(kind: &str, member: &str) -> &'static [(&'static str, u64)] {
    let found = RULES
        .iter()
        .find(|rules| rules.kind == kind)
        .and_then(|rules| rules.flags);
    found
        .filter(|(name, _, _)| *name == member)
        .map_or(&[], |(_, flags, _)| flags)
}

/// The value of a flag; its name in lower case, with or without the kind's prefix (`TCP_CONG_`).
pub(crate) fn flag(kind: &str, member: &str, name: &str) -> Option<u64> {
    let name = name.to_ascii_lowercase();
    let known = flags(kind, member).iter();
    known
        .filter(|(known, _)| name == *known || name.ends_with(&format!("_cong_{known}")))
        .map(|(_, value)| *value)
        .next()
}

/// Whether the kernel only runs programs of this kind in tests and never takes a table: `bpf_dummy_reg` of net/bpf/bpf_dummy_struct_ops.c answers
/// EOPNOTSUPP (Linux 6.18).
pub fn only_for_test_runs(kind: &str) -> bool {
    kind == "bpf_dummy_ops"
}

/// The member that holds the name under which an ops structure of this kind is registered.
pub fn name_member(kind: &str) -> Option<&'static str> {
    RULES
        .iter()
        .find(|rules| rules.kind == kind)?
        .name
        .map(|(member, _)| member)
}

/// All rules that this ops structure breaks, as far as it shows without a kernel.
pub fn check(ops: &OpsPlan) -> Vec<Breach> {
    let Some(rules) = RULES.iter().find(|rules| rules.kind == ops.kind) else {
        return Vec::new();
    };
    let has_program = |member: &&str| {
        let is = |fate: &Fate| matches!(fate, Fate::Program { .. });
        ops.members.iter().any(|plan| plan.name == **member && is(&plan.fate))
    };
    let mut broken = Vec::new();
    for member in rules.unsupported.iter().filter(|member| has_program(member)) {
        broken.push(Breach::Unsupported { member });
    }
    for group in rules.required.iter().filter(|group| !group.iter().any(has_program)) {
        broken.push(Breach::Required {
            members: group.to_vec(),
        });
    }
    if let Some((member, len_max)) = rules.name {
        // Without a NUL the array is full; the kernel refuses it rather than cutting it.
        let bytes = ops.data(member).unwrap_or(&[]);
        let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        if len == 0 {
            broken.push(Breach::NoName { member });
        } else if len > len_max {
            broken.push(Breach::NameTooLong { member, len, len_max });
        }
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        if let Some(place) = bytes[..len].iter().position(|byte| !allowed(byte)) {
            let rest = String::from_utf8_lossy(&bytes[place..len]);
            let character = rest.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            broken.push(Breach::NameCharacter { member, character });
        }
    }
    if let Some((member, _, known)) = rules.flags {
        let value = ops.data(member).map_or(0, little_endian);
        if value & !known != 0 {
            broken.push(Breach::UnknownFlags { member, value, known });
        }
    }
    // `bpf_struct_ops_map_update_elem`: what the family does not read itself must be zero.
    let read = [rules.name.map(|(name, _)| name), rules.flags.map(|(name, _, _)| name)];
    let is_set = |member: &str| {
        ops.data(member)
            .is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0))
    };
    let others = ops
        .members
        .iter()
        .filter(|plan| !read.contains(&Some(plan.name.as_str())));
    broken.extend(others.filter(|plan| is_set(&plan.name)).map(|plan| Breach::NotZero {
        member: plan.name.clone(),
    }));
    broken
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn list(members: &[&str]) -> String {
    let quoted: Vec<String> = members.iter().map(|member| format!("`{member}`")).collect();
    quoted.join(" or ")
}
