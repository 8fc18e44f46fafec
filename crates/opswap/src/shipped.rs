//! The congestion controls that opswap ships, as objects inside the program: nobody needs clang to run them.

/// Name and object; sources and the way they are built are in `algorithms/`.
const SHIPPED: &[(&str, &[u8])] = &[
    ("reno", include_bytes!("../../../algorithms/objects/reno.bpf.o")),
    ("cubic", include_bytes!("../../../algorithms/objects/cubic.bpf.o")),
    ("dctcp", include_bytes!("../../../algorithms/objects/dctcp.bpf.o")),
];

/// The header that the shipped sources include and yours may: types of TCP, the macro that defines an op.
pub const HEADER: &str = include_str!("../../../algorithms/opswap_tcp.h");

/// The names that can be used in place of a file.
pub fn names() -> Vec<&'static str> {
    SHIPPED.iter().map(|(name, _)| *name).collect()
}

/// The object of a shipped algorithm; `None` if there is none of that name.
pub fn object(name: &str) -> Option<&'static [u8]> {
    SHIPPED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, object)| *object)
}
