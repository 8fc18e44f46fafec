//! What to do about types that the kernel refuses.
//!
//! Sources rarely break these rules, compilers do: which one makes such types was tried with those of Debian 12.

use super::rule::{NameRule, Refusal, Rule};
use crate::Kind;

/// What the author of the object can do, in one sentence.
pub fn advice(refusal: &Refusal) -> &'static str {
    let kind = refusal.place.as_ref().and_then(|place| place.kind);
    match (&refusal.rule, kind) {
        (Rule::UnnamedArgument, _) => "give the argument a name; clang leaves names out at -O0: compile with -O2",
        (Rule::FwdType(_) | Rule::IntEncoding(_), _) => {
            "gcc 12 (bpf-gcc -gbtf) writes such types: compile with clang 16 or later, -g -O2"
        }
        (Rule::VarOffset { .. } | Rule::VarBeyondSection { .. } | Rule::VarSize { .. }, Some(Kind::DataSec)) => {
            "clang 14 and 15 write such sections where a constant table lies in a section of its own: compile with clang 16 or later"
        }
        (Rule::Name(NameRule::Byte { .. }), _) => {
            "names are letters, digits, `_` and `.`: rename it, or, if the source does not have it so, compile with clang 16 or later"
        }
        (Rule::ArrayTooLarge, _) => {
            "a number in a map's definition is the length of an array of int, so that none can be 2^30 or more: ask for less (max_entries)"
        }
        (Rule::TooLarge { .. }, _) => "leave out what the programs do not use: a smaller vmlinux.h, fewer headers",
        _ => {
            "the compiler or a later tool has written types that no kernel takes: compile with clang 16 or later, -g -O2"
        }
    }
}
