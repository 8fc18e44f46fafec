//! Whether what is pinned at a place outlives this process: a mount that only a mount namespace of its own has ends with the last process there.
//!
//! `ip netns exec` and `unshare --mount` give a command such a namespace; the bpffs that is mounted inside, all its pins and what only they keep are
//! gone when the command ends. The mount namespace that lasts is that of process 1. Whether ours is the same is told by the numbers of mounts,
//! which are unique among all namespaces (`mnt_alloc_id` of fs/namespace.c, Linux 6.18): `/proc/1/ns/mnt` takes CAP_SYS_PTRACE, `/proc/1/mountinfo` takes nothing.

use super::{Mount, holder, parse_mounts};
use std::path::Path;

/// How long a bpffs stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// Process 1 has it, too, or would have it if it were mounted.
    Yes,
    /// Only mount namespaces other than that of process 1 have it, or would have it.
    No,
    /// The mounts of process 1 are hidden (`hidepid` of proc(5)).
    CannotTell,
}

/// How long the bpffs stays that is mounted at `path`, or that [`super::ensure_mounted`] would mount there. In a container this is about its first
/// process.
pub fn lasting(path: &Path) -> Lasting {
    let read = |process: &str| std::fs::read(format!("/proc/{process}/mountinfo")).map(|text| parse_mounts(&text));
    let (Ok(ours), Ok(first), Ok(path)) = (read("self"), read("1"), path.canonicalize()) else {
        return Lasting::CannotTell;
    };
    match holder(&ours, &path) {
        Some(holder) if !first.is_empty() => stays(holder, &first),
        _ => Lasting::CannotTell,
    }
}

/// `holder` is the mount that the place is on in our namespace, `first` are those of process 1.
fn stays(holder: &Mount, first: &[Mount]) -> Lasting {
    let has = |mount: &Mount| {
        if holder.is_bpffs() {
            return mount.device == holder.device;
        }
        let group = holder.groups.shared;
        mount.id == holder.id || group.is_some() && [mount.groups.shared, mount.groups.master].contains(&group)
    };
    if first.iter().any(has) {
        Lasting::Yes
    } else {
        Lasting::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[u8] = b"22 1 0:20 / /sys rw shared:3 - sysfs sysfs rw\n\
        42 22 0:39 / /sys/fs/bpf rw,nosuid shared:4 - bpf bpf rw,mode=700\n\
        43 1 0:50 / /srv rw master:9 - ext4 /dev/sda rw\n";

    #[test]
    fn a_mount_that_process_1_has_not_does_not_last() {
        for (line, lasting) in [
            // The same mount; a copy of it, as `unshare --mount` makes them; another bpffs.
            (
                &b"42 22 0:39 / /sys/fs/bpf rw,nosuid shared:4 - bpf bpf rw"[..],
                Lasting::Yes,
            ),
            (b"99 88 0:39 / /sys/fs/bpf rw,nosuid - bpf bpf rw", Lasting::Yes),
            (b"99 88 0:77 / /sys/fs/bpf rw,nosuid - bpf bpf rw", Lasting::No),
            // Nothing is mounted yet: on process 1's own mount, on one that passes mounts on to its, on one that does not.
            (b"22 1 0:20 / /sys rw shared:3 - sysfs sysfs rw", Lasting::Yes),
            (b"88 80 0:20 / /sys rw shared:3 - sysfs sysfs rw", Lasting::Yes),
            (b"88 80 0:50 / /srv rw shared:9 - ext4 /dev/sda rw", Lasting::Yes),
            (b"88 80 0:20 / /sys rw - sysfs sysfs rw", Lasting::No),
            (b"88 80 0:20 / /sys rw master:3 - sysfs sysfs rw", Lasting::No),
            (b"88 80 0:20 / /sys rw shared:5 - sysfs sysfs rw", Lasting::No),
        ] {
            let holder = parse_mounts(line).pop().expect("a mount");
            assert_eq!(
                stays(&holder, &parse_mounts(FIRST)),
                lasting,
                "{}",
                String::from_utf8_lossy(line)
            );
        }
    }
}
