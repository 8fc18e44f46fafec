//! What a program for a member of `tcp_congestion_ops` may use, told to the verifier from any kernel's BTF.
//!
//! The rules are those of `net/ipv4/bpf_tcp_ca.c` (Linux 6.18): context from the member's prototype, `struct sock`
//! taken as `struct tcp_sock`, the fields that may be written, kernel functions, helpers of the base set. With
//! Linux's own BTF the verdict can be compared with Linux's; with [`small_btf`] it can be had anywhere.

use std::collections::HashMap;

use btf::{Btf, Builder, Encoding, Kind, Linkage, Member, Param, TypeId};
use verifier::{
    ArgKind, CallContract, CallFlags, Context, CtxField, Environment, MapRef, MapShape, RetKind, ReturnRule,
    StructAccess,
};

/// A map that the programs name by this number instead of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) fd: i32,
    pub(crate) hash: bool,
    pub(crate) key_size: u32,
    pub(crate) value_size: u32,
    pub(crate) entries: u32,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// Filled with [`CONSTANTS`] and frozen.
    pub(crate) frozen: bool,
}

const PLAIN: Known = Known {
    fd: 0,
    hash: false,
    key_size: 4,
    value_size: 16,
    entries: 4,
    readable: true,
    writable: true,
    frozen: false,
};

/// An array of several elements, a hash, a global variable, constants, and maps that programs may only write or read.
pub(crate) const MAPS: [Known; 6] = [
    Known { fd: 1, ..PLAIN },
    Known {
        fd: 2,
        hash: true,
        key_size: 8,
        value_size: 64,
        ..PLAIN
    },
    Known {
        fd: 3,
        value_size: 48,
        entries: 1,
        ..PLAIN
    },
    Known {
        fd: 4,
        entries: 1,
        writable: false,
        frozen: true,
        ..PLAIN
    },
    Known {
        fd: 5,
        entries: 1,
        readable: false,
        ..PLAIN
    },
    Known {
        fd: 6,
        hash: true,
        key_size: 8,
        value_size: 64,
        writable: false,
        ..PLAIN
    },
];

/// The value of the frozen map.
pub(crate) const CONSTANTS: [u8; 16] = [5, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0xff, 0xff, 0xff, 16, 0, 0x80, 0];

/// First byte of a field, byte after the last, and whether a store may begin inside.
type Writable = (u32, u32, bool);

/// Where a program is attached.
pub(crate) struct World {
    btf: Btf,
    context: Context,
    returns: ReturnRule,
    helpers: HashMap<u32, CallContract>,
    kfuncs: HashMap<u32, CallContract>,
    /// `tcp_sock`, and what of it may be written.
    writable: Option<(TypeId, Vec<Writable>)>,
}

/// Fields that `bpf_tcp_ca_btf_struct_access` lets programs write; `true` where a store may begin inside.
const WRITABLE: [(&str, &str, bool); 10] = [
    ("sock", "sk_pacing_rate", false),
    ("sock", "sk_pacing_status", false),
    ("inet_connection_sock", "icsk_ca_priv", true),
    ("inet_connection_sock", "icsk_ack.pending", false),
    ("tcp_sock", "snd_cwnd", false),
    ("tcp_sock", "snd_cwnd_cnt", false),
    ("tcp_sock", "snd_cwnd_stamp", false),
    ("tcp_sock", "snd_ssthresh", false),
    ("tcp_sock", "ecn_flags", false),
    ("tcp_sock", "app_limited", false),
];

/// Kernel functions that congestion controls may call.
pub(crate) const KFUNCS: [&str; 5] = [
    "tcp_slow_start",
    "tcp_cong_avoid_ai",
    "tcp_reno_ssthresh",
    "tcp_reno_undo_cwnd",
    "tcp_reno_cong_avoid",
];

/// The members that the tests load programs for.
pub(crate) const MEMBERS: [&str; 7] = [
    "ssthresh",
    "cong_avoid",
    "cwnd_event",
    "pkts_acked",
    "cong_control",
    "undo_cwnd",
    "init",
];

impl World {
    /// A member of `tcp_congestion_ops`.
    pub(crate) fn member(btf: &Btf, member: &str) -> Self {
        let named = |name: &str| btf.find(name, Kind::Struct).expect("a structure of the kernel");
        let (sock, tcp_sock) = (named("sock"), named("tcp_sock"));
        let field = btf.field(named("tcp_congestion_ops"), member).expect("a member");
        let proto = btf.pointee(field.ty).expect("a pointer").expect("a pointer").id;
        let ret = btf
            .type_by_id(proto)
            .and_then(|ty| ty.func_proto())
            .expect("a function")
            .ret;
        let promote = |ty| if ty == sock { tcp_sock } else { ty };
        let mut helpers = helpers();
        let takes = ArgKind::Btf {
            ty: tcp_sock,
            nullable: false,
        };
        let send_ack = CallContract::new("bpf_tcp_send_ack", &[takes, ArgKind::Anything], RetKind::Scalar);
        helpers.insert(116, send_ack);
        let mut kfuncs = HashMap::new();
        for name in KFUNCS {
            let func = btf.find(name, Kind::Func).expect("a function of the kernel");
            let contract = CallContract::from_btf(btf, func, CallFlags::default()).expect("a function");
            kfuncs.insert(func.0, contract);
        }
        let writable = WRITABLE.map(|(ty, path, inside)| {
            let field = btf.field(named(ty), path).expect("a field");
            let size = btf.size_of(field.ty).expect("a size");
            (field.byte_offset(), field.byte_offset() + size, inside)
        });
        Self {
            context: Context::from_proto(btf, proto, promote, |_| false),
            returns: if ret.is_void() {
                ReturnRule::Void
            } else {
                ReturnRule::Readable
            },
            helpers,
            kfuncs,
            writable: Some((tcp_sock, writable.to_vec())),
            btf: btf.clone(),
        }
    }

    /// A socket filter.
    pub(crate) fn filter(btf: &Btf) -> Self {
        // len, pkt_type, mark of struct __sk_buff.
        let fields = [0, 4, 8].map(|offset| CtxField::readable(offset, 4));
        Self {
            btf: btf.clone(),
            context: Context::Fields(fields.to_vec()),
            returns: ReturnRule::Readable,
            helpers: helpers(),
            kfuncs: HashMap::new(),
            writable: None,
        }
    }
}

/// Helpers of `bpf_base_func_proto` that the programs call.
fn helpers() -> HashMap<u32, CallContract> {
    use ArgKind as A;
    let value = A::MapValue {
        fills: false,
        nullable: false,
    };
    let (text, filled) = (
        A::Mem {
            fills: false,
            writes: false,
            nullable: false,
        },
        A::Mem {
            fills: true,
            writes: true,
            nullable: false,
        },
    );
    let (size, size_or_zero) = (A::MemSize { zero_ok: false }, A::MemSize { zero_ok: true });
    let any = A::Anything;
    let all = [
        (
            1,
            "bpf_map_lookup_elem",
            vec![A::Map, A::MapKey],
            RetKind::MapValueOrNull,
        ),
        (
            2,
            "bpf_map_update_elem",
            vec![A::Map, A::MapKey, value, any],
            RetKind::Scalar,
        ),
        (3, "bpf_map_delete_elem", vec![A::Map, A::MapKey], RetKind::Scalar),
        (5, "bpf_ktime_get_ns", vec![], RetKind::Scalar),
        (6, "bpf_trace_printk", vec![text, size, any, any, any], RetKind::Scalar),
        (7, "bpf_get_prandom_u32", vec![], RetKind::Scalar),
        (
            113,
            "bpf_probe_read_kernel",
            vec![filled, size_or_zero, any],
            RetKind::Scalar,
        ),
        (118, "bpf_jiffies64", vec![], RetKind::Scalar),
    ];
    all.into_iter()
        .map(|(id, name, args, ret)| (id, CallContract::new(name, &args, ret)))
        .collect()
}

/// Structures with the names of Linux's, few fields, and other offsets.
pub(crate) fn small_btf() -> Btf {
    let mut b = Builder::new();
    let u8_ = b.int("unsigned char", 1, Encoding::UNSIGNED);
    let u32_ = b.int("unsigned int", 4, Encoding::UNSIGNED);
    let int = b.int("int", 4, Encoding::SIGNED);
    let u64_ = b.int("long long unsigned int", 8, Encoding::UNSIGNED);
    let sock = b.declare(Kind::Struct, "sock");
    let to_sock = b.ptr(sock);
    b.define(
        sock,
        40,
        &[
            Member::at("sk_socket", to_sock, 0),
            Member::at("sk_rcvbuf", int, 8),
            Member::at("sk_pacing_status", u32_, 12),
            Member::at("sk_pacing_rate", u64_, 16),
            Member::bit_field("sk_shutdown", u8_, 192, 2),
            Member::bit_field("sk_no_check_tx", u8_, 194, 1),
            Member::at("sk_protocol", u8_, 26),
        ],
    );
    let ack = b.struct_type("", 4, &[Member::at("pending", u8_, 0), Member::at("quick", u8_, 1)]);
    let private = b.array(u64_, 13);
    let icsk = b.struct_type(
        "inet_connection_sock",
        160,
        &[
            Member::at("icsk_inet", sock, 0),
            Member::at("icsk_retransmits", u8_, 40),
            Member::at("icsk_ack", ack, 44),
            Member::at("icsk_ca_priv", private, 48),
        ],
    );
    let fields = [
        "snd_cwnd",
        "snd_cwnd_cnt",
        "snd_cwnd_stamp",
        "snd_ssthresh",
        "app_limited",
        "srtt_us",
        "delivered",
    ];
    let mut members = vec![Member::at("inet_conn", icsk, 0)];
    members.extend(
        (0..)
            .zip(fields)
            .map(|(index, name)| Member::at(name, u32_, 160 + 4 * index)),
    );
    members.push(Member::at("ecn_flags", u8_, 188));
    let tcp_sock = b.struct_type("tcp_sock", 192, &members);
    let sample = [Member::at("delivered", u32_, 0), Member::at("rtt_us", u64_, 8)];
    let rate = b.struct_type("rate_sample", 16, &sample);
    let ack_sample = b.struct_type("ack_sample", 16, &sample);
    let (rate, ack_sample) = (b.constant(rate), b.constant(ack_sample));
    let (to_tp, to_rate, to_ack_sample) = (b.ptr(tcp_sock), b.ptr(rate), b.ptr(ack_sample));
    let void = TypeId::VOID;
    let kfuncs: [(TypeId, &[TypeId]); 5] = [
        (u32_, &[to_tp, u32_]),
        (void, &[to_tp, u32_, u32_]),
        (u32_, &[to_sock]),
        (u32_, &[to_sock]),
        (void, &[to_sock, u32_, u32_]),
    ];
    for (name, (ret, params)) in KFUNCS.iter().zip(kfuncs) {
        let proto = proto(&mut b, ret, params);
        b.func(name, proto, Linkage::Static);
    }
    let protos: [(TypeId, &[TypeId]); 7] = [
        (u32_, &[to_sock]),
        (void, &[to_sock, u32_, u32_]),
        (void, &[to_sock, u32_]),
        (void, &[to_sock, to_ack_sample]),
        (void, &[to_sock, u32_, int, to_rate]),
        (u32_, &[to_sock]),
        (void, &[to_sock]),
    ];
    let mut members = Vec::new();
    for (index, (name, (ret, params))) in (0..).zip(MEMBERS.iter().zip(protos)) {
        let proto = proto(&mut b, ret, params);
        members.push(Member::at(name, b.ptr(proto), 8 * index));
    }
    b.struct_type("tcp_congestion_ops", 8 * members.len() as u32, &members);
    b.build().expect("types")
}

fn proto(b: &mut Builder, ret: TypeId, params: &[TypeId]) -> TypeId {
    let params: Vec<Param<'_>> = params.iter().map(|ty| Param::new("arg", *ty)).collect();
    b.func_proto(ret, &params, false)
}

impl Environment for World {
    fn kernel_btf(&self) -> &Btf {
        &self.btf
    }

    fn helper(&self, id: u32) -> Option<&CallContract> {
        self.helpers.get(&id)
    }

    fn kfunc(&self, btf_id: TypeId, module: i16) -> Option<&CallContract> {
        self.kfuncs.get(&btf_id.0).filter(|_| module == 0)
    }

    fn map(&self, map: MapRef) -> Option<MapShape> {
        let MapRef::Fd(fd) = map else {
            return None;
        };
        let known = MAPS.iter().find(|map| map.fd == fd)?;
        Some(MapShape {
            name: format!("map{fd}"),
            identity: fd as u64,
            map_type: if known.hash { 1 } else { 2 },
            key_size: known.key_size,
            value_size: known.value_size,
            readable: known.readable,
            writable: known.writable,
            direct_value: known.entries == 1,
            special: Vec::new(),
        })
    }

    fn helper_takes_map(&self, helper: u32, map: &MapShape) -> bool {
        map.writable || !matches!(helper, 2 | 3)
    }

    fn map_constant(&self, map: MapRef, offset: u32, size: u32) -> Option<u64> {
        MAPS.iter().find(|known| MapRef::Fd(known.fd) == map && known.frozen)?;
        let bytes = CONSTANTS.get(offset as usize..)?.get(..size as usize)?;
        let mut value = [0; 8];
        value[..bytes.len()].copy_from_slice(bytes);
        Some(u64::from_le_bytes(value))
    }

    fn context(&self) -> &Context {
        &self.context
    }

    fn struct_access(&self, ty: TypeId, offset: u32, size: u32) -> StructAccess {
        let Some((_, writable)) = self.writable.as_ref().filter(|(tcp_sock, _)| *tcp_sock == ty) else {
            return StructAccess::ReadOnly;
        };
        let holds = |(start, end, inside): &&Writable| offset == *start || *inside && (*start..*end).contains(&offset);
        match writable.iter().find(holds) {
            None => StructAccess::NoField,
            Some(&(_, end, _)) if offset + size > end => StructAccess::BeyondField { end },
            Some(_) => StructAccess::Allowed,
        }
    }

    fn returns(&self) -> ReturnRule {
        self.returns
    }
}
