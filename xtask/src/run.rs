//! Running other programs: says what runs, how long it took, and ends what does not come to an end.

use crate::idle::Watch;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Why a step of a chore failed.
#[derive(Debug)]
pub(crate) enum StepError {
    /// The program could not be started.
    Start { program: String, error: std::io::Error },
    /// It ended with another status than success.
    Failed { step: String, status: ExitStatus },
    /// It did nothing for so long that it was ended.
    Idle { step: String, idle_s: u64 },
    /// A check of the repository found something; each entry is one finding.
    Findings(Vec<String>),
}

impl std::fmt::Display for StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start { program, error } => write!(f, "cannot start {program}: {error}"),
            Self::Failed { step, status } => write!(f, "`{step}` failed: {status}"),
            Self::Idle { step, idle_s } => write!(f, "`{step}` was ended: it had done nothing for {idle_s} s"),
            Self::Findings(findings) => {
                write!(f, "{} finding(s):", findings.len())?;
                for finding in findings {
                    write!(f, "\n  {finding}")?;
                }
                Ok(())
            }
        }
    }
}

/// How long a step may do nothing, in seconds. Longer than anything here waits: for a lock of cargo, a package server, a test's own patience.
const IDLE_S: u64 = 600;

/// Runs one step in `folder`, with extra environment variables. It may take as long as it works: what is slow on a loaded machine is not ended, what
/// hangs is.
pub(crate) fn step(folder: &Path, words: &[&str], environment: &[(&str, &str)]) -> Result<(), StepError> {
    let shown = words.join(" ");
    eprintln!("\n== {shown}");
    let begin = Instant::now();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .current_dir(folder)
        .envs(environment.iter().copied());
    // A group of its own would survive Ctrl-C, so the child stays in ours; `kill` below reaches only the direct child, which for cargo is enough: its children notice the closed pipe.
    let mut child = command.spawn().map_err(|error| StepError::Start {
        program: words[0].to_owned(),
        error,
    })?;
    let mut watch = Watch::new(child.id(), Duration::from_secs(IDLE_S));
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                eprintln!("== {shown}: {:.0} s", begin.elapsed().as_secs_f64());
                return Ok(());
            }
            Ok(Some(status)) => return Err(StepError::Failed { step: shown, status }),
            Ok(None) if watch.is_idle() => {
                // An error here means that it has just ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return Err(StepError::Idle {
                    step: shown,
                    idle_s: IDLE_S,
                });
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(100)),
            Err(error) => {
                return Err(StepError::Start {
                    program: words[0].to_owned(),
                    error,
                });
            }
        }
    }
}
