//! `opswap man`: the manual page, made from the same description as the help: the command, then each verb.

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use clap::CommandFactory;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    roff: String,
}

pub(crate) fn run(output: &Output) -> Result<(), Failure> {
    let mut roff = Vec::new();
    write(&mut roff).map_err(Failure::Output)?;
    let body = Body {
        roff: String::from_utf8_lossy(&roff).into_owned(),
    };
    output.result(&body, || Text::block(&body.roff))
}

fn write(roff: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Arguments::command();
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    page.render(roff)?;
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        roff.extend_from_slice(format!(".SH \"OPSWAP {}\"\n", verb.get_name().to_uppercase()).as_bytes());
        let page = clap_mangen::Man::new(verb.clone());
        page.render_synopsis_section(roff)?;
        page.render_description_section(roff)?;
        page.render_options_section(roff)?;
    }
    Ok(())
}
