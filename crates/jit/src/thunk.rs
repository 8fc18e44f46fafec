//! A C function pointer for a (handler, context) pair.
//!
//! The code puts the context where the C ABI has the sixth integer argument and jumps to the handler; the first
//! five arguments and the return address stay as they are. So a member of an operations structure may have up
//! to five integer or pointer arguments, as in `bpf_struct_ops` (`MAX_BPF_FUNC_ARGS` there is more, but no
//! member of `tcp_congestion_ops` uses it). It does not know what a BPF program is.

mod code;
#[cfg_attr(
    target_arch = "aarch64",
    expect(unsafe_code, reason = "instruction caches are kept coherent by hand")
)]
mod memory;

use std::ffi::c_void;
use std::sync::Arc;

use self::code::Target;
use self::memory::Code;

/// What a thunk jumps to: up to five arguments of the caller, then the context of the thunk.
///
/// Arguments that the caller did not pass hold whatever was in the register, and the upper bits of an argument
/// shorter than 64 bits are not defined: a handler must know the prototype of its caller.
pub type Handler = unsafe extern "C" fn(u64, u64, u64, u64, u64, context: *const c_void) -> u64;

/// What to make a thunk of.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Where the call goes.
    pub handler: Handler,
    /// The sixth argument. Whoever calls the thunk must know that it is still alive.
    pub context: *const c_void,
}

/// A function pointer that stays valid while this value, or a clone, lives.
#[derive(Clone, Debug)]
pub struct Thunk {
    code: Arc<Code>,
    offset: usize,
}

impl Thunk {
    /// Make a thunk for each entry, all in one mapping, which is freed when the last of them is dropped.
    ///
    /// # Errors
    ///
    /// [`ThunkError::Unsupported`] on a machine for which there is no code, [`ThunkError::Memory`] if the
    /// system gives no executable memory.
    ///
    /// ```
    /// use std::ffi::c_void;
    /// use jit::thunk::{Entry, Thunk, ThunkError};
    ///
    /// unsafe extern "C" fn add(a: u64, b: u64, _: u64, _: u64, _: u64, context: *const c_void) -> u64 {
    ///     a + b + context as u64
    /// }
    ///
    /// let thunks = match Thunk::build(&[Entry { handler: add, context: 100 as *const c_void }]) {
    ///     Err(ThunkError::Unsupported { .. }) => return Ok(()),
    ///     other => other?,
    /// };
    /// // SAFETY: `add` takes two integers and ignores the rest, and its context is not a real pointer.
    /// let f: extern "C" fn(u64, u64) -> u64 = unsafe { std::mem::transmute(thunks[0].address()) };
    /// assert_eq!(f(1, 2), 103);
    /// # Ok::<(), ThunkError>(())
    /// ```
    pub fn build(entries: &[Entry]) -> Result<Vec<Self>, ThunkError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let target = Target::host().ok_or(ThunkError::Unsupported {
            arch: std::env::consts::ARCH,
            os: std::env::consts::OS,
        })?;
        let bytes: Vec<u8> = entries
            .iter()
            .flat_map(|entry| {
                // The thunk gives the address back to C, which is as good as casting it there.
                let context = entry.context.expose_provenance() as u64;
                code::encode(target, entry.handler as usize as u64, context)
            })
            .collect();
        let code = Arc::new(Code::new(&bytes).map_err(ThunkError::Memory)?);
        Ok((0..entries.len())
            .map(|i| Self {
                code: Arc::clone(&code),
                offset: i * code::LENGTH,
            })
            .collect())
    }

    /// The function pointer: cast it to the prototype of the member it stands for.
    pub fn address(&self) -> *const c_void {
        self.code.start().wrapping_add(self.offset).cast()
    }
}

/// Why there is no thunk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThunkError {
    /// No thunk code for this machine; x86-64 and aarch64 have it, but for Windows' own calling convention.
    #[error("no trampolines on {arch} {os}")]
    Unsupported {
        /// The processor.
        arch: &'static str,
        /// The system.
        os: &'static str,
    },
    /// The system gave no memory, or did not allow to execute it.
    #[error("no executable memory")]
    Memory(#[source] std::io::Error),
}
