//! From typed arguments to raw ones and from raw information to typed. Pointers stay zero: the caller of the system call puts them in.

use super::{
    BtfInfoRaw, LINK_INFO_STRUCT_OPS, LinkInfoRaw, LinkInfoStructOps, MapCreateAttr, MapInfoRaw, ProgInfoRaw,
    ProgLoadAttr, Raw,
};
use crate::{
    BtfInfo, Errno, Fd, FuncInfo, LineInfo, LinkInfo, LinkType, MapCreate, MapFlags, MapInfo, MapType, OBJECT_NAME_MAX,
    ProgInfo, ProgLoad, ProgType,
};

/// A name as the kernel's fixed field of 16 bytes has it.
///
/// # Errors
/// `EINVAL` when it has more than [`OBJECT_NAME_MAX`] bytes or a zero in it.
pub fn name_bytes(name: &str) -> Result<[u8; 16], Errno> {
    if name.len() > OBJECT_NAME_MAX || name.contains('\0') {
        return Err(Errno::EINVAL);
    }
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Ok(bytes)
}

/// A name out of a zero-terminated field.
pub fn c_name(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn fd_bits<K>(fd: Option<&Fd<K>>) -> u32 {
    fd.map_or(0, |fd| fd.raw() as u32)
}

impl TryFrom<&MapCreate<'_>> for MapCreateAttr {
    type Error = Errno;

    fn try_from(args: &MapCreate<'_>) -> Result<Self, Errno> {
        Ok(Self {
            map_type: args.map_type.0,
            key_size: args.key_size,
            value_size: args.value_size,
            max_entries: args.max_entries,
            map_flags: args.flags.bits(),
            inner_map_fd: fd_bits(args.inner_map),
            numa_node: args.numa_node,
            map_name: name_bytes(args.name)?,
            btf_fd: fd_bits(args.btf),
            btf_key_type_id: args.btf_key_type_id,
            btf_value_type_id: args.btf_value_type_id,
            btf_vmlinux_value_type_id: args.btf_vmlinux_value_type_id,
            map_extra: args.map_extra,
            value_type_btf_obj_fd: args.value_type_btf.map_or(0, Fd::raw),
            ..Self::default()
        })
    }
}

impl TryFrom<&ProgLoad<'_>> for ProgLoadAttr {
    type Error = Errno;

    fn try_from(args: &ProgLoad<'_>) -> Result<Self, Errno> {
        let count = |len: usize| u32::try_from(len).map_err(|_| Errno::E2BIG);
        let attach_btf_obj_fd = match (args.attach_btf, args.attach_prog) {
            (Some(_), Some(_)) => return Err(Errno::EINVAL),
            (btf, None) => fd_bits(btf),
            (None, prog) => fd_bits(prog),
        };
        let record = |size: usize, empty: bool| if empty { 0 } else { size as u32 };
        Ok(Self {
            prog_type: args.prog_type.0,
            insn_cnt: count(args.insns.len())?,
            kern_version: args.kern_version,
            prog_flags: args.flags.bits(),
            prog_name: name_bytes(args.name)?,
            expected_attach_type: args.expected_attach_type.0,
            prog_btf_fd: fd_bits(args.btf),
            func_info_rec_size: record(FuncInfo::BYTES, args.func_info.is_empty()),
            func_info_cnt: count(args.func_info.len())?,
            line_info_rec_size: record(LineInfo::BYTES, args.line_info.is_empty()),
            line_info_cnt: count(args.line_info.len())?,
            attach_btf_id: args.attach_btf_id,
            attach_btf_obj_fd,
            ..Self::default()
        })
    }
}

impl FuncInfo {
    /// Bytes of a record.
    pub const BYTES: usize = 8;

    /// As `struct bpf_func_info`.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        words([self.insn_off, self.type_id])
    }
}

impl LineInfo {
    /// Bytes of a record.
    pub const BYTES: usize = 16;

    /// As `struct bpf_line_info`.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        words([self.insn_off, self.file_name_off, self.line_off, self.line_col])
    }
}

fn words<const N: usize, const BYTES: usize>(values: [u32; N]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (slot, value) in bytes.chunks_exact_mut(4).zip(values) {
        slot.copy_from_slice(&value.to_ne_bytes());
    }
    bytes
}

impl From<&MapInfoRaw> for MapInfo {
    fn from(raw: &MapInfoRaw) -> Self {
        Self {
            map_type: MapType(raw.r#type),
            id: raw.id,
            key_size: raw.key_size,
            value_size: raw.value_size,
            max_entries: raw.max_entries,
            flags: MapFlags::from_bits_retain(raw.map_flags),
            name: c_name(&raw.name),
            btf_vmlinux_id: raw.btf_vmlinux_id,
            btf_vmlinux_value_type_id: raw.btf_vmlinux_value_type_id,
            btf_id: raw.btf_id,
            btf_key_type_id: raw.btf_key_type_id,
            btf_value_type_id: raw.btf_value_type_id,
            map_extra: raw.map_extra,
        }
    }
}

impl ProgInfoRaw {
    /// The typed form, with the ids that `map_ids` points to.
    pub fn with_map_ids(&self, map_ids: Vec<u32>) -> ProgInfo {
        ProgInfo {
            prog_type: ProgType(self.r#type),
            id: self.id,
            name: c_name(&self.name),
            tag: self.tag,
            load_time_ns: self.load_time,
            created_by_uid: self.created_by_uid,
            gpl_compatible: self.gpl_compatible & 1 == 1,
            map_ids,
            btf_id: self.btf_id,
            attach_btf_obj_id: self.attach_btf_obj_id,
            attach_btf_id: self.attach_btf_id,
            verified_insns: self.verified_insns,
            xlated_len: self.xlated_prog_len,
            jited_len: self.jited_prog_len,
            run_time_ns: self.run_time_ns,
            run_cnt: self.run_cnt,
            recursion_misses: self.recursion_misses,
        }
    }
}

impl BtfInfoRaw {
    /// The typed form, with the text that `name` points to.
    pub fn with_name(&self, name: String) -> BtfInfo {
        BtfInfo {
            id: self.id,
            name,
            kernel: self.kernel_btf != 0,
            size: self.btf_size,
        }
    }
}

impl LinkInfo {
    /// The typed form of `struct bpf_link_info`, as many bytes of it as the kernel wrote.
    pub fn from_raw(bytes: &[u8]) -> Self {
        let common = LinkInfoRaw::decode(&bytes[..bytes.len().min(LinkInfoRaw::SIZE)]).unwrap_or_default();
        let link_type = LinkType(common.r#type);
        let ops = bytes.get(LINK_INFO_STRUCT_OPS..LINK_INFO_STRUCT_OPS + LinkInfoStructOps::SIZE);
        let ops = ops.and_then(|bytes| LinkInfoStructOps::decode(bytes).ok());
        Self {
            link_type,
            id: common.id,
            prog_id: common.prog_id,
            map_id: ops.filter(|_| link_type == LinkType::STRUCT_OPS).map(|ops| ops.map_id),
        }
    }
}
