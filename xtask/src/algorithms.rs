//! The objects of `algorithms/`: built from the C sources there with clang-19, committed, and compared with a new build by the tests.
//!
//! Objects are the same bytes wherever the repository lies: file names in them are relative to it. For one file, by hand:
//!
//! ```text
//! clang-19 -g -O2 -target bpf -mcpu=v3 -fdebug-compilation-dir=. -c algorithms/reno.bpf.c -o algorithms/objects/reno.bpf.o
//! llvm-strip-19 -g algorithms/objects/reno.bpf.o
//! ```

use crate::run::StepError;
use std::path::{Path, PathBuf};
use std::process::Command;

const COMPILER: &str = "clang-19";
const STRIP: &str = "llvm-strip-19";
const FLAGS: &[&str] = &[
    "-g",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Werror",
    "-target",
    "bpf",
    "-mcpu=v3",
    "-fdebug-compilation-dir=.",
    "-c",
];

/// Compiles every `algorithms/*.bpf.c` of the repository at `root` into the folder `into` and gives the objects' paths, sorted.
pub(crate) fn build(root: &Path, into: &Path) -> Result<Vec<PathBuf>, StepError> {
    std::fs::create_dir_all(into).map_err(|error| StepError::Start {
        program: format!("create {}", into.display()),
        error,
    })?;
    let mut objects = Vec::new();
    for name in names(root)? {
        let source = format!("algorithms/{name}.bpf.c");
        let object = into.join(format!("{name}.bpf.o"));
        let mut compile = Command::new(COMPILER);
        compile
            .current_dir(root)
            .args(FLAGS)
            .arg(&source)
            .arg("-o")
            .arg(&object);
        run(compile)?;
        let mut strip = Command::new(STRIP);
        strip.arg("-g").arg(&object);
        run(strip)?;
        objects.push(object);
    }
    Ok(objects)
}

/// Whether the committed objects are what the sources give. Without the compiler it says so and finds nothing.
pub(crate) fn check(root: &Path) -> Result<(), StepError> {
    if Command::new(COMPILER).arg("--version").output().is_err() {
        eprintln!(
            "NOT CHECKED: whether algorithms/objects are built from their sources, because {COMPILER} is missing"
        );
        return Ok(());
    }
    let scratch = std::env::temp_dir().join(format!("opswap-algorithms-{}", std::process::id()));
    let findings = build(root, &scratch).map(|built| differences(root, &built));
    // Left-overs in the folder for temporary files are no reason to fail.
    let _ = std::fs::remove_dir_all(&scratch);
    match findings? {
        findings if findings.is_empty() => Ok(()),
        findings => Err(StepError::Findings(findings)),
    }
}

fn differences(root: &Path, built: &[PathBuf]) -> Vec<String> {
    let folder = root.join("algorithms/objects");
    let mut findings: Vec<String> = built
        .iter()
        .filter_map(|new| {
            let name = new.file_name()?.to_string_lossy().into_owned();
            let same = std::fs::read(folder.join(&name)).ok() == std::fs::read(new).ok();
            (!same).then(|| {
                format!(
                    "algorithms/objects/{name} is not what {COMPILER} makes of its source: run `cargo xtask algorithms`"
                )
            })
        })
        .collect();
    let known: Vec<_> = built.iter().filter_map(|path| path.file_name()).collect();
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        if !known.contains(&entry.file_name().as_os_str()) {
            findings.push(format!("{} has no source", entry.path().display()));
        }
    }
    findings
}

/// Names of the algorithms, without `.bpf.c`, sorted.
fn names(root: &Path) -> Result<Vec<String>, StepError> {
    let folder = root.join("algorithms");
    let entries = std::fs::read_dir(&folder).map_err(|error| StepError::Start {
        program: format!("read {}", folder.display()),
        error,
    })?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".bpf.c")?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn run(mut command: Command) -> Result<(), StepError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| StepError::Start {
        program: program.clone(),
        error,
    })?;
    if status.success() {
        return Ok(());
    }
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    Err(StepError::Failed {
        step: format!("{program} {}", words.join(" ")),
        status,
    })
}
