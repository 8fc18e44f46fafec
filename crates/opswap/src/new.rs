//! A first program to start from: complete, with every member that a congestion control may have, and the header it includes beside it.
//!
//! The templates are the examples of `algorithms/examples`, with the user's name in place of theirs.

use crate::check::OF_LINUX;
use crate::shipped::HEADER;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What to start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Template {
    /// Additive increase, multiplicative decrease: the least there is.
    #[default]
    Aimd,
    /// By delay: a few packets in the queue.
    Vegas,
    /// By a model of rate and round trip: paced, deaf to losses.
    Bbr,
}

impl Template {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::Aimd, Self::Vegas, Self::Bbr];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aimd => "aimd",
            Self::Vegas => "vegas",
            Self::Bbr => "bbr",
        }
    }

    /// The source, and the name that it carries.
    fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::Aimd => (include_str!("../../../algorithms/examples/aimd.bpf.c"), "my_aimd"),
            Self::Vegas => (include_str!("../../../algorithms/examples/vegas.bpf.c"), "my_vegas"),
            Self::Bbr => (include_str!("../../../algorithms/examples/bbr.bpf.c"), "my_bbr"),
        }
    }
}

/// Why there is no new program. Nothing was written over, and nothing is left half done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewError {
    /// The name cannot be that of an algorithm and of C variables.
    #[error("{name:?} cannot be the name: {fault}")]
    Name {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// A file of that name is there already.
    #[error("{} is there already, and nothing is written over it", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {error}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Empty, or longer than `TCP_CA_NAME_MAX` less the final zero.
    #[error("it has 1 to 15 characters")]
    Length,
    /// Something that no identifier of C has.
    #[error("it has letters, digits and `_`, and does not begin with a digit")]
    Character,
    /// Linux's own algorithms have their names for themselves, whether this kernel is built with them or not.
    #[error("an algorithm of Linux has it; `my_` before it would do")]
    Taken,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The program.
    pub source: PathBuf,
    /// The header that it includes.
    pub header: PathBuf,
}

/// Its functions are declared by the header (`tcp_reno_ssthresh`), so that a program cannot define its own.
const OF_THE_HEADER: &str = "tcp_reno";

/// Writes `NAME.bpf.c` and `opswap_tcp.h` into `folder`. A header that is there already stays if it is the same.
///
/// # Errors
/// [`NewError`]: the name will not do, a file is there already or cannot be written.
///
/// ```
/// use opswap::{Template, new_program};
///
/// let folder = tempfile::tempdir()?;
/// let created = new_program("my_first", Template::Aimd, folder.path())?;
/// assert!(created.source.ends_with("my_first.bpf.c"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn new_program(name: &str, like: Template, folder: &Path) -> Result<Created, NewError> {
    check_name(name).map_err(|fault| NewError::Name {
        name: name.to_owned(),
        fault,
    })?;
    let created = Created {
        source: folder.join(format!("{name}.bpf.c")),
        header: folder.join("opswap_tcp.h"),
    };
    let same_header = std::fs::read(&created.header).is_ok_and(|bytes| bytes == HEADER.as_bytes());
    if created.header.symlink_metadata().is_ok() && !same_header {
        return Err(NewError::Exists { path: created.header });
    }
    let (text, own_name) = like.source();
    write(&created.source, &text.replace(own_name, name))?;
    if !same_header && let Err(error) = write(&created.header, HEADER) {
        // The program alone would be half of what was asked for; it was made here just now.
        let _left_behind = std::fs::remove_file(&created.source);
        return Err(error);
    }
    Ok(created)
}

fn check_name(name: &str) -> Result<(), NameFault> {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.len() > 15 {
        Err(NameFault::Length)
    } else if !name.chars().all(in_word) || name.starts_with(|c: char| c.is_ascii_digit()) {
        Err(NameFault::Character)
    } else if OF_LINUX.contains(&name) || name == OF_THE_HEADER {
        Err(NameFault::Taken)
    } else {
        Ok(())
    }
}

/// Makes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), NewError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => NewError::Exists { path: path.to_owned() },
        _ => NewError::Write {
            path: path.to_owned(),
            error,
        },
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("a", Ok(())),
            ("_x1", Ok(())),
            ("int", Ok(())),
            ("fifteen_letters", Ok(())),
            ("sixteen__letters", Err(NameFault::Length)),
            ("", Err(NameFault::Length)),
            ("1x", Err(NameFault::Character)),
            ("a.b", Err(NameFault::Character)),
            ("../x", Err(NameFault::Character)),
            ("größe", Err(NameFault::Character)),
            ("bbr", Err(NameFault::Taken)),
            ("yeah", Err(NameFault::Taken)),
            ("tcp_reno", Err(NameFault::Taken)),
        ] {
            assert_eq!(check_name(name), expected, "{name}");
        }
    }

    /// A template carries its name in all that it defines, and in nothing else.
    #[test]
    fn templates_carry_their_name() {
        for template in Template::ALL {
            let (text, own) = template.source();
            for part in [
                format!("struct tcp_congestion_ops {own}_ops = {{"),
                format!(".name = \"{own}\""),
            ] {
                assert!(text.contains(&part), "{part}");
            }
            for line in text.lines().filter(|line| line.starts_with("OPS")) {
                assert!(line.contains(own) || line.starts_with("OPS_TABLE"), "{line}");
            }
        }
    }
}
