//! What `try` and `compare` share: their flags as a scenario, their progress, their report.

use super::{find_ops, note_left_out};
use crate::arguments::{Common, KernelName, LimitArguments, ScenarioArguments};
use crate::failure::Failure;
use crate::output::Output;
use opswap::lab::{
    Buffer, Host, Origin, PathSpec, Progress, QueueSize, Run, Scenario, Setup, Source, SourceKind, Span, Warning,
};
use std::ffi::OsStr;
use std::path::Path;

/// The flags as a scenario; what makes no sense is found when it runs.
pub(super) fn scenario(arguments: &ScenarioArguments, output: &Output) -> Scenario {
    let usual = Scenario::default();
    let mut path = PathSpec {
        rate: arguments.rate,
        rtt: arguments.rtt,
        queue: arguments.queue.unwrap_or(QueueSize::Bdp(1.0)),
        ecn_at: arguments.ecn_at,
        loss: arguments.loss.unwrap_or(0.0),
        loss_every: arguments.loss_every,
    };
    // One bandwidth-delay product of a slow or short path has no room for a window.
    if arguments.queue.is_none() && path.queue_bytes() < QueueSize::Packets(10).bytes(&path) {
        path.queue = QueueSize::Packets(10);
    }
    if let Some(mark) = path.ecn_at
        && mark.bytes(&path) >= path.queue_bytes()
    {
        output.note(&format!(
            "note: --ecn-at {mark} is no less than the queue ({} bytes): nothing will be marked",
            path.queue_bytes()
        ));
    }
    let share = |parts: u64| Span::from_nanos(arguments.duration.as_nanos() / parts);
    Scenario {
        path,
        duration: arguments.duration,
        warmup: arguments.warmup.unwrap_or_else(|| share(3).min(Span::from_secs(10))),
        flows: arguments.flows,
        seed: arguments.seed,
        // Flows begin one after the other, also in a run that is shorter than that usually takes.
        start_spread: usual.start_spread.min(share(4)),
        rcvbuf_bytes: arguments.rcvbuf.map(bytes_of),
        sndbuf_bytes: arguments.sndbuf.map(bytes_of),
        ..usual
    }
}

/// Where it runs, and what programs may use there.
pub(super) fn setup(limits: LimitArguments, trace: bool, common: &Common) -> Setup {
    Setup {
        host: match common.kernel {
            Some(KernelName::Linux) => Host::Linux,
            Some(KernelName::Embedded) | None => Host::Embedded,
        },
        limits: limits.limits(),
        trace,
    }
}

/// What the figures do not show.
pub(super) fn warn(run: &Run, output: &Output) {
    for warning in &run.warnings {
        let help = match warning {
            Warning::MapMemory { .. } => "; --map-memory SIZE gives maps more",
            Warning::Limited {
                by: Buffer::Receive, ..
            } => "; --rcvbuf SIZE sets it",
            Warning::Limited { by: Buffer::Send, .. } => "; --sndbuf SIZE sets it",
            _ => "",
        };
        output.note(&format!("warning: {warning}{help}"));
    }
}

/// A size for a scenario, which refuses those that are too large.
fn bytes_of(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Where the results of this command come from.
pub(super) fn origin<'a>(scenario: &Scenario, sources: impl IntoIterator<Item = &'a Source>) -> Origin {
    let mut command = vec!["opswap".to_owned()];
    command.extend(
        std::env::args_os()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned()),
    );
    Origin::new(command, env!("CARGO_PKG_VERSION"), scenario, sources)
}

/// Algorithms are called what they are registered as; two of one name are told apart by the words of the command, and so is what has no name.
pub(super) fn name_all(words: &[&OsStr], sources: &mut [&mut Source]) {
    let typed = |labels: &[String]| -> Vec<bool> {
        let other = |place: usize| (0..words.len()).any(|at| labels[at] == labels[place] && words[at] != words[place]);
        (0..words.len()).map(other).collect()
    };
    let names: Vec<String> = sources.iter().map(|source| source.label.clone()).collect();
    for ((source, word), shared) in sources.iter_mut().zip(words).zip(typed(&names)) {
        if shared {
            source.label = format!("{} ({})", source.label, word.to_string_lossy());
        }
    }
}

/// An algorithm as a user names it, for a run.
pub(super) fn source(word: &OsStr, ops: Option<&str>, output: &Output) -> Result<Source, Failure> {
    let found = find_ops(word, ops, output)?;
    found.validate()?;
    note_left_out(&found, &[], output);
    for note in found.not_shared() {
        output.note(&format!("note: {}", note.message));
    }
    let label = Path::new(word).file_name().unwrap_or(word).to_string_lossy();
    let chosen = found.ops.as_ref().map(|ops| format!(":{ops}")).unwrap_or_default();
    let label = label
        .trim_end_matches(chosen.as_str())
        .trim_end_matches(".o")
        .trim_end_matches(".c")
        .trim_end_matches(".bpf")
        .to_owned();
    Ok(Source {
        label: opswap::algorithm_name(&found).unwrap_or(label + &chosen),
        kind: SourceKind::Object {
            bytes: found.object.into(),
            ops: found.ops,
        },
    })
}

/// A bar, unless lines come where it stands.
pub(super) fn progress(setup: Setup, output: &Output) -> crate::output::Progress {
    if setup.trace {
        crate::output::Progress::hidden()
    } else {
        output.progress()
    }
}

/// How much of a run is done.
pub(super) fn share(progress: Progress) -> f64 {
    progress.passed.as_secs_f64() / progress.duration.as_secs_f64().max(1e-9)
}

/// Writes the page that needs nothing but a browser.
pub(super) fn report(path: &Path, title: &str, origin: &Origin, runs: &[Run], output: &Output) -> Result<(), Failure> {
    let page = opswap::lab::report::html(title, origin, runs);
    opswap::write_file(path, page.as_bytes()).map_err(|error| opswap::Error::Write {
        path: path.to_owned(),
        error,
    })?;
    output.note(&format!("report: {}", path.display()));
    Ok(())
}
