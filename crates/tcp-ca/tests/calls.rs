//! Helpers and kernel functions that congestion controls call, seen from what they do to a connection.

use crate::common::{CALM, Connection, Ground};
use bpf::{BtfObject, Fd, MapCreate, MapFlags, MapType, UpdateFlags};
use btf::{Builder, Encoding};
use tcp::Config;
use testkit::Ops;

/// Registers an algorithm that is complete but for these programs, and keeps it registered.
fn register(ground: &Ground, name: &str, programs: &[(&'static str, String)]) {
    let ops = Ops::new(&*ground.kernel);
    let mut progs: Vec<_> = ops.required();
    for (member, text) in programs {
        let prog = ops
            .program(member, text)
            .unwrap_or_else(|error| panic!("{member}: {error}\n{}", error.log));
        progs.retain(|(known, _)| known != member);
        progs.push((member, prog));
    }
    ops.give(&ops.map(false), &ops.value(name, &progs)).unwrap();
}

fn run(ground: &Ground, name: &str, bytes: u64) -> Connection {
    let mut connection = Connection::new(&ground.clock, &Config::default(), &ground.find(name), CALM);
    connection.transfer(bytes);
    connection
}

/// An array with one element of eight bytes, for programs to leave something in.
fn result_map(ground: &Ground) -> Fd<bpf::Map> {
    let args = MapCreate {
        key_size: 4,
        value_size: 64,
        max_entries: 1,
        name: "result",
        ..MapCreate::new(MapType::ARRAY)
    };
    ground.kernel.map_create(&args).unwrap()
}

fn result(ground: &Ground, map: &Fd<bpf::Map>) -> Vec<u64> {
    let bytes = ground.kernel.map_lookup(map, &[0; 4]).unwrap();
    let words = bytes.chunks_exact(8);
    words.map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
}

/// `*(u64 *)(r10 -8)` and the bytes before it hold `name`.
fn put_name(name: &str) -> String {
    let mut bytes = [0; 8];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    format!("r1 = {:#x} ll\n*(u64 *)(r10 -8) = r1\n", u64::from_le_bytes(bytes))
}

/// A call of `setsockopt(sk, level, option, name, 8)` with the socket in r6.
fn sockopt(helper: u32, level: u32, option: u32) -> String {
    format!("r1 = r6\nr2 = {level}\nr3 = {option}\nr4 = r10\nr4 += -8\nr5 = 8\ncall {helper}\n")
}

#[test]
fn init_may_choose_another_algorithm() {
    let ground = Ground::new();
    let map = result_map(&ground);
    let init = format!(
        "r6 = *(u64 *)(r1 +0)\n{}{}r7 = map_value({}, 0) ll\n*(u64 *)(r7 +0) = r0\n{}*(u64 *)(r7 +8) = r0\nr1 = *(u64 *)(r10 -8)\n*(u64 *)(r7 +16) = r1\nexit",
        put_name("reno"),
        sockopt(49, 6, 13),
        map.raw(),
        sockopt(57, 6, 13),
    );
    register(&ground, "oswt_other", &[("init", init)]);
    let connection = run(&ground, "oswt_other", 100_000);
    assert_eq!(connection.sender.congestion_control().table().name_str(), "reno");
    let shown = result(&ground, &map);
    assert_eq!(shown[..2], [0, 0], "both calls went well");
    assert_eq!(shown[2].to_le_bytes(), *b"reno\0\0\0\0");
}

#[test]
fn wrong_options_and_names() {
    let ground = Ground::new();
    let map = result_map(&ground);
    let mut init = format!("r6 = *(u64 *)(r1 +0)\nr7 = map_value({}, 0) ll\n", map.raw());
    for (at, (name, helper, level, option)) in [("none", 49, 6, 13), ("reno", 49, 1, 13), ("reno", 57, 6, 1)]
        .into_iter()
        .enumerate()
    {
        init += &put_name(name);
        init += &sockopt(helper, level, option);
        init += &format!("*(u64 *)(r7 +{}) = r0\n", at * 8);
    }
    register(&ground, "oswt_wrong", &[("init", init + "exit")]);
    run(&ground, "oswt_wrong", 1000);
    let errnos: Vec<i64> = result(&ground, &map)[..3].iter().map(|word| *word as i64).collect();
    assert_eq!(errnos, [-2, -95, -95], "ENOENT, EOPNOTSUPP, EOPNOTSUPP");
}

#[test]
fn release_may_not_set_options() {
    let ground = Ground::new();
    let ops = Ops::new(&*ground.kernel);
    let text = format!("r6 = *(u64 *)(r1 +0)\n{}{}exit", put_name("reno"), sockopt(49, 6, 13));
    assert!(ops.program("init", &text).is_ok());
    let error = ops.program("release", &text).unwrap_err();
    assert_eq!(error.report.expect("a reason").code, "SO1301");
}

fn storage_map(ground: &Ground) -> (Fd<bpf::Map>, Fd<BtfObject>) {
    let mut types = Builder::new();
    let int = types.int("int", 4, Encoding::SIGNED);
    let long = types.int("long unsigned int", 8, Encoding::UNSIGNED);
    let btf = ground.kernel.btf_load(&types.build().unwrap().to_bytes()).unwrap();
    let args = MapCreate {
        key_size: 4,
        value_size: 8,
        flags: MapFlags::NO_PREALLOC,
        btf: Some(&btf),
        btf_key_type_id: int.0,
        btf_value_type_id: long.0,
        name: "storage",
        ..MapCreate::new(MapType::SK_STORAGE)
    };
    (ground.kernel.map_create(&args).unwrap(), btf)
}

/// Each socket has its own value, which begins at zero and ends with the socket.
#[test]
fn storage_of_a_socket() {
    let ground = Ground::new();
    let (storage, _btf) = storage_map(&ground);
    let map = result_map(&ground);
    let count = format!(
        "r6 = *(u64 *)(r1 +0)
         r1 = map_fd({storage}) ll
         r2 = r6
         r3 = 0
         r4 = 1
         call 107
         if r0 == 0 goto out
         r1 = *(u64 *)(r0 +0)
         r1 += 1
         *(u64 *)(r0 +0) = r1
         r2 = map_value({map}, 0) ll
         *(u64 *)(r2 +0) = r1
         out: exit",
        storage = storage.raw(),
        map = map.raw(),
    );
    register(&ground, "oswt_storage", &[("cong_avoid", count)]);
    for round in 0..3 {
        let mut first = run(&ground, "oswt_storage", 100_000);
        let counted = result(&ground, &map)[0];
        assert!(counted > 5, "round {round}: {counted}");
        run(&ground, "oswt_storage", 20_000);
        let second = result(&ground, &map)[0];
        assert!(
            second < counted,
            "round {round}: another socket begins at zero: {second}"
        );
        first.transfer(20_000);
        assert!(result(&ground, &map)[0] > counted, "round {round}: the first goes on");
    }
}

/// A value that was deleted may still be written by the program that holds its address.
#[test]
fn storage_that_is_deleted_under_a_pointer() {
    let ground = Ground::new();
    let (storage, _btf) = storage_map(&ground);
    let map = result_map(&ground);
    let text = format!(
        "r6 = *(u64 *)(r1 +0)
         r1 = map_fd({storage}) ll
         r2 = r6
         r3 = 0
         r4 = 1
         call 107
         if r0 == 0 goto out
         r7 = r0
         r1 = map_fd({storage}) ll
         r2 = r6
         call 108
         r8 = r0
         *(u64 *)(r7 +0) = 77
         r1 = map_fd({storage}) ll
         r2 = r6
         call 108
         r2 = map_value({map}, 0) ll
         *(u64 *)(r2 +0) = r8
         *(u64 *)(r2 +8) = r0
         out: exit",
        storage = storage.raw(),
        map = map.raw(),
    );
    register(&ground, "oswt_under", &[("cong_avoid", text)]);
    run(&ground, "oswt_under", 200_000);
    let codes: Vec<i64> = result(&ground, &map)[..2].iter().map(|word| *word as i64).collect();
    assert_eq!(codes, [0, -2], "deleted once, then ENOENT");
}

/// Fields that a program writes are TCP's own.
#[test]
fn the_window_is_the_programs() {
    let ground = Ground::new();
    let kernel = ground.kernel.kernel_btf().unwrap();
    let tcp_sock = kernel.find("tcp_sock", btf::Kind::Struct).unwrap();
    let at = kernel.field(tcp_sock, "snd_cwnd").unwrap().byte_offset();
    let text = format!("r1 = *(u64 *)(r1 +0)\n*(u32 *)(r1 +{at}) = 17\nexit");
    register(&ground, "oswt_window", &[("cong_avoid", text)]);
    let connection = run(&ground, "oswt_window", 300_000);
    assert_eq!(connection.sender.info().cwnd, 17);
}

/// Atomic operations work on the socket as they do on other memory: each is done on the algorithm's own bytes, which were 12 before, with 10.
#[test]
fn atomic_operations_on_the_socket() {
    let ground = Ground::new();
    let kernel = ground.kernel.kernel_btf().unwrap();
    let tcp_sock = kernel.find("tcp_sock", btf::Kind::Struct).unwrap();
    let at = |path| kernel.field(tcp_sock, path).unwrap().byte_offset();
    let (private, window) = (at("inet_conn.icsk_ca_priv"), at("snd_cwnd"));
    // What is done, what is in memory afterwards, and what it gave back (in r2, or r0 for the last two).
    let operations = [
        ("lock *({u} *)(r1 +{at}) += r2", 22, 10),
        ("lock *({u} *)(r1 +{at}) |= r2", 14, 10),
        ("lock *({u} *)(r1 +{at}) &= r2", 8, 10),
        ("lock *({u} *)(r1 +{at}) ^= r2", 6, 10),
        ("r2 = {a}_fetch_add(({u} *)(r1 +{at}), r2)", 22, 12),
        ("r2 = {a}_fetch_or(({u} *)(r1 +{at}), r2)", 14, 12),
        ("r2 = {a}_fetch_and(({u} *)(r1 +{at}), r2)", 8, 12),
        ("r2 = {a}_fetch_xor(({u} *)(r1 +{at}), r2)", 6, 12),
        ("r2 = {a}_xchg(({u} *)(r1 +{at}), r2)", 10, 12),
        ("r0 = 12\nr0 = {a}_cmpxchg(({u} *)(r1 +{at}), r0, r2)\nr2 = r0", 10, 12),
        ("r0 = 13\nr0 = {a}_cmpxchg(({u} *)(r1 +{at}), r0, r2)\nr2 = r0", 12, 12),
    ];
    for (size, name) in [("u32", "atomic"), ("u64", "atomic64")] {
        for (number, (operation, memory, given)) in operations.into_iter().enumerate() {
            let map = result_map(&ground);
            let at = private + 16;
            let operation = operation
                .replace("{u}", size)
                .replace("{a}", name)
                .replace("{at}", &at.to_string());
            let text = format!(
                "r1 = *(u64 *)(r1 +0)
                 r7 = map_value({}, 0) ll
                 r3 = 12
                 *({size} *)(r1 +{at}) = r3
                 r2 = 10
                 {operation}
                 r3 = *({size} *)(r1 +{at})
                 *(u64 *)(r7 +0) = r3
                 *(u64 *)(r7 +8) = r2
                 r2 = 19
                 r2 = atomic_xchg((u32 *)(r1 +{window}), r2)
                 exit",
                map.raw(),
            );
            let name = format!("oswt_atom{size}{number}");
            register(&ground, &name, &[("cong_avoid", text)]);
            let connection = run(&ground, &name, 100_000);
            assert_eq!(result(&ground, &map)[..2], [memory, given], "{operation}");
            assert_eq!(connection.sender.info().cwnd, 19, "{operation}");
        }
    }
}

/// Time and ticks are the host's clock; runs are counted while somebody asks.
#[test]
fn clock_and_statistics() {
    let ground = Ground::new();
    let map = result_map(&ground);
    let text = format!(
        "r6 = map_value({}, 0) ll\ncall 5\n*(u64 *)(r6 +0) = r0\ncall 118\n*(u64 *)(r6 +8) = r0\ncall 160\n*(u64 *)(r6 +16) = r0\nexit",
        map.raw()
    );
    register(&ground, "oswt_clock", &[("cong_avoid", text)]);
    let kernel = &ground.kernel;
    let last = kernel.ids(bpf::IdKind::Prog).unwrap();
    let runs = || -> u64 {
        let progs = last.iter().filter_map(|id| kernel.prog_by_id(*id).ok());
        progs.map(|prog| kernel.prog_info(&prog).unwrap().run_cnt).sum()
    };
    let mut connection = run(&ground, "oswt_clock", 100_000);
    assert_eq!(runs(), 0, "nobody counts");
    let stats = kernel.enable_stats().unwrap();
    connection.transfer(100_000);
    let counted = runs();
    assert!(counted > 5, "{counted}");
    drop(stats);
    connection.transfer(100_000);
    assert_eq!(runs(), counted);
    let [ns, jiffies, coarse] = result(&ground, &map)[..3] else {
        panic!("eight words");
    };
    assert!(ns > 1_000_000_000 && ns <= connection.now.as_nanos());
    assert_eq!((jiffies, coarse), (ns / 4_000_000, ns));
    assert_eq!(
        kernel.map_update(&map, &[0; 4], &[0; 64], UpdateFlags::ANY),
        Ok(()),
        "the host may write it too"
    );
}

/// Types alone, without functions and lines, are fine.
#[test]
fn a_program_with_types_and_nothing_else() {
    let ground = Ground::new();
    let ops = Ops::new(&*ground.kernel);
    let (_, btf) = storage_map(&ground);
    let insns = testkit::assemble("r0 = 1\ncall f\nexit\nf: r0 = 2\nexit");
    let args = bpf::ProgLoad {
        btf: Some(&btf),
        ..ops.load_args("ssthresh", &insns)
    };
    if let Err(error) = ground.kernel.prog_load(&args) {
        panic!("{error}: {}", error.log);
    }
}
