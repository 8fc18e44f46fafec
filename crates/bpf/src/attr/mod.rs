//! The raw form of the arguments of bpf(2), `union bpf_attr`, and of what it says of objects, as plain bytes and both ways.
//!
//! One table a command says which field stands at which offset; encoder, decoder and the test against the running kernel's BTF come from it.
//! Pointers are 64-bit numbers here: what they point to is the business of who makes the call. Only the fields that this interface uses are in the
//! tables. `include/uapi/linux/bpf.h` of Linux 6.18.
//!
//! ```
//! use bpf::attr::{LinkUpdateAttr, Raw};
//!
//! let attr = LinkUpdateAttr { link_fd: 5, new_map_fd: 6, flags: 4, old_map_fd: 7 };
//! let bytes = attr.encode();
//! assert_eq!(bytes[4], 6);
//! assert_eq!(LinkUpdateAttr::decode(&bytes), Ok(attr));
//! ```

mod convert;
mod table;

pub use convert::{c_name, name_bytes};
pub use table::{AttrError, Raw, RawField};

use table::raw;

/// `enum bpf_cmd`: the commands that this interface uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub enum Command {
    MapCreate = 0,
    MapLookupElem = 1,
    MapUpdateElem = 2,
    MapDeleteElem = 3,
    MapGetNextKey = 4,
    ProgLoad = 5,
    ObjPin = 6,
    ObjGet = 7,
    ProgTestRun = 10,
    ProgGetNextId = 11,
    MapGetNextId = 12,
    ProgGetFdById = 13,
    MapGetFdById = 14,
    ObjGetInfoByFd = 15,
    RawTracepointOpen = 17,
    BtfLoad = 18,
    BtfGetFdById = 19,
    MapFreeze = 22,
    BtfGetNextId = 23,
    LinkCreate = 28,
    LinkUpdate = 29,
    LinkGetFdById = 30,
    LinkGetNextId = 31,
    EnableStats = 32,
    LinkDetach = 34,
}

/// `flags` of `BPF_LINK_UPDATE` and of attaching: compare and swap (`BPF_F_REPLACE`).
pub const REPLACE: u32 = 1 << 2;
/// `type` of `BPF_ENABLE_STATS`: run counts and times (`BPF_STATS_RUN_TIME`).
pub const STATS_RUN_TIME: u32 = 0;

raw! {
    /// `BPF_MAP_CREATE`.
    MapCreateAttr in "bpf_attr" "" {
        map_type: u32 = 0,
        key_size: u32 = 4,
        value_size: u32 = 8,
        max_entries: u32 = 12,
        map_flags: u32 = 16,
        inner_map_fd: u32 = 20,
        numa_node: u32 = 24,
        map_name: [u8; 16] = 28,
        map_ifindex: u32 = 44,
        btf_fd: u32 = 48,
        btf_key_type_id: u32 = 52,
        btf_value_type_id: u32 = 56,
        btf_vmlinux_value_type_id: u32 = 60,
        map_extra: u64 = 64,
        value_type_btf_obj_fd: i32 = 72,
        map_token_fd: i32 = 76,
    }
}

raw! {
    /// `BPF_MAP_LOOKUP_ELEM`, `_UPDATE_ELEM`, `_DELETE_ELEM`, `_GET_NEXT_KEY` (whose `next_key` stands where `value` does) and `BPF_MAP_FREEZE`.
    MapElemAttr in "bpf_attr" "" {
        map_fd: u32 = 0,
        key: u64 = 8,
        value: u64 = 16,
        flags: u64 = 24,
    }
}

raw! {
    /// `BPF_PROG_LOAD`.
    ProgLoadAttr in "bpf_attr" "" {
        prog_type: u32 = 0,
        insn_cnt: u32 = 4,
        insns: u64 = 8,
        license: u64 = 16,
        log_level: u32 = 24,
        log_size: u32 = 28,
        log_buf: u64 = 32,
        kern_version: u32 = 40,
        prog_flags: u32 = 44,
        prog_name: [u8; 16] = 48,
        prog_ifindex: u32 = 64,
        expected_attach_type: u32 = 68,
        prog_btf_fd: u32 = 72,
        func_info_rec_size: u32 = 76,
        func_info: u64 = 80,
        func_info_cnt: u32 = 88,
        line_info_rec_size: u32 = 92,
        line_info: u64 = 96,
        line_info_cnt: u32 = 104,
        attach_btf_id: u32 = 108,
        attach_btf_obj_fd: u32 = 112,
        core_relo_cnt: u32 = 116,
        fd_array: u64 = 120,
        core_relos: u64 = 128,
        core_relo_rec_size: u32 = 136,
        log_true_size: u32 = 140,
    }
}

raw! {
    /// `BPF_OBJ_PIN` and `BPF_OBJ_GET`.
    ObjAttr in "bpf_attr" "" {
        pathname: u64 = 0,
        bpf_fd: u32 = 8,
        file_flags: u32 = 12,
    }
}

raw! {
    /// `BPF_PROG_TEST_RUN`.
    TestRunAttr in "bpf_attr" "test" {
        prog_fd: u32 = 0,
        retval: u32 = 4,
        data_size_in: u32 = 8,
        data_size_out: u32 = 12,
        data_in: u64 = 16,
        data_out: u64 = 24,
        repeat: u32 = 32,
        duration: u32 = 36,
        ctx_size_in: u32 = 40,
        ctx_size_out: u32 = 44,
        ctx_in: u64 = 48,
        ctx_out: u64 = 56,
        flags: u32 = 64,
        cpu: u32 = 68,
        batch_size: u32 = 72,
    }
}

raw! {
    /// `BPF_*_GET_NEXT_ID`, and `BPF_*_GET_FD_BY_ID`, whose id stands where `start_id` does.
    IdAttr in "bpf_attr" "" {
        start_id: u32 = 0,
        next_id: u32 = 4,
        open_flags: u32 = 8,
    }
}

raw! {
    /// `BPF_OBJ_GET_INFO_BY_FD`.
    InfoAttr in "bpf_attr" "info" {
        bpf_fd: u32 = 0,
        info_len: u32 = 4,
        info: u64 = 8,
    }
}

raw! {
    /// `BPF_BTF_LOAD`.
    BtfLoadAttr in "bpf_attr" "" {
        btf: u64 = 0,
        btf_log_buf: u64 = 8,
        btf_size: u32 = 16,
        btf_log_size: u32 = 20,
        btf_log_level: u32 = 24,
        btf_log_true_size: u32 = 28,
        btf_flags: u32 = 32,
    }
}

raw! {
    /// `BPF_LINK_CREATE` of an ops map.
    LinkCreateAttr in "bpf_attr" "link_create" {
        map_fd: u32 = 0,
        target_fd: u32 = 4,
        attach_type: u32 = 8,
        flags: u32 = 12,
    }
}

raw! {
    /// `BPF_RAW_TRACEPOINT_OPEN`.
    RawTracepointAttr in "bpf_attr" "raw_tracepoint" {
        name: u64 = 0,
        prog_fd: u32 = 8,
    }
}

raw! {
    /// `BPF_LINK_UPDATE` of an ops map.
    LinkUpdateAttr in "bpf_attr" "link_update" {
        link_fd: u32 = 0,
        new_map_fd: u32 = 4,
        flags: u32 = 8,
        old_map_fd: u32 = 12,
    }
}

raw! {
    /// `BPF_LINK_DETACH`.
    LinkDetachAttr in "bpf_attr" "link_detach" {
        link_fd: u32 = 0,
    }
}

raw! {
    /// `BPF_ENABLE_STATS` (the kernel's field is `type`).
    EnableStatsAttr in "bpf_attr" "enable_stats" {
        r#type: u32 = 0,
    }
}

raw! {
    /// `struct bpf_map_info`.
    MapInfoRaw in "bpf_map_info" "" {
        r#type: u32 = 0,
        id: u32 = 4,
        key_size: u32 = 8,
        value_size: u32 = 12,
        max_entries: u32 = 16,
        map_flags: u32 = 20,
        name: [u8; 16] = 24,
        ifindex: u32 = 40,
        btf_vmlinux_value_type_id: u32 = 44,
        btf_id: u32 = 64,
        btf_key_type_id: u32 = 68,
        btf_value_type_id: u32 = 72,
        btf_vmlinux_id: u32 = 76,
        map_extra: u64 = 80,
    }
}

raw! {
    /// `struct bpf_prog_info`. The bit field `gpl_compatible` is bit 0 of `flag_bits`.
    ProgInfoRaw in "bpf_prog_info" "" {
        r#type: u32 = 0,
        id: u32 = 4,
        tag: [u8; 8] = 8,
        jited_prog_len: u32 = 16,
        xlated_prog_len: u32 = 20,
        jited_prog_insns: u64 = 24,
        xlated_prog_insns: u64 = 32,
        load_time: u64 = 40,
        created_by_uid: u32 = 48,
        nr_map_ids: u32 = 52,
        map_ids: u64 = 56,
        name: [u8; 16] = 64,
        ifindex: u32 = 80,
        gpl_compatible: u32 = 84,
        nr_jited_ksyms: u32 = 104,
        nr_jited_func_lens: u32 = 108,
        btf_id: u32 = 128,
        func_info_rec_size: u32 = 132,
        func_info: u64 = 136,
        nr_func_info: u32 = 144,
        nr_line_info: u32 = 148,
        line_info: u64 = 152,
        line_info_rec_size: u32 = 172,
        run_time_ns: u64 = 192,
        run_cnt: u64 = 200,
        recursion_misses: u64 = 208,
        verified_insns: u32 = 216,
        attach_btf_obj_id: u32 = 220,
        attach_btf_id: u32 = 224,
    }
}

raw! {
    /// `struct bpf_link_info`: the common part, and that of struct_ops.
    LinkInfoRaw in "bpf_link_info" "" {
        r#type: u32 = 0,
        id: u32 = 4,
        prog_id: u32 = 8,
    }
}

raw! {
    /// `struct_ops` of `struct bpf_link_info`, which begins at byte 16 of it.
    LinkInfoStructOps in "bpf_link_info" "struct_ops" {
        map_id: u32 = 0,
    }
}

/// Where [`LinkInfoStructOps`] begins in `struct bpf_link_info`.
pub const LINK_INFO_STRUCT_OPS: usize = 16;

raw! {
    /// `struct bpf_btf_info`.
    BtfInfoRaw in "bpf_btf_info" "" {
        btf: u64 = 0,
        btf_size: u32 = 8,
        id: u32 = 12,
        name: u64 = 16,
        name_len: u32 = 24,
        kernel_btf: u32 = 28,
    }
}

/// For each table: name of the kernel's type, name of the member that holds the fields (empty: an unnamed struct), and the fields.
pub const TABLES: &[(&str, &str, &[RawField])] = &[
    MapCreateAttr::TABLE,
    MapElemAttr::TABLE,
    ProgLoadAttr::TABLE,
    ObjAttr::TABLE,
    TestRunAttr::TABLE,
    IdAttr::TABLE,
    InfoAttr::TABLE,
    BtfLoadAttr::TABLE,
    LinkCreateAttr::TABLE,
    RawTracepointAttr::TABLE,
    LinkUpdateAttr::TABLE,
    LinkDetachAttr::TABLE,
    EnableStatsAttr::TABLE,
    MapInfoRaw::TABLE,
    ProgInfoRaw::TABLE,
    LinkInfoRaw::TABLE,
    LinkInfoStructOps::TABLE,
    BtfInfoRaw::TABLE,
];
