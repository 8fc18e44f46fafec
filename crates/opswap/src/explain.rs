//! What an error code means and what helps: the verifier's codes, and those of the rules that an ops structure must keep.

use crate::Error;
use bpf::Errno;
use serde::Serialize;
use verifier::Code;

/// One code's page.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// `SO1001`, or a word that `check` prints in its place: stable, so that it can be searched for.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: String,
    /// Why the rule exists and what helps.
    pub text: String,
}

/// Words that stand where a code would, because no program is at fault or the kernel gave nothing but a number.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "object",
        "the file, or the way its parts are put together",
        "The file is no object for BPF, is damaged, or its ops structures and programs do not fit together; nothing was asked of a kernel. The message names \
         the part. `opswap build x.bpf.c` makes objects; every program must stand in a member of an ops structure, or have a section that begins with `?`.",
    ),
    (
        "file",
        "a file cannot be read or written",
        "There is no such file and no shipped algorithm of that name, it may not be read, or it is not a plain file of a sensible size. Nothing was asked of a kernel. \
         The message names the file and says what the system says.",
    ),
    (
        "clang",
        "the source is not compiled",
        "There is no clang that makes BPF, or it refuses the source: its own messages follow, with file and line. `OPSWAP_CLANG` names a compiler; `opswap build` \
         makes an object once, and objects need no compiler.",
    ),
    (
        "EINVAL",
        "the ops structure, a map or the types break a rule",
        "The kernel answers EINVAL and no more. For a map its type does not go with its sizes, number of elements or flags; for the types the message has the kernel's reason. \
         When a table is registered the message says which rule it is: for tcp_congestion_ops ssthresh, undo_cwnd and \
         one of cong_avoid and cong_control must be there, `name` has 1 to 15 letters, digits, `_` or `.`, `flags` only known bits, and every other data member \
         is zero. `opswap kinds tcp_congestion_ops` shows the members.",
    ),
    (
        "EEXIST",
        "the name is taken",
        "An algorithm of this name is registered; the kernel's own count, too. `opswap list` and /proc/sys/net/ipv4/tcp_available_congestion_control show them. \
         `opswap swap` exchanges it, `--as NAME` registers beside it.",
    ),
    (
        "EPERM",
        "no permission",
        "Loading takes CAP_BPF and CAP_PERFMON, registering CAP_NET_ADMIN, listing CAP_SYS_ADMIN, keeping a folder that may be written. `opswap doctor` tells what is missing.",
    ),
    (
        "EOPNOTSUPP",
        "this kernel does not do it",
        "The kernel has the kind of ops structure and takes no table of it: `bpf_dummy_ops` is for test runs of its programs only. `opswap kinds` tells which kinds \
         can be registered.",
    ),
    (
        "ENOTSUPP",
        "this kernel does not do it",
        "The kernel knows the operation and does not offer it here: an older version, or built without it. `opswap doctor` and `opswap kinds` tell what there is.",
    ),
];

/// The page of one code, in capital letters or not, with or without its `SO`.
///
/// # Errors
/// [`Error::NoSuchCode`].
pub fn explain(code: &str) -> Result<Explanation, Error> {
    let wanted = code.trim();
    let named = |one: &Explanation| {
        one.code.eq_ignore_ascii_case(wanted) || one.code.strip_prefix("SO").is_some_and(|number| number == wanted)
    };
    let found = explanations().into_iter().find(named).or_else(|| errno(wanted));
    found.ok_or_else(|| Error::NoSuchCode { code: code.to_owned() })
}

/// The page of an error number that has no words of its own: what Linux calls it.
fn errno(name: &str) -> Option<Explanation> {
    // The largest is ENOTSUPP, which bpf(2) lets out of the kernel.
    let known = (1..=Errno::ENOTSUPP.0).map(Errno);
    let errno = known
        .into_iter()
        .find(|errno| errno.name().eq_ignore_ascii_case(name))?;
    (!name.is_empty()).then(|| Explanation {
        code: errno.name(),
        title: errno.text().to_owned(),
        text: format!(
            "The kernel gave error number {} and no more: errno(3) has the numbers, and the message says what was tried when it came.",
            errno.0
        ),
    })
}

/// Every page, by code.
pub fn explanations() -> Vec<Explanation> {
    let page = |code: &Code| Explanation {
        code: code.as_str(),
        title: code.title().to_owned(),
        text: code.explanation().to_owned(),
    };
    let beside = bpf::codes::PAGES.iter().map(|page| Explanation {
        code: page.code,
        title: page.title.to_owned(),
        text: page.text.to_owned(),
    });
    let words = WORDS.iter().map(|(code, title, text)| Explanation {
        code,
        title: (*title).to_owned(),
        text: (*text).to_owned(),
    });
    let mut all: Vec<Explanation> = Code::all().iter().map(page).chain(beside).collect();
    all.sort_by_key(|one| one.code);
    all.extend(words);
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_has_a_page_and_is_found() {
        let all = super::explanations();
        assert!(all.len() > 20);
        for one in &all {
            assert!(
                !one.code.is_empty() && !one.title.is_empty() && one.text.len() > 20,
                "{one:?}"
            );
            assert_eq!(super::explain(&one.code.to_lowercase()).unwrap().title, one.title);
        }
        assert_eq!(super::explain("1001").unwrap().code, "SO1001");
        assert_eq!(super::explain("e2big").unwrap().code, "E2BIG");
        for nothing in ["100", "", "EVERYTHING"] {
            assert!(super::explain(nothing).is_err(), "{nothing}");
        }
    }
}
