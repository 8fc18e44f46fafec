//! What a plan does not do, or does in a way that its author may not expect: no error, but worth a line beside the verdict.

use crate::plan::Plan;
use crate::programs::SkipReason;
use bpf::SourceLine;
use btf::core::BitPlace;
use std::fmt;

/// Something about an object that is worth knowing although it is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanNote {
    /// A program of the object is not loaded.
    ProgramLeftOut {
        /// The program.
        program: String,
        /// The section it stands in.
        section: String,
        /// Why.
        reason: SkipReason,
    },
    /// A variable of an ops structure is not created.
    OpsLeftOut {
        /// The variable.
        ops: String,
    },
    /// The object has types but no `.BTF.ext`: fields are accessed where the object's own types have them.
    NoRecords,
    /// The object wants a map shared by name (`LIBBPF_PIN_BY_NAME`), and it is not.
    NotShared {
        /// The map.
        map: String,
    },
    /// A program reads or writes a bit field by a mask that the compiler fixed, and the kernel has the field at other bits: CO-RE moves
    /// bytes, but no masks. The program works on the wrong bits, without a word from any verifier.
    BitField {
        /// The program.
        program: String,
        /// The field: `tcp_sock.is_cwnd_limited`.
        field: String,
        /// Where the object's types have it.
        object: BitPlace,
        /// Where the kernel has it.
        kernel: BitPlace,
        /// The line that accesses it, if the object knows.
        source: Option<SourceLine>,
    },
}

impl PlanNote {
    /// A word for what the note is about, stable, for programs that read it.
    pub fn about(&self) -> &'static str {
        match self {
            Self::ProgramLeftOut { .. } | Self::OpsLeftOut { .. } => "left_out",
            Self::NoRecords => "no_records",
            Self::NotShared { .. } => "not_shared",
            Self::BitField { .. } => "bit_field",
        }
    }

    /// The program that it concerns, if it is about one.
    pub fn program(&self) -> Option<&str> {
        match self {
            Self::ProgramLeftOut { program, .. } | Self::BitField { program, .. } => Some(program),
            Self::OpsLeftOut { .. } | Self::NoRecords | Self::NotShared { .. } => None,
        }
    }

    /// The line of source that it concerns, if it is about one.
    pub fn source(&self) -> Option<&SourceLine> {
        match self {
            Self::BitField { source, .. } => source.as_ref(),
            Self::ProgramLeftOut { .. } | Self::OpsLeftOut { .. } | Self::NoRecords | Self::NotShared { .. } => None,
        }
    }
}

impl fmt::Display for PlanNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProgramLeftOut {
                program,
                section,
                reason,
            } => {
                write!(f, "program `{program}` (section `{section}`) is left out: {reason}")
            }
            Self::OpsLeftOut { ops } => {
                write!(f, "ops structure `{ops}` is left out: not asked for")
            }
            Self::NoRecords => f.write_str(
                "there is no .BTF.ext: accesses are not fitted to this kernel (CO-RE), and a rejection has no line; clang -g and gcc -gbtf write it",
            ),
            Self::NotShared { map } => write!(
                f,
                "map `{map}` is not shared by name here (LIBBPF_PIN_BY_NAME): it begins empty and ends with its programs; `opswap load` on Linux shares it"
            ),
            Self::BitField {
                program,
                field,
                object,
                kernel,
                source,
            } => {
                let (object, kernel) = (place(*object), place(*kernel));
                write!(f, "program `{program}` ")?;
                if let Some(source) = source {
                    write!(f, "({}:{}) ", source.file, source.line)?;
                }
                write!(
                    f,
                    "accesses `{field}` at {object}, where the types that it was compiled with have it; this kernel has it at {kernel}, and \
                     CO-RE moves no masks: read it by BPF_CORE_READ_BITFIELD, or by read_bits of opswap_tcp.h"
                )
            }
        }
    }
}

/// Bits, counted from the first byte that an access loads.
fn place(place: BitPlace) -> String {
    match place.bits {
        1 => format!("bit {}", place.bit),
        bits => format!("bits {} to {}", place.bit, u64::from(place.bit) + u64::from(bits) - 1),
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAskedFor => "not asked for",
            Self::OpsNotCreated => "no ops structure that is created uses it",
            Self::Unreferenced => "no ops structure refers to it",
            Self::OtherKind => {
                "it belongs to no ops structure; on Linux `opswap load --attach SECTION=TARGET` attaches it"
            }
            Self::UnknownSection => "the name of its section says nothing to libbpf",
            Self::NoTarget => "the kernel's types do not have what its section names",
        })
    }
}

impl Plan {
    /// What is worth a line beside the verdict, in the object's order.
    pub fn notes(&self) -> Vec<PlanNote> {
        // That one is no note but an error of its own.
        let left_out = self.skipped.iter().filter(|one| one.reason != SkipReason::Unreferenced);
        let programs = left_out.map(|skipped| PlanNote::ProgramLeftOut {
            program: skipped.name.clone(),
            section: skipped.section.clone(),
            reason: skipped.reason,
        });
        let ops = self
            .ops_left_out
            .iter()
            .map(|ops| PlanNote::OpsLeftOut { ops: ops.clone() });
        let maps = self.maps.iter().filter(|map| map.by_name && map.pin.is_none());
        let maps = maps.map(|map| PlanNote::NotShared { map: map.name.clone() });
        let bit_fields = self.programs.iter().flat_map(|program| program.notes(self.btf()));
        let records = self.lacks_records.then_some(PlanNote::NoRecords);
        records
            .into_iter()
            .chain(programs)
            .chain(ops)
            .chain(maps)
            .chain(bit_fields)
            .collect()
    }
}
