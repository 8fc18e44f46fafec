//! Native functions behind the base set, and what a family needs to write its own. Beside `struct_ops/call.rs` the only file here with `unsafe`.
//!
//! A program passes numbers. That they are what a contract says (a map's address, so many readable bytes) is the verifier's work; these functions
//! rely on it and on nothing else.

use crate::env::Env;
use crate::helpers::format as printk;
use crate::map::{Elements, Map};
use crate::memory;
use bpf::{Errno, UpdateFlags};
use std::ffi::c_void;
use std::fmt;
use std::sync::{Arc, Weak};
use vm::HelperFn;

/// A native function that programs may call, with the promise that it fits its contract.
#[derive(Clone, Copy)]
pub struct Native(HelperFn);

impl Native {
    /// The function of a [`Helper`](crate::Helper) or [`Kfunc`](crate::Kfunc).
    ///
    /// # Safety
    /// Called with five arguments that fit the contract beside it, and with an [`Env`] as the sixth, it does nothing that Rust forbids, does
    /// not unwind, and returns what the contract says. Memory that it returns a pointer to stays as long as the program's maps do.
    pub const unsafe fn new(function: HelperFn) -> Self {
        Self(function)
    }

    pub(crate) fn get(self) -> HelperFn {
        self.0
    }
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Native")
    }
}

impl Env {
    /// The environment that a native function got as its sixth argument.
    ///
    /// # Safety
    /// `env` is the sixth argument of a native function, which has not returned yet.
    pub unsafe fn of<'a>(env: *mut c_void) -> &'a Self {
        // SAFETY: programs run with the address of their own `Env`, which lives as long as they.
        unsafe { &*env.cast_const().cast() }
    }
}

/// Memory that a program passed as an argument.
///
/// # Safety
/// `address` was the argument of a contract that makes `len` bytes readable there, and the call has not returned yet. Where `len` is 0, any
/// address will do.
pub unsafe fn bytes<'a>(address: u64, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    let start = std::ptr::with_exposed_provenance(address as usize);
    // SAFETY: readable, as the caller vouches; bytes have no alignment. Nobody writes them meanwhile but other programs that share a
    // map's value, as in Linux.
    unsafe { std::slice::from_raw_parts(start, len) }
}

/// The map that a program passed as an argument.
///
/// # Safety
/// `address` was the argument of a contract that makes it a map; the program runs, so the map lives.
unsafe fn map<'a>(address: u64) -> &'a Map {
    let map = std::ptr::with_exposed_provenance(address as usize);
    // SAFETY: `linker.rs` put the address of an `Arc<Map>`'s content into the program, which holds that `Arc`.
    unsafe { &*map }
}

/// A storage map that a program passed as an argument: one value for each owner.
#[derive(Debug)]
pub struct Storage<'a> {
    map: &'a Map,
    storage: &'a crate::map::Storage,
}

impl<'a> Storage<'a> {
    /// The storage map; `None` when it is a map of another type.
    ///
    /// # Safety
    /// `address` was the argument of a contract that makes it a map, and the call has not returned yet.
    pub unsafe fn of(address: u64) -> Option<Self> {
        // SAFETY: as the caller vouches.
        let map: &'a Map = unsafe { map(address) };
        match &map.elements {
            Elements::Storage(storage) => Some(Self { map, storage }),
            Elements::Array(_) | Elements::Hash(_) | Elements::Ops(_) => None,
        }
    }

    /// Size of a value in bytes.
    pub fn value_size(&self) -> usize {
        self.map.plan.value_size as usize
    }

    /// The address of an owner's value, 0 when it has none.
    pub fn get(&self, owner: usize) -> u64 {
        self.storage.get(owner).unwrap_or(0)
    }

    /// The address of an owner's new value (0 when there is no memory), and once for each owner what is to be called when it ends. `value` is cut or filled up with zeros.
    #[must_use = "the value stays for ever if nobody tells when its owner ends"]
    pub fn create(&self, owner: usize, value: &[u8]) -> (u64, Option<impl FnOnce() + Send + 'static>) {
        let Ok(mut whole) = memory::zeros(self.value_size()) else {
            return (0, None);
        };
        let len = value.len().min(whole.len());
        whole[..len].copy_from_slice(&value[..len]);
        let (address, first) = self.storage.create(owner, &whole).unwrap_or((0, false));
        (address, first.then(|| self.end_of(owner)))
    }

    /// Ends an owner's value.
    ///
    /// # Errors
    /// `ENOENT` when it has none.
    pub fn remove(&self, owner: usize) -> Result<(), Errno> {
        self.storage.remove(owner)
    }

    /// What is to be called when the owner ends. It does not keep the map alive.
    fn end_of(&self, owner: usize) -> impl FnOnce() + Send + 'static {
        let map: Weak<Map> = {
            let address: *const Map = self.map;
            // SAFETY: every map lives in an `Arc` (`Kernel::map_create`), whose content this is, and is held by the program that runs.
            let map = unsafe {
                Arc::increment_strong_count(address);
                Arc::from_raw(address)
            };
            Arc::downgrade(&map)
        };
        move || {
            if let Some(Elements::Storage(storage)) = map.upgrade().as_deref().map(|map| &map.elements) {
                storage.owner_ends(owner);
            }
        }
    }
}

/// What a helper returns that answers with 0 or `-errno`.
pub fn status(result: Result<(), Errno>) -> u64 {
    match result {
        Ok(()) => 0,
        Err(errno) => error(errno),
    }
}

fn error(errno: Errno) -> u64 {
    i64::from(errno.0).wrapping_neg() as u64
}

macro_rules! natives {
    ($($(#[$doc:meta])* $constant:ident = |$($arg:ident),*; $env:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        pub(super) const $constant: Native = {
            unsafe extern "C" fn native(a: u64, b: u64, c: u64, d: u64, e: u64, env: *mut c_void) -> u64 {
                let [$($arg,)* ..] = [a, b, c, d, e];
                let $env = env;
                $body
            }
            // SAFETY: the contract in `base.rs` is what the body relies on.
            unsafe { Native::new(native) }
        };
    )*};
}

natives! {
    /// `bpf_map_lookup_elem(map, key)`
    MAP_LOOKUP_ELEM = |map_address, key; _env| {
        // SAFETY: the first argument is a map.
        let map = unsafe { map(map_address) };
        // SAFETY: the second is a key of it.
        map.value_address(unsafe { bytes(key, map.plan.key_size as usize) })
    };
    /// `bpf_map_update_elem(map, key, value, flags)`
    MAP_UPDATE_ELEM = |map_address, key, value, flags; _env| {
        // SAFETY: the first argument is a map.
        let map = unsafe { map(map_address) };
        // SAFETY: the second is a key of it.
        let key = unsafe { bytes(key, map.plan.key_size as usize) };
        // SAFETY: the third is a value of it.
        let value = unsafe { bytes(value, map.plan.value_size as usize) };
        status(map.program_update(key, value, UpdateFlags::from_bits_retain(flags)))
    };
    /// `bpf_map_delete_elem(map, key)`
    MAP_DELETE_ELEM = |map_address, key; _env| {
        // SAFETY: the first argument is a map.
        let map = unsafe { map(map_address) };
        // SAFETY: the second is a key of it.
        status(map.program_delete(unsafe { bytes(key, map.plan.key_size as usize) }))
    };
    /// `bpf_map_lookup_percpu_elem(map, key, cpu)`
    MAP_LOOKUP_PERCPU_ELEM = |map_address, key, cpu; _env| {
        // SAFETY: the first argument is a map.
        let map = unsafe { map(map_address) };
        // SAFETY: the second is a key of it.
        let key = unsafe { bytes(key, map.plan.key_size as usize) };
        if cpu as u32 >= crate::map::CPUS { 0 } else { map.value_address(key) }
    };
    /// `bpf_ktime_get_ns()` and others of the same clock
    KTIME_GET_NS = |; env| {
        // SAFETY: the sixth argument.
        unsafe { Env::of(env) }.now_ns()
    };
    /// `bpf_jiffies64()`
    JIFFIES64 = |; env| {
        // SAFETY: the sixth argument.
        unsafe { Env::of(env) }.jiffies64()
    };
    /// `bpf_get_prandom_u32()`
    GET_PRANDOM_U32 = |; env| {
        // SAFETY: the sixth argument.
        u64::from(unsafe { Env::of(env) }.random_u32())
    };
    /// The number of the one processor and of its node
    ZERO = |; _env| 0;
    /// `bpf_trace_printk(format, size, …)`
    TRACE_PRINTK = |format, size, first, second, third; env| {
        // SAFETY: the first two arguments are memory and its size.
        let format = unsafe { bytes(format, size as u32 as usize) };
        match printk::print(format, &[first, second, third]) {
            Ok(line) => {
                let len = line.len() as u64;
                // SAFETY: the sixth argument.
                unsafe { Env::of(env) }.trace(line);
                len
            }
            Err(reason) => {
                let end = format.iter().position(|byte| *byte == 0).unwrap_or(format.len()).min(FORMAT_SHOWN_MAX);
                let line = format!("(not printed: {reason}: {})", String::from_utf8_lossy(&format[..end]).trim_end());
                // SAFETY: the sixth argument.
                unsafe { Env::of(env) }.trace(line);
                error(reason.errno())
            }
        }
    };
}

/// Bytes that are shown of a format that is not printed.
const FORMAT_SHOWN_MAX: usize = 128;

/// `bpf_ktime_get_coarse_ns()`, for families that offer it: the kernel's clock is as fine as the host makes it.
pub const KTIME_GET_COARSE_NS: Native = KTIME_GET_NS;
