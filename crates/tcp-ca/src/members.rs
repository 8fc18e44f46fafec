//! Rules about members of the table: which a program may implement, and what may stand in the others (`bpf_tcp_ca_init_member` and the stubs of
//! `net/ipv4/bpf_tcp_ca.c`, Linux 6.12).

use kernel::{Errno, Member, Stub};

/// Function members that a program may implement. `get_info` is not among them: it fills a buffer of user space.
const IMPLEMENTABLE: [&str; 12] = [
    "ssthresh",
    "cong_avoid",
    "set_state",
    "cwnd_event",
    "in_ack_event",
    "pkts_acked",
    "min_tso_segs",
    "cong_control",
    "undo_cwnd",
    "sndbuf_expand",
    "init",
    "release",
];

pub(crate) fn stub(member: &str) -> Option<Stub> {
    IMPLEMENTABLE.contains(&member).then_some(Stub::PLAIN)
}

/// Bits of `flags` that Linux 6.18 takes; 6.12 takes the first two.
const FLAGS: u32 = 0x1f;

/// Copies the name and the flags of a table. `Ok(false)` for members without rules.
pub(crate) fn init(member: &Member, user: &[u8], kernel: &mut [u8]) -> Result<bool, Errno> {
    let place = member.offset as usize..(member.offset + member.size) as usize;
    let (Some(user), Some(kernel)) = (user.get(place.clone()), kernel.get_mut(place)) else {
        return Err(Errno::EINVAL);
    };
    match member.name.as_str() {
        "flags" => {
            let flags = u32::from_le_bytes(*user.first_chunk().ok_or(Errno::EINVAL)?);
            if flags & !FLAGS != 0 {
                return Err(Errno::EINVAL);
            }
            kernel.copy_from_slice(user);
        }
        "name" => {
            let name = name(user).ok_or(Errno::EINVAL)?;
            kernel[..name.len()].copy_from_slice(name);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The name with its zero (`bpf_obj_name_cpy`): letters, digits, `_` and `.`.
fn name(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == 0).filter(|end| *end != 0)?;
    let usual = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    bytes[..end].iter().all(usual).then(|| &bytes[..=end])
}
