//! `cargo xtask figures`: times whole commands, with the peer where there is one in the same run, and prints the table of docs/benchmarks.md.
//!
//! Medians of several runs, command and peer in turn. What happens within a process is measured by `cargo bench`.

use crate::root;
use crate::run::{StepError, step};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const RUNS: usize = 21;

/// Builds the command for release and measures it.
pub(crate) fn all() -> Result<(), StepError> {
    let here = root();
    step(
        &here,
        &["cargo", "build", "--release", "--locked", "-p", "opswap-cli"],
        &[],
    )?;
    let opswap = here.join("target/release/opswap");
    println!("| what | median, ms | least, ms | most, ms |");
    println!("|---|---|---|---|");
    for words in [
        &["--version"][..],
        &["check", "cubic"],
        &["kinds"],
        &["compare", "cubic", "--duration", "30s"],
        &["compare", "reno", "cubic", "dctcp"],
    ] {
        let mut times_ms: Vec<f64> = (0..RUNS)
            .map(|_| time_ms(Command::new(&opswap).args(words)))
            .collect::<Result<_, _>>()?;
        println!("{}", row(&format!("`opswap {}`", words.join(" ")), &mut times_ms));
    }
    against_bpftool(&opswap)
}

/// `opswap load` and `bpftool struct_ops register` of the same object, in turn.
fn against_bpftool(opswap: &Path) -> Result<(), StepError> {
    let Some(tools) = testkit::kernel_tools_or_skip("load against bpftool") else {
        return Ok(());
    };
    let failed = |error: testkit::KernelToolsError| StepError::Findings(vec![error.to_string()]);
    let object = tools.selftest("bpf_cubic").map_err(failed)?;
    let bpffs = testkit::Bpffs::new();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let with = |verb: &str, what: &Path| {
            let mut command = Command::new(opswap);
            command.arg(verb).arg(what).arg("--bpffs").arg(bpffs.path());
            command
        };
        ours.push(time_ms(&mut with("load", &object))?);
        time_ms(&mut with("unload", Path::new("bpf_cubic")))?;
        theirs.push(time_ms(tools.bpftool().arg("struct_ops").arg("register").arg(&object))?);
        time_ms(tools.bpftool().args(["struct_ops", "unregister", "name", "cubic"]))?;
    }
    println!("{}", row("`opswap load` of the selftests' bpf_cubic", &mut ours));
    println!(
        "{}",
        row("`bpftool struct_ops register` of the same object", &mut theirs)
    );
    println!(
        "\nload: {:.2} of bpftool's time",
        median(&mut ours) / median(&mut theirs)
    );
    Ok(())
}

fn time_ms(command: &mut Command) -> Result<f64, StepError> {
    let name = format!("{command:?}");
    let begin = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let status = status.map_err(|error| StepError::Start {
        program: name.clone(),
        error,
    })?;
    if status.success() {
        Ok(begin.elapsed().as_secs_f64() * 1e3)
    } else {
        Err(StepError::Failed { step: name, status })
    }
}

fn row(what: &str, times_ms: &mut [f64]) -> String {
    let median = median(times_ms);
    let (least, most) = (
        times_ms.first().copied().unwrap_or(0.0),
        times_ms.last().copied().unwrap_or(0.0),
    );
    format!("| {what} | {median:.1} | {least:.1} | {most:.1} |")
}

fn median(times_ms: &mut [f64]) -> f64 {
    times_ms.sort_by(f64::total_cmp);
    times_ms.get(times_ms.len() / 2).copied().unwrap_or(0.0)
}
