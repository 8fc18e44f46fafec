//! Cases as text: a header, then a program.
//!
//! ```text
//! == name | member | linux accepts | refused here: reason
//!    r1 = *(u64 *)(r1 +0)
//!    r0 = *(u32 *)(r1 +{tcp_sock.snd_cwnd})
//!    call {tcp_slow_start}
//! ```
//!
//! The place is a member of `tcp_congestion_ops` or `socket_filter`. The last part is there only where the verdict
//! differs from Linux's. Braces hold the offset of a field or the id of a kernel function.

use btf::{Btf, Kind};
use isa::Insn;

/// One program with its verdicts.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) linux_accepts: bool,
    pub(crate) accepted_here: bool,
    text: String,
}

/// The cases of a file; what stands before the first is a comment.
pub(crate) fn parse(file: &str, text: &str) -> Vec<Case> {
    let cases = text.split("\n== ").skip(1);
    cases.map(|case| one(file, case)).collect()
}

fn one(file: &str, case: &str) -> Case {
    let (head, text) = case.split_once('\n').expect("a header and a program");
    let parts: Vec<&str> = head.split(" | ").collect();
    let name = format!("{file}: {}", parts[0]);
    let linux_accepts = match parts.get(2) {
        Some(&"linux accepts") => true,
        Some(&"linux refuses") => false,
        _ => panic!("{name}: no verdict of Linux"),
    };
    let accepted_here = match parts.get(3) {
        None => linux_accepts,
        Some(reason) => {
            assert!(
                linux_accepts && reason.starts_with("refused here: "),
                "{name}: {reason}"
            );
            false
        }
    };
    Case {
        name,
        place: parts[1].to_owned(),
        linux_accepts,
        accepted_here,
        text: text.to_owned(),
    }
}

impl Case {
    /// The program for a kernel with these types.
    pub(crate) fn insns(&self, btf: &Btf) -> Vec<Insn> {
        let mut text = String::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (what, after) = after.split_once('}').expect("a closing brace");
            text.push_str(before);
            text.push_str(&self.number(btf, what));
            rest = after;
        }
        text.push_str(rest);
        isa::asm::assemble(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", self.name))
    }

    fn number(&self, btf: &Btf, what: &str) -> String {
        match what.split_once('.') {
            Some((ty, path)) => {
                let ty = btf
                    .find(ty, Kind::Struct)
                    .unwrap_or_else(|| panic!("{}: {what}", self.name));
                let field = btf
                    .field(ty, path)
                    .unwrap_or_else(|error| panic!("{}: {what}: {error}", self.name));
                field.byte_offset().to_string()
            }
            None => {
                let func = btf
                    .find(what, Kind::Func)
                    .unwrap_or_else(|| panic!("{}: {what}", self.name));
                format!("kfunc#{}", func.0)
            }
        }
    }
}
