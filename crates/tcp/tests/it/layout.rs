//! The types that programs see, held to Linux 6.18: each field that we offer has the kernel's type, size, sign, length and, if it is a bit
//! field, place in its byte, in the word that a compiler loads and in its run of bytes.
//!
//! `data/fields-6.18.txt` is what the kernel said; `OPSWAP_BLESS=1` asks the running one again. Kernels older than 6.18 lack some of the fields.

use btf::{Btf, Builder, Composite, Def, Field, Kind, Type, TypeId};
use std::fmt::Write as _;
use std::path::Path;

/// With no Linux at hand, the table stands for it.
#[test]
fn fields_are_those_of_the_table() {
    let table = std::fs::read_to_string(table()).expect("it is checked in");
    let ours = ours();
    same_lines(&fields(&ours, &ours), &table);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines.len() > 190, "only {} lines", lines.len());
    for line in [
        "tcp_sock.is_cwnd_limited: u8, 1 byte unsigned, 1 bit: bit 3 of its byte, 3 of its word, 3 of its run",
        "tcp_sock.frto: u8, 1 byte unsigned, 1 bit: bit 4 of its byte, 4 of its word, 12 of its run",
        "tcp_ca_event: enum, 4 bytes unsigned: CA_EVENT_TX_START = 0, CA_EVENT_CWND_RESTART = 1, CA_EVENT_COMPLETE_CWR = 2, \
         CA_EVENT_LOSS = 3, CA_EVENT_ECN_NO_CE = 4, CA_EVENT_ECN_IS_CE = 5",
        "inet_connection_sock.icsk_ca_priv: u64[13], 13 of 8 bytes unsigned",
        "rate_sample.rtt_us: long int, 8 bytes signed",
    ] {
        assert!(lines.contains(&line), "{line}");
    }
}

/// The running kernel is the judge of both.
#[test]
fn fields_are_those_of_linux() {
    if !testkit::linux_or_skip("compares structures with the kernel's BTF") {
        return;
    }
    let bytes = std::fs::read("/sys/kernel/btf/vmlinux").expect("the gate has looked for it");
    let linux = Btf::parse(&bytes).expect("the kernel's BTF");
    let ours = ours();
    let theirs = fields(&ours, &linux);
    same_lines(&fields(&ours, &ours), &theirs);
    if std::env::var_os("OPSWAP_BLESS").is_some() {
        std::fs::write(table(), theirs).expect("the table can be written");
    }
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

fn table() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fields-6.18.txt")
}

fn same_lines(ours: &str, theirs: &str) {
    let differ: Vec<String> = ours
        .lines()
        .zip(theirs.lines())
        .filter(|(ours, theirs)| ours != theirs)
        .map(|(ours, theirs)| format!("ours:  {ours}\nLinux: {theirs}"))
        .collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert_eq!(ours.lines().count(), theirs.lines().count());
}

/// Structures of parts that the running kernel may have been built without: ours stand for themselves.
const OPTIONAL: [&str; 2] = ["dctcp", "tcp_plb_state"];
/// Structures that we have whole, so that programs find their members where Linux has them.
const WHOLE: [&str; 7] = [
    "bbr",
    "bictcp",
    "dctcp",
    "minmax",
    "tcp_congestion_ops",
    "tcp_plb_state",
    "tcp_sack_block",
];

/// What `btf` says of the fields and values that `ours` has: a line for each.
fn fields(ours: &Btf, btf: &Btf) -> String {
    let mut text = String::new();
    for ty in ours.types() {
        let found = btf.find(ty.name, ty.kind()).and_then(|id| btf.type_by_id(id));
        let btf = if found.is_none() && OPTIONAL.contains(&ty.name) {
            ours
        } else {
            btf
        };
        let theirs = btf.find(ty.name, ty.kind()).and_then(|id| btf.type_by_id(id));
        match (ty.def, theirs) {
            (Def::Enum(e), _) if ty.name.is_empty() => {
                for value in e.enumerators() {
                    let number = constant(btf, value.name).map_or("absent".to_owned(), |number| number.to_string());
                    writeln!(text, "{} = {number}", value.name).unwrap();
                }
            }
            _ if ty.name.is_empty() => {}
            (Def::Struct(composite), Some(theirs)) => members(&mut text, ours, composite, btf, theirs, ty.name),
            (Def::Enum(_), Some(theirs)) => writeln!(text, "{}: {}", ty.name, facts(btf, theirs.id)).unwrap(),
            (Def::Struct(_) | Def::Enum(_), None) => writeln!(text, "{}: absent", ty.name).unwrap(),
            _ => {}
        }
    }
    text
}

/// The value of a constant of any enumeration that has no name.
fn constant(btf: &Btf, name: &str) -> Option<u64> {
    let mut unnamed = btf.types().filter(|ty| ty.name.is_empty());
    unnamed.find_map(|ty| ty.enumeration()?.value_of(name))
}

fn members(text: &mut String, ours: &Btf, composite: Composite<'_>, btf: &Btf, theirs: Type<'_>, path: &str) {
    let other = theirs.composite().expect("of the same kind");
    let whole = WHOLE.contains(&path);
    if whole {
        writeln!(text, "{path}: {} members, {} bytes", other.len(), other.size).unwrap();
    }
    for member in composite.members() {
        let path = format!("{path}.{}", member.name);
        let Some(found) = btf.member(other, member.name).unwrap() else {
            writeln!(text, "{path}: absent").unwrap();
            continue;
        };
        let (inner, found_inner) = (ours.resolve(member.ty).unwrap(), btf.resolve(found.ty).unwrap());
        match (inner.def, found_inner.def) {
            (Def::Struct(inner), Def::Struct(_)) if inner_is_anonymous(ours, member.ty) => {
                members(text, ours, inner, btf, found_inner, &path);
            }
            _ => {
                let at = if whole {
                    format!(" at bit {}", found.bit_offset)
                } else {
                    String::new()
                };
                writeln!(text, "{path}{at}: {}{}", facts(btf, found.ty), bits(btf, other, &found)).unwrap();
            }
        }
    }
}

fn inner_is_anonymous(btf: &Btf, id: TypeId) -> bool {
    // A typedef of an unnamed structure has a name: its own.
    btf.type_by_id(id).is_some_and(|ty| ty.name.is_empty())
}

/// Name, size, sign; our structures are cut down, so that their size is not told.
fn facts(btf: &Btf, id: TypeId) -> String {
    // `volatile` says nothing about the layout, and parameters have names in neither table.
    let name = btf
        .type_name(id)
        .replace("volatile ", "")
        .replace("size_t", "long unsigned int");
    let ty = btf.resolve(id).unwrap();
    let size = btf.size_of(id).ok();
    match ty.def {
        Def::Array(array) => {
            let element = facts(btf, array.element);
            let element = element.split_once(", ").map_or("a structure", |(_, rest)| rest);
            format!("{name}, {} of {element}", array.len)
        }
        Def::Enum(e) => {
            let values: Vec<String> = e
                .enumerators()
                .map(|value| format!("{} = {}", value.name, value.value as i64))
                .collect();
            format!("enum, {}: {}", width(size, e.signed), values.join(", "))
        }
        Def::Int(int) => {
            let kind = ["", ", a truth value"][usize::from(int.encoding.bool)];
            let char = ["", ", a character"][usize::from(int.encoding.char)];
            format!("{name}, {}{kind}{char}", width(size, int.encoding.signed))
        }
        _ => name,
    }
}

fn width(size: Option<u32>, signed: bool) -> String {
    let size = size.unwrap_or_default();
    let plural = if size == 1 { "byte" } else { "bytes" };
    format!("{size} {plural} {}", if signed { "signed" } else { "unsigned" })
}

/// Where a bit field is: in its byte; in the word of its declared type, which is what CO-RE makes a load of; in its run of bytes of bit
/// fields, which some compilers load as a whole.
fn bits(btf: &Btf, composite: Composite<'_>, member: &Field) -> String {
    let Some(bits) = member.bits else {
        return String::new();
    };
    let word = btf.size_of(member.ty).unwrap() * 8;
    let mut run = member.bit_offset / 8;
    for before in composite.members().rev() {
        let Some(bits) = before.bits.filter(|_| before.bit_offset < member.bit_offset) else {
            continue;
        };
        let end = (before.bit_offset + u32::from(bits)).div_ceil(8);
        if (run..=run + 1).contains(&end) {
            run = before.bit_offset / 8;
        }
    }
    let plural = if bits == 1 { "bit" } else { "bits" };
    format!(
        ", {bits} {plural}: bit {} of its byte, {} of its word, {} of its run",
        member.bit_offset % 8,
        member.bit_offset % word,
        member.bit_offset - run * 8
    )
}
