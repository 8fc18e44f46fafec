//! One file a verb. A verb reads its arguments, calls the facade, and shows what came of it.

mod apply;
mod build;
mod change;
mod check;
mod compare;
mod completions;
mod doctor;
mod explain;
mod header;
mod kinds;
mod list;
mod load;
mod man;
mod namespaces;
mod new;
mod rollback;
mod scenario;
mod show;
mod swap;
mod trace;
mod try_out;
mod unload;

use crate::arguments::{Arguments, Common, DEFAULT_BPFFS, KernelName, Verb};
use crate::failure::Failure;
use crate::output::Output;
use opswap::{Bpf, Class, Host, Source};
use std::ffi::OsStr;
use std::sync::Arc;

/// Does what the arguments say.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let common = &arguments.common;
    match &arguments.verb {
        Verb::Kinds { kind } => kinds::run(kind.as_deref(), common, output),
        Verb::Header => header::run(common, output),
        Verb::New { name, like } => new::run(name, *like, output),
        Verb::Build {
            source,
            output: object,
            flags,
        } => build::run(source, object.as_deref(), flags, output),
        Verb::Check {
            files,
            ops,
            log,
            map_memory,
        } => check::run(files, ops.as_deref(), *log, *map_memory, common, output),
        Verb::Try {
            file,
            ops,
            swap,
            report,
            scenario,
            trace,
            limits,
        } => {
            let setup = scenario::setup(*limits, *trace, common);
            let (ops, swap) = (ops.as_deref(), swap.as_ref());
            try_out::run(file, ops, swap, report.as_deref(), scenario, setup, output)
        }
        Verb::Compare {
            files,
            ops,
            mix,
            report,
            scenario,
            trace,
            limits,
        } => {
            let setup = scenario::setup(*limits, *trace, common);
            compare::run(files, ops.as_deref(), *mix, report.as_deref(), scenario, setup, output)
        }
        Verb::Load {
            file,
            ops,
            set,
            rename,
            attach,
            no_namespaces,
        } => {
            let settings = opswap::Settings {
                attach: attach.clone(),
                ..load::settings(set, rename.as_deref())?
            };
            load::run(file, ops.as_deref(), &settings, *no_namespaces, common, output)
        }
        Verb::Apply {
            file,
            ops,
            set,
            rename,
            no_namespaces,
        } => {
            let rename = rename.as_deref();
            apply::run(file, ops.as_deref(), set, rename, *no_namespaces, common, output)
        }
        Verb::List { names } => list::run(names, common, output),
        Verb::Show { name } => show::run(name, common, output),
        Verb::Swap {
            name,
            file,
            ops,
            set,
            no_namespaces,
        } => swap::run(name, file, ops.as_deref(), set, *no_namespaces, common, output),
        Verb::Rollback {
            name,
            ignore_not_found,
            no_namespaces,
        } => rollback::run(name, *ignore_not_found, *no_namespaces, common, output),
        Verb::Unload {
            names,
            default,
            ignore_not_found,
        } => unload::run(names, default.as_deref(), *ignore_not_found, common, output),
        Verb::Explain { code } => explain::run(code.as_deref(), output),
        Verb::Doctor => doctor::run(common, output),
        Verb::Completions { shell } => completions::run(*shell, output),
        Verb::Man { of_verb, out } => man::run(of_verb.as_deref(), out.as_deref(), output),
    }
}

/// The algorithm that a word names. What clang warned of is said beside the result.
fn find(word: &OsStr, output: &Output) -> Result<Source, Failure> {
    let source = Source::find(word).map_err(opswap::Error::from)?;
    if !source.warnings.is_empty() {
        output.note_lines(&source.warnings);
    }
    Ok(source)
}

/// As [`find`], with the ops structure that `--ops` chooses where the word itself chooses none.
fn find_ops(word: &OsStr, ops: Option<&str>, output: &Output) -> Result<Source, Failure> {
    let mut source = find(word, output)?;
    if let (Some(chosen), Some(asked)) = (&source.ops, ops)
        && chosen != asked
    {
        return Err(Failure::Usage(format!(
            "{} and --ops {asked} choose different ops structures: say one",
            word.to_string_lossy()
        )));
    }
    source.ops = source.ops.or_else(|| ops.map(str::to_owned));
    Ok(source)
}

/// Says which programs of an object have no part in what the verb does with it.
fn note_left_out(source: &Source, attached: &[String], output: &Output) {
    for note in source.left_out(attached) {
        output.note(&format!("note: {}", note.message));
    }
}

/// A command to type next, for the same bpffs.
fn next_command(words: &str, common: &Common) -> String {
    if common.bpffs == std::path::Path::new(DEFAULT_BPFFS) {
        format!("opswap {words}")
    } else {
        format!("opswap {words} --bpffs '{}'", common.bpffs.display())
    }
}

/// The kernel that was asked for, or the verb's default.
fn kernel(common: &Common, default: KernelName) -> Result<Arc<dyn Bpf>, Failure> {
    Ok(match common.kernel.unwrap_or(default) {
        KernelName::Embedded => opswap::embedded()?,
        KernelName::Linux => opswap::linux()?,
    })
}

/// For the verbs about what a kernel keeps beyond this process: only Linux does, so far.
fn host(common: &Common) -> Result<Host, Failure> {
    if common.kernel == Some(KernelName::Embedded) {
        return Err(Failure::Operation(opswap::Error::NotYet {
            what: "an embedded kernel ends with its process:",
            why: "there is nothing to list, load into or swap on; `opswap try --swap` swaps within a run",
        }));
    }
    Ok(Host::on_linux(&common.bpffs)?)
}

/// The same for verbs that write the defaults of namespaces, unless they are asked not to.
fn changing_host(common: &Common, no_namespaces: bool) -> Result<Host, Failure> {
    let host = host(common)?;
    Ok(if no_namespaces { host.without_namespaces() } else { host })
}

/// Names what is below our folder of the bpffs and is none of ours.
fn note_foreign(host: &Host, output: &Output) {
    for foreign in host.foreign().into_iter().flatten() {
        output.note_after(&format!(
            "note: {} is left alone: {}",
            foreign.path.display(),
            foreign.why
        ));
    }
}

/// With `--ignore-not-found`, what is not there is `None`, and a note.
fn or_not_found<T>(
    done: Result<T, opswap::Error>,
    ignore_not_found: bool,
    output: &Output,
) -> Result<Option<T>, opswap::Error> {
    match done {
        Err(error) if ignore_not_found && error.class() == Class::NotFound => {
            output.note(&format!("note: {error}"));
            Ok(None)
        }
        done => done.map(Some),
    }
}
