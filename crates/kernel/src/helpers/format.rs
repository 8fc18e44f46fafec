//! The format strings of `bpf_trace_printk()` (`bpf_bprintf_prepare`, `kernel/bpf/helpers.c`, Linux 6.12), without `%s` and the extended `%p…`, which
//! would follow addresses that nobody has checked.

use bpf::Errno;

/// Prints `format`, a C string with its zero, with arguments. `EINVAL` for what Linux refuses, and for what is not supported here.
pub(super) fn print(format: &[u8], args: &[u64]) -> Result<String, Errno> {
    let end = format.iter().position(|byte| *byte == 0).ok_or(Errno::EINVAL)?;
    let text = format.get(..end).unwrap_or_default();
    if !text
        .iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
    {
        return Err(Errno::EINVAL);
    }
    let text = String::from_utf8_lossy(text);
    let mut out = String::new();
    let mut args = args.iter().copied();
    let mut rest = &*text;
    while let Some(at) = rest.find('%') {
        out += &rest[..at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (printed, after) = conversion(rest, &mut args)?;
        out += &printed;
        rest = after;
    }
    out += rest;
    Ok(out.trim_end_matches('\n').to_owned())
}

/// One conversion after its `%`.
fn conversion<'a>(spec: &'a str, args: &mut impl Iterator<Item = u64>) -> Result<(String, &'a str), Errno> {
    let zero = spec.starts_with('0');
    let digits = spec.len() - spec.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let width: usize = match &spec[..digits] {
        "" => 0,
        width => width.parse().map_err(|_| Errno::EINVAL)?,
    };
    if width > WIDTH_MAX {
        return Err(Errno::EINVAL);
    }
    let spec = &spec[digits..];
    let (bits, spec) = match (spec.strip_prefix("ll"), spec.strip_prefix('l')) {
        (Some(rest), _) | (None, Some(rest)) => (64, rest),
        (None, None) => (32, spec),
    };
    let letter = spec.chars().next().ok_or(Errno::EINVAL)?;
    let value = args.next().ok_or(Errno::EINVAL)?;
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
        'p' => format!("{value:016x}"),
        'c' if bits == 32 => char::from(value as u8).to_string(),
        _ => return Err(Errno::EINVAL),
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
            ("%s", &[1], Err(Errno::EINVAL)),
            ("%d", &[], Err(Errno::EINVAL)),
            ("%", &[1], Err(Errno::EINVAL)),
            ("%99999999999999999999d", &[1], Err(Errno::EINVAL)),
        ] {
            let result = print(format!("{format}\0").as_bytes(), args);
            assert_eq!(result.as_deref(), expected.as_ref().copied(), "{format}");
        }
        assert_eq!(print(b"no end", &[]), Err(Errno::EINVAL));
        assert_eq!(print(b"\xff\0", &[]), Err(Errno::EINVAL));
    }
}
