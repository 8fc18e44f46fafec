//! `FILE:NAME`: one ops structure of an object that has several.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A word as a user types it, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection<'w> {
    /// The file or the shipped name.
    pub(crate) file: &'w OsStr,
    /// The ops structure that was chosen: the variable's name or the algorithm's.
    pub(crate) ops: Option<&'w str>,
}

/// Takes `word` apart. A file whose whole name is `word` is that file, with a colon in its name or not: `is_there` says whether one is.
pub(crate) fn split<'w>(word: &'w OsStr, is_there: impl Fn(&OsStr) -> bool) -> Selection<'w> {
    let whole = Selection { file: word, ops: None };
    if is_there(word) {
        return whole;
    }
    let bytes = word.as_bytes();
    let Some(colon) = bytes.iter().rposition(|byte| *byte == b':') else {
        return whole;
    };
    let file = OsStr::from_bytes(&bytes[..colon]);
    match std::str::from_utf8(&bytes[colon + 1..]) {
        Ok(ops) if !ops.is_empty() && !ops.contains('/') && is_there(file) => Selection { file, ops: Some(ops) },
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::split;
    use std::ffi::OsStr;

    #[test]
    fn the_file_comes_first() {
        let is_there = |file: &OsStr| ["x.o", "a:b.o", "a:b.o:c"].iter().any(|known| file == *known);
        for (word, file, ops) in [
            ("x.o", "x.o", None),
            ("x.o:mine", "x.o", Some("mine")),
            ("a:b.o", "a:b.o", None),
            ("a:b.o:c", "a:b.o:c", None),
            ("a:b.o:d", "a:b.o", Some("d")),
            ("x.o:", "x.o:", None),
            ("x.o:y/z", "x.o:y/z", None),
            ("no.o:mine", "no.o:mine", None),
        ] {
            let found = split(word.as_ref(), is_there);
            assert_eq!((found.file, found.ops), (file.as_ref(), ops), "{word}");
        }
    }
}
