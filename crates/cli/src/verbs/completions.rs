//! `opswap completions`: a script with which a shell asks this program what may be typed.

use crate::completion;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    shell: String,
    script: String,
}

pub(crate) fn run(shell: clap_complete::Shell, output: &Output) -> Result<(), Failure> {
    let shell = shell.to_string();
    let no_script = || Failure::Usage(format!("there is no script for {shell}"));
    let script = completion::script(&shell)
        .ok_or_else(no_script)?
        .map_err(Failure::Output)?;
    let body = Body { shell, script };
    output.result(&body, || Text::block(&body.script))
}
