//! Machine code for BPF programs; so far only the way in.
//!
//! An operations structure holds plain C function pointers. [`thunk`] makes one for a pair of a native handler
//! and the context it is to get, so that whoever calls the table cannot tell what is behind it: today the
//! interpreter, later compiled code at the same place.
//!
//! Executable memory is mapped writable, filled, then made executable; it is never both.
#![deny(unsafe_code)]

pub mod thunk;
