//! Names under the bpffs: `opswap/<kind>/<algorithm>/{link,v1,v2,new3,back2}`.
//!
//! `link` holds the registration, `v<N>` are versions that are or were live, `new<N>` is one on its way in, `back<N>` one that a
//! rollback took away. Which version is live is never read from a name: the link tells.

/// The folder below the bpffs that is ours.
pub(super) const TOP: &str = "opswap";

/// What a pin of ours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PinName {
    /// The link.
    Link,
    /// A version that is or was live.
    Version(u32),
    /// A version that has not been live, or whose swap was cut short right after it.
    New(u32),
    /// A version that a rollback took away.
    Back(u32),
    /// The link of a program that belongs to no ops structure, and was attached with it.
    Attached(u32),
}

impl PinName {
    /// Reads a name; `None` for a name that we do not give.
    pub(super) fn parse(name: &str) -> Option<Self> {
        if name == "link" {
            Some(Self::Link)
        } else if let Some(number) = name.strip_prefix("at") {
            number.parse().ok().map(Self::Attached)
        } else if let Some(number) = name.strip_prefix("new") {
            number.parse().ok().map(Self::New)
        } else if let Some(number) = name.strip_prefix("back") {
            number.parse().ok().map(Self::Back)
        } else {
            name.strip_prefix('v')?.parse().ok().map(Self::Version)
        }
    }

    /// The version's number; the link has none.
    pub(super) fn number(self) -> Option<u32> {
        match self {
            Self::Link | Self::Attached(_) => None,
            Self::Version(number) | Self::New(number) | Self::Back(number) => Some(number),
        }
    }
}

impl PinName {
    /// Which one a rollback brings back, the greatest first: the newest that was live before, else the one that a rollback took away.
    /// A version that never was live (`new<N>` of a killed swap) is none.
    pub(super) fn rank(self) -> Option<(u8, u32)> {
        match self {
            Self::Version(number) => Some((1, number)),
            Self::Back(number) => Some((0, number)),
            Self::New(_) | Self::Link | Self::Attached(_) => None,
        }
    }
}

impl std::fmt::Display for PinName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link => f.write_str("link"),
            Self::Version(number) => write!(f, "v{number}"),
            Self::New(number) => write!(f, "new{number}"),
            Self::Back(number) => write!(f, "back{number}"),
            Self::Attached(number) => write!(f, "at{number}"),
        }
    }
}

/// The names on the way to the folder of one algorithm, below the bpffs.
pub(super) fn names(kind: &str, algorithm: &str) -> [String; 3] {
    [TOP.to_owned(), escape(kind), escape(algorithm)]
}

/// The bpffs takes no names with dots (`bpf_lookup` in kernel/bpf/inode.c, Linux 6.18), and `/` parts folders: both, and `%` itself, are written as `%2e`.
pub(super) fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'.' | b'/' | b'%') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02x}"));
        }
    }
    escaped
}

/// Reads what [`escape`] wrote; `None` for what it never writes.
pub(super) fn unescape(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in [
            PinName::Link,
            PinName::Version(7),
            PinName::New(12),
            PinName::Back(2),
            PinName::Attached(3),
        ] {
            assert_eq!(PinName::parse(&name.to_string()), Some(name));
        }
        for other in ["", "v", "vx", "new", "links", "v-1"] {
            assert_eq!(PinName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn names_that_the_bpffs_refuses_are_escaped() {
        assert_eq!(escape("bpf_cubic"), "bpf_cubic");
        assert_eq!(escape("my.cc/v2%"), "my%2ecc%2fv2%25");
        assert_ne!(escape("."), ".");
        for name in ["bpf_cubic", "my.cc/v2%", "a\u{e4} b", ""] {
            assert_eq!(unescape(&escape(name)).as_deref(), Some(name));
        }
        for damaged in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(unescape(damaged), None, "{damaged}");
        }
    }
}
