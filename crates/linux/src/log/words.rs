//! The kernel's messages in the words that the embedded kernel's verifier has for the same fault (`verifier::report`), so that a reader meets one
//! text. What a message does not say is taken from the instruction and from the registers that the log shows last.
//!
//! Messages of `kernel/bpf/verifier.c` and `net/ipv4/bpf_tcp_ca.c`, Linux 6.12 to 6.18. What is not in the table keeps the kernel's text.

use super::Found;
use super::ranges::Outside;
use btf::{Btf, Kind};

/// The message in our words, without the kernel's types.
pub(super) fn of(found: &Found<'_>, log: &str) -> Option<String> {
    let facts = Facts { found, log };
    TABLE.iter().find_map(|(pattern, words)| {
        let parts = capture(found.error, pattern)?;
        words(&facts, &parts)
    })
}

/// What to do, where it takes the message's numbers to say it.
pub(super) fn help(found: &Found<'_>, log: &str) -> Option<String> {
    let facts = Facts { found, log };
    if let Some(parts) = capture(found.error, "R* invalid mem access '*'") {
        let state = facts.state(parts[0])?;
        null_offset(constant(state)?)?;
        return Some("give the pointer a value on every path, or test it: the number is what is left of null, an offset into a structure".to_owned());
    }
    if let Some(outside) = facts.outside() {
        return Some(outside.help());
    }
    let parts = capture(found.error, "invalid access to map value, value_size=* off=* size=*")?;
    let (whole, size): (i64, i64) = (parts[0].parse().ok()?, parts[2].parse().ok()?);
    Some(format!("bound the offset so that it is at most {}", whole - size))
}

/// A message about an offset of a kernel structure in our words. The second value is true when the offset is behind the structure's end.
pub(super) fn with_types(found: &Found<'_>, log: &str, btf: &Btf) -> Option<(String, bool)> {
    let facts = Facts { found, log };
    STRUCTURES.iter().find_map(|(pattern, words)| {
        let parts = capture(found.error, pattern)?;
        words(&facts, &parts, btf)
    })
}

/// Whether [`with_types`] has words for it.
pub(super) fn needs_types(found: &Found<'_>) -> bool {
    STRUCTURES
        .iter()
        .any(|(pattern, _)| capture(found.error, pattern).is_some())
}

/// What a message was said about.
struct Facts<'a> {
    found: &'a Found<'a>,
    log: &'a str,
}

type Words = fn(&Facts<'_>, &[&str]) -> Option<String>;
type StructureWords = fn(&Facts<'_>, &[&str], &Btf) -> Option<(String, bool)>;

/// `*` stands for a part that the words are made of.
const TABLE: &[(&str, Words)] = &[
    ("R* !read_ok", |_, p| {
        Some(format!("R{} is read before it is written", p[0]))
    }),
    ("frame pointer is read only", |_, _| {
        Some("R10 is the frame pointer and cannot be written".to_owned())
    }),
    ("unreachable insn *", |_, _| {
        Some("this instruction can never be reached".to_owned())
    }),
    ("last insn is not an exit or jmp", falls_through),
    ("no exit or jump at end of program chunk", falls_through),
    ("jump out of range from insn * to *", |_, p| {
        Some(format!("jump to insn {}, which is outside the function", p[1]))
    }),
    ("div by zero", |_, _| Some("division by zero".to_owned())),
    ("invalid shift *", |facts, p| {
        // Class BPF_ALU64.
        let bits = if facts.found.opcode? & 7 == 7 { 64 } else { 32 };
        Some(format!("shift by {} of {bits} bits", p[0]))
    }),
    ("infinite loop detected at insn *", |_, _| {
        Some("the loop comes back here with nothing changed that the verifier follows".to_owned())
    }),
    ("BPF program is too large. Processed *", |_, _| {
        Some("more than 1000000 instructions on all paths together".to_owned())
    }),
    ("The sequence of * jumps is too complex", |_, _| {
        Some("more than 8192 branches wait to be followed".to_owned())
    }),
    ("R* invalid mem access '*'", |facts, p| {
        let null = facts.state(p[0]).and_then(constant).and_then(null_offset);
        if let Some(null) = null {
            return Some(format!("memory access through R{}, which is {null}", p[0]));
        }
        let kind = facts.register(p[0]).or_else(|| kind_of_name(p[1]))?;
        Some(format!("memory access through R{}, which is {kind}", p[0]))
    }),
    ("invalid write to stack R* off=* size=*", outside_stack),
    ("invalid read from stack R* off=* size=*", outside_stack),
    ("R* min value is negative, either use unsigned index*", |facts, _| {
        Some(facts.outside()?.message())
    }),
    ("R* unbounded memory access, make sure*", |facts, _| {
        Some(facts.outside()?.message())
    }),
    ("invalid access to map value, value_size=* off=* size=*", |facts, p| {
        if let Some(outside) = facts.outside() {
            return Some(outside.message());
        }
        Some(format!(
            "{} bytes at {} can leave the map value of {} bytes",
            p[2], p[1], p[0]
        ))
    }),
    ("invalid bpf_context access off=* size=*", context),
    ("func '*' doesn't have *-th argument", |facts, _| context_of_more(facts)),
    ("func '*' size * must be 8", |facts, _| context_of_more(facts)),
    ("R* is ptr_* invalid variable offset*", |facts, p| {
        let kind = facts.register(p[0])?;
        let kind = kind.trim_start_matches("a pointer to ");
        Some(format!("the offset into {kind} is not a constant"))
    }),
    ("program of this type cannot use helper *", |_, p| {
        Some(format!("helper {} cannot be called here", p[0]))
    }),
    ("unknown func *#*", unknown_helper),
    ("invalid func *#*", unknown_helper),
    ("calling kernel function * is not allowed", |_, p| {
        Some(format!("kernel function {} cannot be called here", p[0]))
    }),
    ("kernel btf_id * is not a function", |_, p| {
        Some(format!("BTF id {} is no function of the kernel", p[0]))
    }),
    ("Global function *() doesn't return scalar*", |_, p| {
        Some(format!("global function {} does not return a number", p[0]))
    }),
    ("R* type=* expected=*", |facts, p| {
        let kind = facts.register(p[0])?;
        if let Some(function) = facts.global() {
            return Some(format!(
                "argument {} of {function} is {kind}, which its prototype does not take",
                p[0]
            ));
        }
        let call = facts.call()?;
        let wanted = wanted(p[2])?;
        Some(if p[1].ends_with("_or_null") {
            format!("argument {} of {call} is {kind}", p[0])
        } else {
            format!("argument {} of {call} is {kind}, not {wanted}", p[0])
        })
    }),
    ("attach to unsupported member * of struct *", |_, p| {
        Some(format!(
            "member {} of struct {} cannot be implemented by a program",
            p[0], p[1]
        ))
    }),
    ("attach to invalid member *(* of struct *", |_, p| {
        Some(format!("member {} of struct {} is not a function", p[0], p[2]))
    }),
    ("struct ops programs must have a GPL compatible license", |_, _| {
        Some("programs of ops structures must have a licence that is compatible with the GPL".to_owned())
    }),
    ("arg#* pointer type STRUCT * must point to scalar*", |facts, p| {
        let number = p[0].parse::<u32>().ok()? + 1;
        let (kind, call) = (facts.register(&number.to_string())?, facts.call()?);
        let wrong = kind.contains("number");
        wrong.then(|| format!("argument {number} of {call} is {kind}, not a pointer to a kernel structure"))
    }),
    (
        "kernel function * args#* expected pointer to STRUCT * but R* has a pointer to STRUCT *",
        |_, p| {
            let number = p[1].parse::<u32>().ok()? + 1;
            Some(format!(
                "argument {number} of {} points to struct {}, not to struct {}",
                p[0], p[4], p[2]
            ))
        },
    ),
    ("only read is supported", |facts, _| {
        let (_, base) = facts.found.insn_text?.split_once("(r")?;
        let kind = facts.register(base.split(' ').next()?)?;
        Some(format!(
            "{} is read-only for this program",
            kind.trim_start_matches("a pointer to ")
        ))
    }),
    ("R* 32-bit pointer arithmetic prohibited", |facts, p| {
        Some(format!("32-bit arithmetic on R{}, {}", p[0], facts.register(p[0])?))
    }),
    (
        "R* pointer arithmetic on * prohibited, null-check it first",
        |facts, p| {
            let kind = facts.register(p[0])?;
            Some(format!(
                "arithmetic on R{}, {kind}, before it is tested against null",
                p[0]
            ))
        },
    ),
    ("R* pointer arithmetic on * prohibited", |facts, p| {
        Some(format!("arithmetic on R{}, {}", p[0], facts.register(p[0])?))
    }),
    ("R* pointer arithmetic with * operator prohibited", pointer_operator),
    ("R* bitwise operator * on pointer prohibited", pointer_operator),
    ("R* pointer * pointer prohibited", |_, p| {
        Some(format!("`{}` of two pointers", p[1]))
    }),
    ("Unreleased reference id=* alloc_insn=*", |_, p| {
        Some(format!("the reference acquired at insn {} is not released", p[1]))
    }),
];

const STRUCTURES: &[(&str, StructureWords)] = &[
    ("no write support to * at off *", |facts, p, btf| {
        let (ty, offset) = structure(btf, p[0], p[1])?;
        let size = facts.size()?;
        if offset >= btf.size_of(ty).ok()? {
            return outside(btf, p[0], offset, size);
        }
        let place = btf.describe_offset(ty, offset);
        let text = format!("{place} ({size} bytes at offset {offset}) is read-only for this program");
        Some((text, false))
    }),
    (
        "write access at off * with size * beyond the member of * ended at *",
        |_, p, btf| {
            let (ty, offset) = structure(btf, p[2], p[0])?;
            let place = btf.describe_offset(ty, offset);
            let (size, end) = (p[1], p[3]);
            // The member, not the place in it.
            let member = place.split(['[', '+']).next().unwrap_or(&place);
            let text = format!("{size} bytes at offset {offset} reach beyond {member}, which ends at {end}");
            Some((text, false))
        },
    ),
    ("access beyond struct * at off * size *", |_, p, btf| {
        outside(btf, p[0], p[1].parse().ok()?, p[2].parse().ok()?)
    }),
];

/// Messages that name the register whose range is too large, alone or behind the one about the value.
const RANGES: &[&str] = &[
    "R* min value is negative, either use unsigned index*",
    "R* unbounded memory access, make sure*",
    "R* min value is outside of the allowed memory range",
    "R* max value is outside of the allowed memory range",
];

fn falls_through(_: &Facts<'_>, _: &[&str]) -> Option<String> {
    Some("the function does not end with exit or a jump".to_owned())
}

fn outside_stack(_: &Facts<'_>, p: &[&str]) -> Option<String> {
    // Inside the frame it is another fault: bytes that were never written.
    let (offset, size): (i64, i64) = (p[1].parse().ok()?, p[2].parse().ok()?);
    let inside = (-512..0).contains(&offset) && offset + size <= 0;
    (!inside).then(|| format!("{size} bytes at offset {offset} are outside the stack frame"))
}

fn context(facts: &Facts<'_>, p: &[&str]) -> Option<String> {
    Some(if facts.found.is_store {
        "the program's arguments cannot be written".to_owned()
    } else {
        format!("{} bytes at offset {} are not an argument of the program", p[1], p[0])
    })
}

/// The message about the member's prototype comes before the one with the numbers.
fn context_of_more(facts: &Facts<'_>) -> Option<String> {
    let mut more = facts.found.more.iter();
    more.find_map(|line| context(facts, &capture(line, "invalid bpf_context access off=* size=*")?))
}

fn pointer_operator(facts: &Facts<'_>, p: &[&str]) -> Option<String> {
    Some(format!(
        "R{} is {}: `{}` is not possible with it",
        p[0],
        facts.register(p[0])?,
        p[1]
    ))
}

fn unknown_helper(_: &Facts<'_>, p: &[&str]) -> Option<String> {
    Some(match p[0] {
        "unknown" => format!("there is no helper {}", p[1]),
        name => format!("helper {name}#{} cannot be called here", p[1]),
    })
}

fn structure(btf: &Btf, name: &str, offset: &str) -> Option<(btf::TypeId, u32)> {
    Some((btf.find(name, Kind::Struct)?, offset.parse().ok()?))
}

fn outside(btf: &Btf, name: &str, offset: u32, size: u32) -> Option<(String, bool)> {
    let ty_size = btf.size_of(btf.find(name, Kind::Struct)?).ok()?;
    let text = format!("{size} bytes at offset {offset} are outside struct {name} of {ty_size} bytes");
    Some((text, true))
}

/// What the kernel expected, in our words.
fn wanted(expected: &str) -> Option<&'static str> {
    Some(match expected.split(',').next()?.trim() {
        "fp" | "map_key" | "map_value" | "mem" | "pkt" => "memory",
        "map_ptr" => "a map",
        "ctx" => "the program's context",
        "scalar" => "a number",
        kind if kind.contains("ptr_") || kind.starts_with("sock") => "a pointer to a kernel structure",
        _ => return None,
    })
}

fn kind_of_name(name: &str) -> Option<String> {
    Some(match name {
        "scalar" | "inv" => "a number".to_owned(),
        "ctx" => "the program's context".to_owned(),
        "fp" => "the stack".to_owned(),
        _ => return None,
    })
}

impl Facts<'_> {
    /// Bytes of the access, from the opcode.
    fn size(&self) -> Option<u32> {
        Some(match self.found.opcode? & 0x18 {
            0x00 => 4,
            0x08 => 2,
            0x10 => 1,
            _ => 8,
        })
    }

    /// The range of an access that can leave a map's value, where its offset is not a constant.
    fn outside(&self) -> Option<Outside> {
        let lines = std::iter::once(&self.found.error).chain(&self.found.more);
        let mut register = lines.filter_map(|line| RANGES.iter().find_map(|pattern| Some(capture(line, pattern)?[0])));
        let register = register.next_back()?;
        Outside::of(self.state(register)?, register, self.found.insn_text?, self.size()?)
    }

    /// The function that the instruction calls: `(85) call bpf_map_lookup_elem#1`.
    fn call(&self) -> Option<&str> {
        let (_, name) = self.found.insn_text?.split_once("call ")?;
        name.split(['#', ';', ' ']).next().filter(|name| !name.is_empty())
    }

    /// The global function whose prototype the arguments do not fit.
    fn global(&self) -> Option<&str> {
        let mut more = self.found.more.iter();
        more.find_map(|line| {
            capture(line, "Caller passes invalid args into func#* ('*')")?
                .get(1)
                .copied()
        })
    }

    /// What a register holds, as the log showed it last.
    fn register(&self, number: &str) -> Option<String> {
        kind(self.state(number)?)
    }

    /// The log from where it shows a register's state last.
    fn state(&self, number: &str) -> Option<&str> {
        let named = |suffix: &str| {
            self.log
                .rfind(&format!("R{number}{suffix}="))
                .map(|at| at + number.len() + suffix.len() + 2)
        };
        let at = [named(""), named("_w"), named("_rw"), named("_r")]
            .into_iter()
            .flatten()
            .max()?;
        Some(&self.log[at..])
    }
}

/// `map_value_or_null(id=1,map=counts,ks=4,vs=8)` and the like; a plain number is a constant.
fn kind(state: &str) -> Option<String> {
    let end = state
        .find(|c: char| c.is_whitespace() || c == '(')
        .unwrap_or(state.len());
    let (name, rest) = state.split_at(end);
    let inside = rest
        .strip_prefix('(')
        .and_then(|rest| rest.split(')').next())
        .unwrap_or_default();
    let named = |key: &str| {
        inside
            .split(',')
            .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
    };
    let name = name.trim_end_matches([',', ';']);
    if let Some(number) = number(name) {
        return Some(format!("the number {number}"));
    }
    let (plain, null) = match name.strip_suffix("_or_null") {
        Some(plain) => (plain, " or null"),
        None => (name, ""),
    };
    Some(match plain {
        "scalar" => "a number".to_owned(),
        "ctx" => "the program's context".to_owned(),
        "map_value" => format!("a value of map {}{null}", named("map")?),
        "map_ptr" => format!("map {}", named("map")?),
        "mem" => format!("memory of {} bytes{null}", named("sz")?),
        _ if plain.starts_with("fp") => "the stack".to_owned(),
        _ => {
            // `trusted_ptr_tcp_sock`, `ptr_or_null_sock`, `rcu_ptr_or_null_sock`.
            let (_, ty) = plain.split_once("ptr_")?;
            let (ty, null) = match ty.strip_prefix("or_null_") {
                Some(ty) => (ty, " or null"),
                None => (ty, null),
            };
            format!("a pointer to struct {ty}{null}")
        }
    })
}

/// Offsets into the first page: an access through null, which is a number to the kernel.
fn null_offset(number: i64) -> Option<String> {
    match number {
        0 => Some("null".to_owned()),
        1..4096 => Some(format!("null and an offset of {number}")),
        _ => None,
    }
}

/// A register whose state is one number.
fn constant(state: &str) -> Option<i64> {
    number(state.split(char::is_whitespace).next()?.trim_end_matches([',', ';']))
}

/// A number as the log writes it: `-1`, `0x7fffffff`.
pub(super) fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => Some(u64::from_str_radix(digits, 16).ok()? as i64),
        None => text.parse().ok(),
    }
}

/// The texts that the stars of a pattern stand for; the last one reaches to the end of the word or, at the pattern's end, of the message.
fn capture<'a>(message: &'a str, pattern: &str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split('*');
    let mut rest = message.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    for part in parts {
        let at = if part.is_empty() { rest.len() } else { rest.find(part)? };
        found.push(rest[..at].trim_end());
        rest = &rest[at + part.len()..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_captured() {
        assert_eq!(
            capture("R1 type=scalar expected=fp, ctx", "R* type=* expected=*"),
            Some(vec!["1", "scalar", "fp, ctx"])
        );
        assert_eq!(capture("R1 !read_ok", "R* !read_ok"), Some(vec!["1"]));
        assert_eq!(capture("R1 read_ok", "R* !read_ok"), None);
        assert_eq!(capture("div by zero", "div by zero"), Some(vec![]));
    }

    #[test]
    fn registers_as_the_log_shows_them() {
        for (state, text) in [
            ("scalar(smin=0) R2=1", "a number"),
            ("5", "the number 5"),
            ("-1 R3=1", "the number -1"),
            ("0xffffffff", "the number 4294967295"),
            ("ctx() R10=fp0", "the program's context"),
            ("fp-8", "the stack"),
            (
                "map_value_or_null(id=1,map=counts,ks=4,vs=8)",
                "a value of map counts or null",
            ),
            ("map_value(map=counts,ks=4,vs=8)", "a value of map counts"),
            ("map_ptr(map=counts,ks=4,vs=8)", "map counts"),
            ("trusted_ptr_tcp_sock()", "a pointer to struct tcp_sock"),
            ("ptr_or_null_sock(id=2)", "a pointer to struct sock or null"),
        ] {
            assert_eq!(kind(state).as_deref(), Some(text), "{state}");
        }
    }
}
