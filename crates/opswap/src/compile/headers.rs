//! The headers that are supplied, after everything that the user and the system have.

use super::CompileError;
use crate::shipped;
use std::path::Path;

/// Name as a source includes it, and text.
const HEADERS: &[(&str, &str)] = &[("opswap_tcp.h", shipped::HEADER)];

/// Writes all of them into a folder.
pub(super) fn write(folder: &Path) -> Result<(), CompileError> {
    HEADERS
        .iter()
        .try_for_each(|(name, text)| write_one(folder, name, text))
}

/// Writes one into the folder.
pub(super) fn write_one(folder: &Path, name: &str, text: &str) -> Result<(), CompileError> {
    let path = folder.join(name);
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(&path, text))
        .map_err(|error| CompileError::Write { path, error })
}
