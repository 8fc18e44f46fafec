//! Running other programs: says what runs, how long it took, and ends what does not come to an end.

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
    /// It was still running at its time limit and was ended.
    TooLong { step: String, limit_s: u64 },
    /// A check of the repository found something; each entry is one finding.
    Findings(Vec<String>),
}

impl std::fmt::Display for StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start { program, error } => write!(f, "cannot start {program}: {error}"),
            Self::Failed { step, status } => write!(f, "`{step}` failed: {status}"),
            Self::TooLong { step, limit_s } => write!(f, "`{step}` was ended after {limit_s} s"),
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

/// Runs one step in `folder`, with extra environment variables, for at most `limit_s` seconds.
pub(crate) fn step(folder: &Path, words: &[&str], environment: &[(&str, &str)], limit_s: u64) -> Result<(), StepError> {
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
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                eprintln!("== {shown}: {:.0} s", begin.elapsed().as_secs_f64());
                return Ok(());
            }
            Ok(Some(status)) => return Err(StepError::Failed { step: shown, status }),
            Ok(None) if begin.elapsed() > Duration::from_secs(limit_s) => {
                // An error here means that it has just ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return Err(StepError::TooLong { step: shown, limit_s });
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
