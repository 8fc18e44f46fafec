//! `#[derive(BtfType)]`: the BTF of Rust types has rustc's layout and C's names.

#![expect(non_camel_case_types, reason = "names of C")]

use core::ffi::{c_char, c_ulong, c_void};
use core::mem::{ManuallyDrop, offset_of};

use btf::{Btf, BtfType, Builder, Def, Kind, fn_proto};

#[derive(BtfType)]
#[repr(C)]
struct list_head {
    next: *mut Self,
    prev: *mut Self,
}

#[derive(BtfType)]
#[repr(C)]
struct sock {
    #[btf(name = "__sk_common")]
    common: sock_common,
    sk_pacing_rate: c_ulong,
    #[btf(opaque = "socket")]
    sk_socket: *mut c_void,
}

#[derive(BtfType)]
#[repr(C)]
struct sock_common {
    #[btf(as = "__be32")]
    skc_daddr: u32,
    skc_state: u8,
    #[btf(bits(skc_reuse = 4, skc_reuseport = 1, skc_ipv6only = 1))]
    skc_flags: u8,
}

#[derive(BtfType)]
#[repr(C)]
union value {
    number: u64,
    bytes: [u8; 8],
    head: ManuallyDrop<list_head>,
}

#[derive(BtfType)]
#[repr(C)]
#[btf(anonymous)]
struct tail {
    first: i16,
    #[btf(bits(low = 3, _ = 9, high = 20))]
    bits: u32,
}

#[derive(BtfType)]
#[repr(u32)]
#[btf(prefix = "TCP_CA_", name = "tcp_ca_state")]
enum CaState {
    Open = 0,
    Disorder = 1,
    #[btf(name = "CWR")]
    Cwr = 2,
}

#[derive(BtfType)]
#[repr(i64)]
enum wide {
    Low = i64::MIN,
    High = i64::MAX,
}

#[derive(BtfType)]
#[repr(transparent)]
#[btf(name = "ktime_t")]
struct Ktime(i64);

#[derive(BtfType)]
#[repr(C)]
struct ops {
    ssthresh: Option<unsafe extern "C" fn(sk: *mut sock) -> u32>,
    cong_control: Option<unsafe extern "C" fn(sk: *mut sock, ack: u32, flag: i32, rs: *const value)>,
    release: Option<unsafe extern "C" fn(*mut sock)>,
    name: [c_char; 16],
    state: CaState,
    list: list_head,
    value: value,
    #[btf(anonymous)]
    tail: tail,
    time: Ktime,
    wide: wide,
    on: bool,
    #[btf(skip)]
    _ours: u64,
    r#type: i8,
    private: [[u64; 3]; 2],
}

fn btf() -> Btf {
    let mut b = Builder::new();
    b.add_rust::<ops>();
    // A second time adds nothing.
    let count = b.add_rust::<ops>();
    assert_eq!(count, b.add_rust::<ops>());
    b.build().expect("these types go together")
}

#[test]
fn layout_is_rustcs() {
    let btf = btf();
    macro_rules! check {
        ($kind:ident $ty:ident { $($field:ident as $path:literal),* $(,)? }) => {
            let id = btf.find(stringify!($ty), Kind::$kind).expect(stringify!($ty));
            assert_eq!(btf.size_of(id).unwrap() as usize, size_of::<$ty>());
            assert_eq!(btf.align_of(id).unwrap() as usize, align_of::<$ty>());
            $(
                let field = btf.field(id, $path).unwrap();
                assert_eq!(field.byte_offset() as usize, offset_of!($ty, $field), $path);
            )*
        };
    }
    check!(Struct list_head { next as "next", prev as "prev" });
    check!(Struct sock { common as "__sk_common", sk_pacing_rate as "sk_pacing_rate", sk_socket as "sk_socket" });
    check!(Struct sock_common { skc_daddr as "skc_daddr", skc_state as "skc_state", skc_flags as "skc_reuse" });
    check!(Union value { number as "number", bytes as "bytes", head as "head" });
    check!(Struct ops {
        ssthresh as "ssthresh", cong_control as "cong_control", release as "release", name as "name",
        state as "state", list as "list", value as "value", tail as "first", time as "time", wide as "wide", on as "on",
        r#type as "type", private as "private",
    });
}

#[test]
fn names_are_cs() {
    let btf = btf();
    let ops = btf.find("ops", Kind::Struct).unwrap();
    let cases = [
        ("ssthresh", "u32 (*)(struct sock *sk)"),
        (
            "cong_control",
            "void (*)(struct sock *sk, u32 ack, int flag, const union value *rs)",
        ),
        ("release", "void (*)(struct sock *)"),
        ("name", "char[16]"),
        ("state", "enum tcp_ca_state"),
        ("time", "ktime_t"),
        ("on", "bool"),
        ("type", "s8"),
        ("private", "u64[2][3]"),
        ("high", "u32"),
        ("list.next", "struct list_head *"),
    ];
    for (path, expected) in cases {
        assert_eq!(btf.type_name(btf.field(ops, path).unwrap().ty), expected, "{path}");
    }
    let common = btf.find("sock_common", Kind::Struct).unwrap();
    assert_eq!(btf.type_name(btf.field(common, "skc_daddr").unwrap().ty), "__be32");
    assert!(btf.find("socket", Kind::Fwd).is_some());
    assert!(btf.field(ops, "_ours").is_err());
}

#[test]
fn bit_fields_and_their_accessors() {
    let btf = btf();
    let ops = btf.find("ops", Kind::Struct).unwrap();
    let base = offset_of!(ops, tail) as u32 * 8 + offset_of!(tail, bits) as u32 * 8;
    for (name, offset, bits) in [("low", 0, 3), ("high", 12, 20)] {
        let field = btf.field(ops, name).unwrap();
        assert_eq!((field.bit_offset, field.bits), (base + offset, Some(bits)), "{name}");
    }
    let mut tail = tail {
        first: 0,
        bits: u32::MAX,
    };
    tail.set_high(0x1_2345 | 1 << 20);
    assert_eq!(
        (tail.low(), tail.high(), tail.bits),
        (7, 0x1_2345, 0x1_2345 << 12 | 0xfff)
    );
    tail.set_low(0);
    assert_eq!(
        (tail.low(), tail.high(), tail.bits),
        (0, 0x1_2345, 0x1_2345 << 12 | 0xff8)
    );
}

#[test]
fn enumerations() {
    let btf = btf();
    let state = btf
        .type_by_id(btf.find("tcp_ca_state", Kind::Enum).unwrap())
        .unwrap()
        .enumeration()
        .unwrap();
    let values: Vec<_> = state.enumerators().map(|value| (value.name, value.value)).collect();
    assert_eq!(values, [("TCP_CA_Open", 0), ("TCP_CA_Disorder", 1), ("TCP_CA_CWR", 2)]);
    assert!(!state.signed);
    let wide = btf
        .type_by_id(btf.find("wide", Kind::Enum64).unwrap())
        .unwrap()
        .enumeration()
        .unwrap();
    assert_eq!(
        (wide.value_of("Low"), wide.value_of("High")),
        (Some(1 << 63), Some(u64::MAX >> 1))
    );
}

#[test]
fn prototypes_of_functions() {
    let mut b = Builder::new();
    let proto = fn_proto!(&mut b, fn(sk: *mut sock, acked: u32) -> u32);
    let func = b.func("tcp_slow_start", proto, btf::Linkage::Static);
    let btf = b.build().unwrap();
    let Def::Func { proto, .. } = btf.type_by_id(func).unwrap().def else {
        panic!("a function")
    };
    let proto = btf.type_by_id(proto).unwrap().func_proto().unwrap();
    assert_eq!(proto.params().map(|p| p.name).collect::<Vec<_>>(), ["sk", "acked"]);
}

#[test]
fn two_types_of_one_name_must_be_alike() {
    mod other {
        use btf::BtfType;
        #[derive(BtfType)]
        #[repr(C)]
        pub(super) struct list_head {
            next: *mut Self,
            owner: *mut Self,
        }
    }
    let mut b = Builder::new();
    b.add_rust::<list_head>();
    b.add_rust::<other::list_head>();
    insta::assert_snapshot!(b.build().unwrap_err(), @"STRUCT `list_head` is defined twice, differently: at `prev`");
}
