//! The family itself, and the native functions that its programs call. The only file here with `unsafe`.
//!
//! What all of it rests on: TCP calls an operation with the pointer to a live socket (`tcp::kfuncs` says what a function that is called meanwhile may do with
//! it), and the verifier lets programs pass that pointer on and no other.

use crate::{Ids, TcpCa, access, calls, members};
use btf::{Btf, Builder, Kind, TypeId};
use kernel::helpers::{Storage, bytes, status};
use kernel::{Env, Errno, Family, Helper, Kfunc, Member, Module, Native, StructAccess, Stub, Table};
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use tcp::CongestionOps;
use tcp::ca::{self, CaError, OpsRef, Registry};
use tcp::sock::{sock, tcp_sock};

const NAME: &str = "tcp_congestion_ops";

// SAFETY: the BTF is derived from the very structures that TCP runs on; TCP passes a `tcp_sock` where `sock` is declared, never null, and samples that
// live during the call; every prototype has at most four arguments that are programs' (`get_info` is not implementable); the writable fields are
// those that Linux lets programs write, and our TCP takes any value in them; a socket holds its table's `Module` in its `OpsRef`, also after
// it chose another one, until the running operation has returned.
unsafe impl Family for TcpCa {
    fn name(&self) -> &'static str {
        NAME
    }

    fn add_types(&self, types: &mut Builder) {
        tcp::add_btf(types);
    }

    fn init(&mut self, btf: &Btf) -> Result<(), Errno> {
        let find = |name| btf.find(name, Kind::Struct).ok_or(Errno::EINVAL);
        self.ids = Ids {
            sock: find("sock")?,
            sock_common: find("sock_common")?,
            tcp_sock: find("tcp_sock")?,
        };
        self.writable = access::Writable::find(btf, self.ids.tcp_sock).map_err(|_| Errno::EINVAL)?;
        self.helpers = calls::helpers(self.ids);
        Ok(())
    }

    fn stub(&self, member: &str) -> Option<Stub> {
        members::stub(member)
    }

    fn helpers(&self) -> &[Helper] {
        &self.helpers
    }

    fn offers_helper(&self, member: &Member, helper: u32) -> bool {
        // An algorithm that retires may not change the socket any more.
        member.name != "release" || !matches!(helper, calls::SETSOCKOPT | calls::GETSOCKOPT)
    }

    fn kfuncs(&self) -> &[Kfunc] {
        &self.kfuncs
    }

    fn promote(&self, ty: TypeId) -> TypeId {
        if ty == self.ids.sock { self.ids.tcp_sock } else { ty }
    }

    fn struct_access(&self, ty: TypeId, offset: u32, size: u32) -> StructAccess {
        if ty == self.ids.tcp_sock {
            self.writable.check(offset, size)
        } else {
            StructAccess::ReadOnly
        }
    }

    fn init_member(&self, member: &Member, user: &[u8], kernel: &mut [u8]) -> Result<bool, Errno> {
        members::init(member, user, kernel)
    }

    fn registered_names(&self) -> Vec<String> {
        self.registry
            .upgrade()
            .map_or_else(|| Registry::new().names(), |registry| registry.names())
    }

    fn validate(&self, table: &Table) -> Result<(), Errno> {
        ca::validate(view(table)).map_err(errno)
    }

    fn reg(&self, table: &Table, module: Module) -> Result<(), Errno> {
        self.registry()?.register(owned(table, module)).map_err(errno)
    }

    fn update(&self, new: &Table, module: Module, old: &Table) -> Result<(), Errno> {
        let registry = self.registry()?;
        let old = registered(&registry, old).ok_or(Errno::EINVAL)?;
        registry.update(owned(new, module), &old).map_err(errno)
    }

    fn has_update(&self) -> bool {
        true
    }

    fn unreg(&self, table: &Table) {
        if let Some((registry, ops)) = self
            .registry
            .upgrade()
            .and_then(|registry| Some((Arc::clone(&registry), registered(&registry, table)?)))
        {
            // It is there: it was just found. Another thread may have been faster, which is as well.
            let _ = registry.unregister(&ops);
        }
    }
}

impl TcpCa {
    fn registry(&self) -> Result<Arc<Registry>, Errno> {
        self.registry.upgrade().ok_or(Errno::ENODEV)
    }
}

fn errno(error: CaError) -> Errno {
    Errno(error.errno())
}

/// The table as TCP sees it.
fn view(table: &Table) -> &CongestionOps {
    debug_assert!(table.len() >= size_of::<CongestionOps>());
    // SAFETY: the kernel made the table with the size, alignment (64) and layout of this structure, whose BTF we gave it; any bytes
    // are a value of its data members, and function pointers are null or thunks of their prototype. It is not written any more.
    unsafe { &*table.as_ptr().cast() }
}

/// The table with what keeps it alive.
fn owned(table: &Table, module: Module) -> OpsRef {
    let pointer = NonNull::from(view(table));
    // SAFETY: a `Module` keeps the table, its thunks and its programs; the programs were verified for TCP's arguments, run on any thread, do not
    // unwind, and write to the socket through their argument only.
    unsafe { OpsRef::new(pointer, module.into_keep_alive()) }
}

/// The registration of this very table.
fn registered(registry: &Registry, table: &Table) -> Option<OpsRef> {
    let found = registry.find(&view(table).name_str())?;
    ptr::eq(found.as_ptr().cast(), table.as_ptr()).then_some(found)
}

/// A socket that a program passed.
fn socket(argument: u64) -> *mut tcp_sock {
    ptr::with_exposed_provenance_mut(argument as usize)
}

macro_rules! natives {
    ($($(#[$doc:meta])* $constant:ident = |$($arg:ident),*; $env:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) const $constant: Native = {
            unsafe extern "C" fn native(a: u64, b: u64, c: u64, d: u64, e: u64, env: *mut c_void) -> u64 {
                let [$($arg,)* ..] = [a, b, c, d, e];
                let $env = env;
                $body
            }
            // SAFETY: the contract in `calls.rs` is what the body relies on.
            unsafe { Native::new(native) }
        };
    )*};
}

natives! {
    /// `tcp_reno_ssthresh(sk)`
    RENO_SSTHRESH = |sk; _env| {
        // SAFETY: `sk` is the socket of the running operation.
        u64::from(unsafe { tcp::kfuncs::tcp_reno_ssthresh(socket(sk).cast()) })
    };
    /// `tcp_reno_cong_avoid(sk, ack, acked)`
    RENO_CONG_AVOID = |sk, ack, acked; _env| {
        // SAFETY: `sk` is the socket of the running operation.
        unsafe { tcp::kfuncs::tcp_reno_cong_avoid(socket(sk).cast(), ack as u32, acked as u32) };
        0
    };
    /// `tcp_reno_undo_cwnd(sk)`
    RENO_UNDO_CWND = |sk; _env| {
        // SAFETY: `sk` is the socket of the running operation.
        u64::from(unsafe { tcp::kfuncs::tcp_reno_undo_cwnd(socket(sk).cast()) })
    };
    /// `tcp_slow_start(tp, acked)`
    SLOW_START = |tp, acked; _env| {
        // SAFETY: `tp` is the socket of the running operation.
        u64::from(unsafe { tcp::kfuncs::tcp_slow_start(socket(tp), acked as u32) })
    };
    /// `tcp_cong_avoid_ai(tp, w, acked)`
    CONG_AVOID_AI = |tp, w, acked; _env| {
        // SAFETY: `tp` is the socket of the running operation.
        unsafe { tcp::kfuncs::tcp_cong_avoid_ai(socket(tp), w as u32, acked as u32) };
        0
    };
    /// `bpf_tcp_send_ack(tp, rcv_nxt)`
    TCP_SEND_ACK = |tp, rcv_nxt; _env| {
        // SAFETY: `tp` is the socket of the running operation, a socket of crate `tcp`.
        unsafe { tcp::kfuncs::tcp_send_ack(socket(tp), rcv_nxt as u32) as u64 }
    };
    /// `bpf_sk_storage_get(map, sk, value, flags)`
    SK_STORAGE_GET = |map, sk, value, flags; _env| {
        // SAFETY: the arguments are a storage map, the socket of the running operation, and a value of the map or null.
        unsafe { storage_get(map, sk, value, flags) }
    };
    /// `bpf_sk_storage_delete(map, sk)`
    SK_STORAGE_DELETE = |map, sk; _env| {
        // SAFETY: the first argument is a map.
        let storage = unsafe { Storage::of(map) };
        status(storage.ok_or(Errno::EINVAL).and_then(|storage| storage.remove(sk as usize)))
    };
    /// `bpf_setsockopt(sk, level, name, value, size)`
    SETSOCKOPT_NATIVE = |sk, level, name, value, size; env| {
        // SAFETY: the arguments are the socket of the running operation and memory with its size; `env` is the sixth.
        status(unsafe { setsockopt(sk, (level as u32, name as u32), bytes(value, size as u32 as usize), Env::of(env)) })
    };
    /// `bpf_getsockopt(sk, level, name, value, size)`
    GETSOCKOPT_NATIVE = |sk, level, name, value, size; _env| {
        // SAFETY: the arguments are the socket of the running operation and memory to be filled, with its size.
        status(unsafe { getsockopt(sk, (level as u32, name as u32), value, size as u32 as usize) })
    };
}

/// `BPF_SK_STORAGE_GET_F_CREATE`.
const CREATE: u64 = 1;

/// `bpf_sk_storage_get()` (`net/core/bpf_sk_storage.c`, Linux 6.12).
///
/// # Safety
/// `map` is a map, `sk` the socket of the running operation, `value` null or readable for a value of the map.
unsafe fn storage_get(map: u64, sk: u64, value: u64, flags: u64) -> u64 {
    // SAFETY: as the caller vouches.
    let Some(storage) = (unsafe { Storage::of(map) }) else {
        return 0;
    };
    let owner = sk as usize;
    let found = storage.get(owner);
    if found != 0 || flags != CREATE {
        return if flags > CREATE { 0 } else { found };
    }
    let len = if value == 0 { 0 } else { storage.value_size() };
    // SAFETY: as the caller vouches.
    let (address, end) = storage.create(owner, unsafe { bytes(value, len) });
    if let Some(end) = end {
        // SAFETY: `sk` is the socket of the running operation.
        unsafe { tcp::kfuncs::on_destroy(socket(sk), Box::new(move |_: *mut sock| end())) };
    }
    address
}

const SOL_TCP: u32 = 6;
const TCP_CONGESTION: u32 = 13;
const NAME_MAX: usize = tcp::consts::TCP_CA_NAME_MAX;

/// `sol_tcp_sockopt_congestion()` (`net/core/filter.c`, Linux 6.12), setting.
///
/// # Safety
/// `sk` is the socket of the running operation.
unsafe fn setsockopt(sk: u64, option: (u32, u32), value: &[u8], env: &Env) -> Result<(), Errno> {
    if option != (SOL_TCP, TCP_CONGESTION) {
        return Err(Errno::EOPNOTSUPP);
    }
    if value.len() < 2 {
        return Err(Errno::EINVAL);
    }
    let name = &value[..value.len().min(NAME_MAX - 1)];
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let registry = env.family::<TcpCa>().ok_or(Errno::ENOENT)?.registry()?;
    let ops = std::str::from_utf8(name).ok().and_then(|name| registry.find(name));
    // SAFETY: as the caller vouches.
    unsafe { tcp::kfuncs::tcp_set_congestion_control(socket(sk), ops.ok_or(Errno::ENOENT)?) }.map_err(errno)
}

/// The same, getting: the name with a zero, and zeros behind it. After an error all bytes are zero.
///
/// # Safety
/// `sk` is the socket of the running operation, and `size` bytes at `value` may be written.
unsafe fn getsockopt(sk: u64, option: (u32, u32), value: u64, size: usize) -> Result<(), Errno> {
    let place: *mut u8 = ptr::with_exposed_provenance_mut(value as usize);
    // SAFETY: the caller vouches for the bytes.
    unsafe { place.write_bytes(0, size) };
    if option != (SOL_TCP, TCP_CONGESTION) {
        return Err(Errno::EOPNOTSUPP);
    }
    if size < 2 {
        return Err(Errno::EINVAL);
    }
    // SAFETY: `sk` is a live socket, whose table its `OpsRef` keeps alive; no reference to it is made.
    let name = unsafe { (*(*socket(sk)).inet_conn.icsk_ca_ops).name };
    let len = (size - 1).min(NAME_MAX);
    // SAFETY: `len` is less than `size`, and the name is a copy.
    unsafe { place.copy_from_nonoverlapping(name.as_ptr(), len) };
    Ok(())
}
