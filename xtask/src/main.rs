//! Chores of this repository: `cargo xtask <chore>`. Each chore is one file; this one only picks it.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a chore prints its result")]

mod algorithms;
mod figures;
mod idle;
mod packages;
mod run;
mod test;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <chore>

  test          install the Debian packages that the tests need, saying so, then format, clippy, all tests, docs
  test --quick  the same without installing anything and without what needs the Linux kernel
  packages      only install the packages
  algorithms    build the objects in algorithms/objects from their sources
  figures       times whole commands, with their peers, as docs/benchmarks.md shows them
  tidy          only the tests of the repository itself (arrows, unsafe addresses, documents)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => test::all(),
        ["test", "--quick"] => test::quick(),
        ["packages"] => packages::install(),
        ["algorithms"] => algorithms::build(&root(), &root().join("algorithms/objects")).map(|_| ()),
        ["figures"] => figures::all(),
        ["tidy"] => tidy::all(&root()),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the repository: the folder above this crate's.
pub(crate) fn root() -> PathBuf {
    let mut folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.pop();
    folder
}
