//! Whether a program that runs still does something: how much processor time it and its descendants have used.
//!
//! A limit on the whole time would end a step on a slow or loaded machine for that alone; a step that hangs waits, and uses no time. One that turns in
//! a circle is not found here: a limit of whoever runs the chores ends that.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Ticks of processor time (a hundredth of a second each) that a program uses in a window of this many seconds if it only waits and looks now
/// and then.
fn idle_ticks(window_s: u64) -> u64 {
    (window_s / 10).max(5)
}

/// Watches one program, a window of time after the other.
pub(crate) struct Watch {
    pid: u32,
    window: Duration,
    since: Instant,
    ticks: u64,
}

impl Watch {
    /// Begins to watch a program that was just started.
    pub(crate) fn new(pid: u32, window: Duration) -> Self {
        Self {
            pid,
            window,
            since: Instant::now(),
            ticks: 0,
        }
    }

    /// Whether it has done nothing for a whole window.
    pub(crate) fn is_idle(&mut self) -> bool {
        if self.since.elapsed() < self.window {
            return false;
        }
        // Without /proc nothing can be said.
        let Some(ticks) = used(self.pid) else { return false };
        let idle = ticks.saturating_sub(self.ticks) < idle_ticks(self.window.as_secs());
        (self.since, self.ticks) = (Instant::now(), ticks);
        idle
    }
}

/// Processor time of a process, its descendants, and those of them that have ended, in ticks.
fn used(pid: u32) -> Option<u64> {
    let processes: HashMap<u32, (u32, u64)> = std::fs::read_dir("/proc")
        .ok()?
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((pid, parent_and_ticks(pid)?))
        })
        .collect();
    let mut sum = processes.get(&pid)?.1;
    let mut family = vec![pid];
    while let Some(parent) = family.pop() {
        for (child, (_, ticks)) in processes.iter().filter(|(_, (of, _))| *of == parent) {
            family.push(*child);
            sum += ticks;
        }
    }
    Some(sum)
}

/// The parent's number, and the time used by the process and by children that it has waited for (proc_pid_stat(5), fields 4 and 14 to 17).
fn parent_and_ticks(pid: u32) -> Option<(u32, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold blanks and brackets.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok());
    Some((fields.get(1)?.parse().ok()?, ticks.sum()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn is_idle_after_a_while(program: &str) -> bool {
        let window = Duration::from_secs(4);
        let mut child = Command::new("sh").args(["-c", program]).spawn().unwrap();
        let mut watch = Watch::new(child.id(), window);
        assert!(!watch.is_idle(), "before the window ends");
        std::thread::sleep(window);
        let idle = watch.is_idle();
        child.kill().unwrap();
        child.wait().unwrap();
        idle
    }

    #[test]
    fn a_program_that_waits_is_idle_and_one_that_works_is_not() {
        assert!(is_idle_after_a_while("exec sleep 60"));
        // The work is that of children, which end.
        let works = "while kill -0 $$; do i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done & wait; done";
        assert!(!is_idle_after_a_while(works));
    }
}
