//! Why something is not accepted, as plain data for people and programs.

use crate::{Class, Error};
use bpf::{LoadVerdict, ProgLoadError, Report};
use serde::Serialize;

/// Why something is not accepted.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedError {
    /// A stable code: `SO1001` or a word such as `EINVAL`; each has a page in `opswap explain`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The instruction, counted in 8-byte slots as the kernel's log does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insn: Option<u32>,
    /// The source file, from the object's line information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What would help.
    #[serde(rename = "hint", skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The kernel's whole verifier log, if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The whole report, for a terminal.
    #[serde(skip)]
    pub report: Option<Report>,
    /// What the user can do about it; the command's exit codes follow it.
    #[serde(skip)]
    pub class: Class,
}

impl CheckedError {
    pub(super) fn plain(class: Class, code: String, message: String) -> Self {
        Self {
            code,
            message,
            insn: None,
            file: None,
            line: None,
            help: None,
            log: None,
            report: None,
            class,
        }
    }

    /// An error of the facade, in the form of a verdict's reason.
    pub(super) fn of_error(error: &Error) -> Self {
        Self {
            help: error.hint(),
            ..Self::plain(
                error.class(),
                error.code().unwrap_or("object").to_owned(),
                error.to_string(),
            )
        }
    }

    pub(super) fn of_refusal(refusal: ProgLoadError) -> Self {
        let class = match refusal.verdict {
            LoadVerdict::Unsupported => Class::Unsupported,
            _ => Class::Rejected,
        };
        let log = (!refusal.log.is_empty()).then(|| refusal.log.clone());
        match refusal.report {
            Some(report) => Self {
                log,
                code: report.code.to_string(),
                message: report.message.clone(),
                insn: report.insn,
                file: report.source.as_ref().map(|source| source.file.clone()),
                line: report.source.as_ref().map(|source| source.line),
                help: report.help.clone(),
                report: Some(*report),
                class,
            },
            None => Self {
                log,
                ..Self::plain(class, refusal.errno.name().to_owned(), refusal.to_string())
            },
        }
    }
}
