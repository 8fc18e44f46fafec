//! From a table's function pointer into a program. Beside the helpers the only file here with `unsafe`.
//!
//! A thunk (`jit::thunk`) puts the address of an [`OpsFunc`] behind the caller's arguments and jumps to [`enter`], which lays the arguments
//! out as the program's context and runs it: no lock, no lookup, no allocation.

use crate::program::{Program, take_turn};
use crate::struct_ops::desc::{ARGS, Width};
use jit::thunk::{Entry, Thunk, ThunkError};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

/// A function of a table: a program and how its member is called.
#[derive(Debug)]
pub(super) struct OpsFunc {
    pub(super) prog: Arc<Program>,
    pub(super) args: [Width; ARGS],
    pub(super) ret: Width,
}

/// The functions of a table, ready to be called from C or Rust.
#[derive(Debug)]
pub(super) struct Functions {
    // The code is dropped before what it points to.
    thunks: Vec<Thunk>,
    functions: Box<[OpsFunc]>,
}

impl Functions {
    pub(super) fn new(functions: Vec<OpsFunc>) -> Result<Self, ThunkError> {
        let functions = functions.into_boxed_slice();
        let entries: Vec<Entry> = functions
            .iter()
            .map(|function| Entry {
                handler: enter,
                context: ptr::from_ref(function).cast(),
            })
            .collect();
        Ok(Self {
            thunks: Thunk::build(&entries)?,
            functions,
        })
    }

    /// The programs behind them.
    pub(super) fn programs(&self) -> impl Iterator<Item = &Program> + '_ {
        self.functions.iter().map(|function| &*function.prog)
    }

    /// The function pointers, in the order that the functions were given in. Valid while this value lives.
    pub(super) fn addresses(&self) -> impl Iterator<Item = *const c_void> + '_ {
        debug_assert_eq!(self.thunks.len(), self.functions.len());
        self.thunks.iter().map(Thunk::address)
    }
}

/// Where all thunks of tables lead.
///
/// # Safety
/// `context` is an [`OpsFunc`] that lives until this returns: whoever calls a table's function holds a `Module` of it (`Family`'s contract). The
/// arguments are those of the member's prototype.
unsafe extern "C" fn enter(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, context: *const c_void) -> u64 {
    // SAFETY: `Functions::new` gave the thunk this address, and the table that holds it is alive.
    let function = unsafe { &*context.cast::<OpsFunc>() };
    let args = &function.args;
    let context: [u64; ARGS] = [
        args[0].extend(a0),
        args[1].extend(a1),
        args[2].extend(a2),
        args[3].extend(a3),
        args[4].extend(a4),
    ];
    // SAFETY: the program was verified for a context of this member's arguments, and the family vouches that they are what their types say.
    function
        .ret
        .extend(unsafe { function.prog.run(context.as_ptr().expose_provenance() as u64) })
}

impl Program {
    /// Runs the program. It returns 0 when it runs for too long, and when one has: the host of the kernel learns it from there.
    ///
    /// # Safety
    /// `context` is the address of a context such as the program was verified for.
    unsafe fn run(&self, context: u64) -> u64 {
        let env = ptr::from_ref(&self.env).cast_mut().cast();
        let runtime = self.env.runtime();
        if runtime.is_stopped() {
            return 0;
        }
        let counts = runtime.counts();
        let start = if counts { runtime.stopwatch_ns() } else { 0 };
        // SAFETY: `self` was made from what the verifier accepted, with the same maps and functions, which it keeps alive; `env` is
        // an `Env`, as the linked functions expect.
        let result = take_turn(runtime.insns_per_call, |left| unsafe {
            self.code.run(context, env, left)
        });
        if counts {
            self.count_run(start);
        }
        result.unwrap_or_else(|stopped| {
            runtime.stop(self.ran_too_long(stopped.slot));
            0
        })
    }
}

/// A program that a family or the kernel may call for `BPF_PROG_TEST_RUN`.
#[derive(Debug)]
pub struct TestCall<'a> {
    prog: &'a Program,
}

impl<'a> TestCall<'a> {
    pub(crate) fn new(prog: &'a Program) -> Self {
        Self { prog }
    }

    /// Name of the member that the program is for.
    pub fn member(&self) -> &'a str {
        let attach = self.prog.attach.as_ref();
        let member = attach.and_then(|attach| attach.desc.members.get(attach.member as usize));
        member.map_or("", |member| member.name.as_str())
    }

    /// Calls the program with these arguments; its result is R0.
    ///
    /// # Safety
    /// The program is for a member of an ops structure, and the arguments are what its prototype says (and the family's `promote` and
    /// `stub`): pointers to structures that live during the call, null only where that is allowed.
    pub unsafe fn call(&self, args: &[u64; ARGS]) -> u64 {
        // SAFETY: the caller vouches for the arguments.
        unsafe { self.prog.run(args.as_ptr().expose_provenance() as u64) }
    }

    /// Calls a socket filter: its context is a `struct __sk_buff`, of which it reads words only.
    pub(crate) fn call_with_buffer(&self, buffer: &[u32; 48]) -> u64 {
        debug_assert!(self.prog.attach.is_none());
        if self.prog.attach.is_some() {
            return 0;
        }
        // SAFETY: a program that is for no ops structure was verified for a context whose first words may be read.
        unsafe { self.prog.run(buffer.as_ptr().expose_provenance() as u64) }
    }
}
