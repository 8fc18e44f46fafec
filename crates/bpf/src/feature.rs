//! What a kernel can do: questions that a loader or a user asks, each answered yes, no, or cannot tell.

use crate::{Errno, MapType, ProgType};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// The kernel shows its own types.
    KernelBtf,
    /// Programs of this type load.
    ProgType(ProgType),
    /// Maps of this type can be made.
    MapType(MapType),
    /// Programs of this type may call the helper with this number. For struct_ops it depends on the kind: [`Feature::OpsHelper`].
    Helper {
        /// Type of the calling program.
        prog_type: ProgType,
        /// Number of the helper (`enum bpf_func_id`).
        helper: u32,
    },
    /// The program of this member of an ops structure may call the helper with this number.
    OpsHelper {
        /// Kind of the ops structure.
        kind: String,
        /// Name of the member.
        member: String,
        /// Number of the helper (`enum bpf_func_id`).
        helper: u32,
    },
    /// The kernel has this function for programs (not necessarily for those of every type).
    Kfunc(String),
    /// Ops structures of this kind can be replaced.
    StructOpsKind(String),
    /// Ops maps can be registered by a link (`BPF_F_LINK`, Linux 6.4).
    StructOpsLink,
    /// Ops types of modules (`BPF_F_VTYPE_BTF_OBJ_FD`, Linux 6.9).
    StructOpsModule,
    /// Maps and programs may have names (Linux 4.15).
    ObjectName,
    /// Programs may address values of arrays directly (Linux 5.2).
    GlobalData,
    /// Arrays may be mapped into memory (Linux 5.5).
    MmapableArray,
    /// BTF may have functions (Linux 5.0).
    BtfFunc,
    /// BTF functions may be global (Linux 5.6).
    BtfFuncGlobal,
    /// BTF may have variables and sections (Linux 5.2).
    BtfDatasec,
    /// BTF may have floating point types (Linux 5.13).
    BtfFloat,
    /// BTF may have declaration tags (Linux 5.16).
    BtfDeclTag,
    /// BTF may have type tags (Linux 5.17).
    BtfTypeTag,
    /// BTF may have 64-bit enumerations (Linux 6.0).
    BtfEnum64,
    /// Runs of programs can be counted (`BPF_ENABLE_STATS`, Linux 5.8).
    RunStats,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// It did not let us find out; the number says why (often `EPERM`).
    CannotTell(Errno),
}

impl Answer {
    /// Whether the answer is a clear yes.
    pub fn is_yes(self) -> bool {
        self == Self::Yes
    }
}
