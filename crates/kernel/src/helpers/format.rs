//! The format strings of `bpf_trace_printk()` (`bpf_bprintf_prepare`, `kernel/bpf/helpers.c`, Linux 6.12), without `%s` and the extended `%p…`, which
//! would follow addresses that nobody has checked.

use bpf::Errno;

/// Why nothing is printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormatError {
    /// Linux refuses it as well.
    #[error("the format is refused, as on Linux")]
    Refused,
    /// A conversion that follows an address.
    #[error("the embedded kernel has no %{0}, which follows an address that nobody has checked")]
    Unsupported(char),
}

impl FormatError {
    /// What the program gets.
    pub(super) fn errno(&self) -> Errno {
        Errno::EINVAL
    }
}

/// Bytes of a line at most: `MAX_BPRINTF_BUF` without its zero (`include/linux/bpf.h`).
const LINE_MAX: usize = 1023;

/// Prints `format`, a C string with its zero, with arguments. What is longer than a line is cut, as on Linux.
pub(super) fn print(format: &[u8], args: &[u64]) -> Result<String, FormatError> {
    let end = format.iter().position(|byte| *byte == 0).ok_or(FormatError::Refused)?;
    let text = format.get(..end).unwrap_or_default();
    if !text
        .iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
    {
        return Err(FormatError::Refused);
    }
    let text = std::str::from_utf8(text).map_err(|_| FormatError::Refused)?;
    let mut out = String::new();
    let mut args = args.iter().copied();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        push(&mut out, &rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            push(&mut out, "%");
            rest = after;
            continue;
        }
        let (printed, after) = conversion(rest, &mut args)?;
        push(&mut out, &printed);
        rest = after;
    }
    push(&mut out, rest);
    Ok(out.trim_end_matches('\n').to_owned())
}

/// Adds what still fits into the line. How long a format is, is the program's wish.
fn push(out: &mut String, text: &str) {
    let room = LINE_MAX - out.len().min(LINE_MAX);
    let end = text.floor_char_boundary(room);
    out.push_str(&text[..end]);
}

/// One conversion after its `%`.
fn conversion<'a>(spec: &'a str, args: &mut impl Iterator<Item = u64>) -> Result<(String, &'a str), FormatError> {
    let zero = spec.starts_with('0');
    let digits = spec.len() - spec.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let width: usize = match &spec[..digits] {
        "" => 0,
        width => width.parse().map_err(|_| FormatError::Refused)?,
    };
    if width > WIDTH_MAX {
        return Err(FormatError::Refused);
    }
    let spec = &spec[digits..];
    let (bits, spec) = match (spec.strip_prefix("ll"), spec.strip_prefix('l')) {
        (Some(rest), _) | (None, Some(rest)) => (64, rest),
        (None, None) => (32, spec),
    };
    let letter = spec.chars().next().ok_or(FormatError::Refused)?;
    let value = args.next().ok_or(FormatError::Refused)?;
    let short = if bits == 32 { u64::from(value as u32) } else { value };
    let signed = if bits == 32 {
        i64::from(value as i32)
    } else {
        value as i64
    };
    let printed = match letter {
        'd' | 'i' => signed.to_string(),
        'u' => short.to_string(),
        'x' => format!("{short:x}"),
        'X' => format!("{short:X}"),
        // `%pI4`, `%pB` and their kin show what is at the address.
        'p' if spec[1..].starts_with(|next: char| next.is_ascii_alphanumeric()) => {
            return Err(FormatError::Unsupported('p'));
        }
        'p' => format!("{value:016x}"),
        'c' if bits == 32 => char::from(value as u8).to_string(),
        's' => return Err(FormatError::Unsupported('s')),
        _ => return Err(FormatError::Refused),
    };
    let padded = match (zero, printed.strip_prefix('-')) {
        (true, Some(digits)) => format!("-{digits:0>width$}", width = width.saturating_sub(1)),
        (true, None) => format!("{printed:0>width$}"),
        (false, _) => format!("{printed:>width$}"),
    };
    Ok((padded, &spec[letter.len_utf8()..]))
}

const WIDTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let minus = -5_i64 as u64;
        for (format, args, expected) in [
            ("plain\n", &[][..], Ok("plain")),
            ("%d %u %x", &[minus, minus, 255], Ok("-5 4294967291 ff")),
            ("%lld %lu 100%%", &[minus, u64::MAX], Ok("-5 18446744073709551615 100%")),
            ("[%5d] [%05d] [%04x]", &[42, minus, 10], Ok("[   42] [-0005] [000a]")),
            ("%c%p", &[65, 0x10], Ok("A0000000000000010")),
            ("%s", &[1], Err(FormatError::Unsupported('s'))),
            ("%pI4", &[1], Err(FormatError::Unsupported('p'))),
            ("%d", &[], Err(FormatError::Refused)),
            ("%", &[1], Err(FormatError::Refused)),
            ("%99999999999999999999d", &[1], Err(FormatError::Refused)),
        ] {
            let result = print(format!("{format}\0").as_bytes(), args);
            assert_eq!(result.as_deref(), expected.as_ref().copied(), "{format}");
        }
        assert_eq!(print(b"no end", &[]), Err(FormatError::Refused));
        assert_eq!(print(b"\xff\0", &[]), Err(FormatError::Refused));
        let long = format!("{}%d\0", "x".repeat(2000));
        assert_eq!(print(long.as_bytes(), &[7]), Ok("x".repeat(LINE_MAX)));
    }
}
