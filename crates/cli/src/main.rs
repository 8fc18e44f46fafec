//! The `opswap` command. This file reads the arguments, calls the verb and turns its outcome into an exit code; each verb is a file in `verbs/`.
#![forbid(unsafe_code)]

mod arguments;
mod exit;
mod failure;
mod output;
mod render;
mod verbs;

use arguments::Arguments;
use clap::Parser;
use exit::Exit;
use failure::Failure;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refused(&error),
    };
    let output = Output::new(&arguments.common);
    match verbs::run(&arguments, &output) {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            failure.show(&output);
            failure.exit().into()
        }
    }
}

/// Help and version are no errors; the rest is said as JSON if that was asked for.
fn refused(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let said = error.to_string();
        // What is wrong; usage and tips follow after the first empty line.
        let wrong = said
            .trim_start_matches("error: ")
            .split("\n\n")
            .next()
            .unwrap_or_default();
        let message = wrong.split_whitespace().collect::<Vec<_>>().join(" ");
        Failure::Usage(message).show(&Output::json_only());
    } else if error.print().is_err() {
        // Nobody reads; the exit code remains.
    }
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Done.into()
    }
}
