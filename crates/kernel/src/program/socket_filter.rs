//! Socket filters, as far as they can be tried with `BPF_PROG_TEST_RUN`: a program that reads some fields of `struct __sk_buff` and returns a
//! number. They attach to nothing here, and packet loads are not supported.

use crate::program::Program;
use crate::struct_ops::TestCall;
use bpf::{Errno, TestRun, TestRunResult};
use verifier::{Context, CtxField};

/// Words of `struct __sk_buff` (`include/uapi/linux/bpf.h`) up to `napi_id`.
const WORDS: usize = 21;
/// `len`, `pkt_type`, `mark`, `queue_mapping`, `protocol`, `vlan_present`, `vlan_tci`, `vlan_proto`, `priority`, `ingress_ifindex`,
/// `ifindex`, `tc_index`: read-only words without special rules.
const READABLE: std::ops::Range<u32> = 0..12;

pub(super) fn context() -> Context {
    Context::Fields(
        READABLE
            .map(|word| CtxField {
                offset: word * 4,
                size: 4,
            })
            .collect(),
    )
}

/// An Ethernet header.
const DATA_MIN: usize = 14;
const REPEAT_MAX: u32 = 1_000_000;

/// `bpf_prog_test_run_skb` (`net/bpf/test_run.c`, Linux 6.12) for a packet of which only the length is seen.
pub(crate) fn test_run(prog: &Program, args: &TestRun<'_>) -> Result<TestRunResult, Errno> {
    if args.data.len() < DATA_MIN || !args.ctx.is_empty() || args.ops_state.is_some() {
        return Err(Errno::EINVAL);
    }
    if args.repeat > REPEAT_MAX {
        return Err(Errno::E2BIG);
    }
    let mut buffer = [0_u32; WORDS];
    buffer[0] = (args.data.len() - DATA_MIN) as u32;
    let mut retval = 0;
    for _ in 0..args.repeat.max(1) {
        retval = TestCall::new(prog).call_with_buffer(&buffer) as u32;
    }
    Ok(TestRunResult {
        retval,
        duration_ns: 0,
        data: args.data.to_vec(),
        ..TestRunResult::default()
    })
}
