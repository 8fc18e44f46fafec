//! Flavours: `tcp_sock___old` means `tcp_sock`.

/// The name without its flavour: what is before the last `___` that has other characters than `_` on both sides.
///
/// ```
/// assert_eq!(btf::core::essential("tcp_sock___old"), "tcp_sock");
/// assert_eq!(btf::core::essential("___old"), "___old");
/// ```
pub fn essential(name: &str) -> &str {
    let bytes = name.as_bytes();
    // Nearly no name has a flavour, and the index asks for every name of a kernel.
    if !has_three_underscores(bytes) {
        return name;
    }
    let separator = |w: &[u8]| w[0] != b'_' && w[1..4] == *b"___" && w[4] != b'_';
    match bytes.windows(5).rposition(separator) {
        // The cut is before an ASCII character, so at the border of a character.
        Some(at) => name.get(..=at).unwrap_or(name),
        None => name,
    }
}

/// Three in a row include every third byte at some point.
fn has_three_underscores(bytes: &[u8]) -> bool {
    let is = |at: usize| bytes.get(at) == Some(&b'_');
    (2..bytes.len())
        .step_by(3)
        .any(|at| is(at) && (is(at - 1) && (is(at - 2) || is(at + 1)) || is(at + 1) && is(at + 2)))
}

/// Whether two names mean the same type or value.
pub(super) fn same(one: &str, other: &str) -> bool {
    essential(one) == essential(other)
}

#[cfg(test)]
mod tests {
    use super::essential;

    #[test]
    fn flavours() {
        let cases = [
            ("sock", "sock"),
            ("sock___old", "sock"),
            ("sock___a___b", "sock___a"),
            ("sock____old", "sock____old"),
            ("___sock", "___sock"),
            ("sock___", "sock___"),
            ("a___b", "a"),
            ("", ""),
            ("é___x", "é"),
            ("ab___x", "ab"),
            ("abc___x", "abc"),
        ];
        for (name, expected) in cases {
            assert_eq!(essential(name), expected, "{name}");
        }
    }
}
