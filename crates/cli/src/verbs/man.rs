//! `opswap man`: the manual pages, made from the same description as the help: one of the command and one of each verb.

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use clap::{Command, CommandFactory};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
#[serde(untagged)]
enum Body {
    Page { page: String, roff: String },
    Written { files: Vec<PathBuf> },
}

pub(crate) fn run(verb: Option<&str>, folder: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let mut command = Arguments::command();
    command.build();
    let mut pages = vec![command.clone()];
    pages.extend(
        command
            .get_subcommands()
            .filter(|verb| verb.get_name() != "help")
            .cloned(),
    );
    if let Some(folder) = folder {
        return write_all(&pages, folder, output);
    }
    let wanted = verb.unwrap_or("opswap");
    let Some(page) = pages
        .iter()
        .find(|page| page.get_name() == wanted || page.get_all_aliases().any(|alias| alias == wanted))
    else {
        let known = pages.iter().map(Command::get_name);
        let hint = opswap::similar(wanted, known).map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        return Err(Failure::NotFound(format!("there is no verb `{wanted}`{hint}")));
    };
    let (page, roff) = rendered(page)?;
    let body = Body::Page { page, roff };
    output.result(&body, || match &body {
        Body::Page { roff, .. } => Text::block(roff),
        Body::Written { .. } => Text::default(),
    })
}

fn write_all(pages: &[Command], folder: &Path, output: &Output) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Failure::Operation(opswap::Error::Write { path, error })
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    let mut files = Vec::new();
    for page in pages {
        let (name, roff) = rendered(page)?;
        let path = folder.join(name);
        std::fs::write(&path, roff).map_err(failed(&path))?;
        files.push(path);
    }
    output.result(&Body::Written { files: files.clone() }, || {
        files.iter().map(|file| text!("{}\n", file.display())).collect()
    })
}

/// The page's file name and its text.
fn rendered(verb: &Command) -> Result<(String, String), Failure> {
    // Pages tell all, as the long help does.
    let verb = verb.clone().mut_args(|argument| argument.hide_short_help(false));
    let examples = verb.get_after_help().map(ToString::to_string);
    let page = clap_mangen::Man::new(verb.clone())
        .source(concat!("opswap ", env!("CARGO_PKG_VERSION")))
        .manual("opswap");
    let mut roff = Vec::new();
    let write = |roff: &mut Vec<u8>| {
        page.render_title(roff)?;
        page.render_name_section(roff)?;
        page.render_synopsis_section(roff)?;
        page.render_description_section(roff)?;
        page.render_options_section(roff)?;
        if verb.has_subcommands() {
            page.render_subcommands_section(roff)?;
        }
        if let Some(examples) = &examples {
            roff.extend_from_slice(as_it_is("NOTES", examples).as_bytes());
        }
        Ok(())
    };
    write(&mut roff).map_err(Failure::Output)?;
    Ok((page.get_filename(), String::from_utf8_lossy(&roff).into_owned()))
}

/// A section whose lines stay lines. A backslash begins a request of roff (groff(7)), and so does a full stop or an apostrophe at the beginning of a line.
fn as_it_is(title: &str, text: &str) -> String {
    let mut section = format!(".SH {title}\n.nf\n");
    for line in text.lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        section.push_str(&format!("{guard}{line}\n"));
    }
    section + ".fi\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_stay_as_they_are() {
        assert_eq!(
            super::as_it_is("NOTES", "a\\b -c\n.x\n'y"),
            ".SH NOTES\n.nf\na\\eb \\-c\n\\&.x\n\\&'y\n.fi\n"
        );
    }
}
