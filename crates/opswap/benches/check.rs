//! How long each kernel takes to check CUBIC: types, maps and the verification of seven programs, nothing registered. Linux is the peer; without the
//! rights to ask it, only the embedded kernel is measured.

use divan::Bencher;
use opswap::{Source, Verdict};
use std::sync::Arc;

fn main() {
    divan::main();
}

fn check(bencher: Bencher<'_, '_>, kernel: &Arc<dyn opswap::Bpf>) {
    let cubic = Source::find("cubic").expect("it is shipped");
    let Ok(checked) = opswap::check_source(&cubic, kernel) else {
        return;
    };
    assert_eq!(checked.verdict, Verdict::Accepted);
    bencher.bench_local(|| opswap::check_source(&cubic, kernel).expect("it was accepted before"));
}

#[divan::bench(sample_count = 50)]
fn embedded(bencher: Bencher<'_, '_>) {
    check(bencher, &opswap::embedded().expect("the embedded kernel"));
}

#[divan::bench(sample_count = 50)]
fn linux(bencher: Bencher<'_, '_>) {
    if let Ok(linux) = opswap::linux() {
        check(bencher, &linux);
    }
}
