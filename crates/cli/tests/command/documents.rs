//! The documents' transcripts, run: what stands below a `$ opswap …` line in a `console` block is what the command prints.
//!
//! `OPSWAP_BLESS=1` writes what it prints into the documents.

use crate::common::run;
use std::path::{Path, PathBuf};

/// A command of a document and the lines that stand below it.
struct Transcript {
    command: String,
    /// Line numbers in the document, from 0: the first line of the output and the one after its last.
    lines: (usize, usize),
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut documents = vec![root.join("README.md")];
    let folder = std::fs::read_dir(root.join("docs")).expect("the folder of documents");
    documents.extend(
        folder
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "md")),
    );
    documents
}

fn transcripts(text: &str) -> Vec<Transcript> {
    let mut found: Vec<Transcript> = Vec::new();
    let mut within = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            within = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| within) {
            found.push(Transcript {
                command: command.to_owned(),
                lines: (number + 1, number + 1),
            });
        } else if within && let Some(last) = found.last_mut() {
            last.lines.1 = number + 1;
        }
    }
    found
}

/// The words of a command line up to a comment, without `sudo`; `None` if it is none of ours.
fn words(command: &str) -> Option<Vec<&str>> {
    let command = command.split('#').next().unwrap_or_default();
    let words: Vec<&str> = command.split_whitespace().skip_while(|word| *word == "sudo").collect();
    (words.first() == Some(&"opswap")).then(|| words[1..].to_vec())
}

#[test]
fn every_command_of_the_documents_exists() {
    let mut checked = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("a document");
        for transcript in transcripts(&text) {
            let Some(words) = words(&transcript.command) else {
                continue;
            };
            let flags: Vec<&str> = words.iter().copied().filter(|word| word.starts_with("--")).collect();
            let help = run(&[words[0], "--help"]);
            assert_eq!(help.code, 0, "{}: {}", document.display(), transcript.command);
            for flag in flags {
                let name = flag.split('=').next().unwrap_or(flag);
                assert!(
                    help.out.contains(name),
                    "{}: {}: no {flag}",
                    document.display(),
                    transcript.command
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 5, "the documents show commands");
}

#[test]
fn transcripts_are_what_the_command_prints() {
    let mut checked = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("a document");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for transcript in transcripts(&text).into_iter().rev() {
            let (from, to) = transcript.lines;
            let Some(words) = words(&transcript.command).filter(|_| from < to) else {
                continue;
            };
            let ran = run(&words);
            let printed: Vec<String> = ran.out.lines().chain(ran.err.lines()).map(str::to_owned).collect();
            if std::env::var_os("OPSWAP_BLESS").is_some() {
                lines.splice(from..to, printed);
            } else {
                assert_eq!(
                    lines[from..to],
                    printed,
                    "{}: {} (OPSWAP_BLESS=1 writes it)",
                    document.display(),
                    transcript.command
                );
            }
            checked += 1;
        }
        if std::env::var_os("OPSWAP_BLESS").is_some() {
            std::fs::write(&document, lines.join("\n") + "\n").expect("the document can be written");
        }
    }
    assert!(checked > 0, "the documents show what commands print");
}
