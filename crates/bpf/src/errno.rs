//! Error numbers of Linux on x86-64 and aarch64, with the kernel-internal 524 that bpf(2) lets out.

use std::fmt;

/// A Linux error number, positive.
///
/// ```
/// assert_eq!(bpf::Errno(524).to_string(), "ENOTSUPP (operation is not supported)");
/// assert_eq!(bpf::Errno(4000).to_string(), "errno 4000");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub i32);

macro_rules! errnos {
    ($($name:ident = $number:literal $text:literal,)*) => {
        #[expect(missing_docs, reason = "the names are the standard's")]
        impl Errno {
            $(pub const $name: Self = Self($number);)*
        }

        impl Errno {
            /// Name and one line of text, if known.
            fn entry(self) -> Option<(&'static str, &'static str)> {
                match self.0 {
                    $($number => Some((stringify!($name), $text)),)*
                    _ => None,
                }
            }
        }
    };
}

impl Errno {
    /// The name, `EINVAL` for instance; empty for a number without one here.
    pub fn name(self) -> &'static str {
        self.entry().map_or("", |(name, _)| name)
    }

    /// What it means, in a few words.
    pub fn text(self) -> &'static str {
        self.entry().map_or("", |(_, text)| text)
    }

    /// Whether the kernel says that it has no such thing, as opposed to that the request is wrong.
    pub fn is_unsupported(self) -> bool {
        [Self::ENOTSUPP, Self::EOPNOTSUPP, Self::ENOSYS].contains(&self)
    }

    /// Whether the process lacks a right.
    pub fn is_denied(self) -> bool {
        [Self::EPERM, Self::EACCES].contains(&self)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry() {
            Some((name, text)) => write!(f, "{name} ({text})"),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry() {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl std::error::Error for Errno {}

impl From<std::io::Error> for Errno {
    /// The number inside; of an error that did not come from the system `ENOMEM` if memory is short, else `EIO`.
    fn from(error: std::io::Error) -> Self {
        let own = match error.kind() {
            std::io::ErrorKind::OutOfMemory => Self::ENOMEM,
            _ => Self::EIO,
        };
        error.raw_os_error().map_or(own, Self)
    }
}

errnos! {
    EPERM = 1 "operation not permitted",
    ENOENT = 2 "no such file, object or element",
    ESRCH = 3 "no such process or type",
    EINTR = 4 "interrupted",
    EIO = 5 "input or output error",
    ENXIO = 6 "no such device or address",
    E2BIG = 7 "too big",
    ENOEXEC = 8 "not executable",
    EBADF = 9 "bad descriptor",
    ECHILD = 10 "no child process",
    EAGAIN = 11 "try again",
    ENOMEM = 12 "out of memory",
    EACCES = 13 "permission denied",
    EFAULT = 14 "bad address",
    EBUSY = 16 "busy",
    EEXIST = 17 "exists already",
    EXDEV = 18 "on another file system",
    ENODEV = 19 "no such device",
    ENOTDIR = 20 "not a directory",
    EISDIR = 21 "is a directory",
    EINVAL = 22 "invalid argument",
    ENFILE = 23 "too many open files in the system",
    EMFILE = 24 "too many open files",
    ENOTTY = 25 "not a terminal",
    ETXTBSY = 26 "text file busy",
    EFBIG = 27 "file too large",
    ENOSPC = 28 "no space left",
    ESPIPE = 29 "cannot seek",
    EROFS = 30 "read-only file system",
    EMLINK = 31 "too many links",
    EPIPE = 32 "broken pipe",
    EDOM = 33 "outside the domain",
    ERANGE = 34 "out of range",
    EDEADLK = 35 "would deadlock",
    ENAMETOOLONG = 36 "name too long",
    ENOLCK = 37 "no locks available",
    ENOSYS = 38 "not implemented",
    ENOTEMPTY = 39 "not empty",
    ELOOP = 40 "too many symbolic links",
    ENOLINK = 67 "link has been severed",
    EPROTO = 71 "protocol error",
    EBADMSG = 74 "bad message",
    EOVERFLOW = 75 "value too large",
    EUSERS = 87 "too many users",
    EMSGSIZE = 90 "message too long",
    ENOPROTOOPT = 92 "protocol option not available",
    EPROTONOSUPPORT = 93 "protocol not supported",
    EOPNOTSUPP = 95 "operation not supported",
    EADDRINUSE = 98 "address in use",
    EADDRNOTAVAIL = 99 "address not available",
    ENETUNREACH = 101 "network unreachable",
    ECONNRESET = 104 "connection reset",
    ENOBUFS = 105 "no buffer space",
    EISCONN = 106 "connected already",
    ENOTCONN = 107 "not connected",
    ETIMEDOUT = 110 "timed out",
    ECONNREFUSED = 111 "connection refused",
    EALREADY = 114 "already in progress",
    EINPROGRESS = 115 "now in progress",
    ESTALE = 116 "stale",
    EDQUOT = 122 "quota exceeded",
    ECANCELED = 125 "cancelled",
    EKEYREJECTED = 129 "key rejected",
    ENOTSUPP = 524 "operation is not supported",
}
