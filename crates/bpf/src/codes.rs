//! Codes of refusals that our verifier does not make: what a kernel requires of a program before it looks at its instructions, what only Linux refuses, and
//! what we could not make out.
//! The verifier's own codes are in crate `verifier`; numbers are never used twice.

/// A refusal whose reason was not recognised.
pub const UNRECOGNISED: &str = "SO1000";
/// Stack bytes that were never written; Linux refuses to read them for a process without `CAP_PERFMON`.
pub const STACK_UNINIT: &str = "SO1205";
/// A write to memory that Linux gives for reading only.
pub const READ_ONLY_MEMORY: &str = "SO1212";
/// The program's licence.
pub const LICENCE: &str = "SO1701";
/// A member that programs cannot implement.
pub const UNSUPPORTED_MEMBER: &str = "SO1702";
/// A member that does not exist, or is no function.
pub const NO_FUNCTION: &str = "SO1703";
/// A program that may sleep, for a member that may not.
pub const MAY_NOT_SLEEP: &str = "SO1711";
/// What helps against [`MAY_NOT_SLEEP`].
pub const MAY_NOT_SLEEP_HELP: &str = "write SEC(\"struct_ops/…\") in place of SEC(\"struct_ops.s/…\")";
/// A type that is no ops structure.
pub const NO_OPS_STRUCTURE: &str = "SO1704";
/// A kernel function that the program calls and the kernel does not have.
pub const NO_KERNEL_FUNCTION: &str = "SO1705";
/// A type or field that the program reads and the kernel does not have.
pub const NO_KERNEL_FIELD: &str = "SO1706";
/// Something that opswap, usually its embedded kernel, does not do and Linux does.
pub const UNSUPPORTED: &str = "SO1707";
/// A member that the object gives a value and the kernel's structure does not have.
pub const NO_MEMBER: &str = "SO1708";
/// A variable or address of the kernel that the object needs and the kernel does not show.
pub const NO_KERNEL_VARIABLE: &str = "SO1709";
/// A setting of the kernel's configuration that the object needs.
pub const NO_KERNEL_SETTING: &str = "SO1710";

/// A program that runs for longer than a call may, found while it runs.
pub const RUNS_TOO_LONG: &str = "SO1801";

/// What a code means and what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePage {
    /// The code as it is printed.
    pub code: &'static str,
    /// The rule in a few words.
    pub title: &'static str,
    /// What it means and what to do.
    pub text: &'static str,
}

/// A page for each code of this module.
///
/// ```
/// let page = bpf::codes::PAGES.iter().find(|page| page.code == bpf::codes::LICENCE).unwrap();
/// assert_eq!(page.title, "the licence is not compatible with the GPL");
/// ```
pub const PAGES: &[CodePage] = &[
    CodePage {
        code: UNRECOGNISED,
        title: "the kernel refuses the program for a reason that is not recognised",
        text: "The message is the kernel's own. Its whole log says how it came to it; a newer version may know the message.",
    },
    CodePage {
        code: STACK_UNINIT,
        title: "stack bytes are read that were never written",
        text: "The bytes hold what an earlier function left there. Initialise the variable, for a structure passed to a call also the padding \
               (`__builtin_memset`). With CAP_PERFMON the kernel lets it pass.",
    },
    CodePage {
        code: READ_ONLY_MEMORY,
        title: "write to read-only memory",
        text: "A function of the kernel gave this memory for reading. Copy what you want to change.",
    },
    CodePage {
        code: LICENCE,
        title: "the licence is not compatible with the GPL",
        text: "Programs of ops structures, and programs that call certain functions of the kernel, must say that they are under a licence compatible with \
               the GPL: `char _license[] SEC(\"license\") = \"GPL\";`, or \"Dual BSD/GPL\", \"Dual MIT/GPL\", \"Dual MPL/GPL\", \"GPL v2\".",
    },
    CodePage {
        code: UNSUPPORTED_MEMBER,
        title: "this member cannot be implemented by a program",
        text: "The kernel keeps some functions of an ops structure for itself (`get_info` of tcp_congestion_ops). Leave the member out.",
    },
    CodePage {
        code: NO_FUNCTION,
        title: "this member is no function",
        text: "A program implements a function of the ops structure. Members that are data (name, flags) get their value in the table itself.",
    },
    CodePage {
        code: NO_OPS_STRUCTURE,
        title: "this type is no ops structure of the kernel",
        text: "Only structures that the kernel has prepared for it can be replaced by programs; `opswap kinds` lists them.",
    },
    CodePage {
        code: NO_KERNEL_FUNCTION,
        title: "the kernel has no such function",
        text: "The program declares a kernel function (`__ksym`) that this kernel does not export, and calls it on a way that can be reached. Of Linux's functions the embedded \
               kernel has a few only: `--kernel linux` asks Linux. Declare it \
               `__weak` and guard the call with `bpf_ksym_exists(name)`, or use a kernel that has it; `opswap kinds KIND` lists what it has.",
    },
    CodePage {
        code: NO_KERNEL_FIELD,
        title: "the kernel has no such type or field",
        text: "A field that the program reads is not in this kernel's types: another version, or the embedded kernel, whose TCP does not model it. Guard \
               the access with `bpf_core_field_exists(p->field)`; `opswap header` prints the types that there are.",
    },
    CodePage {
        code: UNSUPPORTED,
        title: "this is not supported here",
        text: "The object may well be right: it uses a helper, an instruction, a kind of pointer, of program or of map that Linux has and the embedded kernel, or this \
               version of opswap, has not. The message says which. `--kernel linux` asks Linux; docs/support.md says what is supported where.",
    },
    CodePage {
        code: NO_MEMBER,
        title: "the kernel's ops structure has no such member",
        text: "The object puts a program or a value into a member that this kernel's structure does not have: it was added in a later version. Leave it out for this \
               kernel (`--set MEMBER=null`, or a second variable in a section that begins with `?`), or use a kernel that has it; `opswap kinds KIND` lists the members.",
    },
    CodePage {
        code: NO_KERNEL_VARIABLE,
        title: "the kernel has no such variable",
        text: "The object declares a variable or symbol of the kernel (`extern … __ksym`) that this kernel does not have or does not show: built without \
               CONFIG_KALLSYMS_ALL it knows the addresses of its functions alone. Declare it `__weak` and \
               compare its address with 0, or use a kernel that has it.",
    },
    CodePage {
        code: NO_KERNEL_SETTING,
        title: "the kernel does not have this setting",
        text: "The object reads a setting of the kernel's configuration (`extern … __kconfig`) that is not set, cannot be read, or has a value that does not fit its type. \
               Declare it `__weak` if it may be absent: it is 0 then.",
    },
    CodePage {
        code: RUNS_TOO_LONG,
        title: "a program runs for too long",
        text: "The verifier accepted the program, which then executed more instructions in one call than the embedded kernel lets it (2³⁰ unless said; `--max-insns` of \
               `opswap try` and `opswap compare`). Linux would go on: each part ends, but together they can take hours, because a global function is verified once and not \
               for each call. On a real machine a CPU would stand still for so long. Bound what one call does.",
    },
    CodePage {
        code: MAY_NOT_SLEEP,
        title: "programs of this member may not sleep",
        text: "The kernel calls this member where nothing may sleep, and the program's section says that it does: `struct_ops.s/…`. Write `SEC(\"struct_ops/…\")` \
               without the `.s`; then only functions that do not sleep can be called.",
    },
];
