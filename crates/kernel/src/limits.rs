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
}

impl Default for Limits {
    fn default() -> Self {
        Self { map_bytes: 512 << 20 }
    }
}
