//! Thunks are called: arguments, context, sharing and lifetime.
#![cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

use jit::thunk::{Entry, Thunk};

/// Writes its arguments where the context points and returns their count.
unsafe extern "C" fn record(a: u64, b: u64, c: u64, d: u64, e: u64, context: *const c_void) -> u64 {
    // SAFETY: every thunk below has a context that points to five numbers that outlive it.
    let seen = unsafe { &*context.cast::<[AtomicU64; 5]>() };
    for (place, value) in seen.iter().zip([a, b, c, d, e]) {
        place.store(value, Ordering::Relaxed);
    }
    5
}

unsafe extern "C" fn context_itself(_: u64, _: u64, _: u64, _: u64, _: u64, context: *const c_void) -> u64 {
    context as u64
}

fn call(thunk: &Thunk, a: [u64; 5]) -> u64 {
    type Five = unsafe extern "C" fn(u64, u64, u64, u64, u64) -> u64;
    // SAFETY: the handlers above take five integers.
    let f: Five = unsafe { std::mem::transmute::<*const c_void, Five>(thunk.address()) };
    // SAFETY: as above, and `thunk` is alive.
    unsafe { f(a[0], a[1], a[2], a[3], a[4]) }
}

#[test]
fn arguments_and_context_arrive() {
    let seen: [AtomicU64; 5] = Default::default();
    let context = std::ptr::from_ref(&seen).cast();
    let handler = record;
    let thunks = Thunk::build(&[Entry { handler, context }]).expect("executable memory");
    let arguments = [1, u64::MAX, 0x8000_0000_0000_0000, 0, 0xdead_beef];
    assert_eq!(call(&thunks[0], arguments), 5);
    assert_eq!(seen.map(|s| s.into_inner()), arguments);
}

#[test]
fn a_batch_shares_pages_and_outlives_its_siblings() {
    let entries: Vec<Entry> = (0..500usize)
        .map(|i| Entry {
            handler: context_itself,
            context: std::ptr::without_provenance(i * 0x0101_0101),
        })
        .collect();
    let mut thunks = Thunk::build(&entries).expect("executable memory");
    let spread = thunks[499].address() as usize - thunks[0].address() as usize;
    assert_eq!(spread, 499 * 32);
    for (i, thunk) in thunks.iter().enumerate() {
        assert_eq!(call(thunk, [7; 5]), i as u64 * 0x0101_0101);
    }
    let last = thunks.pop().expect("500 of them").clone();
    drop(thunks);
    assert_eq!(call(&last, [7; 5]), 499 * 0x0101_0101);
}

#[test]
fn nothing_of_nothing() {
    assert!(Thunk::build(&[]).expect("no memory needed").is_empty());
}

#[test]
fn threads_may_share_them() {
    let entry = Entry {
        handler: context_itself,
        context: std::ptr::without_provenance(42),
    };
    let thunks = Thunk::build(&[entry]).expect("executable memory");
    std::thread::scope(|scope| {
        let other = scope.spawn(|| call(&thunks[0], [0; 5]));
        assert_eq!(other.join().expect("returns"), 42);
    });
}
