//! BTF of programs: what is taken, what is refused, what is said of it; functions and lines of a program.

use super::{Ground, Scenario};
use crate::ops::{assemble, eventually};
use bpf::{Errno, FuncInfo, IdKind, LineInfo, ProgLoad};
use btf::{Builder, Encoding, Linkage, Param, TypeId};

pub(super) const SCENARIOS: &[Scenario] = &[
    ("types are loaded", loaded),
    ("types that are refused", refused),
    ("functions and lines of a program", functions_and_lines),
    ("run statistics", statistics),
];

/// `int`, and `f`, a function of it, at the second id.
fn types() -> (Vec<u8>, TypeId) {
    let mut types = Builder::new();
    let int = types.int("int", 4, Encoding::SIGNED);
    let proto = types.func_proto(int, &[Param { name: "x", ty: int }], false);
    let function = types.func("f", proto, Linkage::Static);
    (types.build().expect("three types").to_bytes(), function)
}

fn loaded(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let (bytes, _) = types();
    let object = kernel.btf_load(&bytes).unwrap();
    let info = kernel.btf_info(&object).unwrap();
    assert_eq!(
        (info.name.as_str(), info.kernel, info.size as usize),
        ("", false, bytes.len())
    );
    assert!(kernel.ids(IdKind::Btf).unwrap().contains(&info.id));
    assert_eq!(kernel.btf_info(&kernel.btf_by_id(info.id).unwrap()).unwrap(), info);
    drop(object);
    eventually("the end of the types", || {
        kernel.btf_by_id(info.id).err() == Some(Errno::ENOENT)
    });
}

fn refused(ground: &Ground<'_>) {
    let (good, _) = types();
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    // The header has 24 bytes; the first type is `int` (name, info, size, encoding).
    let cases = [
        ("nothing", Vec::new(), Errno::EINVAL),
        ("a wrong magic number", changed(0, 0), Errno::EINVAL),
        ("another version", changed(2, 9), Errno::ENOTSUPP),
        ("a header's flag", changed(3, 1), Errno::ENOTSUPP),
        (
            "less than the header says",
            good[..good.len() - 1].to_vec(),
            Errno::EINVAL,
        ),
        ("a name beyond the strings", changed(24, 200), Errno::EINVAL),
        ("a kind that is none", changed(24 + 7, 30), Errno::EINVAL),
        ("an integer of three bytes", changed(24 + 8, 3), Errno::EINVAL),
    ];
    for (case, bytes, errno) in cases {
        let error = ground.kernel.btf_load(&bytes).unwrap_err();
        assert_eq!(error.errno, errno, "{case}: {}", error.log);
    }
}

fn functions_and_lines(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let (bytes, function) = types();
    let object = kernel.btf_load(&bytes).unwrap();
    let insns = assemble("r0 = 1\nexit");
    let function = [FuncInfo {
        insn_off: 0,
        type_id: function.0,
    }];
    let line = |insn_off| LineInfo {
        insn_off,
        file_name_off: 1,
        line_off: 1,
        line_col: 7 << 10 | 3,
    };
    let lines = [line(0), line(1)];
    let good = ProgLoad {
        btf: Some(&object),
        func_info: &function,
        line_info: &lines,
        ..ground.ops.load_args("ssthresh", &insns)
    };
    let prog = kernel.prog_load(&good).unwrap();
    let id = kernel.btf_info(&object).unwrap().id;
    assert_eq!(kernel.prog_info(&prog).unwrap().btf_id, id);

    let not_a_function = [FuncInfo {
        type_id: 1,
        ..function[0]
    }];
    let not_the_start = [FuncInfo {
        insn_off: 1,
        ..function[0]
    }];
    let no_function = [
        function[0],
        FuncInfo {
            insn_off: 1,
            ..function[0]
        },
    ];
    let behind_the_end = [line(0), line(2)];
    let backwards = [line(1), line(0)];
    let late = [line(1)];
    let functions = |func_info| ProgLoad { func_info, ..good };
    let lines = |line_info| ProgLoad { line_info, ..good };
    let cases = [
        ("a function that is an integer", functions(&not_a_function)),
        ("a function that starts late", functions(&not_the_start)),
        ("a function too many", functions(&no_function)),
        ("lines behind the end", lines(&behind_the_end)),
        ("lines backwards", lines(&backwards)),
        ("no line for the start", lines(&late)),
        ("functions without types", ProgLoad { btf: None, ..good }),
    ];
    for (case, args) in cases {
        let error = kernel.prog_load(&args).unwrap_err();
        assert_eq!(error.errno, Errno::EINVAL, "{case}: {}", error.log);
    }
}

fn statistics(ground: &Ground<'_>) {
    let kernel = ground.kernel;
    let prog = ground.ops.program("ssthresh", "r0 = 1\nexit").unwrap();
    let (first, second) = (kernel.enable_stats().unwrap(), kernel.enable_stats().unwrap());
    let info = kernel.prog_info(&prog).unwrap();
    assert_eq!((info.run_cnt, info.run_time_ns), (0, 0));
    drop((first, second));
}
