//! The command as its users run it: one file for each side of it.

mod bits;
mod common;
mod compilers;
mod conflicts;
mod documents;
mod embedded;
mod files;
mod foreign;
mod ground;
mod host;
mod hostile;
mod limits;
mod namespaces;
mod new;
mod patch;
mod place;
mod plain;
mod refusals;
mod rights;
mod selection;
mod selftests;
mod shapes;
mod sources;
mod tracepoint;
mod transfer;
mod usage;
