//! Arguments that are no command: clap's words about them, which repeat what was typed, and help and version, which it hands out the same way.

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use clap::CommandFactory;
use opswap::printable;

/// Help and version are no errors; the rest is said as JSON if that was asked for.
pub(crate) fn show(error: &clap::Error) -> Exit {
    let json = std::env::args_os().any(|argument| argument == "--json");
    let output = Output::of_unread(json);
    if !error.use_stderr() {
        // That nobody reads leaves the exit code.
        let _unread = output.print(&words(error));
        return Exit::Done;
    }
    if json {
        Failure::Usage(what_is_wrong(&words(error).plain())).show(&output);
    } else {
        output.complain(&words(error));
    }
    Exit::Usage
}

/// clap paints what it repeats, so that its colours cannot be told from the arguments' own: arguments that need escaping are escaped before they are read
/// once more, and what cannot be said of them then is said without colours.
fn words(error: &clap::Error) -> Text {
    let typed: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let tame: Vec<String> = typed.iter().map(|word| printable::line(word).into_owned()).collect();
    if typed == tame {
        return Text::rendered(error.render().ansi().to_string());
    }
    match Arguments::command().try_get_matches_from(&tame) {
        Err(error) => Text::rendered(error.render().ansi().to_string()),
        Ok(_) => Text::block(&error.render().to_string()),
    }
}

/// What is wrong, in a line; usage and tips follow after the first empty line.
fn what_is_wrong(said: &str) -> String {
    let wrong = said
        .trim_start_matches("error: ")
        .split("\n\n")
        .next()
        .unwrap_or_default();
    wrong.split_whitespace().collect::<Vec<_>>().join(" ")
}
