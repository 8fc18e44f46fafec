//! [`Sk`], the owner of a socket's memory: a raw pointer with short-lived references.
//!
//! The operations of a congestion control read and write the socket through a raw pointer while TCP is in the middle of
//! its work. So no Rust reference to the socket may be alive at a call. `Sk` holds only the pointer and makes a reference
//! anew at each use; since every such reference borrows from the `Sk`, and the calls in `ca_call.rs` take `&mut Sk`, the
//! compiler refuses to keep one across a call.

use crate::block::Block;
use crate::sock::{sock, tcp_sock};
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// Owner of a [`Block`] that never moves.
pub(crate) struct Sk {
    block: NonNull<Block>,
}

// SAFETY: the block is owned by this value alone; its parts are plain data, `Send` hooks and `OpsRef`s.
unsafe impl Send for Sk {}

impl Sk {
    /// Puts a socket on the heap.
    pub(crate) fn new(block: Block) -> Self {
        let block = NonNull::from(Box::leak(Box::new(block)));
        Self { block }
    }

    /// The pointer that operations get. It may be used for the whole block.
    pub(crate) fn raw(&mut self) -> *mut sock {
        self.block.as_ptr().cast()
    }

    /// The socket behind the pointer that an operation got, for the time of a call from it.
    ///
    /// # Safety
    /// `tp` came from [`Sk::raw`] of a socket that is alive, no reference to its block is alive, and none is made by other
    /// means while the result lives.
    pub(crate) unsafe fn borrow_raw(tp: *mut tcp_sock) -> ManuallyDrop<Self> {
        // SAFETY: a pointer from `raw` is not null.
        let block = unsafe { NonNull::new_unchecked(tp.cast::<Block>()) };
        ManuallyDrop::new(Self { block })
    }
}

impl Deref for Sk {
    type Target = Block;

    fn deref(&self) -> &Block {
        // SAFETY: the block lives as long as `self`; operations, which write through the raw pointer, run only inside
        // methods that take `&mut Sk`, so that no reference made here is alive then.
        unsafe { self.block.as_ref() }
    }
}

impl DerefMut for Sk {
    fn deref_mut(&mut self) -> &mut Block {
        // SAFETY: as in `deref`.
        unsafe { self.block.as_mut() }
    }
}

impl Drop for Sk {
    fn drop(&mut self) {
        self.release_congestion_control();
        let raw = self.raw();
        for hook in std::mem::take(&mut self.destroy_hooks) {
            hook(raw);
        }
        // SAFETY: made by `Box::leak` in `new` and freed nowhere else.
        drop(unsafe { Box::from_raw(self.block.as_ptr()) });
    }
}
