//! `opswap check`: verifies objects without registering anything. Every file gets its entry, whatever becomes of the others.

use super::find_ops;
use crate::arguments::{Common, KernelName};
use crate::exit::Exit;
use crate::failure::{ErrorFacts, Failure};
use crate::output::Output;
use crate::render;
use crate::text::Text;
use opswap::{Checked, CheckedError, Limits, Verdict};
use serde::Serialize;
use std::ffi::OsString;

#[derive(Serialize)]
struct Body {
    kernel: &'static str,
    objects: Vec<Checked>,
    /// Why the first file without a verdict has none: what other verbs print when they fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorFacts>,
}

pub(crate) fn run(
    files: &[OsString],
    ops: Option<&str>,
    log: bool,
    map_memory: Option<u64>,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let usual = Limits::default();
    let limits = Limits {
        map_bytes: map_memory.unwrap_or(usual.map_bytes),
        ..usual
    };
    let bpf = match common.kernel {
        None | Some(KernelName::Embedded) => opswap::Embedded::with(limits)?.kernel,
        Some(KernelName::Linux) => opswap::linux()?,
    };
    let mut objects = Vec::new();
    let mut failed = None;
    for file in files {
        let source = find_ops(file, ops, output);
        let mut checked = match source.and_then(|source| Ok(opswap::check_source(&source, &bpf)?)) {
            Err(Failure::Operation(error)) => {
                let entry = Checked::not_checked(file, &error);
                let failure = Failure::Operation(error);
                if !output.json() {
                    failure.show(output);
                }
                if entry.verdict == Verdict::Unchecked {
                    failed.get_or_insert(failure);
                }
                entry
            }
            other => other?,
        };
        if !log {
            checked
                .programs
                .iter_mut()
                .filter_map(|program| program.error.as_mut())
                .for_each(|error| error.log = None);
        }
        objects.push(checked);
    }
    // A file without a verdict is worse than one that is rejected, for nobody knows.
    let exit = match &failed {
        Some(failure) => failure.exit(),
        None => exit(Verdict::worst(objects.iter().map(|object| object.verdict))),
    };
    let body = Body {
        kernel: bpf.name(),
        objects,
        error: failed.as_ref().map(Failure::facts),
    };
    output.result(&body, || {
        // The one file that was given is named by its error.
        if body.objects.len() == 1 && body.error.is_some() {
            return Text::default();
        }
        body.objects.iter().map(|object| text(object, body.kernel)).collect()
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
        Verdict::Unchecked => Exit::Failed,
    }
}

fn text(object: &Checked, kernel: &str) -> Text {
    // What clang refuses no kernel gets to see; why has been said.
    let by_clang = object.error.as_ref().is_some_and(|error| error.code == "clang");
    if object.verdict == Verdict::Unchecked || by_clang {
        return text!("{}: {}\n", object.file, render::verdict(object.verdict));
    }
    let mut text = rejections(object);
    text.push(&text!(
        "{}: {} by the {} kernel",
        object.file,
        render::verdict(object.verdict),
        kernel
    ));
    if object.error.is_none() {
        text.push(&text!(" ({})", counts(object)));
    }
    text.push(&text!("\n"));
    for ops in &object.ops {
        // Two variables may have the same algorithm's name.
        let variable = if ops.map == ops.name {
            String::new()
        } else {
            format!(" (variable `{}`)", ops.map)
        };
        text.push(&text!(
            "  {}{}: {} ({})\n",
            ops.name,
            variable,
            render::verdict(ops.verdict),
            ops.kind
        ));
    }
    for note in &object.notes {
        text.push(&text!("  note: {}\n", note.message));
    }
    text
}

/// Every reason once, with the programs that it concerns where no line of source tells.
fn rejections(object: &Checked) -> Text {
    let mut shown: Vec<(CheckedError, Vec<&str>)> = Vec::new();
    for (program, error) in object
        .programs
        .iter()
        .filter_map(|one| Some((one, one.error.as_ref()?)))
    {
        match shown.iter_mut().find(|(known, _)| is_same(known, error)) {
            Some((_, programs)) => programs.push(&program.name),
            None => shown.push((error.clone(), vec![&program.name])),
        }
    }
    let mut text = Text::default();
    for (mut error, programs) in shown {
        let quoted: Vec<String> = programs.iter().map(|program| format!("`{program}`")).collect();
        let ending = if quoted.len() == 1 { "" } else { "s" };
        if let Some(report) = &mut error.report {
            report.notes.push(format!("in program{ending} {}", quoted.join(", ")));
        } else {
            error.message = format!("program{ending} {}: {}", quoted.join(", "), error.message);
        }
        text.push(&render_one(&error));
    }
    let of_ops = object.ops.iter().filter_map(|ops| ops.error.as_ref());
    of_ops
        .chain(&object.error)
        .for_each(|error| text.push(&render_one(error)));
    text
}

/// Whether two programs are refused for one reason at one place: a function that both call, or the object's licence.
fn is_same(a: &CheckedError, b: &CheckedError) -> bool {
    (&a.code, &a.message, &a.file, a.line) == (&b.code, &b.message, &b.file, b.line)
        && (a.line.is_some() || a.insn == b.insn)
}

/// How many parts are accepted: what is not tells why the whole is not.
fn counts(object: &Checked) -> String {
    let accepted = |verdicts: &[Verdict]| verdicts.iter().filter(|one| **one == Verdict::Accepted).count();
    let programs: Vec<Verdict> = object.programs.iter().map(|program| program.verdict).collect();
    let ops: Vec<Verdict> = object.ops.iter().map(|ops| ops.verdict).collect();
    let insns: u32 = object.programs.iter().filter_map(|program| program.insns).sum();
    let mut text = format!(
        "{} of {} programs accepted, {insns} instructions",
        accepted(&programs),
        programs.len()
    );
    if accepted(&programs) == programs.len() && accepted(&ops) != ops.len() {
        text.push_str(&format!(
            "; {} of {} ops structures can be registered",
            accepted(&ops),
            ops.len()
        ));
    }
    text
}

fn render_one(error: &CheckedError) -> Text {
    let mut text = Text::default();
    if let Some(log) = &error.log {
        text.push(&text!("{}\n", Text::block(log.trim_end())));
    }
    if let Some(report) = &error.report {
        text.push(&render::report(report));
        return text;
    }
    // clang's words have lines of their own.
    let message = if error.code == "clang" {
        Text::block(error.message.trim_end())
    } else {
        Text::line(&error.message)
    };
    text.push(&text!("error[{}]: {}\n", error.code, message));
    if let Some(help) = &error.help {
        text.push(&text!("  help: {}\n", help));
    }
    text
}
