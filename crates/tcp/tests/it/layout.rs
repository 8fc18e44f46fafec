//! The types that programs see, held to the running kernel's own BTF: the same names, types, signedness and bit fields.
//! Kernels older than 6.18 lack some of the fields.

use btf::{Btf, Builder, Def, Kind, TypeId};

/// Every member of our structures exists in Linux with the same type.
#[test]
fn members_are_those_of_linux() {
    if !testkit::linux_or_skip("compares structures with the kernel's BTF") {
        return;
    }
    let bytes = std::fs::read("/sys/kernel/btf/vmlinux").expect("the gate has looked for it");
    let linux = Btf::parse(&bytes).expect("the kernel's BTF");
    let ours = ours();
    let mut compared = 0;
    for ty in ours
        .types()
        .filter(|ty| ty.kind() == Kind::Struct && !ty.name.is_empty())
    {
        let theirs = linux
            .find(ty.name, Kind::Struct)
            .unwrap_or_else(|| panic!("Linux has no struct {}", ty.name));
        compared += compare(&ours, ty.id, &linux, theirs, ty.name);
    }
    assert!(compared > 150, "only {compared} members compared");
}

/// What the kernel's selftests and cc-relevant programs read is there.
#[test]
fn programs_find_what_they_read() {
    let btf = ours();
    let tcp_sock = btf.find("tcp_sock", Kind::Struct).expect("tcp_sock");
    for path in [
        "inet_conn.icsk_inet.sk.__sk_common.skc_state",
        "inet_conn.icsk_inet.sk.sk_pacing_rate",
        "inet_conn.icsk_inet.sk.sk_pacing_status",
        "inet_conn.icsk_ca_priv",
        "inet_conn.icsk_ca_state",
        "inet_conn.icsk_ack.pending",
        "snd_cwnd",
        "rx_opt.rcv_tsval",
        "rtt_min.s[0].v",
        "is_cwnd_limited",
        "tcp_mstamp",
        "delivered_ce",
        "ecn_flags",
    ] {
        btf.field(tcp_sock, path)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let ops = btf
        .find("tcp_congestion_ops", Kind::Struct)
        .expect("tcp_congestion_ops");
    assert_eq!(btf.size_of(ops).expect("a size"), 192, "as in Linux");
    let priv_field = btf.field(tcp_sock, "inet_conn.icsk_ca_priv").expect("above");
    assert_eq!(btf.size_of(priv_field.ty).expect("a size"), 104);
}

fn ours() -> Btf {
    let mut builder = Builder::new();
    tcp::add_btf(&mut builder);
    builder.build().expect("our types are sound")
}

/// Compares a structure member by member; gives how many.
fn compare(ours: &Btf, our_id: TypeId, linux: &Btf, their_id: TypeId, path: &str) -> usize {
    let composite = ours.resolve(our_id).expect("sound").composite().expect("a structure");
    let mut count = 0;
    for member in composite.members() {
        let path = format!("{path}.{}", member.name);
        let theirs = linux
            .field(their_id, member.name)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(member.bits, theirs.bits, "{path}: bits");
        count += 1;
        if is_anonymous(ours, member.ty) {
            count += compare(ours, member.ty, linux, theirs.ty, &path);
        } else {
            // Parameters of functions have no names in Linux's table; `volatile` says nothing about the layout.
            let name = |btf: &Btf, id| {
                btf.type_name(id)
                    .replace("volatile ", "")
                    .replace("size_t", "long unsigned int")
            };
            assert_eq!(name(ours, member.ty), name(linux, theirs.ty), "{path}");
        }
    }
    count
}

fn is_anonymous(btf: &Btf, id: TypeId) -> bool {
    let ty = btf.resolve(id).expect("sound");
    matches!(ty.def, Def::Struct(_)) && ty.name.is_empty()
}
