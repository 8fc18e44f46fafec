//! Variables and addresses of the kernel (`.ksyms`): found, absent and weak, or named with the program that needs them.

use crate::kernels;
use crate::source::{clang_or_skip, table};
use opswap::{Verdict, check_source};

/// What is declared, how the program uses it, what is said on the embedded kernel and on Linux; empty for an object that is accepted.
const CASES: &[(&str, &str, &str, &str)] = &[
    (
        "extern const void tcp_reno_ssthresh __ksym;",
        "&tcp_reno_ssthresh",
        "the kernel shows no address of variable `tcp_reno_ssthresh`, which `reads` needs",
        "",
    ),
    (
        "extern const void no_such_symbol __ksym __weak;",
        "&no_such_symbol",
        "",
        "",
    ),
    (
        "extern const void no_such_symbol __ksym;",
        "&no_such_symbol",
        "the kernel shows no address of variable `no_such_symbol`, which `reads` needs",
        "the kernel shows no address of variable `no_such_symbol`, which `reads` needs",
    ),
    (
        "extern const int no_such_variable __ksym __weak;",
        "&no_such_variable",
        "",
        "",
    ),
    (
        "extern const int no_such_variable __ksym;",
        "&no_such_variable",
        "the kernel has no variable `no_such_variable`, which `reads` needs",
        "the kernel has no variable `no_such_variable`, which `reads` needs",
    ),
    (
        "struct rq; extern const struct rq runqueues __ksym __weak;",
        "&runqueues",
        "",
        "?",
    ),
];

#[test]
fn what_is_not_there_is_named_with_its_program() {
    if !clang_or_skip("checks variables of the kernel") {
        return;
    }
    for (declared, used, embedded, linux) in CASES {
        let source = table(
            "variables",
            &format!(
                "{declared} __u64 seen;
                 SEC(\"struct_ops\") void reads(__u64 *ctx) {{ seen = (__u64){used}; }}
                 TABLE_WITH(o, \"opswap_ksyms\", reads);"
            ),
        );
        for kernel in kernels("variables of Linux") {
            let expected = if kernel.name() == "linux" { linux } else { embedded };
            let checked = check_source(&source, &kernel).expect("a verdict");
            let of_program = checked.programs.iter().find_map(|program| program.error.as_ref());
            let message = checked
                .error
                .as_ref()
                .or(of_program)
                .map(|error| error.message.as_str());
            let name = kernel.name();
            match *expected {
                "" => assert_eq!(checked.verdict, Verdict::Accepted, "{name}: {declared}: {message:?}"),
                // Whether Linux knows where its variables are is a matter of its configuration, not of the program.
                "?" => assert!(
                    checked.verdict <= Verdict::Unsupported,
                    "{name}: {declared}: {message:?}"
                ),
                expected => {
                    assert_eq!(checked.verdict, Verdict::Unsupported, "{name}: {declared}: {message:?}");
                    assert!(
                        message.is_some_and(|message| message.contains(expected)),
                        "{name}: {message:?}"
                    );
                }
            }
        }
    }
}
