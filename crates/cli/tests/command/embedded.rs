//! `check`, `try` and `compare` on the embedded kernel: their JSON, their figures' shape, and what they refuse.

use crate::common::{json, run, shipped};

#[test]
fn check_accepts_what_is_shipped() {
    let (code, value) = json(&["check", "reno", "cubic", &shipped("dctcp")]);
    assert_eq!(code, 0, "{value}");
    assert_eq!(value["kernel"], "embedded");
    let objects = value["objects"].as_array().expect("a list");
    assert_eq!(objects.len(), 3);
    for object in objects {
        assert_eq!(object["verdict"], "accepted", "{object}");
        for program in object["programs"].as_array().expect("a list") {
            assert_eq!(program["verdict"], "accepted", "{program}");
            assert!(
                program["member"].is_string() && program["insns"].as_u64() > Some(0),
                "{program}"
            );
        }
        let ops = &object["ops"][0];
        assert_eq!(
            (&ops["kind"], &ops["verdict"]),
            (&"tcp_congestion_ops".into(), &"accepted".into()),
            "{ops}"
        );
        assert!(ops["map"].is_string() && ops["name"].is_string(), "{ops}");
    }
    assert_eq!(objects[2]["file"], shipped("dctcp"));
}

#[test]
fn compare_has_the_documented_shape_and_repeats_bit_for_bit() {
    let words = [
        "compare",
        "reno",
        "cubic",
        "--duration",
        "3s",
        "--warmup",
        "1s",
        "--flows",
        "2",
        "--seed",
        "7",
    ];
    let (code, value) = json(&words);
    assert_eq!(code, 0, "{value}");
    let runs = value["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 2);
    for run in runs {
        assert!(run["cc"].is_string() && run["jain"].as_f64() > Some(0.4), "{run}");
        let flows = run["flows"].as_array().expect("a list");
        assert_eq!(flows.len(), 2);
        for name in [
            "id",
            "goodput_mbps",
            "cwnd_mean",
            "cwnd_min",
            "cwnd_max",
            "srtt_mean_ms",
            "retransmits",
            "loss_recoveries",
        ] {
            assert!(flows.iter().all(|flow| flow[name].is_number()), "{name}: {run}");
        }
        for name in ["utilization", "queue_mean_pkts", "drops", "marks"] {
            assert!(run["link"][name].is_number(), "{name}: {run}");
        }
        assert!(run["link"]["utilization"].as_f64() > Some(0.8), "{run}");
    }
    assert_eq!(json(&words), (0, value.clone()), "the same seed gives the same run");
    let other = [
        "compare",
        "reno",
        "cubic",
        "--duration",
        "3s",
        "--warmup",
        "1s",
        "--flows",
        "2",
        "--seed",
        "8",
    ];
    assert_ne!(json(&other).1, value, "another seed gives another run");
}

#[test]
fn a_mix_is_one_run() {
    let (code, value) = json(&[
        "compare",
        "reno",
        "cubic",
        "--mix",
        "--duration",
        "3s",
        "--warmup",
        "1s",
    ]);
    assert_eq!(code, 0, "{value}");
    assert_eq!(value["runs"].as_array().map(Vec::len), Some(1));
    let flows = value["runs"][0]["flows"].as_array().expect("a list");
    let names: Vec<&str> = flows.iter().filter_map(|flow| flow["cc"].as_str()).collect();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

#[test]
fn try_swaps_and_writes_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("run.html");
    let words = [
        "try",
        "cubic",
        "--swap",
        "2s=reno",
        "--duration",
        "4s",
        "--warmup",
        "1s",
        "--report",
        page.to_str().unwrap(),
    ];
    let (code, value) = json(&words);
    assert_eq!(code, 0, "{value}");
    assert_eq!(value["swap"]["halves"].as_array().map(Vec::len), Some(2), "{value}");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(
        html.contains("<svg") && html.contains("viewport"),
        "a page for a phone, too"
    );
    for outside in ["http://", "https://", "src=", "@import"] {
        let rest = html.replace("http://www.w3.org/", "");
        assert!(!rest.contains(outside), "the page needs {outside}");
    }
    let text = run(&words).out;
    assert!(
        text.contains("before and after the swap to") && text.lines().count() > 20,
        "{text}"
    );
}

/// The object is in order; it is our reader that does not go so far.
#[test]
fn what_the_reader_lacks_is_not_supported() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../object/tests/data/errors");
    let object = folder.join("legacy_maps.bpf.o");
    let (code, value) = json(&["check", object.to_str().unwrap()]);
    assert_eq!(
        (code, &value["objects"][0]["verdict"]),
        (4, &"unsupported".into()),
        "{value}"
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (words, code) in [
        (&["compare", "reno", "--warmup", "30s"][..], 2),
        (&["compare", "reno", "--flows", "0"], 2),
        (&["compare", "reno", "--duration", "0s", "--warmup", "0s"], 2),
        (&["try", "reno", "--swap", "60s=cubic"], 2),
        (&["compare", "reno", "--kernel", "linux"], 4),
        (&["try", "reno", "--kernel", "linux"], 4),
        (
            &[
                "try",
                "reno",
                "--report",
                "/no/such/folder/x.html",
                "--duration",
                "1s",
                "--warmup",
                "0s",
            ],
            1,
        ),
    ] {
        let ran = run(words);
        assert_eq!(ran.code, code, "{words:?}: {ran:?}");
        assert_eq!(json(words).0, code, "{words:?}");
    }
}
