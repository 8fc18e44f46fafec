//! `opswap check`: verifies objects without registering anything.

use super::{find, kernel};
use crate::arguments::{Common, KernelName};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::render;
use opswap::{Checked, CheckedError, Verdict};
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    kernel: &'static str,
    objects: Vec<Checked>,
}

pub(crate) fn run(files: &[String], log: bool, common: &Common, output: &Output) -> Result<(), Failure> {
    let bpf = kernel(common, KernelName::Embedded)?;
    // A name that is mistyped is told before the first is checked.
    let sources = files
        .iter()
        .map(|file| find(file, output))
        .collect::<Result<Vec<_>, _>>()?;
    let mut objects = Vec::new();
    for source in &sources {
        let mut checked = opswap::check_source(source, &bpf)?;
        if !log {
            checked
                .programs
                .iter_mut()
                .filter_map(|program| program.error.as_mut())
                .for_each(|error| error.log = None);
        }
        objects.push(checked);
    }
    let exit = exit(Verdict::worst(objects.iter().map(|object| object.verdict)));
    let body = Body {
        kernel: bpf.name(),
        objects,
    };
    let colored = output.colored(&std::io::stdout());
    output.result(&body, || {
        body.objects
            .iter()
            .map(|object| text(object, body.kernel, colored))
            .collect()
    })?;
    if exit == Exit::Done {
        Ok(())
    } else {
        Err(Failure::Shown(exit))
    }
}

fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Accepted => Exit::Done,
        Verdict::Rejected => Exit::Rejected,
        Verdict::Unsupported => Exit::Unsupported,
    }
}

fn text(object: &Checked, kernel: &str, colored: bool) -> String {
    let mut text = String::new();
    let errors = object.programs.iter().filter_map(|program| program.error.as_ref());
    for error in errors
        .chain(object.ops.iter().filter_map(|ops| ops.error.as_ref()))
        .chain(&object.error)
    {
        text.push_str(&shown(error, colored));
    }
    let accepted = object
        .programs
        .iter()
        .filter(|program| program.verdict == Verdict::Accepted)
        .count();
    let insns: u32 = object.programs.iter().filter_map(|program| program.insns).sum();
    text.push_str(&format!(
        "{}: {} by the {kernel} kernel ({accepted} of {} programs accepted, {insns} instructions)\n",
        object.file,
        object.verdict,
        object.programs.len()
    ));
    for ops in object.ops.iter().filter(|ops| ops.verdict == Verdict::Accepted) {
        text.push_str(&format!("  {}: {} ({})\n", ops.name, ops.verdict, ops.kind));
    }
    text
}

fn shown(error: &CheckedError, colored: bool) -> String {
    let log = error
        .log
        .as_ref()
        .map(|log| format!("{}\n", log.trim_end()))
        .unwrap_or_default();
    let report = match &error.report {
        Some(report) => render::report(report, colored),
        None => {
            let help = error
                .help
                .as_ref()
                .map(|help| format!("  help: {help}\n"))
                .unwrap_or_default();
            format!("error[{}]: {}\n{help}", error.code, error.message)
        }
    };
    log + &report
}
