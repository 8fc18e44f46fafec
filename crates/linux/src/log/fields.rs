//! The kernel's log says offsets where a reader wants field names; the kernel's types have them.

use ::btf::{Btf, Kind};
use bpf::Report;

/// Adds what stands at the offset that the message speaks of, such as `tcp_sock.srtt_us`.
pub(crate) fn name_field(report: &mut Report, btf: &Btf) {
    let Some((name, offset)) = structure_and_offset(&report.message) else {
        return;
    };
    let Some(id) = btf.find(name, Kind::Struct) else {
        return;
    };
    let place = btf.describe_offset(id, offset);
    report.notes.insert(0, format!("byte {offset} of {name} is {place}"));
}

/// Whether [`name_field`] has something to do, so that the types need not be read for nothing.
pub(crate) fn has_offset(report: &Report) -> bool {
    structure_and_offset(&report.message).is_some()
}

/// `no write support to tcp_sock at off 1680`, `access beyond struct tcp_sock at off 4000 size 8`.
fn structure_and_offset(message: &str) -> Option<(&str, u32)> {
    let (before, after) = message.split_once(" at off ")?;
    let name = before.rsplit(' ').next()?;
    let digits = after.split(' ').next()?;
    Some((name, digits.parse().ok()?))
}
