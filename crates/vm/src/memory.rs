//! What a program in the checked mode may touch: [`Memory`], its simplest form [`Regions`], and the stack.

use isa::{Call, Size};

use crate::interpret::{MAX_BPF_STACK, MAX_CALL_FRAMES};

/// Everything outside the program but its stack. Addresses are plain numbers; they need not be those of
/// anything real.
pub trait Memory {
    /// Zero-extended value of `size` bytes, little endian, at `address`.
    ///
    /// # Errors
    ///
    /// Why it may not be read.
    fn load(&mut self, address: u64, size: Size) -> Result<u64, Denied>;

    /// Write the low `size` bytes of `value`, little endian, at `address`.
    ///
    /// # Errors
    ///
    /// Why it may not be written.
    fn store(&mut self, address: u64, size: Size, value: u64) -> Result<(), Denied>;

    /// Call a helper or kernel function with R1 to R5; the result is R0. Pointers may lead to `stack`.
    ///
    /// # Errors
    ///
    /// Why it may not be called so; by default nothing may be called.
    fn call(&mut self, call: Call, arguments: [u64; 5], stack: &mut Stack) -> Result<u64, Denied> {
        let _ = (call, arguments, stack);
        Err(Denied::NotCallable)
    }
}

/// Why an access or a call was not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// There is nothing at this address.
    #[error("nothing is there")]
    Unmapped,
    /// The access begins in a region and ends outside.
    #[error("runs over the end of `{region}`")]
    PastEnd {
        /// Name of the region.
        region: String,
    },
    /// The region is read-only.
    #[error("`{region}` is read-only")]
    ReadOnly {
        /// Name of the region.
        region: String,
    },
    /// An atomic access must be aligned to its size.
    #[error("not aligned")]
    Misaligned,
    /// There is no such function here.
    #[error("not callable")]
    NotCallable,
}

/// Blocks of bytes at given addresses.
#[derive(Clone, Debug, Default)]
pub struct Regions(Vec<Region>);

#[derive(Clone, Debug)]
struct Region {
    name: String,
    start: u64,
    bytes: Vec<u8>,
    writable: bool,
}

impl Regions {
    /// Add a block. Where blocks overlap, the first one added counts.
    pub fn add(&mut self, name: &str, start: u64, bytes: Vec<u8>, writable: bool) {
        let name = name.to_owned();
        self.0.push(Region {
            name,
            start,
            bytes,
            writable,
        });
    }

    /// The bytes of a block now.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|r| r.name == name).map(|r| r.bytes.as_slice())
    }

    fn find(&mut self, address: u64, size: Size) -> Result<(&mut Region, usize), Denied> {
        let region = self
            .0
            .iter_mut()
            .find(|r| address.checked_sub(r.start).is_some_and(|at| at < r.bytes.len() as u64))
            .ok_or(Denied::Unmapped)?;
        let at = (address - region.start) as usize;
        if region.bytes.len() - at < size.bytes() as usize {
            let region = region.name.clone();
            return Err(Denied::PastEnd { region });
        }
        Ok((region, at))
    }
}

impl Memory for Regions {
    fn load(&mut self, address: u64, size: Size) -> Result<u64, Denied> {
        let (region, at) = self.find(address, size)?;
        Ok(read(&region.bytes, at, size))
    }

    fn store(&mut self, address: u64, size: Size, value: u64) -> Result<(), Denied> {
        let (region, at) = self.find(address, size)?;
        if !region.writable {
            let region = region.name.clone();
            return Err(Denied::ReadOnly { region });
        }
        write(&mut region.bytes, at, size, value);
        Ok(())
    }
}

/// The stacks of a program's frames in the checked mode. A frame can be reached by its own code and by what it
/// calls, and only while it is active.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Active ones, outermost first.
    frames: Vec<[u8; MAX_BPF_STACK]>,
}

impl Stack {
    /// Address of the first frame. Frames are apart, so that none can be reached from the next.
    const START: u64 = 0xffff_c900_0000_0000;
    const STRIDE: u64 = 0x1_0000;

    pub(crate) fn new() -> Self {
        Self {
            frames: Vec::with_capacity(MAX_CALL_FRAMES),
        }
    }

    /// Enter a frame; the address one past its end, or nothing if there are too many.
    pub(crate) fn push(&mut self) -> Option<u64> {
        if self.frames.len() == MAX_CALL_FRAMES {
            return None;
        }
        let start = Self::START + Self::STRIDE * self.frames.len() as u64;
        self.frames.push([0; MAX_BPF_STACK]);
        Some(start + MAX_BPF_STACK as u64)
    }

    pub(crate) fn pop(&mut self) {
        self.frames.pop();
    }

    /// Value at an address of the stack; `None` if the address is not one.
    ///
    /// # Errors
    ///
    /// Why it may not be read.
    pub fn load(&self, address: u64, size: Size) -> Option<Result<u64, Denied>> {
        let (frame, at) = Self::place(address)?;
        let frame = self.frames.get(frame);
        Some(within(frame, at, size).map(|frame| read(frame, at, size)))
    }

    /// Write to an address of the stack; `None` if the address is not one.
    ///
    /// # Errors
    ///
    /// Why it may not be written.
    pub fn store(&mut self, address: u64, size: Size, value: u64) -> Option<Result<(), Denied>> {
        let (frame, at) = Self::place(address)?;
        let frame = self.frames.get_mut(frame);
        Some(within(frame, at, size).map(|frame| write(frame, at, size, value)))
    }

    /// Number of the frame and offset in its stride.
    fn place(address: u64) -> Option<(usize, usize)> {
        let offset = address.checked_sub(Self::START)?;
        let frame = (offset / Self::STRIDE) as usize;
        (frame < MAX_CALL_FRAMES).then_some((frame, (offset % Self::STRIDE) as usize))
    }
}

fn within<F>(frame: Option<F>, at: usize, size: Size) -> Result<F, Denied> {
    match frame {
        Some(frame) if at + size.bytes() as usize <= MAX_BPF_STACK => Ok(frame),
        Some(_) if at < MAX_BPF_STACK => Err(Denied::PastEnd {
            region: "stack".to_owned(),
        }),
        _ => Err(Denied::Unmapped),
    }
}

fn read(bytes: &[u8], at: usize, size: Size) -> u64 {
    let size = size.bytes() as usize;
    let mut value = [0; 8];
    value[..size].copy_from_slice(&bytes[at..at + size]);
    u64::from_le_bytes(value)
}

fn write(bytes: &mut [u8], at: usize, size: Size, value: u64) {
    let size = size.bytes() as usize;
    bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
}
