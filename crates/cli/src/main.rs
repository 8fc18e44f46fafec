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
use failure::Failure;
use output::Output;
use std::process::ExitCode;

/// What parsing the arguments and small things of every verb take; large things ask for their own.
const ROOM_BYTES: usize = 8 << 20;

fn main() -> ExitCode {
    // An allocation that fails later would end the process with a signal.
    let mut probe = Vec::<u8>::new();
    let room = probe.try_reserve_exact(ROOM_BYTES);
    // A probe that nobody looks at would be optimised away.
    drop(std::hint::black_box(probe));
    if room.is_err() {
        let failure = Failure::NoRoom { bytes: ROOM_BYTES };
        failure.show(&Output::of_unread(
            std::env::args_os().any(|argument| argument == "--json"),
        ));
        return failure.exit().into();
    }
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
