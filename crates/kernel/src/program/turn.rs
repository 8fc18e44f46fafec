//! One call into BPF, and how many instructions it may execute ([`Limits::insns_per_call`](crate::Limits)).

use std::cell::Cell;

thread_local! {
    /// The call that this thread is in. A function that a program calls may run further programs (`bpf_setsockopt()` begins and ends algorithms), through
    /// function pointers of C that have no room for a word of ours: that both are one call, nothing but the thread knows. On Linux it is the CPU.
    static CALL: Call = const {
        Call {
            depth: Cell::new(0),
            left: Cell::new(0),
        }
    };
}

struct Call {
    /// Programs that have begun and not ended.
    depth: Cell<u32>,
    /// Instructions that they may still execute together.
    left: Cell<u64>,
}

/// Ends a program's part of the call, whichever way it is left.
struct End<'a>(&'a Call);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.depth.set(self.0.depth.get() - 1);
    }
}

/// Runs one program: the outermost of a call has `limit` instructions, and those within have what is left.
pub(crate) fn take<R>(limit: u64, run: impl FnOnce(&Cell<u64>) -> R) -> R {
    CALL.with(|call| {
        if call.depth.get() == 0 {
            call.left.set(limit);
        }
        call.depth.set(call.depth.get() + 1);
        let _end = End(call);
        run(&call.left)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_shares_what_is_left() {
        let spend = |left: &Cell<u64>, insns| left.set(left.get() - insns);
        take(100, |left| {
            spend(left, 30);
            take(1_000, |left| {
                assert_eq!(left.get(), 70);
                spend(left, 50);
            });
            assert_eq!(left.get(), 20);
        });
        assert_eq!(take(100, Cell::get), 100, "the next call begins anew");
    }
}
