//! The base set of helpers and maps as programs see them, tried by socket filters through `BPF_PROG_TEST_RUN`.

use bpf::{
    Bpf, Errno, Fd, LoadVerdict, Map, MapCreate, MapFlags, MapType, Prog, ProgLoad, ProgLoadError, ProgType, TestRun,
    UpdateFlags,
};
use kernel::{Config, Kernel, Limits};

fn load(kernel: &Kernel, text: &str, license: &str) -> Result<Fd<Prog>, ProgLoadError> {
    let insns = isa::asm::assemble(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let insns = isa::encode(&insns).unwrap();
    kernel.prog_load(&ProgLoad {
        license,
        ..ProgLoad::new(ProgType::SOCKET_FILTER, &insns)
    })
}

fn run(kernel: &Kernel, text: &str) -> u32 {
    let prog = load(kernel, text, "GPL").unwrap_or_else(|error| panic!("{text}: {error}\n{}", error.log));
    let args = TestRun {
        data: &[0; 60],
        ..TestRun::default()
    };
    kernel.prog_test_run(&prog, &args).unwrap().retval
}

fn map(kernel: &Kernel, map_type: MapType, max_entries: u32, flags: MapFlags) -> Fd<Map> {
    let args = MapCreate {
        key_size: 4,
        value_size: 8,
        max_entries,
        flags,
        ..MapCreate::new(map_type)
    };
    kernel.map_create(&args).unwrap()
}

/// Puts `key` at `r10 -4` and the map in r1, the key's address in r2.
fn with_key(map: &Fd<Map>, key: u32) -> String {
    format!(
        "*(u32 *)(r10 -4) = {key}\nr1 = map_fd({}) ll\nr2 = r10\nr2 += -4\n",
        map.raw()
    )
}

fn lookup(map: &Fd<Map>, key: u32) -> String {
    let key = with_key(map, key);
    format!("{key}call 1\nif r0 == 0 goto out\nr0 = *(u64 *)(r0 +0)\nr0 += 1000\nout: exit")
}

fn update(map: &Fd<Map>, key: u32, value: u32, flags: u32) -> String {
    let key = with_key(map, key);
    format!("*(u64 *)(r10 -16) = {value}\n{key}r3 = r10\nr3 += -16\nr4 = {flags}\ncall 2\nr0 = -r0\nexit")
}

fn delete(map: &Fd<Map>, key: u32) -> String {
    format!("{}call 3\nr0 = -r0\nexit", with_key(map, key))
}

#[test]
fn elements() {
    let kernel = Kernel::builder().build().unwrap();
    let none = MapFlags::empty();
    for (map_type, missing, no_room, deleted) in [
        (MapType::ARRAY, 0, Errno::E2BIG, Errno::EINVAL),
        (MapType::PERCPU_ARRAY, 0, Errno::E2BIG, Errno::EINVAL),
        (MapType::HASH, 1, Errno::E2BIG, Errno(0)),
        (MapType::PERCPU_HASH, 1, Errno::E2BIG, Errno(0)),
    ] {
        let map = map(&kernel, map_type, 2, none);
        let run = |text: String| run(&kernel, &text) as i32;
        let empty = if missing == 1 { 0 } else { 1000 };
        assert_eq!(run(lookup(&map, 1)), empty, "{map_type}");
        assert_eq!(run(lookup(&map, 7)), 0, "{map_type}: no such element");
        assert_eq!(run(update(&map, 1, 42, 0)), 0, "{map_type}");
        assert_eq!(run(lookup(&map, 1)), 1042, "{map_type}");
        assert_eq!(
            kernel.map_lookup(&map, &[1, 0, 0, 0]),
            Ok(42_u64.to_le_bytes().to_vec())
        );
        assert_eq!(run(update(&map, 1, 43, 1)), Errno::EEXIST.0, "{map_type}");
        assert_eq!(run(update(&map, 1, 43, 2)), 0, "{map_type}");
        assert_eq!(run(update(&map, 1, 43, 9)), Errno::EINVAL.0, "{map_type}");
        assert_eq!(run(update(&map, 0, 1, 0)), 0, "{map_type}");
        assert_eq!(run(update(&map, 2, 1, 0)), no_room.0, "{map_type}");
        assert_eq!(run(delete(&map, 1)), deleted.0, "{map_type}");
        let value = if deleted.0 == 0 { 0 } else { 1043 };
        assert_eq!(run(lookup(&map, 1)), value, "{map_type}");
    }
}

/// What a program stores through the address of a value, others see; also when the element was deleted in between.
#[test]
fn addresses_of_values() {
    let kernel = Kernel::builder().build().unwrap();
    let hash = map(&kernel, MapType::HASH, 2, MapFlags::NO_PREALLOC);
    run(&kernel, &update(&hash, 1, 5, 0));
    let text = format!(
        "{}call 1
        if r0 == 0 goto out
        r6 = r0
        {}call 3
        *(u64 *)(r6 +0) = 9
        r0 = *(u64 *)(r6 +0)
        out: exit",
        with_key(&hash, 1),
        with_key(&hash, 1)
    );
    assert_eq!(run(&kernel, &text), 9);
    assert_eq!(run(&kernel, &lookup(&hash, 1)), 0, "it is deleted");
    run(&kernel, &update(&hash, 2, 3, 0));
    assert_eq!(run(&kernel, &lookup(&hash, 2)), 1003);

    let global = map(&kernel, MapType::ARRAY, 1, MapFlags::MMAPABLE);
    let text = format!(
        "r1 = map_value({}, 4) ll\nr2 = 5\nlock *(u32 *)(r1 +0) += r2\nlock *(u32 *)(r1 +0) += r2\nr0 = *(u32 *)(r1 +0)\nexit",
        global.raw()
    );
    assert_eq!(run(&kernel, &text), 10);
    assert_eq!(kernel.map_lookup(&global, &[0; 4]), Ok(vec![0, 0, 0, 0, 10, 0, 0, 0]));
}

/// A frozen, read-only array is a constant: the verifier follows only the branch that its value takes.
#[test]
fn constants() {
    let kernel = Kernel::builder().build().unwrap();
    let rodata = map(&kernel, MapType::ARRAY, 1, MapFlags::RDONLY_PROG);
    kernel
        .map_update(&rodata, &[0; 4], &3_u64.to_le_bytes(), UpdateFlags::ANY)
        .unwrap();
    let text = format!(
        "r1 = map_value({}, 0) ll
        r1 = *(u64 *)(r1 +0)
        if r1 == 3 goto good
        r0 = *(u64 *)(r1 +0)
        exit
        good: r0 = 1
        exit",
        rodata.raw()
    );
    let error = load(&kernel, &text, "GPL").unwrap_err();
    assert_eq!(error.verdict, LoadVerdict::Rejected, "not frozen: it may still change");
    kernel.map_freeze(&rodata).unwrap();
    assert_eq!(run(&kernel, &text), 1);
    let error = load(&kernel, &update(&rodata, 0, 4, 0), "GPL").unwrap_err();
    assert_eq!(error.errno, Errno::EACCES, "nor may a helper change it");
    assert_eq!(run(&kernel, &lookup(&rodata, 0)), 1003);
}

/// All maps share one budget; what is only declared takes nothing of it, and what goes is given back.
#[test]
fn one_budget_for_all_maps() {
    let limits = Limits {
        map_bytes: 10_000,
        ..Limits::default()
    };
    let kernel = Kernel::builder().limits(limits).build().unwrap();
    let used = || kernel.map_memory().unwrap().used_bytes;
    let create = |map_type, key_size, value_size, max_entries| {
        kernel.map_create(&MapCreate {
            key_size,
            value_size,
            max_entries,
            ..MapCreate::new(map_type)
        })
    };
    let declared: Vec<Fd<Map>> = (0..10).map(|_| create(MapType::ARRAY, 4, 8, 1000).unwrap()).collect();
    assert_eq!(used(), 0, "nothing was used");
    let zero = kernel.map_lookup(&declared[0], &7_u32.to_le_bytes());
    assert_eq!((zero, used()), (Ok(vec![0; 8]), 0), "reading allocates nothing");
    kernel
        .map_update(&declared[0], &[0; 4], &[0; 8], UpdateFlags::ANY)
        .unwrap();
    assert_eq!(used(), 0, "nor do zeros");
    // Before a program runs its arrays have their memory, so that a lookup cannot fail for want of it.
    assert_eq!(run(&kernel, &lookup(&declared[1], 999)), 1000);
    assert_eq!(used(), 8000);
    let second = load(&kernel, &lookup(&declared[2], 0), "GPL").unwrap();
    let packet = TestRun {
        data: &[0; 60],
        ..TestRun::default()
    };
    assert_eq!(kernel.prog_test_run(&second, &packet), Err(Errno::ENOMEM));
    let nonzero = kernel.map_update(&declared[2], &[0; 4], &[1; 8], UpdateFlags::ANY);
    assert_eq!(nonzero, Err(Errno::ENOMEM));
    let refused = kernel.map_memory().unwrap().refused.expect("it is told");
    assert_eq!((refused.bytes, refused.by_host), (8000, false));
    assert_eq!(create(MapType::ARRAY, 4, 8, 1251).unwrap_err(), Errno::ENOMEM, "never");
    drop((declared, second));
    assert_eq!(used(), 0, "what was taken is given back");

    // Keys count as values do, and deleting gives them back.
    let hash = create(MapType::HASH, 1000, 8, 1 << 20).unwrap();
    let insert = |number: u16| {
        let mut key = vec![0; 1000];
        key[..2].copy_from_slice(&number.to_le_bytes());
        kernel.map_update(&hash, &key, &[1; 8], UpdateFlags::ANY)
    };
    let taken = (0..100).take_while(|number| insert(*number).is_ok()).count();
    assert_eq!(taken, 8, "8 times 1000 bytes and what an element costs beside");
    let full = used();
    kernel.map_delete(&hash, &[0; 1000]).unwrap();
    assert!(used() + 1000 <= full);
    assert_eq!(insert(500), Ok(()));
    assert_eq!(insert(501), Err(Errno::ENOMEM));
    assert_eq!(run(&kernel, "r0 = 1\nexit"), 1, "a program without maps needs none");
}

/// A program gets the number that Linux gives it when there is no memory.
#[test]
fn updates_beyond_the_budget_fail_in_the_program() {
    let limits = Limits {
        map_bytes: 200,
        ..Limits::default()
    };
    let kernel = Kernel::builder().limits(limits).build().unwrap();
    let hash = map(&kernel, MapType::HASH, 100, MapFlags::NO_PREALLOC);
    assert_eq!(run(&kernel, &update(&hash, 1, 5, 0)), 0);
    assert_eq!(run(&kernel, &update(&hash, 2, 5, 0)) as i32, Errno::ENOMEM.0);
    assert_eq!(run(&kernel, &delete(&hash, 1)), 0);
    assert_eq!(run(&kernel, &update(&hash, 2, 5, 0)), 0);
    assert_eq!(run(&kernel, &lookup(&hash, 2)), 1005);
}

/// A call ends with a report when it has executed too much; the next one is not concerned.
#[test]
fn a_program_that_runs_for_too_long_is_told() {
    let limits = Limits {
        insns_per_call: 10_000,
        ..Limits::default()
    };
    let kernel = Kernel::builder().limits(limits).build().unwrap();
    let nest = |turns: u32| {
        let text = format!(
            "r6 = {turns}\nagain: r7 = 50\ninner: r7 -= 1\nif r7 != 0 goto inner\nr6 -= 1\nif r6 != 0 goto again\nr0 = 1\nexit"
        );
        load(&kernel, &text, "GPL").unwrap_or_else(|error| panic!("{error}\n{}", error.log))
    };
    let packet = TestRun {
        data: &[0; 60],
        ..TestRun::default()
    };
    assert_eq!(kernel.prog_test_run(&nest(50), &packet).unwrap().retval, 1);
    assert_eq!(kernel.prog_test_run(&nest(200), &packet), Err(Errno::ETIMEDOUT));
    let report = kernel.take_fault().expect("a report");
    assert_eq!(report.code, "SO1801");
    assert!(report.message.contains("executed 10000 instructions"), "{report}");
    assert!(matches!(report.insn, Some(1..=5)), "{report}");
    assert!(report.notes.is_empty(), "it has no global function: {:?}", report.notes);
    assert_eq!(kernel.take_fault(), None);
    assert!(!kernel.is_stopped());
    let repeated = TestRun { repeat: 10, ..packet };
    assert_eq!(
        kernel.prog_test_run(&nest(50), &repeated).unwrap().retval,
        1,
        "each call has its own"
    );
}

#[test]
fn time_numbers_and_trace() {
    let config = Config {
        hz: 100,
        seed: 7,
        ..Config::default()
    };
    let kernel = Kernel::builder().config(config.clone()).build().unwrap();
    kernel.clock().set_ns(2_345_678_901);
    for (helper, expected) in [
        (5, 2_345_678_901_u32),
        (125, 2_345_678_901),
        (208, 2_345_678_901),
        (118, 234),
        (8, 0),
        (42, 0),
    ] {
        assert_eq!(
            run(&kernel, &format!("call {helper}\nexit")),
            expected,
            "helper {helper}"
        );
    }
    let draw = |kernel: &Kernel| [(); 4].map(|()| run(kernel, "call 7\nexit"));
    let first = draw(&kernel);
    assert_ne!(first, draw(&kernel));
    let again = Kernel::builder().config(config).build().unwrap();
    assert_eq!(first, draw(&again), "the seed determines it");

    let text = u64::from_le_bytes(*b"a=%d\n\0\0\0");
    let program = format!(
        "r1 = {text:#x} ll
        *(u64 *)(r10 -8) = r1
        r1 = r10
        r1 += -8
        r2 = 6
        r3 = -12
        r4 = 0
        r5 = 0
        call 6
        exit"
    );
    assert_eq!(run(&kernel, &program), 5);
    let lines = || -> Vec<String> { kernel.trace().into_iter().map(|line| line.text).collect() };
    assert_eq!(lines(), ["a=-12"]);
    assert!(kernel.trace().is_empty(), "it was taken");
    // As on Linux nothing is asked of the numbers: a text without any is printed.
    let plain = program
        .replace("r3 = -12", "")
        .replace("r4 = 0", "")
        .replace("r5 = 0", "")
        .replace(
            &format!("{text:#x}"),
            &format!("{:#x}", u64::from_le_bytes(*b"abcd\n\0\0\0")),
        );
    assert_eq!(run(&kernel, &plain), 4);
    assert_eq!(lines(), ["abcd"]);
    let string = plain.replace(
        &format!("{:#x}", u64::from_le_bytes(*b"abcd\n\0\0\0")),
        &format!("{:#x}", u64::from_le_bytes(*b"a=%s\n\0\0\0")),
    );
    assert_eq!(run(&kernel, &string) as i32, -Errno::EINVAL.0);
    let told = lines();
    assert!(told[0].contains("has no %s") && told[0].contains("a=%s"), "{told:?}");
    let error = load(&kernel, &program, "Proprietary").unwrap_err();
    assert_eq!(error.errno, Errno::EINVAL, "only for the GPL");
}

#[test]
fn what_only_linux_has_is_not_supported() {
    let kernel = Kernel::builder().build().unwrap();
    for (call, what) in [
        (181, "callbacks"),
        (130, "ring buffers"),
        (12, "tail calls"),
        (113, "addresses"),
    ] {
        let text = format!("r1 = 0\nr2 = 0\nr3 = 0\nr4 = 0\nr5 = 0\ncall {call}\nr0 = 0\nexit");
        let error = load(&kernel, &text, "GPL").unwrap_err();
        assert_eq!(
            (error.errno, error.verdict),
            (Errno::ENOTSUPP, LoadVerdict::Unsupported)
        );
        let report = error.report.expect("a report");
        assert!(report.message.contains(what), "{report}");
        assert_eq!(report.insn, Some(5));
    }
    let error = load(&kernel, "call 5000\nexit", "GPL").unwrap_err();
    assert_eq!((error.errno, error.verdict), (Errno::EINVAL, LoadVerdict::Rejected));
    let insns = isa::encode(&isa::asm::assemble("r0 = 0\nexit").unwrap()).unwrap();
    for (prog_type, errno) in [(ProgType::XDP, Errno::ENOTSUPP), (ProgType(4000), Errno::EINVAL)] {
        let error = kernel.prog_load(&ProgLoad::new(prog_type, &insns)).unwrap_err();
        assert_eq!(error.errno, errno, "{prog_type}");
    }
}

/// The fields of a packet's description that are there, and the arguments that a run must have.
#[test]
fn socket_filters() {
    let kernel = Kernel::builder().build().unwrap();
    assert_eq!(
        run(&kernel, "r0 = *(u32 *)(r1 +0)\nexit"),
        46,
        "the length behind the Ethernet header"
    );
    let error = load(&kernel, "r0 = *(u64 *)(r1 +0)\nexit", "GPL").unwrap_err();
    assert_eq!(error.errno, Errno::EACCES);
    let prog = load(&kernel, "r0 = 0\nexit", "GPL").unwrap();
    let short = TestRun {
        data: &[0; 13],
        ..TestRun::default()
    };
    assert_eq!(kernel.prog_test_run(&prog, &short).unwrap_err(), Errno::EINVAL);
    let stats = kernel.enable_stats().unwrap();
    let repeated = TestRun {
        data: &[0; 14],
        repeat: 5,
        ..TestRun::default()
    };
    kernel.prog_test_run(&prog, &repeated).unwrap();
    assert_eq!(kernel.prog_info(&prog).unwrap().run_cnt, 5);
    drop(stats);
}
