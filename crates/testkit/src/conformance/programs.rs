//! Programs of ops structures: what loads, what is refused and how, what is said of them.

use super::{Ground, Scenario};
use crate::ops::{assemble, eventually};
use bpf::{AttachType, Errno, IdKind, LoadVerdict, ProgLoad, ProgType, TestRun};

pub(super) const SCENARIOS: &[Scenario] = &[
    ("a program for each function member", each_member),
    ("programs that are refused", refused),
    ("programs that are taken", accepted),
    ("loads with wrong arguments", wrong_arguments),
    ("licences that are taken", licences),
    ("program information", information),
    ("a program ends with its last handle", ends),
    ("a load with a log", with_log),
    ("no test runs of congestion control", no_test_run),
];

fn each_member(ground: &Ground<'_>) {
    let members = [
        "ssthresh",
        "cong_avoid",
        "set_state",
        "cwnd_event",
        "in_ack_event",
        "pkts_acked",
        "min_tso_segs",
        "cong_control",
        "undo_cwnd",
        "sndbuf_expand",
        "init",
        "release",
    ];
    for member in members {
        if let Err(error) = ground.ops.program(member, "r0 = 1\nexit") {
            panic!("{member}: {error}\n{}", error.log);
        }
    }
}

/// Member, program, errno, code of the report, its instruction where Linux names it.
type Refusal = (&'static str, &'static str, Errno, &'static str, Option<u32>);

const REFUSED: &[Refusal] = &[
    ("get_info", "r0 = 0\nexit", Errno::ENOTSUPP, "SO1702", None),
    ("name", "r0 = 0\nexit", Errno::EINVAL, "SO1703", None),
    ("ssthresh", "exit", Errno::EACCES, "SO1101", Some(0)),
    ("ssthresh", "r0 = r6\nexit", Errno::EACCES, "SO1101", Some(0)),
    ("ssthresh", "r0 = 0", Errno::EINVAL, "SO1006", None),
    (
        "ssthresh",
        "r0 = 0\nexit\nr0 = 1\nexit",
        Errno::EINVAL,
        "SO1007",
        Some(2),
    ),
    ("ssthresh", "r0 = 0\ngoto +9\nexit", Errno::EINVAL, "SO1004", Some(1)),
    ("ssthresh", "a: r0 = 0\ngoto a", Errno::EINVAL, "SO1601", Some(0)),
    ("ssthresh", "r10 = 0\nr0 = 0\nexit", Errno::EACCES, "SO1102", Some(0)),
    (
        "ssthresh",
        "*(u64 *)(r10 -520) = 0\nr0 = 0\nexit",
        Errno::EACCES,
        "SO1203",
        Some(0),
    ),
    (
        "ssthresh",
        "r2 = 5\nr0 = *(u64 *)(r2 +0)\nexit",
        Errno::EACCES,
        "SO1201",
        Some(1),
    ),
    (
        "ssthresh",
        "r0 = *(u64 *)(r1 +8)\nexit",
        Errno::EACCES,
        "SO1216",
        Some(0),
    ),
    (
        "ssthresh",
        "*(u64 *)(r1 +0) = 0\nr0 = 0\nexit",
        Errno::EACCES,
        "SO1217",
        Some(0),
    ),
    ("ssthresh", "call 999\nexit", Errno::EINVAL, "SO1301", Some(0)),
    ("ssthresh", "r0 = 1\nr0 /= 0\nexit", Errno::EINVAL, "SO1016", Some(1)),
    (
        "ssthresh",
        "r1 = *(u64 *)(r1 +0)\n*(u32 *)(r1 +0) = 1\nr0 = 0\nexit",
        Errno::EACCES,
        "SO1221",
        Some(1),
    ),
    ("ssthresh", "r1 *= 2\nr0 = 0\nexit", Errno::EACCES, "SO1103", Some(0)),
];

fn refused(ground: &Ground<'_>) {
    let mut wrong = Vec::new();
    for (member, text, errno, code, insn) in REFUSED {
        let Err(error) = ground.ops.program(member, text) else {
            wrong.push(format!("{member}: {text:?} was taken"));
            continue;
        };
        let report = error.report.as_deref();
        let found = (
            error.errno,
            report.map(|report| report.code.as_ref()),
            report.and_then(|report| report.insn),
        );
        let same_insn = insn.is_none() || found.2 == *insn;
        let same_code = found.1 == Some(*code) || found.1 == more_precise(code);
        if found.0 != *errno || !same_code || !same_insn {
            wrong.push(format!(
                "{member}: {text:?}: {found:?}, not {errno:?} {code} {insn:?}\n{}",
                error.log
            ));
        }
        let verdict = if *errno == Errno::ENOTSUPP {
            LoadVerdict::Unsupported
        } else {
            LoadVerdict::Rejected
        };
        if error.verdict != verdict {
            wrong.push(format!("{member}: {text:?}: {:?}", error.verdict));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a kernel may say instead, where Linux has one message for two faults.
fn more_precise(code: &str) -> Option<&'static str> {
    match code {
        // A read outside the arguments, a write to them.
        "SO1216" => Some("SO1217"),
        _ => None,
    }
}

/// What looks wrong and is taken, from a process with all rights.
const ACCEPTED: &[(&str, &str)] = &[
    ("ssthresh", "r0 = *(u64 *)(r10 -8)\nexit"),
    ("ssthresh", "r0 = r1\nexit"),
    ("cong_avoid", "exit"),
    ("ssthresh", "r0 = 1\nr1 = 0\nr0 /= r1\nexit"),
];

fn accepted(ground: &Ground<'_>) {
    for (member, text) in ACCEPTED {
        if let Err(error) = ground.ops.program(member, text) {
            panic!("{member}: {text:?}: {error}\n{}", error.log);
        }
    }
}

fn wrong_arguments(ground: &Ground<'_>) {
    let insns = assemble("r0 = 0\nexit");
    let good = ground.ops.load_args("ssthresh", &insns);
    let cases = [
        (
            "no such member",
            ProgLoad {
                expected_attach_type: AttachType(900),
                ..good
            },
            Errno::EINVAL,
        ),
        (
            "not an ops structure",
            ProgLoad {
                attach_btf_id: 1,
                ..good
            },
            Errno::ENOTSUPP,
        ),
        (
            "no structure",
            ProgLoad {
                attach_btf_id: 0,
                ..good
            },
            Errno::ENOTSUPP,
        ),
        (
            "no such type",
            ProgLoad {
                prog_type: ProgType(4000),
                ..good
            },
            Errno::EINVAL,
        ),
        ("no instructions", ProgLoad { insns: &[], ..good }, Errno::E2BIG),
        (
            "another licence",
            ProgLoad {
                license: "Proprietary",
                ..good
            },
            Errno::EINVAL,
        ),
        ("a name with a space", ProgLoad { name: "a b", ..good }, Errno::EINVAL),
        (
            "a name of 16 bytes",
            ProgLoad {
                name: "sixteen_bytes_xx",
                ..good
            },
            Errno::EINVAL,
        ),
    ];
    for (case, args, errno) in cases {
        let error = ground.kernel.prog_load(&args).unwrap_err();
        assert_eq!(error.errno, errno, "{case}: {}", error.log);
    }
}

/// What counts as a licence compatible with the GPL.
fn licences(ground: &Ground<'_>) {
    let insns = assemble("r0 = 0\nexit");
    let good = ground.ops.load_args("ssthresh", &insns);
    for license in [
        "GPL",
        "GPL v2",
        "Dual BSD/GPL",
        "Dual MIT/GPL",
        "Dual MPL/GPL",
        "GPL and additional rights",
    ] {
        assert!(
            ground.kernel.prog_load(&ProgLoad { license, ..good }).is_ok(),
            "{license}"
        );
    }
}

fn information(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let prog = ground.ops.program("undo_cwnd", "r0 = 7\nexit").unwrap();
    let info = kernel.prog_info(&prog).unwrap();
    assert_eq!(
        (info.prog_type, info.name.as_str()),
        (ProgType::STRUCT_OPS, "oswt_prog")
    );
    assert_eq!((info.attach_btf_id, info.verified_insns), (ground.ops.ops.0, 2));
    assert!(info.gpl_compatible && info.map_ids.is_empty() && info.btf_id == 0);
    assert_eq!(kernel.prog_info(&prog.duplicate().unwrap()).unwrap().id, info.id);
    assert!(kernel.ids(IdKind::Prog).unwrap().contains(&info.id));
    assert_eq!(kernel.prog_info(&kernel.prog_by_id(info.id).unwrap()).unwrap(), info);
}

fn ends(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let prog = ground.ops.program("init", "r0 = 0\nexit").unwrap();
    let id = kernel.prog_info(&prog).unwrap().id;
    let second = kernel.prog_by_id(id).unwrap();
    drop(prog);
    assert!(kernel.prog_by_id(id).is_ok());
    drop(second);
    eventually("the end of the program", || {
        kernel.prog_by_id(id).err() == Some(Errno::ENOENT)
    });
    assert!(!kernel.ids(IdKind::Prog).unwrap().contains(&id));
}

fn with_log(ground: &Ground<'_>) {
    let insns = assemble("r0 = 1\nexit");
    let args = ground.ops.load_args("ssthresh", &insns);
    let (_, log) = ground.kernel.prog_load_with_log(&args, 4).unwrap();
    assert!(log.contains("processed 2 insns"), "{log}");
    let insns = assemble("exit");
    let args = ground.ops.load_args("ssthresh", &insns);
    let error = ground.kernel.prog_load_with_log(&args, 1).unwrap_err();
    assert_eq!(error.errno, Errno::EACCES);
    assert!(error.report.is_some());
}

fn no_test_run(ground: &Ground<'_>) {
    let prog = ground.ops.program("ssthresh", "r0 = 1\nexit").unwrap();
    let args = TestRun {
        ctx: &[0; 8],
        ..TestRun::default()
    };
    assert_eq!(
        ground.kernel.prog_test_run(&prog, &args).unwrap_err(),
        Errno::EOPNOTSUPP
    );
}
