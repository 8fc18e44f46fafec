//! [`Limits`]: what programs may use of the process that the kernel lives in.

/// What all programs of a kernel together, or one call of one, may use at most. Linux has no such numbers of its own: there the machine is the limit, and a
/// watchdog. In a process that does other things as well, and must come to an end, they are parameters.
///
/// ```
/// let limits = kernel::Limits { map_bytes: 1 << 20, ..kernel::Limits::default() };
/// let kernel = kernel::Kernel::builder().limits(limits).build()?;
/// assert_eq!(bpf::Bpf::map_memory(&kernel).map(|memory| memory.limit_bytes), Some(1 << 20));
/// # Ok::<(), kernel::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that the elements of all maps may take, keys and what is spent on each element included. Beyond it there is `ENOMEM`.
    ///
    /// 512 MiB unless said: two of the largest sections of variables that an object may have, or a million connections with half a kilobyte each; and less
    /// than what the smallest machines have on which one would simulate anything.
    pub map_bytes: u64,
    /// Instructions that one call into a program may execute, those of programs that run within it included. Beyond it the call returns 0, and no program of
    /// the kernel runs any more until the host has taken the report ([`Kernel::take_fault`](crate::Kernel::take_fault)).
    ///
    /// 2³⁰ unless said, a quarter of a second of compiled code at one instruction a cycle and 4 GHz: as long as Linux lets a `may_goto` loop turn before it
    /// ends it itself (`bpf_check_timed_may_goto`, `kernel/bpf/core.c`, 6.18; before, it counted 2²³ turns, of 128 instructions each that would be). A program
    /// that is called for every ACK and takes longer stops its machine. The interpreter needs about two seconds for so many.
    pub insns_per_call: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            map_bytes: 512 << 20,
            insns_per_call: 1 << 30,
        }
    }
}
