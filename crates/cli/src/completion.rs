//! What a shell offers for a word that is being typed: shipped names and files, registered algorithms, kinds, codes, verbs. The shell asks this program
//! (`opswap completions SHELL` makes the script that does), so that what is offered is what there is.

use crate::arguments::{Arguments, DEFAULT_BPFFS};
use clap::{Arg, Command, CommandFactory};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter};
use opswap::{Host, printable};
use std::ffi::OsStr;
use std::path::Path;

/// The variable by which a shell asks.
const VARIABLE: &str = "OPSWAP_COMPLETE";

/// Answers a shell and ends the process, if it is one that asks.
pub(crate) fn answer_shell() {
    if std::env::var_os(VARIABLE).is_some() {
        CompleteEnv::with_factory(described).var(VARIABLE).complete();
    }
}

/// The script for a shell, by its name; `None` for one that there is none for.
pub(crate) fn script(shell: &str) -> Option<std::io::Result<String>> {
    let shells = Shells::builtins();
    let completer = shells.completer(shell)?;
    let mut script = Vec::new();
    let written = completer.write_registration(VARIABLE, "opswap", "opswap", "opswap", &mut script);
    Some(written.map(|()| String::from_utf8_lossy(&script).into_owned()))
}

/// The command with what may stand in its arguments: an argument's name says what it takes, whichever verb it belongs to.
fn described() -> Command {
    let describe = |arg: Arg| match arg.get_id().as_str() {
        "file" | "files" => arg.add(ArgValueCompleter::new(algorithms)),
        "name" | "names" => arg.add(ArgValueCandidates::new(registered)),
        "kind" => arg.add(ArgValueCandidates::new(kinds)),
        "code" => arg.add(ArgValueCandidates::new(codes)),
        "of_verb" => arg.add(ArgValueCandidates::new(verbs)),
        "set" => arg.add(ArgValueCandidates::new(|| {
            words(["flags=non_restricted", "flags=needs_ecn"])
        })),
        _ => arg,
    };
    Arguments::command().mut_subcommands(|verb| verb.mut_args(describe))
}

fn algorithms(typed: &OsStr) -> Vec<CompletionCandidate> {
    let begun = typed.to_string_lossy();
    let mut found: Vec<CompletionCandidate> = opswap::shipped::names()
        .into_iter()
        .filter(|name| name.starts_with(&*begun))
        .map(|name| CompletionCandidate::new(name).help(Some("shipped".into())))
        .collect();
    let is_ours = |path: &Path| path.extension().is_some_and(|ending| ending == "o" || ending == "c");
    let files = PathCompleter::any().filter(is_ours);
    found.extend(clap_complete::engine::ValueCompleter::complete(&files, typed));
    found
}

/// None where they may not be listed: a shell has no place for an error.
fn registered() -> Vec<CompletionCandidate> {
    let bpffs = std::env::var_os("OPSWAP_BPFFS").unwrap_or_else(|| DEFAULT_BPFFS.into());
    let tables = Host::on_linux(Path::new(&bpffs))
        .and_then(|host| host.list())
        .unwrap_or_default();
    let mut names: Vec<String> = tables
        .into_iter()
        .map(|table| table.name)
        .filter(|name| !name.is_empty())
        .collect();
    names.dedup();
    words(names)
}

fn kinds() -> Vec<CompletionCandidate> {
    let of = |kernel: Result<_, opswap::Error>| {
        kernel.and_then(|kernel: std::sync::Arc<dyn opswap::Bpf>| opswap::kinds(kernel.as_ref()))
    };
    let kinds = of(opswap::linux())
        .or_else(|_| of(opswap::embedded()))
        .unwrap_or_default();
    words(kinds.into_iter().map(|kind| kind.name))
}

fn codes() -> Vec<CompletionCandidate> {
    let pages = opswap::explanations().into_iter();
    pages
        .map(|page| CompletionCandidate::new(page.code).help(Some(page.title.into())))
        .collect()
}

fn verbs() -> Vec<CompletionCandidate> {
    words(
        Arguments::command()
            .get_subcommands()
            .map(|verb| verb.get_name().to_owned()),
    )
}

/// A name that would have to be escaped is not offered: the shell would type it as it is.
fn words<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Vec<CompletionCandidate> {
    let words = words.into_iter().map(Into::into);
    words
        .filter(|word| printable::line(word) == *word)
        .map(CompletionCandidate::new)
        .collect()
}
