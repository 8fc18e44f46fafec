//! Events of perf that a program is attached to: tracepoints and probes of functions (perf_event_open(2)). One event, opened for one CPU, stands for the
//! place itself: a program at it runs on every CPU, as with libbpf.

use crate::syscall::{self, Extent, Pointer};
use bpf::{Errno, LinkTarget};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Where the tracefs is: its own place, and the one before Linux 4.1.
const TRACEFS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// What perf can tell of probes of functions.
const KPROBE: &str = "/sys/bus/event_source/devices/kprobe";

/// `PERF_TYPE_TRACEPOINT` of `include/uapi/linux/perf_event.h`, Linux 6.18.
const TRACEPOINT: u32 = 2;

/// `PERF_ATTR_SIZE_VER1`: up to and with `config2`.
pub(crate) const ATTR_BYTES: usize = 72;

/// An open event.
///
/// # Errors
/// `ENOENT` without such a tracepoint or function, without a tracefs, or in a kernel without probes.
pub(crate) fn event(target: &LinkTarget<'_>) -> Result<OwnedFd, Errno> {
    match target {
        LinkTarget::Tracepoint { category, event } => open(TRACEPOINT, tracepoint_id(category, event)?, None),
        LinkTarget::Kprobe { function, at_return } => {
            let kind = number(&Path::new(KPROBE).join("type"))?;
            open(kind as u32, if *at_return { return_bit()? } else { 0 }, Some(function))
        }
        _ => Err(Errno::EINVAL),
    }
}

fn tracepoint_id(category: &str, event: &str) -> Result<u64, Errno> {
    // Both are single folders: nothing else of the machine is looked at.
    if [category, event]
        .iter()
        .any(|name| name.contains('/') || name.starts_with('.'))
    {
        return Err(Errno::ENOENT);
    }
    let place = TRACEFS.iter().map(|root| Path::new(root).join("events"));
    let there = place.map(|events| number(&events.join(category).join(event).join("id")));
    there.reduce(Result::or).unwrap_or(Err(Errno::ENOENT))
}

/// Which bit of the configuration means the return: a line such as `config:0`.
fn return_bit() -> Result<u64, Errno> {
    let text = std::fs::read_to_string(Path::new(KPROBE).join("format/retprobe"))?;
    let bit = text
        .trim()
        .strip_prefix("config:")
        .and_then(|bit| bit.parse::<u32>().ok());
    bit.and_then(|bit| 1_u64.checked_shl(bit)).ok_or(Errno::EINVAL)
}

fn number(path: &Path) -> Result<u64, Errno> {
    std::fs::read_to_string(path)?.trim().parse().map_err(|_| Errno::EINVAL)
}

/// The fields of `struct perf_event_attr` that are used: `type`, `size`, `config`, and for a probe the function's name in `config1`.
fn open(kind: u32, config: u64, function: Option<&str>) -> Result<OwnedFd, Errno> {
    let mut attr = [0; ATTR_BYTES];
    attr[0..4].copy_from_slice(&kind.to_ne_bytes());
    attr[4..8].copy_from_slice(&(ATTR_BYTES as u32).to_ne_bytes());
    attr[8..16].copy_from_slice(&config.to_ne_bytes());
    let mut name = [function.unwrap_or_default().as_bytes(), &[0]].concat();
    let pointer = Pointer {
        within: None,
        offset: 56,
        memory: &mut name,
        extent: Extent::CString,
    };
    let mut pointers = Vec::from_iter(function.map(|_| pointer));
    syscall::perf_event_open(&mut attr, &mut pointers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_none_is_not_looked_for() {
        for (category, event) in [("../..", "x"), ("a/b", "c"), ("sched", "no_such_event"), ("", "..")] {
            assert_eq!(tracepoint_id(category, event), Err(Errno::ENOENT), "{category}/{event}");
        }
    }
}
