//! What programs may write of `struct tcp_sock` (`bpf_tcp_ca_btf_struct_access`, `net/ipv4/bpf_tcp_ca.c`, Linux 6.12; probed on 6.18).

use btf::{Btf, FieldError, TypeId};
use kernel::StructAccess;
use std::ops::Range;

/// Fields by path from `struct tcp_sock`. A store must begin where the field begins…
const FIELDS: [&str; 9] = [
    "inet_conn.icsk_inet.sk.sk_pacing_rate",
    "inet_conn.icsk_inet.sk.sk_pacing_status",
    "inet_conn.icsk_ack.pending",
    "snd_cwnd",
    "snd_cwnd_cnt",
    "snd_cwnd_stamp",
    "snd_ssthresh",
    "ecn_flags",
    "app_limited",
];

/// …but in an algorithm's own memory it may begin anywhere.
const PRIVATE: &str = "inet_conn.icsk_ca_priv";

/// Where stores may begin, and where they must end.
#[derive(Debug, Default)]
pub(crate) struct Writable(Vec<(Range<u32>, u32)>);

impl Writable {
    pub(crate) fn find(btf: &Btf, tcp_sock: TypeId) -> Result<Self, FieldError> {
        let field = |path: &str| -> Result<(u32, u32), FieldError> {
            let field = btf.field(tcp_sock, path)?;
            let start = field.byte_offset();
            Ok((start, start + btf.size_of(field.ty)?))
        };
        let mut places = Vec::new();
        for path in FIELDS {
            let (start, end) = field(path)?;
            places.push((start..start + 1, end));
        }
        let (start, end) = field(PRIVATE)?;
        places.push((start..end, end));
        Ok(Self(places))
    }

    /// Whether `size` bytes may be stored at an offset of `struct tcp_sock`.
    pub(crate) fn check(&self, offset: u32, size: u32) -> StructAccess {
        let place = self.0.iter().find(|(starts, _)| starts.contains(&offset));
        match place {
            None => StructAccess::NoField,
            Some((_, end)) if offset.saturating_add(size) > *end => StructAccess::BeyondField { end: *end },
            Some(_) => StructAccess::Allowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_that_linux_takes() {
        let mut types = btf::Builder::new();
        tcp::add_btf(&mut types);
        let btf = types.build().unwrap();
        let tcp_sock = btf.find("tcp_sock", btf::Kind::Struct).unwrap();
        let writable = Writable::find(&btf, tcp_sock).unwrap();
        let at = |path| btf.field(tcp_sock, path).unwrap().byte_offset();
        // Sizes that may be stored at the field's start, as probed on Linux 6.18.
        for (path, sizes) in [
            ("inet_conn.icsk_inet.sk.sk_pacing_rate", &[1, 2, 4, 8][..]),
            ("inet_conn.icsk_inet.sk.sk_pacing_status", &[1, 2, 4]),
            ("inet_conn.icsk_ack.pending", &[1]),
            ("inet_conn.icsk_ca_priv", &[1, 2, 4, 8]),
            ("snd_cwnd", &[1, 2, 4]),
            ("snd_ssthresh", &[1, 2, 4]),
            ("snd_cwnd_cnt", &[1, 2, 4]),
            ("snd_cwnd_stamp", &[1, 2, 4]),
            ("app_limited", &[1, 2, 4]),
            ("ecn_flags", &[1]),
            ("snd_cwnd_clamp", &[]),
            ("prior_cwnd", &[]),
        ] {
            let taken: Vec<u32> = [1, 2, 4, 8]
                .into_iter()
                .filter(|size| writable.check(at(path), *size) == StructAccess::Allowed)
                .collect();
            assert_eq!(taken, sizes, "{path}");
        }
        let private = at("inet_conn.icsk_ca_priv");
        assert_eq!(writable.check(private + 96, 8), StructAccess::Allowed);
        assert_eq!(writable.check(private + 101, 1), StructAccess::Allowed);
        let end = private + 104;
        assert_eq!(writable.check(private + 100, 8), StructAccess::BeyondField { end });
        assert_eq!(writable.check(at("snd_cwnd") + 1, 1), StructAccess::NoField);
    }
}
