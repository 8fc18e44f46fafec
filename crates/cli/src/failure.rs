//! How a failed command ends: what is wrong, where, what to do, and with which exit code. One JSON object with `--json`.

use crate::exit::Exit;
use crate::output::Output;
use crate::text::Text;
use opswap::{CompileError, Error, SourceError};
use serde::Serialize;

/// What `--json` prints when a command fails.
#[derive(Serialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: ErrorFacts,
}

/// An error as JSON; what is not known is absent.
#[derive(Serialize)]
pub(crate) struct ErrorFacts {
    /// What is wrong, and where.
    pub(crate) message: String,
    /// What kind of failure it is, which the exit code follows.
    pub(crate) class: &'static str,
    /// The exit code.
    pub(crate) exit: u8,
    /// The number that the kernel gave, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) errno: Option<&'static str>,
    /// The code of a rejection, for `opswap explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// The instruction, counted in 8-byte slots as the kernel's log does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) insn: Option<u32>,
    /// The source file of a rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The line in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u32>,
    /// What would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

/// Why the command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Arguments that do not go together or lack something.
    Usage(String),
    /// Something that was named and that the command does not have.
    NotFound(String),
    /// The operation itself.
    Operation(Error),
    /// The result has been printed already, and says what was rejected or is not supported.
    Shown(Exit),
    /// The result could not be written.
    Output(std::io::Error),
    /// The result could not be turned into JSON: our bug.
    Json(serde_json::Error),
    /// The process has too little memory to begin with anything.
    NoRoom {
        /// How much must be free, in bytes.
        bytes: usize,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Operation(error)
    }
}

impl Failure {
    /// The exit code that goes with it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NotFound(_) => Exit::NotFound,
            Self::Operation(error) => error.class().into(),
            Self::Shown(exit) => *exit,
            Self::Output(_) | Self::Json(_) | Self::NoRoom { .. } => Exit::Failed,
        }
    }

    /// Says what went wrong: to standard error, or as JSON to standard output.
    pub(crate) fn show(&self, output: &Output) {
        if matches!(self, Self::Shown(_)) {
            return;
        }
        if output.json() {
            // A failure to print a failure leaves the exit code.
            let _unheard = output.result(&ErrorBody { error: self.facts() }, Text::default);
            return;
        }
        if let Self::Operation(failed) = self
            && let Some(report) = failed.report()
        {
            output.complain(&crate::render::report(report));
        }
        output.complain(&text!(
            "{} {}\n",
            Text::line("opswap:").styled(crate::render::ERROR),
            self.said()
        ));
        for hint in self.hint().iter().flat_map(|hint| hint.lines()) {
            let help = Text::line("help:").styled(crate::render::HELP);
            output.complain(&text!("  {} {}\n", help, hint));
        }
    }

    /// The message: one line, but what a compiler says has lines of its own.
    fn said(&self) -> Text {
        match self {
            Self::Operation(Error::Source(SourceError::Compile(CompileError::Refused {
                source_file, output, ..
            }))) => {
                text!(
                    "clang refused {}\n{}",
                    source_file.display(),
                    Text::block(output.trim_end())
                )
            }
            _ => Text::line(&self.message()),
        }
    }

    /// The same as data.
    pub(crate) fn facts(&self) -> ErrorFacts {
        let operation = match self {
            Self::Operation(error) => Some(error),
            _ => None,
        };
        let report = operation.and_then(Error::report);
        let source = report.and_then(|report| report.source.as_ref());
        ErrorFacts {
            message: self.message(),
            class: self.exit().class(),
            exit: self.exit() as u8,
            errno: operation.and_then(Error::errno).map(|errno| errno.name()),
            code: operation.and_then(Error::code).map(str::to_owned),
            insn: report.and_then(|report| report.insn),
            file: source.map(|source| source.file.clone()),
            line: source.map(|source| source.line),
            hint: self.hint().or_else(|| report.and_then(|report| report.help.clone())),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Usage(message) | Self::NotFound(message) => message.clone(),
            Self::Operation(error) => error.to_string().trim_end().to_owned(),
            Self::Shown(_) => String::new(),
            Self::Output(error) => format!("the result cannot be written: {error}"),
            Self::Json(error) => format!("internal error: the result is no JSON: {error}"),
            Self::NoRoom { bytes } => format!("this process has too little memory: {} MB must be free", bytes >> 20),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Operation(error) => error.hint(),
            Self::NoRoom { .. } => Some("`ulimit -v` limits it".to_owned()),
            Self::Usage(_) | Self::NotFound(_) | Self::Shown(_) | Self::Output(_) | Self::Json(_) => None,
        }
    }
}
