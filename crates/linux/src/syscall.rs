//! The system calls that have no safe wrapper elsewhere: bpf(2) and perf_event_open(2), and duplicating, closing and mounting. All unsafe code of this crate is here.
//!
//! What an attribute points to is given as borrowed memory ([`Pointer`]); this file puts the addresses and, where the attribute has a field for it, the
//! lengths in, so that the kernel cannot be told a length that the memory does not have. Where the kernel knows the length by itself (keys and
//! values of a map, the paths) the caller has checked it first: `Extent::Implied`.

use crate::perf;
use bpf::Errno;
use bpf::attr::Command;
use std::ffi::CStr;
use std::os::fd::{FromRawFd, OwnedFd};

/// Memory that an attribute, or other memory of the same call, points to.
pub(crate) struct Pointer<'a> {
    /// Where the address goes: into the attribute, or into the memory with this index of the same call.
    pub(crate) within: Option<usize>,
    /// Offset of the address there.
    pub(crate) offset: usize,
    /// What it points to; nothing points to no bytes (address 0).
    pub(crate) memory: &'a mut [u8],
    /// How the kernel knows its length.
    pub(crate) extent: Extent,
}

/// How the kernel knows the length of the memory behind a pointer.
#[derive(Clone, Copy)]
pub(crate) enum Extent {
    /// A 32-bit field of the attribute has it, in units of so many bytes.
    Field { offset: usize, unit: usize },
    /// A zero ends it.
    CString,
    /// It follows from the object; the caller has made sure that the memory is that long.
    Implied,
}

/// How often a call is repeated that the kernel gave up on for a pending signal (libbpf: five times).
const ATTEMPTS: u32 = 8;

/// Does the system call. `attr` is the encoded attribute with the pointers still zero; the kernel may write results into it.
pub(crate) fn bpf(command: Command, attr: &mut [u8], pointers: &mut [Pointer<'_>]) -> Result<i32, Errno> {
    place(attr, pointers)?;
    let mut attempt = 0;
    loop {
        // SAFETY: the attribute is borrowed for the call and its length is given. Every pointer in it was put there by `place` from memory that
        // is borrowed mutably for the call, with its own length in the attribute's length field, a terminating zero, or a length
        // that the caller has compared with the object's (`Extent::Implied`), so the kernel stays inside.
        let result = unsafe { libc::syscall(libc::SYS_bpf, command as libc::c_long, attr.as_mut_ptr(), attr.len()) };
        match checked(result) {
            Err(Errno::EINTR | Errno::EAGAIN) if attempt < ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

/// `PERF_FLAG_FD_CLOEXEC` of `include/uapi/linux/perf_event.h`, Linux 6.18.
const FD_CLOEXEC: libc::c_ulong = 8;

/// perf_event_open(2) of an event that is not counted: of every process, on the first CPU, in no group.
pub(crate) fn perf_event_open(
    attr: &mut [u8; perf::ATTR_BYTES],
    pointers: &mut [Pointer<'_>],
) -> Result<OwnedFd, Errno> {
    place(attr, pointers)?;
    let (every_process, cpu, no_group): (libc::pid_t, libc::c_int, libc::c_int) = (-1, 0, -1);
    // SAFETY: the attribute is borrowed for the call and says its own size, which the type holds to that of the array; pointers in it were put there
    // by `place`, from memory that is borrowed for the call and ends in a zero.
    let result = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            attr.as_mut_ptr(),
            every_process,
            cpu,
            no_group,
            FD_CLOEXEC,
        )
    };
    let fd = checked(result)?;
    // SAFETY: the kernel has just given this descriptor to us, and nobody else has its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Writes addresses and lengths to where the kernel looks for them.
fn place(attr: &mut [u8], pointers: &mut [Pointer<'_>]) -> Result<(), Errno> {
    for index in 0..pointers.len() {
        let pointer = &mut pointers[index];
        let (within, offset, length) = (pointer.within, pointer.offset, pointer.memory.len());
        let address = match length {
            0 => 0,
            _ => pointer.memory.as_mut_ptr().expose_provenance() as u64,
        };
        match pointer.extent {
            Extent::Field { offset, unit } => {
                let count = u32::try_from(length / unit).map_err(|_| Errno::E2BIG)?;
                write(attr, offset, &count.to_ne_bytes())?;
            }
            Extent::CString if pointer.memory.last() != Some(&0) => return Err(Errno::EINVAL),
            Extent::CString | Extent::Implied => {}
        }
        let target = match within {
            None => &mut *attr,
            Some(other) => &mut *pointers.get_mut(other).ok_or(Errno::EFAULT)?.memory,
        };
        write(target, offset, &address.to_ne_bytes())?;
    }
    Ok(())
}

fn write(target: &mut [u8], offset: usize, bytes: &[u8]) -> Result<(), Errno> {
    let slot = target.get_mut(offset..offset + bytes.len()).ok_or(Errno::EFAULT)?;
    slot.copy_from_slice(bytes);
    Ok(())
}

fn checked(result: libc::c_long) -> Result<i32, Errno> {
    if result < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    i32::try_from(result).map_err(|_| Errno::EOVERFLOW)
}

/// Closes a descriptor; the only error that leaves it open does not exist on Linux.
pub(crate) fn close(fd: i32) {
    // SAFETY: the caller owned the descriptor and gives it up; no memory is involved.
    unsafe { libc::close(fd) };
}

/// A second descriptor for the same open file, closed on exec.
pub(crate) fn duplicate(fd: i32) -> Result<i32, Errno> {
    // SAFETY: no memory is involved; a number that is not open gives EBADF.
    checked(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) }.into())
}

/// mount(2) of a fresh bpffs with mode 0700.
pub(crate) fn mount_bpffs(target: &CStr) -> Result<(), Errno> {
    // SAFETY: all four strings end in a zero and live through the call.
    let result = unsafe {
        libc::mount(
            c"bpf".as_ptr(),
            target.as_ptr(),
            c"bpf".as_ptr(),
            libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC,
            c"mode=0700".as_ptr().cast(),
        )
    };
    checked(result.into()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_lengths_are_put_in() {
        let mut attr = [0; 32];
        let (mut outer, mut inner) = ([0; 16], [0; 12]);
        let inner_address = inner.as_ptr().addr() as u64;
        let mut pointers = [
            Pointer {
                within: None,
                offset: 8,
                memory: &mut outer,
                extent: Extent::Implied,
            },
            Pointer {
                within: Some(0),
                offset: 4,
                memory: &mut inner,
                extent: Extent::Field { offset: 0, unit: 4 },
            },
        ];
        place(&mut attr, &mut pointers).unwrap();
        assert_eq!(attr[0..4], 3u32.to_ne_bytes());
        assert_eq!(outer[4..12], inner_address.to_ne_bytes());
        assert_eq!(attr[8..16], (outer.as_ptr().addr() as u64).to_ne_bytes());
    }

    #[test]
    fn a_field_outside_and_an_open_string_are_refused() {
        for (offset, extent, errno) in [(4, Extent::Implied, Errno::EFAULT), (0, Extent::CString, Errno::EINVAL)] {
            let mut pointers = [Pointer {
                within: None,
                offset,
                memory: &mut [7],
                extent,
            }];
            assert_eq!(place(&mut [0; 8], &mut pointers), Err(errno));
        }
    }

    #[test]
    fn a_wrong_descriptor_is_an_error_not_a_panic() {
        assert_eq!(duplicate(-1), Err(Errno::EBADF));
    }
}
