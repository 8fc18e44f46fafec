//! `opswap completions`: a completion script for a shell.

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use clap::CommandFactory;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    shell: String,
    script: String,
}

pub(crate) fn run(shell: clap_complete::Shell, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "opswap", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let body = Body {
        shell: shell.to_string(),
        script,
    };
    output.result(&body, || Text::block(&body.script))
}
