//! The value of the `.kconfig` map: what the kernel's configuration says for each extern.
//!
//! Follows `bpf_object__resolve_externs` and `set_kcfg_value_*` of libbpf (Linux 6.12).

use crate::error::{KconfigProblem, LoadError};
use bpf::Bpf;
use object::{Extern, ExternKind, KconfigType};

/// The map's value, laid out as the object says.
pub(crate) fn value(externs: &[Extern], size: u32, kernel: &dyn Bpf) -> Result<Vec<u8>, LoadError> {
    let mut bytes = vec![0; size as usize];
    for item in externs {
        let ExternKind::Kconfig { offset, size, value } = item.kind else {
            continue;
        };
        let Some(place) = bytes
            .get_mut(offset as usize..)
            .and_then(|rest| rest.get_mut(..size as usize))
        else {
            continue;
        };
        set(item, value, place, kernel).map_err(|problem| LoadError::Kconfig {
            name: item.name.clone(),
            problem,
        })?;
    }
    Ok(bytes)
}

fn set(item: &Extern, kind: KconfigType, place: &mut [u8], kernel: &dyn Bpf) -> Result<(), KconfigProblem> {
    match item.name.as_str() {
        "LINUX_KERNEL_VERSION" => return number(kind, u64::from(kernel.version()), place),
        // bpf_get_attach_cookie() is there since Linux 5.15.
        "LINUX_HAS_BPF_COOKIE" => return number(kind, u64::from(kernel.version() >= 5 << 16 | 15 << 8), place),
        "LINUX_HAS_SYSCALL_WRAPPER" => {
            let wrapped = kernel.kconfig("CONFIG_ARCH_HAS_SYSCALL_WRAPPER");
            return number(kind, u64::from(wrapped == Ok(Some("y".to_owned()))), place);
        }
        name if name.starts_with("CONFIG_") => {}
        name if name.starts_with("LINUX_") && item.weak => return Ok(()),
        _ => return Err(KconfigProblem::UnknownName),
    }
    match kernel.kconfig(&item.name) {
        Ok(Some(text)) => parse(kind, &text, place).map_err(|()| KconfigProblem::Value(text)),
        Ok(None) | Err(_) if item.weak => Ok(()),
        Ok(None) => Err(KconfigProblem::NotSet),
        Err(errno) => Err(KconfigProblem::Unreadable(errno)),
    }
}

/// Numbers of `enum libbpf_tristate`.
const TRI_NO: u64 = 0;
const TRI_YES: u64 = 1;
const TRI_MODULE: u64 = 2;

fn parse(kind: KconfigType, text: &str, place: &mut [u8]) -> Result<(), ()> {
    let letter = match text {
        "y" | "n" | "m" => Some(text.as_bytes()[0]),
        _ => None,
    };
    match (kind, letter) {
        (KconfigType::Bool, Some(letter @ (b'y' | b'n'))) => put(u64::from(letter == b'y'), place),
        (KconfigType::Char, Some(letter)) => put(u64::from(letter), place),
        (KconfigType::Tristate, Some(b'y')) => put(TRI_YES, place),
        (KconfigType::Tristate, Some(b'm')) => put(TRI_MODULE, place),
        (KconfigType::Tristate, Some(_)) => put(TRI_NO, place),
        (KconfigType::CharArray, None) => {
            let inner = text
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .ok_or(())?;
            // The last byte stays zero; a longer text is cut.
            let room = place.len().saturating_sub(1);
            let len = inner.len().min(room);
            place[..len].copy_from_slice(&inner.as_bytes()[..len]);
            Ok(())
        }
        (KconfigType::Int { .. } | KconfigType::Char, None) => {
            let value = number_of(text).ok_or(())?;
            number(kind, value, place).map_err(|_| ())
        }
        _ => Err(()),
    }
}

fn number_of(text: &str) -> Option<u64> {
    match (text.strip_prefix("0x"), text.strip_prefix('-')) {
        (Some(hex), _) => u64::from_str_radix(hex, 16).ok(),
        (None, Some(digits)) => digits.parse::<u64>().ok().map(u64::wrapping_neg),
        (None, None) => text.parse().ok(),
    }
}

fn number(kind: KconfigType, value: u64, place: &mut [u8]) -> Result<(), KconfigProblem> {
    let refused = || KconfigProblem::Value(value.to_string());
    let bits = place.len() as u32 * 8;
    let fits = match kind {
        KconfigType::Bool => value <= 1,
        KconfigType::Int { .. } | KconfigType::Char if bits >= 64 => true,
        KconfigType::Int { signed: true } => value.wrapping_add(1 << (bits - 1)) < 1 << bits,
        KconfigType::Int { signed: false } | KconfigType::Char => value >> bits == 0,
        KconfigType::Tristate | KconfigType::CharArray => false,
    };
    if !fits {
        return Err(refused());
    }
    put(value, place).map_err(|()| refused())
}

fn put(value: u64, place: &mut [u8]) -> Result<(), ()> {
    let len = place.len().min(8);
    place[..len].copy_from_slice(&value.to_le_bytes()[..len]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_libbpf_writes_them() {
        use KconfigType::{Bool, Char, CharArray, Int, Tristate};
        let unsigned = Int { signed: false };
        let cases: &[(KconfigType, usize, &str, Option<&[u8]>)] = &[
            (Bool, 1, "y", Some(&[1])),
            (Bool, 1, "n", Some(&[0])),
            (Bool, 1, "m", None),
            (Bool, 1, "1", None),
            (Tristate, 4, "m", Some(&[2, 0, 0, 0])),
            (Tristate, 4, "y", Some(&[1, 0, 0, 0])),
            (Char, 1, "m", Some(b"m")),
            (unsigned, 4, "1000", Some(&[0xe8, 3, 0, 0])),
            (unsigned, 2, "0x10000", None),
            (Int { signed: true }, 2, "-1", Some(&[0xff, 0xff])),
            (Int { signed: true }, 1, "128", None),
            (unsigned, 8, "0xdead000000000000", Some(&[0, 0, 0, 0, 0, 0, 0xad, 0xde])),
            (unsigned, 4, "y", None),
            (CharArray, 8, "\"cubic\"", Some(b"cubic\0\0\0")),
            (CharArray, 4, "\"cubic\"", Some(b"cub\0")),
            (CharArray, 8, "cubic", None),
        ];
        for (kind, size, text, expected) in cases {
            let mut place = vec![0; *size];
            let result = parse(*kind, text, &mut place);
            assert_eq!(result.ok().map(|()| place.as_slice()), *expected, "{kind:?} {text}");
        }
    }
}
