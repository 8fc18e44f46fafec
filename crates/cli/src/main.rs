//! The `opswap` command. This file reads the arguments, calls the verb and turns its outcome into an exit code; each verb is a file in `verbs/`.
#![forbid(unsafe_code)]

#[macro_use]
mod text;
mod arguments;
mod completion;
mod exit;
mod failure;
mod output;
mod render;
mod table;
mod unread;
mod verbs;

use arguments::Arguments;
use clap::{CommandFactory, FromArgMatches};
use exit::Exit;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    completion::answer_shell();
    let read = Arguments::command().try_get_matches().and_then(|matches| {
        let verb = matches.subcommand_name().unwrap_or_default().to_owned();
        Ok((verb, Arguments::from_arg_matches(&matches)?))
    });
    let (verb, arguments) = match read {
        Ok(read) => read,
        Err(error) => return unread::show(&error).into(),
    };
    let output = Output::new(&arguments.common, &verb);
    match verbs::run(&arguments, &output) {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            failure.show(&output);
            failure.exit().into()
        }
    }
}
