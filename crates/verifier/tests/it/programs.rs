//! What needs more than instructions: types, function information, small limits, bytes that do not decode.

use crate::world::World;
use btf::{Btf, Builder, Encoding, Enumerator, Linkage, Param, TypeId};
use isa::{Insn, RawInsn};
use verifier::{Code, Failure, FuncInfo, Limits, LineInfo, Options, Program, ProgramDebug, Rejection, Verified};

fn assemble(text: &str) -> Vec<Insn> {
    isa::asm::assemble(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn code(verdict: Result<Verified, Failure>) -> Code {
    rejection(verdict).code()
}

fn rejection(verdict: Result<Verified, Failure>) -> Rejection {
    match verdict {
        Err(Failure::Rejected(rejection)) => *rejection,
        other => panic!("not rejected: {other:?}"),
    }
}

fn with_limits(text: &str, limits: Limits) -> Result<Verified, Failure> {
    let insns = assemble(text);
    verifier::verify(
        &Program::new(&insns),
        &World::filter(),
        &Options {
            limits,
            ..Options::default()
        },
    )
}

#[test]
fn bytes_that_do_not_decode_are_a_rejection() {
    let odd = RawInsn {
        code: 0xff,
        ..RawInsn::default()
    };
    let error = isa::decode(&[odd]).unwrap_err();
    let rejection = Rejection::from_decode(error);
    assert_eq!(rejection.code(), Code::Undecodable);
    assert_eq!(rejection.to_string(), "insn 0: unknown opcode 0xff [SO1001]");
}

#[test]
fn instructions_that_do_not_encode_are_a_rejection() {
    use isa::{Imm64, Reg, Size, Width};
    let world = World::filter();
    let odd = [
        Insn::LoadImm64Hi,
        Insn::MovSx {
            width: Width::W64,
            dst: Reg::R0,
            src: Reg::R1,
            from: Size::DW,
        },
        Insn::LoadImm64 {
            dst: Reg::R0,
            imm: Imm64::Value(1),
        },
    ];
    for insn in odd {
        assert_eq!(code(world.verify(&[insn, Insn::Exit])), Code::Undecodable, "{insn:?}");
    }
}

#[test]
fn limits_end_the_work() {
    let small = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let loops = "r0 = 0\n l: r0 += 1\n if r0 < 1000 goto l\n exit";
    let limits = small(|limits| limits.insns_processed_max = 100);
    assert_eq!(code(with_limits(loops, limits)), Code::TooComplex);
    let limits = small(|limits| limits.program_slots_max = 3);
    assert_eq!(code(with_limits(loops, limits)), Code::TooLong);
    let limits = small(|limits| limits.subprogs_max = 1);
    assert_eq!(
        code(with_limits("call f\n exit\n f: r0 = 0\n exit", limits)),
        Code::TooManySubprogs
    );
    let limits = small(|limits| limits.pending_branches_max = 1);
    let branches = "call 7\n if r0 > 5 goto e\n if r0 > 3 goto e\n e: exit";
    assert_eq!(code(with_limits(branches, limits)), Code::TooManyBranches);
}

/// A program of an entry and a global function `int f(u64 number, u32 *memory)`.
struct Global {
    btf: Btf,
    funcs: Vec<FuncInfo>,
    lines: Vec<LineInfo>,
}

impl Global {
    fn new(second_at: u32) -> Self {
        let mut b = Builder::new();
        let int = b.int("int", 4, Encoding::SIGNED);
        let u64_ = b.int("unsigned long", 8, Encoding::UNSIGNED);
        let memory = b.ptr(int);
        let entry_proto = b.func_proto(int, &[], false);
        let proto = b.func_proto(int, &[Param::new("number", u64_), Param::new("memory", memory)], false);
        let entry = b.func("entry", entry_proto, Linkage::Global);
        let function = b.func("f", proto, Linkage::Global);
        // A name and a text to refer to by their offsets.
        let _ = b.fwd("a.c", false);
        let _ = b.fwd("  int x = 1;", false);
        let btf = b.build().unwrap();
        let at = |wanted: &str| (1..500).find(|&at| btf.string(at) == Some(wanted)).unwrap();
        let (file_name_off, line_off) = (at("a.c"), at("  int x = 1;"));
        let info = |slot, type_id: TypeId| FuncInfo { slot, type_id };
        Self {
            funcs: vec![info(0, entry), info(second_at, function)],
            lines: vec![LineInfo {
                slot: 0,
                file_name_off,
                line_off,
                line_col: 7 << 10 | 3,
            }],
            btf,
        }
    }

    fn verify(&self, text: &str) -> Result<Verified, Failure> {
        let insns = assemble(text);
        let program = Program {
            insns: &insns,
            odd: &[],
            debug: Some(ProgramDebug {
                btf: &self.btf,
                funcs: &self.funcs,
                lines: &self.lines,
            }),
        };
        verifier::verify(&program, &World::filter(), &Options::default())
    }
}

const CALLER: &str = "
    r1 = 1
    r2 = r10
    r2 += -8
    call f
    exit
";

#[test]
fn global_functions_are_verified_by_their_prototype() {
    let global = Global::new(5);
    let verified = global
        .verify(&format!(
            "{CALLER} f: r0 = r1\n if r2 == 0 goto e\n r0 = *(u32 *)(r2 +0)\n e: exit"
        ))
        .unwrap();
    assert!(verified.subprogs()[1].global);
    assert_eq!(verified.subprogs()[1].name, "f");
    assert!(verified.aux().iter().all(|aux| aux.reached));

    // What the caller knows does not count: the number may be anything, the memory null.
    let number = format!("{CALLER} f: r3 = map_value(3, 0) ll\n r3 += r1\n r0 = *(u8 *)(r3 +0)\n exit");
    assert_eq!(code(global.verify(&number)), Code::OffsetTooLarge);
    let null = format!("{CALLER} f: r0 = *(u32 *)(r2 +0)\n exit");
    assert_eq!(code(global.verify(&null)), Code::NullableAccess);
    let beyond = format!("{CALLER} f: r0 = 0\n if r2 == 0 goto e\n r0 = *(u32 *)(r2 +4)\n e: exit");
    assert_eq!(code(global.verify(&beyond)), Code::MemOutOfBounds);
    let context = format!("{CALLER} f: r0 = *(u32 *)(r3 +0)\n exit");
    assert_eq!(code(global.verify(&context)), Code::UninitRegister);
    let no_number = format!("{CALLER} f: r0 = r10\n exit");
    assert_eq!(code(global.verify(&no_number)), Code::ReturnKind);
}

#[test]
fn calls_of_global_functions_fit_the_prototype() {
    let global = Global::new(4);
    let body = "f: r0 = 0\n exit";
    let pointer_for_number = format!("r2 = r10\n r2 += -8\n call f\n exit\n {body}");
    let rejection = rejection(global.verify(&pointer_for_number));
    assert_eq!(rejection.code(), Code::GlobalArg);
    assert_eq!(rejection.slot, Some(2));
    let source = rejection.source.unwrap();
    assert_eq!((source.file.as_str(), source.line, source.column), ("a.c", 7, 3));
    assert_eq!(source.text, "  int x = 1;");

    let number_for_memory = format!("r1 = 1\n r2 = 5\n call f\n exit\n {body}");
    assert_eq!(code(global.verify(&number_for_memory)), Code::GlobalArg);
    let null = format!("r1 = 1\n r2 = 0\n call f\n exit\n {body}");
    global.verify(&null).unwrap();
    let too_small = format!("r1 = 1\n r2 = map_value(3, 45) ll\n call f\n exit\n {body}");
    assert_eq!(code(Global::new(5).verify(&too_small)), Code::MapValueOutOfBounds);
}

/// The function is at fault where it is called, and nowhere else.
#[test]
fn calls_of_global_functions_want_a_number_back() {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    let pointer = b.ptr(int);
    let small = b.enum_type("small", 4, false, &[Enumerator::new("ONE", 1)]);
    let entry_proto = b.func_proto(int, &[], false);
    let entry = b.func("entry", entry_proto, Linkage::Global);
    let mut function = |ret| {
        let proto = b.func_proto(ret, &[], false);
        b.func("f", proto, Linkage::Global)
    };
    let (nothing, address, number, choice) = (
        function(TypeId::VOID),
        function(pointer),
        function(int),
        function(small),
    );
    let btf = b.build().unwrap();
    let verify = |function, text: &str| {
        let info = |slot, type_id| FuncInfo { slot, type_id };
        let insns = assemble(text);
        let program = Program {
            debug: Some(ProgramDebug {
                btf: &btf,
                funcs: &[info(0, entry), info(4, function)],
                lines: &[],
            }),
            ..Program::new(&insns)
        };
        verifier::verify(&program, &World::filter(), &Options::default())
    };
    let called = "r6 = 1\n call f\n r0 = 0\n exit\n f: r0 = 0\n exit";
    for function in [nothing, address] {
        let rejection = rejection(verify(function, called));
        assert_eq!((rejection.code(), rejection.slot), (Code::GlobalResult, Some(1)));
        // Behind a branch that is never taken.
        let not_called = "r0 = 0\n if r0 == 0 goto +1\n call f\n exit\n f: r0 = 0\n exit";
        verify(function, not_called).unwrap();
    }
    for function in [number, choice] {
        verify(function, called).unwrap();
    }
}

/// Which types may be tagged as the context, as Linux has it.
#[test]
fn context_arguments_of_global_functions() {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    let u64_ = b.int("unsigned long", 8, Encoding::UNSIGNED);
    let alias = b.typedef("u64", u64_);
    let packet = b.struct_type("__sk_buff", 4, &[btf::Member::at("len", int, 0)]);
    let other = b.struct_type("foo", 4, &[btf::Member::at("a", int, 0)]);
    let entry_proto = b.func_proto(int, &[], false);
    let entry = b.func("entry", entry_proto, Linkage::Global);
    let mut function = |pointee| {
        let argument = b.ptr(pointee);
        let proto = b.func_proto(int, &[Param::new("ctx", argument)], false);
        let function = b.func("f", proto, Linkage::Global);
        b.decl_tag("arg:ctx", function, Some(0));
        function
    };
    let functions = [TypeId::VOID, alias, int, packet, other].map(&mut function);
    let raising = b.func("raising", entry_proto, Linkage::Global);
    b.decl_tag("exception_callback:f", raising, None);
    let btf = b.build().unwrap();
    let insns = assemble("call f\n r0 = 0\n exit\n f: r0 = 0\n exit");
    let verify = |world: &World, entry, function| {
        let info = |slot, type_id| FuncInfo { slot, type_id };
        let program = Program {
            debug: Some(ProgramDebug {
                btf: &btf,
                funcs: &[info(0, entry), info(3, function)],
                lines: &[],
            }),
            ..Program::new(&insns)
        };
        verifier::verify(&program, world, &Options::default())
    };
    let accepted = |world: &World| functions.map(|function| verify(world, entry, function).is_ok());
    assert_eq!(accepted(&World::tcp()), [true, true, false, false, false]);
    assert_eq!(accepted(&World::filter()), [true, false, false, true, false]);
    assert!(
        matches!(
            verify(&World::tcp(), raising, functions[0]),
            Err(Failure::Unsupported(_))
        ),
        "exceptions are not there"
    );
}

#[test]
fn function_information_fits_the_program() {
    let wrong = Global::new(3);
    assert_eq!(
        code(wrong.verify(&format!("{CALLER} f: r0 = 0\n exit"))),
        Code::BadFuncInfo
    );
    let mut wrong = Global::new(5);
    wrong.funcs[1].type_id = TypeId(1);
    assert_eq!(
        code(wrong.verify(&format!("{CALLER} f: r0 = 0\n exit"))),
        Code::BadFuncInfo
    );
}

#[test]
fn rejections_tell_the_branches_that_lead_there() {
    let insns = assemble("call 7\n if r0 > 5 goto a\n exit\n a: if r0 == 9 goto b\n exit\n b: r0 = r3\n exit");
    let rejection = rejection(World::filter().verify(&insns));
    let path: Vec<(u32, bool)> = rejection.path.iter().map(|step| (step.slot, step.taken)).collect();
    assert_eq!(path, [(1, true), (3, true)]);
    assert_eq!(
        rejection.text().notes,
        ["branch taken at insn 1", "branch taken at insn 3"]
    );
    assert_eq!(
        rejection.to_string(),
        "insn 5: R3 is read before it is written [SO1101]"
    );
}

/// A loop's branches stand there once, with how often.
#[test]
fn the_rounds_of_a_loop_are_told_once() {
    let insns = assemble(
        "call 7\n if r0 > 5 goto a\n r6 = 0\n a: r6 = 0\n next: call 7\n if r0 == 9 goto other\n other: r6 += 1\n if r6 != 20 goto next\n r0 = r3\n exit",
    );
    let rejection = rejection(World::filter().verify(&insns));
    assert!(rejection.path.len() > 20, "{}", rejection.path.len());
    let notes = rejection.text().notes;
    assert_eq!(
        notes,
        ["branch not taken at insn 1", "branch not taken at insn 5 (20 times)"]
    );
}

#[test]
fn codes_are_stable_and_explained() {
    let mut before = String::new();
    for code in Code::all() {
        let text = code.as_str();
        assert!(before.as_str() < text, "{text} is not in order");
        assert_eq!(Code::parse(&text.to_lowercase()), Some(*code));
        assert!(code.explanation().len() > 20 && !code.title().ends_with('.'), "{text}");
        before = text.to_owned();
    }
    assert_eq!(Code::parse("SO9999"), None);
}
