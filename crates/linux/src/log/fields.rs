//! The kernel's log says offsets where a reader wants field names; the kernel's types have them.

use super::{find, kernels_words, reasons, words};
use ::btf::Btf;
use bpf::Report;

const STATE: &str = "the algorithm's own state must fit into icsk_ca_priv (104 bytes)";
const SIZE: &str = "write the member in its own size";

/// Says in our words what stands at the offset that the log's message speaks of, such as `tcp_sock.srtt_us`.
pub(crate) fn name_field(report: &mut Report, log: &str, btf: &Btf) {
    let Some(found) = find(log) else {
        return;
    };
    let Some((message, is_outside)) = words::with_types(&found, log, btf) else {
        return;
    };
    report.message = message;
    report.notes = vec![kernels_words(&reasons::readable(found.error))];
    if report.code == reasons::MEMBER_END {
        let own = report.message.contains("icsk_ca_priv, which");
        report.help = Some(if own { STATE } else { SIZE }.to_owned());
    }
    if is_outside {
        report.code = reasons::STRUCT_OUT_OF_BOUNDS.into();
        report.help = None;
    }
}

/// Whether [`name_field`] has something to do, so that the types need not be read for nothing.
pub(crate) fn has_offset(log: &str) -> bool {
    find(log).is_some_and(|found| words::needs_types(&found))
}
