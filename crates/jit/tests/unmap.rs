//! The last drop frees the memory. Alone in its process, so that nobody else maps anything at the address.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::ffi::c_void;

use jit::thunk::{Entry, Thunk};

unsafe extern "C" fn nothing(_: u64, _: u64, _: u64, _: u64, _: u64, _: *const c_void) -> u64 {
    0
}

/// Whether an executable, not writable mapping holds the address.
fn executable(address: usize) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
    maps.lines().any(|line| {
        let (range, rest) = line.split_once(' ').expect("range, permissions");
        let (start, end) = range.split_once('-').expect("start-end");
        let parse = |text| usize::from_str_radix(text, 16).expect("hexadecimal");
        (parse(start)..parse(end)).contains(&address) && rest.starts_with("r-xp")
    })
}

#[test]
fn the_last_drop_unmaps() {
    let entry = Entry {
        handler: nothing,
        context: std::ptr::null(),
    };
    let mut thunks = Thunk::build(&[entry; 3]).expect("executable memory");
    let last = thunks.pop().expect("three of them");
    let address = last.address() as usize;
    drop(thunks);
    assert!(executable(address));
    drop(last);
    assert!(!executable(address));
}
