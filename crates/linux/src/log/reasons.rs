//! Which rule a line of the verifier's log speaks of: the code under which the embedded kernel's verifier refuses the same, and what to do.
//! The patterns are the beginnings of the kernel's messages in `kernel/bpf/verifier.c` and `kernel/bpf/btf.c` of Linux 6.12 and 6.18; `*` stands for
//! anything. The first that fits wins.

use bpf::{Category, codes};

pub(super) use codes::UNRECOGNISED;

/// The kernel has one message for both.
pub(super) const CONTEXT_ACCESS: &str = "SO1216";
pub(super) const CONTEXT_WRITE: &str = "SO1217";

/// A write that begins in a member and ends behind it.
pub(super) const MEMBER_END: &str = "SO1222";
/// The kernel calls it a member that may not be written.
pub(super) const STRUCT_OUT_OF_BOUNDS: &str = "SO1218";

/// What the kernel adds when an argument does not fit the prototype of a global function, and the code for it.
const GLOBAL_CALL: &str = "Caller passes invalid args into func#";
const GLOBAL_ARGUMENT: &str = "SO1312";
const GLOBAL_RESULT: &str = "SO1313";

/// What a message means.
pub(super) struct Reason {
    pub(super) code: &'static str,
    pub(super) category: Category,
    pub(super) help: Option<&'static str>,
    /// The instruction, where the message itself names it.
    pub(super) insn: Option<u32>,
}

/// `more` are the lines behind the message; a call of a global function shows only there.
pub(super) fn of(message: &str, more: &[&str]) -> Reason {
    let find = |message: &str| PATTERNS.iter().find(|(pattern, _)| fits(message, pattern));
    let known = find(message).map_or(UNRECOGNISED, |(_, code)| code);
    // A function that cannot be called at all is at fault itself.
    let global = known != GLOBAL_RESULT && more.iter().any(|line| line.starts_with(GLOBAL_CALL));
    let code = if global { GLOBAL_ARGUMENT } else { known };
    let help = HELP.iter().find(|(of, _)| *of == code).map(|(_, help)| *help);
    Reason {
        code,
        category: category(code),
        help,
        insn: insn_in(message),
    }
}

/// The kernel's message without what is of no use to a reader.
pub(super) fn readable(message: &str) -> String {
    let message = message.trim().trim_end_matches('.');
    let quotes = message.matches('\'').count();
    // Some of the kernel's messages end in a quote that was never opened.
    let stray = message.strip_suffix('\'').filter(|_| quotes % 2 == 1);
    stray.unwrap_or(message).to_owned()
}

/// The hundreds of a code are its category.
fn category(code: &str) -> Category {
    match code.get(2..4) {
        Some("10") if code == UNRECOGNISED => Category::Unrecognised,
        Some("10" | "15") => Category::Structure,
        Some("11") => Category::RegisterType,
        Some("12") => Category::Memory,
        Some("13") => Category::Call,
        Some("14") => Category::Lifetime,
        Some("16") => Category::Limit,
        Some("17") => Category::Policy,
        _ => Category::Unrecognised,
    }
}

/// `… insn 5 …`: messages about control flow come before any instruction is followed.
fn insn_in(message: &str) -> Option<u32> {
    let (_, after) = message.split_once("insn ")?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Whether the message begins with the pattern; `*` stands for any text.
fn fits(message: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = message.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

/// Beginnings of messages, and codes.
const PATTERNS: &[(&str, &str)] = &[
    // Program structure.
    ("unknown opcode ", "SO1001"),
    ("invalid BPF_", "SO1001"),
    ("BPF_* uses reserved fields", "SO1001"),
    ("R* is invalid", "SO1001"),
    ("invalid bpf_ld_imm64 insn", "SO1001"),
    ("jump out of range from insn ", "SO1004"),
    ("jump into the middle of ldimm64 insn ", "SO1005"),
    ("jump to reserved code", "SO1005"),
    ("last insn is not an exit or jmp", "SO1006"),
    ("no exit or jump at end of program chunk", "SO1006"),
    ("unreachable insn ", "SO1007"),
    ("call to invalid destination", "SO1008"),
    ("too many subprograms", "SO1009"),
    ("func_info BTF section doesn't match", "SO1010"),
    ("number of funcs in func_info doesn't match", "SO1010"),
    ("recursive call from ", "SO1011"),
    ("the call stack of * frames is too deep", "SO1012"),
    ("combined stack size of ", "SO1013"),
    ("BPF_LD_[ABS|IND] instructions not allowed", "SO1014"),
    ("invalid shift ", "SO1015"),
    ("div by zero", "SO1016"),
    ("fd * is not pointing to valid bpf_map", "SO1303"),
    ("fd * is not a map", "SO1303"),
    // What the kernel does not show.
    (
        "ldimm64 failed to find the address for kernel symbol ",
        codes::NO_KERNEL_VARIABLE,
    ),
    // Registers.
    ("R* !read_ok", "SO1101"),
    ("frame pointer is read only", "SO1102"),
    ("R* 32-bit pointer arithmetic prohibited", "SO1104"),
    ("R* pointer arithmetic on *null-check it first", "SO1105"),
    ("R* pointer arithmetic on *prohibited", "SO1106"),
    ("R* pointer * pointer prohibited", "SO1107"),
    ("R* partial copy of pointer", "SO1103"),
    ("R* sign-extension part of pointer", "SO1103"),
    ("R* pointer arithmetic with * operator prohibited", "SO1103"),
    ("R* bitwise operator * on pointer prohibited", "SO1103"),
    ("R* pointer arithmetic prohibited", "SO1103"),
    ("R* tried to subtract pointer from scalar", "SO1103"),
    ("R* subtraction from stack pointer prohibited", "SO1103"),
    ("math between * pointer and ", "SO1109"),
    ("value * makes * pointer be out of bounds", "SO1109"),
    // Memory.
    ("R* invalid mem access '*or_null'", "SO1202"),
    ("R* invalid mem access '", "SO1201"),
    ("invalid unbounded variable-offset", "SO1204"),
    ("invalid variable-offset", "SO1204"),
    ("invalid* read from stack ", codes::STACK_UNINIT),
    ("invalid indirect read from stack", codes::STACK_UNINIT),
    ("invalid* stack R", "SO1203"),
    ("invalid* write to stack ", "SO1203"),
    ("attempt to corrupt spilled pointer", "SO1206"),
    ("invalid size of register ", "SO1206"),
    ("corrupted spill memory", "SO1206"),
    ("invalid access to map value, ", "SO1207"),
    ("R* max value is outside of the allowed memory range", "SO1207"),
    ("R* min value is outside of the allowed memory range", "SO1207"),
    // A call's size: `check_mem_size_reg`.
    ("R* unbounded memory access, use ", "SO1308"),
    ("R* min value is negative, either use unsigned or ", "SO1308"),
    ("R* unbounded memory access", "SO1207"),
    ("R* min value is negative", "SO1207"),
    ("bpf_spin_lock cannot be accessed directly", "SO1208"),
    ("* cannot be accessed directly by load/store", "SO1208"),
    ("kptr ", "SO1208"),
    ("read from map forbidden", "SO1209"),
    ("write into map forbidden", "SO1210"),
    ("invalid access to memory", "SO1211"),
    ("invalid negative * offset", "SO1211"),
    ("R* cannot write into rdonly_", codes::READ_ONLY_MEMORY),
    ("R* cannot write into ", codes::READ_ONLY_MEMORY),
    ("misaligned ", "SO1213"),
    ("* access var_off=* disallowed", "SO1214"),
    ("variable * access var_off=", "SO1214"),
    ("R* is ptr_* invalid variable offset", "SO1214"),
    ("R* is ptr_* invalid negative access", "SO1218"),
    ("dereference of modified * ptr R", "SO1215"),
    ("cannot pass in * at an offset=", "SO1215"),
    ("negative offset * ptr R", "SO1215"),
    ("invalid bpf_context access", "SO1216"),
    ("func '*' doesn't have *-th argument", "SO1216"),
    ("func '*' arg* has offset * which is not a multiple of 8", "SO1216"),
    ("func '*' size * must be 8", "SO1216"),
    ("func '*' offset * is not multiple of 8", "SO1216"),
    ("access beyond the end of member * of struct", "SO1219"),
    ("access beyond the end of member ", "SO1222"),
    ("access beyond struct ", "SO1218"),
    ("access beyond * at off ", "SO1218"),
    ("no write support to * at off ", "SO1221"),
    ("write access at off * with size * beyond the member", "SO1222"),
    ("write access at off ", "SO1222"),
    ("only read is supported", "SO1220"),
    ("cannot access ptr member ", "SO1219"),
    ("BPF_ATOMIC stores into R", "SO1224"),
    ("R* leaks addr into ", "SO1225"),
    ("same insn cannot be used with different pointers", "SO1226"),
    // Calls.
    ("invalid func unknown#", "SO1301"),
    ("unknown func ", "SO1301"),
    ("invalid func ", "SO1301"),
    ("program of this type cannot use helper ", "SO1301"),
    ("cannot call GPL-restricted function", codes::LICENCE),
    ("cannot call kernel function from non-GPL", codes::LICENCE),
    ("calling kernel function * is not allowed", "SO1302"),
    ("kernel btf_id * is not a function", "SO1302"),
    ("cannot find address for kernel function", "SO1302"),
    ("kernel function * args#* expected pointer to ", "SO1305"),
    ("R* is of type * but * is expected", "SO1305"),
    ("R* must be referenced or trusted", "SO1306"),
    ("R* must be a rcu pointer", "SO1306"),
    ("Possibly NULL pointer passed to ", "SO1307"),
    ("arg#* memory, len pair leads to invalid memory access", "SO1308"),
    ("R* invalid zero-sized read", "SO1308"),
    ("R* must be a known constant", "SO1309"),
    ("R* is not a known constant", "SO1309"),
    ("cannot pass map_type ", "SO1310"),
    ("invalid access to map value pointer", "SO1311"),
    ("direct value offset of ", "SO1311"),
    ("Global function *() doesn't return scalar", GLOBAL_RESULT),
    (GLOBAL_CALL, GLOBAL_ARGUMENT),
    ("R* type=*_or_null expected=", "SO1307"),
    ("R* type=* expected=", "SO1304"),
    ("arg#* is * expected ", "SO1304"),
    ("arg#* pointer type ", "SO1304"),
    ("R* is not a scalar", "SO1304"),
    // References.
    ("Unreleased reference id=", "SO1401"),
    ("release kernel function * expects refcounted", "SO1402"),
    ("func * reference has not been acquired before", "SO1402"),
    ("kfunc * reference has not been acquired before", "SO1402"),
    ("R* must be referenced when passed to release function", "SO1402"),
    ("arg * is an unacquired reference", "SO1402"),
    // Return values.
    ("At program exit the register R0 ", "SO1501"),
    ("At subprogram exit the register R", "SO1502"),
    ("At * exit the register R", "SO1501"),
    ("R0 not a scalar value", "SO1502"),
    ("R0 leaks addr as return value", "SO1502"),
    ("R* leaks addr as return value", "SO1502"),
    ("cannot return stack pointer to the caller", "SO1503"),
    // Limits.
    ("infinite loop detected at insn ", "SO1601"),
    ("back-edge from insn ", "SO1601"),
    ("BPF program is too large. Processed ", "SO1602"),
    ("The sequence of * jumps is too complex", "SO1603"),
    // What this kind of program may be.
    ("attach to unsupported member ", codes::UNSUPPORTED_MEMBER),
    ("attach to invalid member ", codes::NO_FUNCTION),
    ("attach_btf_id * is not a supported struct", codes::NO_OPS_STRUCTURE),
    ("struct ops programs must have a GPL compatible license", codes::LICENCE),
];

const OWN_VALUE: &str = "keep your own value in icsk_ca_priv (104 bytes) or in a map";
const CONSTANT_OFFSET: &str = "index a map or an array on the stack instead, or choose with `switch` between constant offsets: members of a kernel structure, \
                               icsk_ca_priv (104 bytes) too, are reached at constant offsets only, however well the index is bounded";

/// What to do about the more common ones.
const HELP: &[(&str, &str)] = &[
    (
        "SO1101",
        "give the variable a value on every path; a call clears r1 to r5",
    ),
    ("SO1202", "test the pointer against null first"),
    (codes::STACK_UNINIT, "initialise the variable, padding included"),
    (
        "SO1207",
        "bound the index on both sides with constants before it is used",
    ),
    ("SO1104", "use 64-bit variables for offsets"),
    ("SO1105", "test the pointer against null first"),
    ("SO1109", "test the index against a constant before it is used"),
    ("SO1204", "test the index against a constant before it is used"),
    ("SO1308", "test the size against a constant before the call"),
    ("SO1214", CONSTANT_OFFSET),
    ("SO1221", OWN_VALUE),
    ("SO1220", OWN_VALUE),
    (
        GLOBAL_RESULT,
        "return an integer, or make the function static (`static __noinline`)",
    ),
    ("SO1307", "test the pointer against null first"),
    ("SO1401", "release the reference on every path"),
    (
        "SO1601",
        "count the rounds in a variable of its own and end the loop at a constant: `for (i = 0; i < 100; i++)`",
    ),
    ("SO1602", "give loops smaller bounds or use fewer branches"),
    (codes::LICENCE, "say `char _license[] SEC(\"license\") = \"GPL\";`"),
    (codes::UNSUPPORTED_MEMBER, "leave this member out"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_beginnings() {
        assert!(fits("R12 !read_ok", "R* !read_ok"));
        assert!(fits(
            "R1 invalid mem access 'map_value_or_null'",
            "R* invalid mem access '*or_null'"
        ));
        assert!(!fits(
            "R1 invalid mem access 'scalar'",
            "R* invalid mem access '*or_null'"
        ));
        assert!(!fits("xR1 !read_ok", "R* !read_ok"));
    }

    #[test]
    fn every_code_has_a_page_and_its_category() {
        use bpf::Category as Ours;
        use verifier::{Category as Theirs, Code};
        for code in PATTERNS.iter().map(|(_, code)| *code).chain([UNRECOGNISED]) {
            if codes::PAGES.iter().any(|page| page.code == code) {
                continue;
            }
            let theirs = Code::parse(code).unwrap_or_else(|| panic!("{code} is no code"));
            let expected = match theirs.category() {
                Theirs::Structure | Theirs::Return => Ours::Structure,
                Theirs::Register => Ours::RegisterType,
                Theirs::Memory => Ours::Memory,
                Theirs::Call => Ours::Call,
                Theirs::Reference => Ours::Lifetime,
                Theirs::Complexity => Ours::Limit,
            };
            assert_eq!(category(code), expected, "{code}");
        }
    }

    #[test]
    fn no_pattern_is_hidden_by_an_earlier_one() {
        for (index, (pattern, code)) in PATTERNS.iter().enumerate() {
            let example = pattern.replace('*', "x");
            let winner = PATTERNS
                .iter()
                .position(|(pattern, _)| fits(&example, pattern))
                .unwrap();
            assert!(
                winner == index || PATTERNS[winner].1 == *code,
                "{pattern} is hidden by {}",
                PATTERNS[winner].0
            );
        }
    }
}
