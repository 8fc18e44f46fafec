//! Programs and BTF: what is asked for, what the kernel says of them, and why it refuses.

use crate::{AttachType, BtfObject, Errno, Fd, Prog, ProgFlags, ProgType, Report};
use isa::RawInsn;

/// The arguments of `BPF_PROG_LOAD`.
#[derive(Clone, Copy, Debug)]
pub struct ProgLoad<'a> {
    /// Which kind of program.
    pub prog_type: ProgType,
    /// The instructions, with map descriptors and addresses of kernel functions already put in.
    pub insns: &'a [RawInsn],
    /// Licence; `GPL` or compatible for struct_ops.
    pub license: &'a str,
    /// At most [`crate::OBJECT_NAME_MAX`] letters, digits, `_` and `.`.
    pub name: &'a str,
    /// For struct_ops: index of the member in the ops structure.
    pub expected_attach_type: AttachType,
    /// For struct_ops: id of the ops structure (not of `bpf_struct_ops_…`) in the kernel's BTF or the module's below.
    pub attach_btf_id: u32,
    /// BTF of the module that `attach_btf_id` belongs to; none for the kernel's own.
    pub attach_btf: Option<&'a Fd<BtfObject>>,
    /// Another program that this one replaces a function of.
    pub attach_prog: Option<&'a Fd<Prog>>,
    /// BTF of the program, for the two tables below.
    pub btf: Option<&'a Fd<BtfObject>>,
    /// Function types, by first instruction.
    pub func_info: &'a [FuncInfo],
    /// Source lines, by instruction.
    pub line_info: &'a [LineInfo],
    /// Flags.
    pub flags: ProgFlags,
    /// Only old kprobe programs need it.
    pub kern_version: u32,
    /// Descriptors that instructions refer to by index (maps; BTF of modules at the index a call to their function names).
    pub fd_array: &'a [i32],
}

impl<'a> ProgLoad<'a> {
    /// A program of this type under the GPL, everything else absent.
    pub fn new(prog_type: ProgType, insns: &'a [RawInsn]) -> Self {
        Self {
            prog_type,
            insns,
            license: "GPL",
            name: "",
            expected_attach_type: AttachType(0),
            attach_btf_id: 0,
            attach_btf: None,
            attach_prog: None,
            btf: None,
            func_info: &[],
            line_info: &[],
            flags: ProgFlags::empty(),
            kern_version: 0,
            fd_array: &[],
        }
    }
}

/// `struct bpf_func_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuncInfo {
    /// First instruction, in slots from the start of the program.
    pub insn_off: u32,
    /// Its FUNC in the program's BTF.
    pub type_id: u32,
}

/// `struct bpf_line_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineInfo {
    /// First instruction of the line, in slots from the start of the program.
    pub insn_off: u32,
    /// File name: offset in the strings of the program's BTF.
    pub file_name_off: u32,
    /// Text of the line: offset in the strings of the program's BTF.
    pub line_off: u32,
    /// `line << 10 | column`.
    pub line_col: u32,
}

/// Why a program was not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct ProgLoadError {
    /// The number that a C program would see.
    pub errno: Errno,
    /// Whose fault it is.
    pub verdict: LoadVerdict,
    /// The verifier's log as it is; empty when there is none.
    pub log: String,
    /// The reason taken out of the log.
    pub report: Option<Box<Report>>,
}

impl ProgLoadError {
    fn text(&self) -> String {
        match &self.report {
            Some(report) => format!("{}: {report}", self.verdict.name()),
            // The embedded kernel says in one line what ran out; a whole log of Linux is no sentence.
            None if self.verdict == LoadVerdict::Exhausted && self.log.lines().count() == 1 => {
                format!("{}: {}{}", self.verdict.name(), self.errno, last_line(&self.log))
            }
            None => format!("{}: {}", self.verdict.name(), self.errno),
        }
    }
}

/// Whose fault it is that a program did not load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoadVerdict {
    /// The verifier refuses the program.
    Rejected,
    /// This kernel lacks something that the program needs.
    Unsupported,
    /// The process may not do this.
    Denied,
    /// The arguments are wrong before any instruction is looked at.
    BadRequest,
    /// Out of memory, descriptors or time.
    Exhausted,
    /// A bug of the kernel (`EFAULT`, or our own internal error).
    Internal,
}

impl LoadVerdict {
    /// In words, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Unsupported => "not supported by this kernel",
            Self::Denied => "not permitted",
            Self::BadRequest => "bad request",
            Self::Exhausted => "out of resources",
            Self::Internal => "internal error",
        }
    }
}

/// Why BTF was not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{errno}{}", reason(.refusal.as_deref(), log))]
pub struct BtfLoadError {
    /// The number that a C program would see.
    pub errno: Errno,
    /// The kernel's log of its check; empty when there is none.
    pub log: String,
    /// Which type breaks which rule, if that is known.
    pub refusal: Option<Box<btf::check::Refusal>>,
}

/// The rule, or the last line of the log.
fn reason(refusal: Option<&btf::check::Refusal>, log: &str) -> String {
    refusal.map_or_else(|| last_line(log), |refusal| format!(": {refusal}"))
}

fn last_line(log: &str) -> String {
    log.trim_end()
        .lines()
        .last()
        .map_or_else(String::new, |line| format!(": {}", line.trim()))
}

/// What the kernel says of a program (`struct bpf_prog_info`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgInfo {
    /// Which kind of program.
    pub prog_type: ProgType,
    /// The kernel's number for it, never used twice while the kernel runs.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Checksum of its instructions.
    pub tag: [u8; 8],
    /// When it was loaded, ns since boot.
    pub load_time_ns: u64,
    /// Who loaded it.
    pub created_by_uid: u32,
    /// Whether its licence is GPL compatible.
    pub gpl_compatible: bool,
    /// The maps it uses.
    pub map_ids: Vec<u32>,
    /// Its BTF object, 0 if none.
    pub btf_id: u32,
    /// BTF object of what it is attached to; for struct_ops that of the kernel.
    pub attach_btf_obj_id: u32,
    /// What it is attached to; for struct_ops the ops structure.
    pub attach_btf_id: u32,
    /// Instructions that the verifier processed.
    pub verified_insns: u32,
    /// Bytes of instructions after the verifier's rewriting; 0 when not shown to this process.
    pub xlated_len: u32,
    /// Bytes of machine code; 0 without a JIT.
    pub jited_len: u32,
    /// Time spent in it while statistics were on, ns.
    pub run_time_ns: u64,
    /// Runs while statistics were on.
    pub run_cnt: u64,
    /// Runs left out because it was already running on this CPU.
    pub recursion_misses: u64,
}

/// What the kernel says of a BTF object (`struct bpf_btf_info`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BtfInfo {
    /// The kernel's number for it.
    pub id: u32,
    /// `vmlinux` or a module's name for the kernel's own, else empty.
    pub name: String,
    /// Whether it describes the kernel or a module of it.
    pub kernel: bool,
    /// Size in bytes.
    pub size: u32,
}

/// The arguments of `BPF_PROG_TEST_RUN`: one call (or `repeat` of them) outside the program's usual place.
#[derive(Clone, Copy, Debug, Default)]
pub struct TestRun<'a> {
    /// Context; for a struct_ops program the arguments of the member, eight bytes each.
    pub ctx: &'a [u8],
    /// Packet, for programs that have one.
    pub data: &'a [u8],
    /// For `bpf_dummy_ops` programs: the state that their first argument points to; `None` passes a null pointer.
    pub ops_state: Option<u32>,
    /// How often; 0 means once.
    pub repeat: u32,
}

/// What a test run gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestRunResult {
    /// What the program returned.
    pub retval: u32,
    /// Mean time of a run, ns.
    pub duration_ns: u32,
    /// The packet afterwards.
    pub data: Vec<u8>,
    /// The context afterwards.
    pub ctx: Vec<u8>,
    /// The state afterwards, when one was given.
    pub ops_state: Option<u32>,
}
