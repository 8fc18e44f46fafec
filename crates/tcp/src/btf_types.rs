//! All types of this crate that a kernel's BTF has: what programs may name when they implement a congestion control.

use crate::consts::tcp_ca_event;
use crate::ops::CongestionOps;
use crate::sock::{ack_sample, bbr, bictcp, dctcp, rate_sample, tcp_sock};
use btf::{Builder, Enumerator};

/// Adds the socket structures, the operations and their arguments, the enumerations whose values programs use, and the types by which
/// Linux's own algorithms lay out their memory.
///
/// ```
/// let mut builder = btf::Builder::new();
/// tcp::add_btf(&mut builder);
/// let btf = builder.build().unwrap();
/// assert!(btf.find("tcp_sock", btf::Kind::Struct).is_some());
/// assert!(btf.find("tcp_congestion_ops", btf::Kind::Struct).is_some());
/// ```
pub fn add_btf(builder: &mut Builder) {
    builder.add_rust::<tcp_sock>();
    builder.add_rust::<CongestionOps>();
    builder.add_rust::<rate_sample>();
    builder.add_rust::<ack_sample>();
    builder.add_rust::<tcp_ca_event>();
    builder.add_rust::<bictcp>();
    builder.add_rust::<bbr>();
    builder.add_rust::<dctcp>();
    for (name, values) in ENUMERATIONS {
        let values: Vec<Enumerator<'_>> = values
            .iter()
            .map(|&(value, number)| Enumerator::new(value, number))
            .collect();
        builder.enum_type(name, 4, false, &values);
    }
}

type Values = &'static [(&'static str, u64)];

/// Enumerations that our code has as constants ([`crate::consts`]).
const ENUMERATIONS: [(&str, Values); 6] = [
    (
        "tcp_ca_state",
        &[
            ("TCP_CA_Open", 0),
            ("TCP_CA_Disorder", 1),
            ("TCP_CA_CWR", 2),
            ("TCP_CA_Recovery", 3),
            ("TCP_CA_Loss", 4),
        ],
    ),
    (
        "tcp_ca_ack_event_flags",
        &[("CA_ACK_SLOWPATH", 1), ("CA_ACK_WIN_UPDATE", 2), ("CA_ACK_ECE", 4)],
    ),
    (
        "inet_csk_ack_state_t",
        &[
            ("ICSK_ACK_SCHED", 1),
            ("ICSK_ACK_TIMER", 2),
            ("ICSK_ACK_PUSHED", 4),
            ("ICSK_ACK_PUSHED2", 8),
            ("ICSK_ACK_NOW", 16),
            ("ICSK_ACK_NOMEM", 32),
        ],
    ),
    (
        "sk_pacing",
        &[("SK_PACING_NONE", 0), ("SK_PACING_NEEDED", 1), ("SK_PACING_FQ", 2)],
    ),
    (
        "",
        &[
            ("TCP_ESTABLISHED", 1),
            ("TCP_SYN_SENT", 2),
            ("TCP_SYN_RECV", 3),
            ("TCP_FIN_WAIT1", 4),
            ("TCP_FIN_WAIT2", 5),
            ("TCP_TIME_WAIT", 6),
            ("TCP_CLOSE", 7),
            ("TCP_CLOSE_WAIT", 8),
            ("TCP_LAST_ACK", 9),
            ("TCP_LISTEN", 10),
            ("TCP_CLOSING", 11),
            ("TCP_NEW_SYN_RECV", 12),
            ("TCP_BOUND_INACTIVE", 13),
            ("TCP_MAX_STATES", 14),
        ],
    ),
    (
        "",
        &[
            ("INET_ECN_NOT_ECT", 0),
            ("INET_ECN_ECT_1", 1),
            ("INET_ECN_ECT_0", 2),
            ("INET_ECN_CE", 3),
            ("INET_ECN_MASK", 3),
        ],
    ),
];
