//! An ops structure of the object, carried over to the kernel's type: member by member, by name.
//!
//! Nothing is created here; the result is plain data. Follows `bpf_map__init_kern_struct_ops` and
//! `find_struct_ops_kern_types` of libbpf (Linux 6.12).
//!
//! ```text
//!   object                              kernel
//!   struct tcp_congestion_ops {         struct bpf_struct_ops_tcp_congestion_ops {
//!     .ssthresh = my_ssthresh             struct bpf_struct_ops_common_value common;   refcnt, state
//!     .name = "mine"                      struct tcp_congestion_ops data;              at data_offset
//!   }                                   }
//! ```

use crate::error::{MemberProblem, PlanError};
use btf::{Btf, Def, Kind, Member, TypeId};
use object::{FunctionIndex, Object, OpsStructure};

/// An ops structure as it will be given to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpsPlan {
    /// The C variable's name; the map's name is made of it.
    pub name: String,
    /// The kernel's type, such as `tcp_congestion_ops`.
    pub kind: String,
    /// Registered through a link (`.struct_ops.link`).
    pub link: bool,
    /// The kernel's types.
    pub types: KernelTypes,
    /// The value of the map: zeros, and the data members at their place. Function slots are still zero.
    pub value: Vec<u8>,
    /// Members of the object's type and what becomes of each, in its order.
    pub members: Vec<MemberPlan>,
}

/// Where the kernel has an ops kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelTypes {
    /// Index in [`crate::PlanOptions::modules`]; none when the kernel itself has it.
    pub module: Option<usize>,
    /// The ops structure; programs are attached to it.
    pub ty: TypeId,
    /// `bpf_struct_ops_<kind>`; the map's value is of this type.
    pub value_ty: TypeId,
    /// Size of the map's value in bytes.
    pub value_size: u32,
    /// Where the ops structure is in the value, in bytes.
    pub data_offset: u32,
}

/// What becomes of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPlan {
    /// The member's name.
    pub name: String,
    /// Its fate.
    pub fate: Fate,
}

/// What becomes of a member of the object's ops structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A program is put in.
    Program {
        /// The program.
        program: FunctionIndex,
        /// Its name.
        name: String,
        /// Index of the member in the kernel's type: what the program is attached to.
        kernel_member: u32,
        /// Where the program's descriptor goes in the map's value, in bytes.
        offset: u32,
    },
    /// Data is copied.
    Data {
        /// Where it goes in the map's value, in bytes.
        offset: u32,
        /// Its size in bytes.
        size: u32,
    },
    /// A pointer that stays null.
    Null,
    /// The kernel does not have it, and the object leaves it zero.
    Absent,
}

impl OpsPlan {
    /// The member's bytes in the map's value; none if it is not data.
    pub fn data(&self, member: &str) -> Option<&[u8]> {
        let found = self.members.iter().find(|plan| plan.name == member)?;
        match found.fate {
            Fate::Data { offset, size } => self.value.get(offset as usize..offset as usize + size as usize),
            Fate::Program { .. } | Fate::Null | Fate::Absent => None,
        }
    }

    /// The text of a `char` array, up to its NUL.
    pub fn text(&self, member: &str) -> Option<String> {
        let bytes = self.data(member)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    /// The names of the programs, in the order of the members.
    pub fn program_names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().filter_map(|member| match &member.fate {
            Fate::Program { name, .. } => Some(name.as_str()),
            Fate::Data { .. } | Fate::Null | Fate::Absent => None,
        })
    }

    /// The programs with their member's name and fate.
    pub fn programs(&self) -> impl Iterator<Item = (&str, FunctionIndex, u32, u32)> {
        self.members.iter().filter_map(|member| match member.fate {
            Fate::Program {
                program,
                kernel_member,
                offset,
                ..
            } => Some((member.name.as_str(), program, kernel_member, offset)),
            Fate::Data { .. } | Fate::Null | Fate::Absent => None,
        })
    }
}

/// Largest value that is made, in bytes; types that say more are damaged (Linux takes some pages of programs).
const VALUE_BYTES_MAX: u32 = 16 << 20;

/// Finds the kind in the kernel, then in its modules.
pub(crate) fn kernel_types(kind: &str, kernel: &Btf, modules: &[bpf::ModuleBtf]) -> Result<KernelTypes, PlanError> {
    let lacks = || PlanError::NoOpsKind { kind: kind.to_owned() };
    let (module, btf, ty) = match kernel.find(kind, Kind::Struct) {
        Some(ty) => (None, kernel, ty),
        None => modules
            .iter()
            .enumerate()
            .find_map(|(index, module)| Some((Some(index), &module.btf, module.btf.find(kind, Kind::Struct)?)))
            .ok_or_else(lacks)?,
    };
    let value_ty = btf
        .find(&format!("bpf_struct_ops_{kind}"), Kind::Struct)
        .ok_or_else(lacks)?;
    let value = btf
        .type_by_id(value_ty)
        .and_then(|ty| ty.composite())
        .filter(|value| value.size <= VALUE_BYTES_MAX)
        .ok_or_else(lacks)?;
    // The member that holds the ops structure is found by its type: only its place matters.
    let data = value
        .members()
        .find(|member| btf.skip_mods_and_typedefs(member.ty) == Ok(ty))
        .ok_or_else(lacks)?;
    Ok(KernelTypes {
        module,
        ty,
        value_ty,
        value_size: value.size,
        data_offset: data.byte_offset(),
    })
}

/// Carries one ops structure over.
pub(crate) fn plan(
    object: &Object,
    ops: &OpsStructure,
    kernel: &Btf,
    modules: &[bpf::ModuleBtf],
) -> Result<OpsPlan, PlanError> {
    let types = kernel_types(&ops.kind, kernel, modules)?;
    let target = types
        .module
        .and_then(|index| modules.get(index))
        .map_or(kernel, |module| &module.btf);
    let local = object.btf.as_ref().ok_or(PlanError::NoBtf)?;
    let mut plan = OpsPlan {
        name: ops.name.clone(),
        kind: ops.kind.clone(),
        link: ops.link,
        types,
        value: vec![0; types.value_size as usize],
        members: Vec::new(),
    };
    let composite = local
        .type_by_id(ops.ty)
        .and_then(|ty| ty.composite())
        .ok_or(PlanError::NoBtf)?;
    for (index, member) in composite.members().enumerate() {
        let carrier = Carrier {
            object,
            ops,
            local,
            kernel: target,
            types,
        };
        let fate = carrier
            .carry(index as u32, &member, &mut plan.value)
            .map_err(|problem| PlanError::Member {
                ops: ops.name.clone(),
                kind: ops.kind.clone(),
                member: member.name.to_owned(),
                problem,
            })?;
        plan.members.push(MemberPlan {
            name: member.name.to_owned(),
            fate,
        });
    }
    Ok(plan)
}

struct Carrier<'a> {
    object: &'a Object,
    ops: &'a OpsStructure,
    local: &'a Btf,
    kernel: &'a Btf,
    types: KernelTypes,
}

impl Carrier<'_> {
    fn carry(&self, index: u32, member: &Member<'_>, value: &mut [u8]) -> Result<Fate, MemberProblem> {
        let size = self.local.size_of(member.ty).map_err(|_| MemberProblem::NoSize)?;
        let bytes = self.bytes(member, size)?;
        let program = self
            .ops
            .programs
            .iter()
            .find(|assigned| assigned.member == index)
            .map(|assigned| assigned.program);
        let composite = self.kernel.type_by_id(self.types.ty).and_then(|ty| ty.composite());
        let Some((kernel_index, kernel_member)) = composite.and_then(|c| c.member_named(member.name)) else {
            let zero = program.is_none() && bytes.iter().all(|byte| *byte == 0);
            return if zero {
                Ok(Fate::Absent)
            } else {
                Err(MemberProblem::Absent)
            };
        };
        let bit_field = |btf: &Btf, member| btf.bit_field(member).is_some();
        if bit_field(self.local, member) || bit_field(self.kernel, &kernel_member) {
            return Err(MemberProblem::BitField);
        }
        let kind = |btf: &Btf, ty| btf.resolve(ty).map(|ty| ty.kind()).map_err(|_| MemberProblem::NoSize);
        let (object_kind, kernel_kind) = (kind(self.local, member.ty)?, kind(self.kernel, kernel_member.ty)?);
        if object_kind != kernel_kind {
            return Err(MemberProblem::Kind {
                object: object_kind,
                kernel: kernel_kind,
            });
        }
        let offset = self.types.data_offset.saturating_add(kernel_member.byte_offset());
        if object_kind == Kind::Ptr {
            return match program {
                Some(_) if offset as usize + 8 > value.len() => Err(MemberProblem::NoSize),
                Some(program) if self.is_function_pointer(&kernel_member) => Ok(Fate::Program {
                    program,
                    name: self
                        .object
                        .function(program)
                        .map_or_else(String::new, |function| function.name.clone()),
                    kernel_member: kernel_index as u32,
                    offset,
                }),
                Some(_) => Err(MemberProblem::NotAFunction),
                None if bytes.iter().all(|byte| *byte == 0) => Ok(Fate::Null),
                None => Err(MemberProblem::Pointer),
            };
        }
        let kernel_size = self
            .kernel
            .size_of(kernel_member.ty)
            .map_err(|_| MemberProblem::NoSize)?;
        if size != kernel_size {
            return Err(MemberProblem::Size {
                object: size,
                kernel: kernel_size,
            });
        }
        value
            .get_mut(offset as usize..offset as usize + size as usize)
            .ok_or(MemberProblem::NoSize)?
            .copy_from_slice(bytes);
        Ok(Fate::Data { offset, size })
    }

    fn bytes(&self, member: &Member<'_>, size: u32) -> Result<&[u8], MemberProblem> {
        let start = member.byte_offset() as usize;
        self.ops
            .bytes
            .get(start..start + size as usize)
            .ok_or(MemberProblem::NoSize)
    }

    fn is_function_pointer(&self, member: &Member<'_>) -> bool {
        matches!(self.kernel.pointee(member.ty), Ok(Some(ty)) if matches!(ty.def, Def::FuncProto(_)))
    }
}
