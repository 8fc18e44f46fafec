//! The exit codes: documented, stable, the same for every verb.

use opswap::Class;
use std::process::ExitCode;

/// What the command tells its caller by its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0
    Done,
    /// 1: the operation failed.
    Failed,
    /// 2: wrong usage (clap uses the same).
    Usage,
    /// 3: a program or an ops structure was rejected.
    Rejected,
    /// 4: the kernel, or this version of opswap, lacks it.
    Unsupported,
    /// 5: no permission.
    Permission,
    /// 6: conflict, or another state than expected.
    Conflict,
    /// 7: there is no such thing: nothing of that name is registered, shipped, known; no such file.
    NotFound,
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::Failed => Self::Failed,
            Class::Usage => Self::Usage,
            Class::Rejected => Self::Rejected,
            Class::Unsupported => Self::Unsupported,
            Class::Permission => Self::Permission,
            Class::Conflict => Self::Conflict,
            Class::NotFound => Self::NotFound,
        }
    }
}

impl Exit {
    /// In a word, for JSON.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Rejected => "rejected",
            Self::Unsupported => "unsupported",
            Self::Permission => "permission",
            Self::Conflict => "conflict",
            Self::NotFound => "not_found",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Rejected,
            Exit::Unsupported,
            Exit::Permission,
            Exit::Conflict,
            Exit::NotFound,
        ];
        for (number, exit) in all.into_iter().enumerate() {
            assert_eq!(exit as usize, number);
        }
    }
}
