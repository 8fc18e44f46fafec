//! A small world to verify programs in: a kernel with a few structures, helpers, kernel functions and maps.
//!
//! Two attach points: `filter`, whose helpers, maps and context are those of a Linux packet classifier, so that
//! Linux can be asked about the same program; and `tcp`, an operation with typed arguments.

use std::collections::HashMap;

use btf::{Btf, Builder, Encoding, Kind, Linkage, Member, Param, TypeId};
use isa::Insn;
use verifier::{
    ArgKind, CallContract, CallFlags, Context, CtxArg, CtxField, Environment, Failure, MapRef, MapShape, Options,
    Program, RetKind, ReturnRule, SpecialField, StructAccess, Verified,
};

/// An attach point.
pub(crate) struct World {
    btf: Btf,
    helpers: HashMap<u32, CallContract>,
    kfuncs: HashMap<u32, CallContract>,
    context: Context,
    pub(crate) returns: ReturnRule,
    tcp_sock: Option<TypeId>,
}

/// Map "file descriptors" of the programs: what they are on Linux too.
pub(crate) const ARRAY: i32 = 1;
pub(crate) const HASH: i32 = 2;
pub(crate) const GLOBAL: i32 = 3;
pub(crate) const READ_ONLY: i32 = 4;

impl World {
    /// A packet classifier.
    pub(crate) fn filter() -> Self {
        // len, pkt_type, mark, hash of struct __sk_buff.
        let fields = [0, 4, 8, 32].map(|offset| CtxField::readable(offset, 4));
        Self {
            btf: Builder::new().build().unwrap(),
            helpers: helpers(),
            kfuncs: HashMap::new(),
            context: Context::Fields(fields.to_vec()),
            returns: ReturnRule::Scalar,
            tcp_sock: None,
        }
    }

    /// `u32 op(struct tcp_sock *sk, u32 ack, struct rate_sample *rs /* nullable */)`.
    pub(crate) fn tcp() -> Self {
        let btf = kernel_types();
        let named = |name: &str| btf.find(name, Kind::Struct).unwrap();
        let (sock, tcp_sock, rate_sample) = (named("sock"), named("tcp_sock"), named("rate_sample"));
        let structure = |ty, nullable| CtxArg::Btf {
            ty,
            nullable,
            trusted: true,
        };
        let mut world = Self {
            context: Context::Args(vec![
                structure(tcp_sock, false),
                CtxArg::Scalar { size: 4 },
                structure(rate_sample, true),
                CtxArg::Unknown,
            ]),
            tcp_sock: Some(tcp_sock),
            ..Self::filter()
        };
        let takes_tcp_sock = ArgKind::Btf {
            ty: tcp_sock,
            nullable: false,
        };
        let send_ack = CallContract::new(
            "bpf_tcp_send_ack",
            &[takes_tcp_sock, ArgKind::Anything],
            RetKind::Scalar,
        );
        world.helpers.insert(116, send_ack);
        for (id, name, flags) in [
            (1, "tcp_slow_start", CallFlags::default()),
            (
                2,
                "tcp_take",
                CallFlags {
                    acquire: true,
                    ..CallFlags::default()
                },
            ),
            (
                3,
                "tcp_give",
                CallFlags {
                    release: true,
                    ..CallFlags::default()
                },
            ),
            (
                4,
                "tcp_lock",
                CallFlags {
                    unsupported: Some("locks"),
                    ..CallFlags::default()
                },
            ),
            (5, "tcp_fill", CallFlags::default()),
        ] {
            let func = btf.find(name, Kind::Func).unwrap();
            let flags = CallFlags {
                ret_null: true,
                ..flags
            };
            let contract = CallContract::from_btf(&btf, func, flags).unwrap();
            world.kfuncs.insert(id, contract);
        }
        let socket = RetKind::Btf {
            ty: sock,
            nullable: false,
            trusted: true,
        };
        let get = CallContract::new("tcp_get", &[takes_tcp_sock], socket);
        let constant = CallContract::new("tcp_constant", &[ArgKind::ConstScalar], RetKind::Void);
        world.kfuncs.extend([(6, get), (7, constant)]);
        world.btf = btf;
        world
    }

    /// The same without a return value.
    pub(crate) fn tcp_void() -> Self {
        Self {
            returns: ReturnRule::Void,
            ..Self::tcp()
        }
    }

    /// A filter that must return 0 or 1.
    pub(crate) fn boolean() -> Self {
        Self {
            returns: ReturnRule::Range { min: 0, max: 1 },
            ..Self::filter()
        }
    }

    /// By the name that the test cases use.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "filter" => Self::filter(),
            "tcp" => Self::tcp(),
            "void" => Self::tcp_void(),
            "bool" => Self::boolean(),
            _ => panic!("no world {name}"),
        }
    }

    /// Verify instructions without debug information.
    pub(crate) fn verify(&self, insns: &[Insn]) -> Result<Verified, Failure> {
        verifier::verify(&Program::new(insns), self, &Options::default())
    }
}

fn helpers() -> HashMap<u32, CallContract> {
    use ArgKind as A;
    let value = A::MapValue {
        fills: false,
        nullable: false,
    };
    let fills = A::Mem {
        fills: true,
        writes: true,
        nullable: false,
    };
    let reads_or_null = A::Mem {
        fills: false,
        writes: false,
        nullable: true,
    };
    let size = A::MemSize { zero_ok: false };
    let size_or_zero = A::MemSize { zero_ok: true };
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
            vec![A::Map, A::MapKey, value, A::Anything],
            RetKind::Scalar,
        ),
        (3, "bpf_map_delete_elem", vec![A::Map, A::MapKey], RetKind::Scalar),
        (5, "bpf_ktime_get_ns", vec![], RetKind::Scalar),
        (7, "bpf_get_prandom_u32", vec![], RetKind::Scalar),
        (
            26,
            "bpf_skb_load_bytes",
            vec![A::Ctx, A::Anything, fills, size],
            RetKind::Scalar,
        ),
        (
            28,
            "bpf_csum_diff",
            vec![reads_or_null, size_or_zero, reads_or_null, size_or_zero, A::Anything],
            RetKind::Scalar,
        ),
        (
            12,
            "bpf_tail_call",
            vec![A::Ctx, A::Map, A::Anything],
            RetKind::Unknown("tail calls"),
        ),
    ];
    all.into_iter()
        .map(|(id, name, args, ret)| (id, CallContract::new(name, &args, ret)))
        .collect()
}

fn kernel_types() -> Btf {
    let mut b = Builder::new();
    let u8_ = b.int("unsigned char", 1, Encoding::UNSIGNED);
    let u32_ = b.int("unsigned int", 4, Encoding::UNSIGNED);
    let u64_ = b.int("unsigned long", 8, Encoding::UNSIGNED);
    let sock = b.declare(Kind::Struct, "sock");
    let to_sock = b.ptr(sock);
    let rcu_sock = b.type_tag("rcu", sock);
    let to_rcu_sock = b.ptr(rcu_sock);
    let user_sock = b.type_tag("user", sock);
    let to_user_sock = b.ptr(user_sock);
    let to_u32 = b.ptr(u32_);
    let either = b.union_type("", 8, &[Member::at("ptr", to_sock, 0), Member::at("number", u64_, 0)]);
    b.define(
        sock,
        72,
        &[
            Member::at("sk_state", u32_, 0),
            Member::bit_field("sk_shutdown", u32_, 32, 2),
            Member::bit_field("sk_kind", u32_, 34, 10),
            Member::at("sk_pacing_rate", u64_, 16),
            Member::at("sk_next", to_sock, 24),
            Member::at("sk_either", either, 32),
            Member::at("sk_safe", to_rcu_sock, 40),
            Member::at("sk_user", to_user_sock, 48),
            Member::at("sk_count", to_u32, 56),
        ],
    );
    let private = b.array(u64_, 13);
    let inet = b.struct_type(
        "inet_connection_sock",
        184,
        &[
            Member::at("icsk_sock", sock, 0),
            Member::at("icsk_retransmits", u8_, 72),
            Member::at("icsk_ca_priv", private, 80),
        ],
    );
    let flexible = b.array(u32_, 0);
    let tcp_sock = b.struct_type(
        "tcp_sock",
        208,
        &[
            Member::at("inet_conn", inet, 0),
            Member::at("snd_cwnd", u32_, 184),
            Member::at("snd_ssthresh", u32_, 188),
            Member::at("srtt_us", u32_, 192),
            Member::at("snd_nxt", u32_, 200),
        ],
    );
    let with_tail = b.struct_type(
        "rate_sample",
        16,
        &[Member::at("delivered", u32_, 0), Member::at("samples", flexible, 16)],
    );
    let (to_tcp_sock, to_rate_sample) = (b.ptr(tcp_sock), b.ptr(with_tail));
    let void = TypeId::VOID;
    let mut func = |name: &str, ret, params: &[(&str, TypeId)]| {
        let params: Vec<Param<'_>> = params.iter().map(|(name, ty)| Param::new(name, *ty)).collect();
        let proto = b.func_proto(ret, &params, false);
        b.func(name, proto, Linkage::Static);
    };
    func("tcp_slow_start", u32_, &[("tp", to_tcp_sock), ("acked", u32_)]);
    func("tcp_take", to_sock, &[("sk", to_sock)]);
    func("tcp_give", void, &[("sk", to_sock)]);
    func("tcp_lock", void, &[("sk", to_sock)]);
    func("tcp_fill", void, &[("to", to_u32), ("to__sz", u32_)]);
    let _ = to_rate_sample;
    b.build().unwrap()
}

impl Environment for World {
    fn kernel_btf(&self) -> &Btf {
        &self.btf
    }

    fn helper(&self, id: u32) -> Option<&CallContract> {
        self.helpers.get(&id)
    }

    fn kfunc(&self, btf_id: TypeId, _module: i16) -> Option<&CallContract> {
        self.kfuncs.get(&btf_id.0)
    }

    fn map(&self, map: MapRef) -> Option<MapShape> {
        let MapRef::Fd(fd) = map else {
            return None;
        };
        let shape = |name: &str, map_type, value_size| MapShape {
            name: name.to_owned(),
            identity: fd as u64,
            map_type,
            key_size: 4,
            value_size,
            readable: true,
            writable: true,
            direct_value: false,
            special: Vec::new(),
        };
        Some(match fd {
            ARRAY => shape("array", 2, 16),
            HASH => MapShape {
                key_size: 8,
                ..shape("hash", 1, 64)
            },
            GLOBAL => MapShape {
                direct_value: true,
                ..shape("global", 2, 48)
            },
            READ_ONLY => MapShape {
                writable: false,
                direct_value: true,
                ..shape("rodata", 2, 8)
            },
            5 => MapShape {
                special: vec![SpecialField {
                    offset: 8,
                    size: 4,
                    what: "bpf_spin_lock",
                }],
                direct_value: true,
                ..shape("locked", 2, 32)
            },
            6 => shape("maps", 12, 8),
            7 => MapShape {
                readable: false,
                direct_value: true,
                ..shape("writeonly", 2, 8)
            },
            8 => MapShape {
                special: vec![SpecialField {
                    offset: 0,
                    size: 8,
                    what: "kptr",
                }],
                direct_value: true,
                ..shape("kptrs", 2, 16)
            },
            _ => return None,
        })
    }

    fn helper_takes_map(&self, helper: u32, map: &MapShape) -> bool {
        map.writable || !matches!(helper, 2 | 3)
    }

    fn map_constant(&self, map: MapRef, offset: u32, size: u32) -> Option<u64> {
        (map == MapRef::Fd(READ_ONLY)).then(|| {
            let bytes = READ_ONLY_VALUE.to_le_bytes();
            let mut value = [0; 8];
            let (from, size) = (offset as usize, size as usize);
            value[..size].copy_from_slice(&bytes[from..from + size]);
            u64::from_le_bytes(value)
        })
    }

    fn context(&self) -> &Context {
        &self.context
    }

    fn struct_access(&self, ty: TypeId, offset: u32, size: u32) -> StructAccess {
        if Some(ty) != self.tcp_sock {
            return StructAccess::ReadOnly;
        }
        let end = match offset {
            16 => 24,
            80..184 => 184,
            184 => 188,
            188 => 192,
            _ => return StructAccess::NoField,
        };
        if offset + size > end {
            return StructAccess::BeyondField { end };
        }
        StructAccess::Allowed
    }

    fn returns(&self) -> ReturnRule {
        self.returns
    }
}

/// What is in the value of [`READ_ONLY`].
pub(crate) const READ_ONLY_VALUE: u64 = 0x8000_0000_0000_0005;
