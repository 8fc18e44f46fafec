//! Functions and lines of a program (`func_info`, `line_info`): the embedded kernel takes and refuses what Linux does, with its error
//! number, however single words of the two tables are changed.

use bpf::{Bpf, BtfObject, Fd, FuncInfo, LineInfo, ProgLoad, ProgType};
use btf::{Builder, Encoding, Linkage, Param, TypeId};
use testkit::{assemble, linux_or_skip};

/// Three functions, of which the last is called by the second.
const PROGRAM: &str = "r1 = 7
    call +1
    exit
    r2 = 0x1122334455667788 ll
    call +1
    exit
    r0 = 1
    exit";

/// Types, and the functions' ids: one for the program, one for numbers, one that gives a structure, one that gives nothing.
fn types() -> (Vec<u8>, [u32; 4]) {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    let point = b.struct_type("point", 4, &[btf::Member::at("x", int, 0)]);
    let ctx = b.ptr(TypeId::VOID);
    let main = b.func_proto(int, &[Param::new("ctx", ctx)], false);
    let number = b.func_proto(int, &[Param::new("x", int)], false);
    let of_point = b.func_proto(point, &[Param::new("x", int)], false);
    let nothing = b.func_proto(TypeId::VOID, &[Param::new("x", int)], false);
    let functions = [
        ("main", main),
        ("number", number),
        ("of_point", of_point),
        ("nothing", nothing),
    ];
    let ids = functions.map(|(name, proto)| b.func(name, proto, Linkage::Static).0);
    (b.build().unwrap().to_bytes(), ids)
}

struct Pair {
    kernels: [Box<dyn Bpf>; 2],
    types: Vec<Fd<BtfObject>>,
}

impl Pair {
    /// The two kernels' error numbers, 0 for none.
    fn load(&self, funcs: &[FuncInfo], lines: &[LineInfo], with_types: bool) -> [i32; 2] {
        let insns = assemble(PROGRAM);
        let mut numbers = [0; 2];
        for (at, kernel) in self.kernels.iter().enumerate() {
            let args = ProgLoad {
                btf: with_types.then_some(&self.types[at]),
                func_info: funcs,
                line_info: lines,
                ..ProgLoad::new(ProgType::SOCKET_FILTER, &insns)
            };
            numbers[at] = kernel.prog_load(&args).err().map_or(0, |error| error.errno.0);
        }
        numbers
    }
}

#[test]
fn tables_with_a_changed_word() {
    if !linux_or_skip("functions and lines of programs, as Linux sees them") {
        return;
    }
    let (bytes, ids) = types();
    let kernels: [Box<dyn Bpf>; 2] = [
        Box::new(linux::Linux::new()),
        Box::new(kernel::Kernel::builder().build().unwrap()),
    ];
    let types = kernels.iter().map(|kernel| kernel.btf_load(&bytes).unwrap()).collect();
    let pair = Pair { kernels, types };
    // The last slot of the wide instruction, at 5, begins no function and no line; there are 10 slots.
    let funcs = [(0, ids[0]), (3, ids[1]), (7, ids[1])].map(|(insn_off, type_id)| FuncInfo { insn_off, type_id });
    let line = |insn_off| LineInfo {
        insn_off,
        file_name_off: 1,
        line_off: 1,
        line_col: 1 << 10,
    };
    let lines = [0, 1, 3, 6, 7].map(line);
    assert_eq!(pair.load(&funcs, &lines, true), [0, 0]);
    let mut wrong = Vec::new();
    let mut refused = 0;
    let mut judge = |what: String, numbers: [i32; 2]| {
        refused += usize::from(numbers[0] != 0);
        if numbers[0] != numbers[1] {
            wrong.push(format!("{what}: Linux {}, embedded {}", numbers[0], numbers[1]));
        }
    };
    judge("no tables".into(), pair.load(&[], &[], true));
    judge("no lines".into(), pair.load(&funcs, &[], true));
    judge("no functions".into(), pair.load(&[], &lines, true));
    judge("no types, no tables".into(), pair.load(&[], &[], false));
    judge("no types, functions".into(), pair.load(&funcs, &[], false));
    judge("no types, lines".into(), pair.load(&[], &lines, false));
    for at in 0..funcs.len() {
        for value in (0..20).chain([1 << 20, u32::MAX]) {
            let (mut start, mut ty) = (funcs, funcs);
            start[at].insn_off = value;
            ty[at].type_id = value;
            judge(
                format!("function {at} starts at {value}"),
                pair.load(&start, &lines, true),
            );
            judge(format!("function {at} is of type {value}"), pair.load(&ty, &[], true));
        }
        judge(
            format!("without function {at}"),
            pair.load(&[&funcs[..at], &funcs[at + 1..]].concat(), &[], true),
        );
    }
    judge(
        "a function twice".into(),
        pair.load(&[&funcs[..], &funcs[2..]].concat(), &[], true),
    );
    let strings = bytes.len() as u32;
    for at in 0..lines.len() {
        for value in (0..14).chain([strings - 1, strings, 1 << 20, u32::MAX]) {
            let mut changed = [lines; 4];
            changed[0][at].insn_off = value;
            changed[1][at].file_name_off = value;
            changed[2][at].line_off = value;
            changed[3][at].line_col = value;
            for (word, lines) in changed.iter().enumerate() {
                judge(
                    format!("line {at}, word {word}: {value}"),
                    pair.load(&funcs, lines, true),
                );
                judge(
                    format!("line {at}, word {word}: {value}, no functions"),
                    pair.load(&[], lines, true),
                );
            }
        }
        let fewer = [&lines[..at], &lines[at + 1..]].concat();
        judge(format!("without line {at}"), pair.load(&funcs, &fewer, true));
        judge(format!("without line {at}, no functions"), pair.load(&[], &fewer, true));
    }
    assert!(refused > 100, "only {refused} tables were refused");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
