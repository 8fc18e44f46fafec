//! The headers that are supplied, after everything that the user and the system have.

use super::CompileError;
use crate::shipped;
use std::path::Path;

/// Name as a source includes it, and text.
const HEADERS: &[(&str, &str)] = &[
    ("opswap_tcp.h", shipped::HEADER),
    // libbpf's names, in its folder and without.
    ("bpf/bpf_helpers.h", include_str!("../../include/bpf/bpf_helpers.h")),
    (
        "bpf/bpf_helper_defs.h",
        include_str!("../../include/bpf/bpf_helper_defs.h"),
    ),
    ("bpf/bpf_tracing.h", include_str!("../../include/bpf/bpf_tracing.h")),
    ("bpf/bpf_core_read.h", include_str!("../../include/bpf/bpf_core_read.h")),
    ("bpf/bpf_endian.h", include_str!("../../include/bpf/bpf_endian.h")),
    ("bpf_helpers.h", "#include <bpf/bpf_helpers.h>\n"),
    ("bpf_helper_defs.h", "#include <bpf/bpf_helper_defs.h>\n"),
    ("bpf_tracing.h", "#include <bpf/bpf_tracing.h>\n"),
    ("bpf_core_read.h", "#include <bpf/bpf_core_read.h>\n"),
    ("bpf_endian.h", "#include <bpf/bpf_endian.h>\n"),
    // Those of the kernel's selftests, beside which most congestion controls in BPF C were written.
    (
        "bpf_tcp_helpers.h",
        include_str!("../../include/selftests/bpf_tcp_helpers.h"),
    ),
    (
        "bpf_tracing_net.h",
        include_str!("../../include/selftests/bpf_tracing_net.h"),
    ),
    ("bpf_kfuncs.h", include_str!("../../include/selftests/bpf_kfuncs.h")),
    ("bpf_misc.h", include_str!("../../include/selftests/bpf_misc.h")),
    // glibc's headers include it for every machine that they do not know, and it is packaged for other machines only; all that it tells is what a
    // C library would lack.
    ("gnu/stubs-32.h", "/* A BPF program has no C library. */\n"),
];

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

#[cfg(test)]
mod tests {
    use super::HEADERS;

    /// Name and number of every helper that our header declares.
    fn helpers() -> Vec<(String, i64)> {
        let (_, text) = HEADERS
            .iter()
            .find(|(name, _)| *name == "bpf/bpf_helper_defs.h")
            .unwrap();
        let declared = text.lines().filter_map(|line| line.strip_prefix("OPSWAP_HELPER("));
        declared
            .map(|line| {
                let mut words = line.split(", ").skip(1);
                let name = words.next().unwrap().to_owned();
                (name, words.next().unwrap().parse().unwrap())
            })
            .collect()
    }

    #[test]
    fn helpers_have_the_numbers_of_the_running_kernel() {
        let helpers = helpers();
        assert!(helpers.len() > 200 && helpers.contains(&("ktime_get_ns".to_owned(), 5)));
        if !testkit::linux_or_skip("holds the numbers of helpers to the kernel's") {
            return;
        }
        let linux = crate::linux().unwrap();
        let types = crate::kinds::kernel_btf(linux.as_ref()).unwrap();
        let ids = types.find("bpf_func_id", btf::Kind::Enum).unwrap();
        let known: Vec<(String, i64)> = types
            .get(ids)
            .unwrap()
            .enumeration()
            .unwrap()
            .enumerators()
            .filter_map(|one| Some((one.name.strip_prefix("BPF_FUNC_")?.to_owned(), one.value as i64)))
            .collect();
        for helper in helpers {
            assert!(known.contains(&helper), "{helper:?}");
        }
    }
}
