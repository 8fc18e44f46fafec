//! How fast a simulation runs: one flow at 100 Mbit/s for ten simulated seconds, in packets (data and ACKs) a second of real time.

use divan::counter::ItemsCount;
use divan::{Bencher, main as run_all};
use lab::{Cast, Scenario, Source, SourceKind};
use net::Span;
use std::path::Path;

fn main() {
    run_all();
}

fn scenario() -> Scenario {
    Scenario {
        duration: Span::from_secs(10),
        warmup: Span::from_secs(2),
        ..Scenario::default()
    }
}

fn bench(bencher: Bencher<'_, '_>, source: Source) {
    let cast = Cast::one(source);
    let run = || lab::run(&scenario(), &cast, &mut |_| {}).expect("the scenario runs");
    let packets = run().work.packets;
    bencher.counter(ItemsCount::new(packets)).bench_local(run);
}

/// The TCP and the links alone.
#[divan::bench(sample_count = 10)]
fn native_reno(bencher: Bencher<'_, '_>) {
    bench(
        bencher,
        Source {
            label: "reno".to_owned(),
            kind: SourceKind::NativeReno,
        },
    );
}

/// With the shipped algorithms as BPF programs.
#[divan::bench(sample_count = 10, args = ["reno", "cubic", "dctcp"])]
fn bpf(bencher: Bencher<'_, '_>, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../algorithms/objects/{name}.bpf.o"));
    let bytes = std::fs::read(path).expect("the shipped object is there");
    bench(
        bencher,
        Source {
            label: name.to_owned(),
            kind: SourceKind::object(bytes),
        },
    );
}
