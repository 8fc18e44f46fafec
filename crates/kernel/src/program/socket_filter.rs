//! Socket filters, as far as they can be tried with `BPF_PROG_TEST_RUN`: a program that reads some fields of `struct __sk_buff` and returns a
//! number. They attach to nothing here, and packet loads are not supported.

use crate::program::Program;
use crate::struct_ops::TestCall;
use bpf::{Errno, TestRun, TestRunResult};
use verifier::{Context, CtxField, CtxHolds};

/// Words of `struct __sk_buff` (`include/uapi/linux/bpf.h`, Linux 6.18).
const WORDS: usize = 48;
/// Words without special rules: `len` to `tc_index`, `hash`, `napi_id`, `gso_segs`, `gso_size` (`sk_filter_is_valid_access` and
/// `bpf_skb_is_valid_access`, `net/core/filter.c`, Linux 6.12). All but `len` are zero.
const READABLE: [u32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 17, 21, 41, 44];
/// What Linux has and we have not: `cb`, which may be written, and `sk`, a pointer.
const NOT_MODELLED: [CtxField; 2] = [
    CtxField {
        offset: 48,
        size: 20,
        holds: CtxHolds::Room,
    },
    CtxField {
        offset: 168,
        size: 8,
        holds: CtxHolds::Pointer,
    },
];

pub(super) fn context() -> Context {
    let readable = READABLE.map(|word| CtxField::readable(word * 4, 4));
    Context::Fields(readable.into_iter().chain(NOT_MODELLED).collect())
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
