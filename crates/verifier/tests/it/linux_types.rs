//! Linux's own types as the environment of `tcp_congestion_ops` programs.

use std::collections::HashMap;

use btf::{Btf, Kind, TypeId};
use isa::Insn;
use loader::{OpenKind, Plan, ProgramPlan};
use verifier::{
    ArgKind, CallContract, CallFlags, Context, Environment, MapRef, MapShape, RetKind, ReturnRule, StructAccess,
};

/// `tcp_congestion_ops` programs on Linux (`net/ipv4/bpf_tcp_ca.c`).
pub(crate) struct Tcp<'a> {
    btf: &'a Btf,
    plan: Option<&'a Plan>,
    pub(crate) tcp_sock: TypeId,
    context: Context,
    returns: ReturnRule,
    helpers: HashMap<u32, CallContract>,
    kfuncs: HashMap<u32, CallContract>,
    /// Writable ranges of `struct tcp_sock`.
    pub(crate) writable: Vec<(u32, u32)>,
}

impl<'a> Tcp<'a> {
    /// For a member of `struct tcp_congestion_ops`.
    pub(crate) fn new(btf: &'a Btf, plan: Option<&'a Plan>, ty: TypeId, member_index: u32) -> Self {
        let structure = |name: &str| btf.find(name, Kind::Struct).unwrap();
        let (sock, tcp_sock) = (structure("sock"), structure("tcp_sock"));
        let ops = btf.type_by_id(ty).unwrap().composite().unwrap();
        let member = ops.member(member_index as usize).unwrap();
        let proto = btf.pointee(member.ty).unwrap().unwrap();
        let promote = |ty| if ty == sock { tcp_sock } else { ty };
        let context = Context::from_proto(btf, proto.id, promote, |_| false);
        let void = proto.func_proto().unwrap().ret.is_void();
        Self {
            btf,
            plan,
            tcp_sock,
            context,
            returns: if void { ReturnRule::Void } else { ReturnRule::Scalar },
            helpers: helpers(btf, tcp_sock),
            kfuncs: kfuncs(btf),
            writable: [
                ("sock", "sk_pacing_rate"),
                ("sock", "sk_pacing_status"),
                ("inet_connection_sock", "icsk_ca_priv"),
                ("inet_connection_sock", "icsk_ack.pending"),
                ("tcp_sock", "snd_cwnd"),
                ("tcp_sock", "snd_cwnd_cnt"),
                ("tcp_sock", "snd_cwnd_stamp"),
                ("tcp_sock", "snd_ssthresh"),
                ("tcp_sock", "ecn_flags"),
                ("tcp_sock", "app_limited"),
            ]
            .into_iter()
            .filter_map(|(owner, name)| {
                // All three begin at the same address.
                let field = btf.field(structure(owner), name).ok()?;
                let start = field.bit_offset / 8;
                Some((start, start + btf.size_of(field.ty).unwrap()))
            })
            .collect(),
        }
    }
}

fn helpers(btf: &Btf, tcp_sock: TypeId) -> HashMap<u32, CallContract> {
    use ArgKind as A;
    let sock_common = btf.find("sock_common", Kind::Struct).unwrap();
    let structure = |ty| A::Btf { ty, nullable: false };
    let value = |nullable| A::MapValue { fills: false, nullable };
    let any = A::Anything;
    let fills = A::Mem {
        fills: true,
        writes: true,
        nullable: false,
    };
    let mem = A::Mem {
        fills: false,
        writes: false,
        nullable: false,
    };
    [
        (
            1,
            "bpf_map_lookup_elem",
            vec![A::Map, A::MapKey],
            RetKind::MapValueOrNull,
        ),
        (
            2,
            "bpf_map_update_elem",
            vec![A::Map, A::MapKey, value(false), any],
            RetKind::Scalar,
        ),
        (5, "bpf_ktime_get_ns", vec![], RetKind::Scalar),
        (7, "bpf_get_prandom_u32", vec![], RetKind::Scalar),
        (118, "bpf_jiffies64", vec![], RetKind::Scalar),
        (
            107,
            "bpf_sk_storage_get",
            vec![A::Map, structure(sock_common), value(true), any],
            RetKind::MapValueOrNull,
        ),
        (
            49,
            "bpf_setsockopt",
            vec![structure(sock_common), any, any, mem, A::MemSize { zero_ok: false }],
            RetKind::Scalar,
        ),
        (
            57,
            "bpf_getsockopt",
            vec![structure(sock_common), any, any, fills, A::MemSize { zero_ok: false }],
            RetKind::Scalar,
        ),
        (
            108,
            "bpf_sk_storage_delete",
            vec![A::Map, structure(sock_common)],
            RetKind::Scalar,
        ),
        (116, "bpf_tcp_send_ack", vec![structure(tcp_sock), any], RetKind::Scalar),
        (160, "bpf_ktime_get_coarse_ns", vec![], RetKind::Scalar),
    ]
    .into_iter()
    .map(|(id, name, args, ret)| (id, CallContract::new(name, &args, ret)))
    .collect()
}

fn kfuncs(btf: &Btf) -> HashMap<u32, CallContract> {
    let offered = [
        "tcp_reno_ssthresh",
        "tcp_reno_cong_avoid",
        "tcp_reno_undo_cwnd",
        "tcp_slow_start",
        "tcp_cong_avoid_ai",
        "cubictcp_init",
        "cubictcp_recalc_ssthresh",
        "cubictcp_cong_avoid",
        "cubictcp_state",
        "cubictcp_cwnd_event",
        "cubictcp_acked",
    ];
    let contract = |name: &&str| {
        let id = btf.find(name, Kind::Func)?;
        let contract = CallContract::from_btf(btf, id, CallFlags::default())?;
        Some((id.0, contract))
    };
    offered.iter().filter_map(contract).collect()
}

impl Environment for Tcp<'_> {
    fn kernel_btf(&self) -> &Btf {
        self.btf
    }

    fn helper(&self, id: u32) -> Option<&CallContract> {
        self.helpers.get(&id)
    }

    fn kfunc(&self, btf_id: TypeId, _module: i16) -> Option<&CallContract> {
        self.kfuncs.get(&btf_id.0)
    }

    fn map(&self, map: MapRef) -> Option<MapShape> {
        let MapRef::Fd(index) = map else {
            return None;
        };
        let plan = self.plan?.maps().get(usize::try_from(index).ok()?)?;
        Some(MapShape {
            name: plan.name.clone(),
            identity: index as u64,
            map_type: plan.map_type.0,
            key_size: plan.key_size,
            value_size: plan.value_size,
            readable: true,
            writable: !plan.name.contains("rodata") && !plan.name.contains("kconfig"),
            direct_value: plan.max_entries == 1,
            special: Vec::new(),
        })
    }

    fn helper_takes_map(&self, _helper: u32, _map: &MapShape) -> bool {
        true
    }

    fn map_constant(&self, _map: MapRef, _offset: u32, _size: u32) -> Option<u64> {
        None
    }

    fn context(&self) -> &Context {
        &self.context
    }

    fn struct_access(&self, ty: TypeId, offset: u32, size: u32) -> StructAccess {
        if ty != self.tcp_sock {
            return StructAccess::ReadOnly;
        }
        // But in the private area, a store begins where the field does.
        let private = |start: u32, end: u32| end - start > 8;
        let field = |field: &&(u32, u32)| {
            let (start, end) = **field;
            offset == start || private(start, end) && (start..end).contains(&offset)
        };
        match self.writable.iter().find(field) {
            None => StructAccess::NoField,
            Some((_, end)) if offset + size > *end => StructAccess::BeyondField { end: *end },
            Some(_) => StructAccess::Allowed,
        }
    }

    fn returns(&self) -> ReturnRule {
        self.returns
    }
}

/// A program's instructions, with the maps' indices in the plan as their descriptors.
pub(crate) fn instructions(program: &ProgramPlan) -> Vec<Insn> {
    let name = &program.name;
    let mut raw = program.insns.clone();
    for open in &program.open {
        let slot = open.slot as usize;
        match open.what {
            OpenKind::Map(map) => (raw[slot].src, raw[slot].imm) = (1, map.0 as i32),
            OpenKind::MapValue { map, offset } => {
                (raw[slot].src, raw[slot].imm) = (2, map.0 as i32);
                raw[slot + 1].imm = offset as i32;
            }
            OpenKind::ModuleCall { .. } | OpenKind::ModuleSymbol { .. } | OpenKind::Address { .. } => {
                panic!("{name}: {open:?}")
            }
        }
    }
    isa::decode(&raw).unwrap_or_else(|e| panic!("{name}: {e}"))
}
