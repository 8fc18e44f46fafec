//! What sources for BPF need of `vmlinux.h` beside the types of a family: the scalars, constants and the packet context that libbpf's headers and
//! most programs name (`include/uapi/linux/bpf.h`, `include/linux/stddef.h`, Linux 6.18).
//!
//! A constant that is here says nothing about what this kernel can do: a program that asks for more is told so.

use bpf::{MapFlags, MapType, UpdateFlags};
use btf::{Builder, Enumerator, Kind, Member, TypeId};

/// Typedefs of integers that the builder knows: `bpf_helper_defs.h` and usual sources use them all.
const SCALARS: [&str; 25] = [
    "bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "__u8", "__u16", "__u32", "__u64", "__s8", "__s16",
    "__s32", "__s64", "__be16", "__be32", "__be64", "__le16", "__le32", "__le64", "__sum16", "__wsum",
];

/// Further typedefs, each of a type before it.
const TYPEDEFS: [(&str, &str); 15] = [
    ("__kernel_long_t", "long int"),
    ("__kernel_ulong_t", "long unsigned int"),
    ("__kernel_size_t", "__kernel_ulong_t"),
    ("__kernel_ssize_t", "__kernel_long_t"),
    ("size_t", "__kernel_size_t"),
    ("ssize_t", "__kernel_ssize_t"),
    ("uint8_t", "u8"),
    ("uint16_t", "u16"),
    ("uint32_t", "u32"),
    ("uint64_t", "u64"),
    ("int8_t", "s8"),
    ("int16_t", "s16"),
    ("int32_t", "s32"),
    ("int64_t", "s64"),
    ("ktime_t", "s64"),
];

pub(crate) fn add(types: &mut Builder) {
    // All names are known; a test holds what became of them to Linux's types.
    for name in SCALARS {
        types.kernel_typedef(name).unwrap_or_default();
    }
    for (name, of) in TYPEDEFS {
        let of = types
            .find(of, Kind::Typedef)
            .or_else(|| types.c_scalar(of))
            .unwrap_or_default();
        types.typedef(name, of);
    }
    values(types, "", &[("false", 0), ("true", 1)]);
    let map_types: Vec<(String, u64)> = MapType::NAMED
        .iter()
        .filter_map(|ty| Some((format!("BPF_MAP_TYPE_{}", ty.name()?.to_uppercase()), u64::from(ty.0))))
        .collect();
    values(types, "bpf_map_type", &map_types);
    let map_flags: Vec<(String, u64)> = MapFlags::all()
        .iter_names()
        .map(|(name, flag)| (format!("BPF_F_{name}"), u64::from(flag.bits())))
        .collect();
    values(types, "", &map_flags);
    let (noexist, exist) = (UpdateFlags::NOEXIST.bits(), UpdateFlags::EXIST.bits());
    let lock = UpdateFlags::LOCK.bits();
    let update = [
        ("BPF_ANY", 0),
        ("BPF_NOEXIST", noexist),
        ("BPF_EXIST", exist),
        ("BPF_F_LOCK", lock),
    ];
    values(types, "", &update);
    let storage = [
        ("BPF_LOCAL_STORAGE_GET_F_CREATE", 1),
        ("BPF_SK_STORAGE_GET_F_CREATE", 1),
    ];
    values(types, "", &storage);
    packet(types);
}

fn values(types: &mut Builder, name: &str, values: &[(impl AsRef<str>, u64)]) {
    let values: Vec<Enumerator<'_>> = values
        .iter()
        .map(|(name, value)| Enumerator::new(name.as_ref(), *value))
        .collect();
    types.enum_type(name, 4, false, &values);
}

/// `struct __sk_buff` up to `data_meta`, word by word, then what is not a word.
const PACKET_WORDS: [(&str, u32); 25] = [
    ("len", 1),
    ("pkt_type", 1),
    ("mark", 1),
    ("queue_mapping", 1),
    ("protocol", 1),
    ("vlan_present", 1),
    ("vlan_tci", 1),
    ("vlan_proto", 1),
    ("priority", 1),
    ("ingress_ifindex", 1),
    ("ifindex", 1),
    ("tc_index", 1),
    ("cb", 5),
    ("hash", 1),
    ("tc_classid", 1),
    ("data", 1),
    ("data_end", 1),
    ("napi_id", 1),
    ("family", 1),
    ("remote_ip4", 1),
    ("local_ip4", 1),
    ("remote_ip6", 4),
    ("local_ip6", 4),
    ("remote_port", 1),
    ("local_port", 1),
];

/// `struct __sk_buff`: what a socket filter is called with.
fn packet(types: &mut Builder) {
    let scalar = |types: &mut Builder, name: &str| types.kernel_typedef(name).unwrap_or(TypeId::VOID);
    let (word, byte, long) = (scalar(types, "__u32"), scalar(types, "__u8"), scalar(types, "__u64"));
    let mut members = Vec::new();
    let mut at = 0;
    for (name, words) in PACKET_WORDS {
        let ty = if words == 1 { word } else { types.array(word, words) };
        members.push(Member::at(name, ty, at));
        at += 4 * words;
    }
    let flow_keys = pointer(types, "flow_keys", "bpf_flow_keys");
    let sk = pointer(types, "sk", "bpf_sock");
    members.extend([
        Member::at("data_meta", word, 140),
        Member::at("", flow_keys, 144),
        Member::at("tstamp", long, 152),
        Member::at("wire_len", word, 160),
        Member::at("gso_segs", word, 164),
        Member::at("", sk, 168),
        Member::at("gso_size", word, 176),
        Member::at("tstamp_type", byte, 180),
        Member::at("hwtstamp", long, 184),
    ]);
    types.struct_type("__sk_buff", 192, &members);
}

/// A pointer in a union of its own, which is eight bytes on every machine (`__bpf_md_ptr`).
fn pointer(types: &mut Builder, name: &str, to: &str) -> TypeId {
    let to = types.fwd(to, false);
    let ty = types.ptr(to);
    types.union_type("", 8, &[Member::at(name, ty, 0)])
}
