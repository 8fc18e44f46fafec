//! A second family, in the manner of Linux's `bpf_dummy_ops` (`net/bpf/bpf_dummy_struct_ops.c`, 6.12), written only with what this crate exports: nothing in the
//! kernel knows of it. One structure with function members, a state that programs may write, an argument that may be null.

use bpf::{
    AttachType, Bpf, BtfObject, Errno, Fd, LinkUpdate, LinkUpdateError, Map, MapCreate, MapFlags, MapType, Prog,
    ProgFlags, ProgLoad, ProgLoadError, ProgType, TestRun, TestRunResult, UpdateFlags,
};
use btf::{Btf, BtfType, Builder, Encoding, Kind, TypeId};
use kernel::struct_ops::{ProgFacts, TestCall};
use kernel::{Family, Kernel, Member, Module, StructAccess, Stub, Table};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex};

/// What programs get a pointer to.
#[derive(BtfType, Debug, Default)]
#[repr(C)]
#[btf(name = "meter_state")]
struct State {
    total: u64,
    calls: u32,
    secret: u32,
}

/// The operations structure.
#[derive(BtfType)]
#[repr(C)]
#[btf(name = "meter_ops")]
struct MeterOps {
    add: Option<unsafe extern "C" fn(state: *mut State, amount: i32, scale: u16, negative: bool, more: u64) -> i64>,
    peek: Option<unsafe extern "C" fn(state: *mut State) -> bool>,
    reset: Option<unsafe extern "C" fn(state: *mut State)>,
    forbidden: Option<unsafe extern "C" fn()>,
    unit: u32,
    reserved: u32,
}

/// The host's side: one table at a time, no names.
#[derive(Debug, Default)]
struct Meter {
    registered: Mutex<Option<(NonNull<MeterOps>, Module)>>,
}

// SAFETY: the pointer is that of a table which its `Module` keeps and nobody writes.
unsafe impl Send for Meter {}
// SAFETY: as above.
unsafe impl Sync for Meter {}

/// A table in use.
struct User {
    table: NonNull<MeterOps>,
    _module: Module,
}

impl Meter {
    fn choose(&self) -> Option<User> {
        let registered = self.registered.lock().unwrap();
        registered.as_ref().map(|(table, module)| User {
            table: *table,
            _module: module.clone(),
        })
    }
}

impl User {
    fn ops(&self) -> &MeterOps {
        // SAFETY: the `Module` keeps it.
        unsafe { self.table.as_ref() }
    }

    fn add(&self, state: &mut State, amount: i32, scale: u16, negative: bool, more: u64) -> Option<i64> {
        // SAFETY: the table's functions take what they say.
        self.ops()
            .add
            .map(|add| unsafe { add(state, amount, scale, negative, more) })
    }

    fn peek(&self, state: Option<&mut State>) -> Option<bool> {
        let state = state.map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: `peek` takes a null pointer.
        self.ops().peek.map(|peek| unsafe { peek(state) })
    }
}

#[derive(Debug)]
struct MeterFamily {
    meter: Arc<Meter>,
    state: TypeId,
}

fn view(table: &Table) -> NonNull<MeterOps> {
    NonNull::new(table.as_ptr().cast_mut().cast()).expect("a table has an address")
}

// SAFETY: the types are those that the functions are called with; only `peek` gets null; any bytes are a `State`; users hold a `Module`.
unsafe impl Family for MeterFamily {
    fn name(&self) -> &'static str {
        "meter_ops"
    }

    fn add_types(&self, types: &mut Builder) {
        types.add_rust::<MeterOps>();
    }

    fn init(&mut self, btf: &Btf) -> Result<(), Errno> {
        self.state = btf.find("meter_state", Kind::Struct).ok_or(Errno::EINVAL)?;
        Ok(())
    }

    fn stub(&self, member: &str) -> Option<Stub> {
        match member {
            "add" | "reset" => Some(Stub::PLAIN),
            "peek" => Some(Stub { nullable: &[0] }),
            _ => None,
        }
    }

    fn struct_access(&self, ty: TypeId, offset: u32, size: u32) -> StructAccess {
        match (ty == self.state, offset + size) {
            (false, _) => StructAccess::ReadOnly,
            (true, 0..=12) => StructAccess::Allowed,
            (true, _) => StructAccess::NoField,
        }
    }

    fn check_member(&self, member: &Member, prog: &ProgFacts) -> Result<(), Errno> {
        if prog.sleepable && member.name != "reset" {
            return Err(Errno::EINVAL);
        }
        Ok(())
    }

    fn init_member(&self, member: &Member, user: &[u8], kernel: &mut [u8]) -> Result<bool, Errno> {
        if member.name != "unit" {
            return Ok(false);
        }
        let place = member.offset as usize..(member.offset + member.size) as usize;
        kernel[place.clone()].copy_from_slice(&user[place]);
        Ok(true)
    }

    fn validate(&self, table: &Table) -> Result<(), Errno> {
        // SAFETY: the kernel made it with this layout.
        match unsafe { view(table).as_ref() }.add {
            Some(_) => Ok(()),
            None => Err(Errno::EINVAL),
        }
    }

    fn reg(&self, table: &Table, module: Module) -> Result<(), Errno> {
        let mut registered = self.meter.registered.lock().unwrap();
        if registered.is_some() {
            return Err(Errno::EEXIST);
        }
        *registered = Some((view(table), module));
        Ok(())
    }

    fn unreg(&self, _table: &Table) {
        self.meter.registered.lock().unwrap().take();
    }

    fn test_run(&self, call: &TestCall<'_>, args: &TestRun<'_>) -> Result<TestRunResult, Errno> {
        let mut context = [0; 5];
        for (slot, bytes) in context.iter_mut().zip(args.ctx.chunks_exact(8)) {
            *slot = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        }
        let mut state = State {
            total: args.ops_state.unwrap_or(0).into(),
            ..State::default()
        };
        if args.ops_state.is_none() && call.member() != "peek" {
            return Err(Errno::EINVAL);
        }
        context[0] = match args.ops_state {
            Some(_) => ptr::from_mut(&mut state).expose_provenance() as u64,
            None => 0,
        };
        // SAFETY: the first argument is a state, or null for `peek`; the others are numbers.
        let retval = unsafe { call.call(&context) } as u32;
        Ok(TestRunResult {
            retval,
            ops_state: args.ops_state.map(|_| state.total as u32),
            ..TestRunResult::default()
        })
    }
}

struct Ground {
    meter: Arc<Meter>,
    kernel: Kernel,
    btf: Btf,
    types: Fd<BtfObject>,
}

impl Ground {
    fn new() -> Self {
        let meter = Arc::new(Meter::default());
        let family = MeterFamily {
            meter: Arc::clone(&meter),
            state: TypeId::VOID,
        };
        let kernel = Kernel::builder().family(family).build().unwrap();
        let mut types = Builder::new();
        types.int("int", 4, Encoding::SIGNED);
        let types = kernel.btf_load(&types.build().unwrap().to_bytes()).unwrap();
        let btf = kernel.kernel_btf().unwrap();
        Self {
            meter,
            kernel,
            btf,
            types,
        }
    }

    fn id(&self, name: &str) -> TypeId {
        self.btf.find(name, Kind::Struct).unwrap()
    }

    fn load(&self, member: u32, text: &str, flags: ProgFlags) -> Result<Fd<Prog>, ProgLoadError> {
        let insns = isa::encode(&isa::asm::assemble(text).unwrap()).unwrap();
        self.kernel.prog_load(&ProgLoad {
            attach_btf_id: self.id("meter_ops").0,
            expected_attach_type: AttachType(member),
            flags,
            ..ProgLoad::new(ProgType::STRUCT_OPS, &insns)
        })
    }

    fn program(&self, member: u32, text: &str) -> Fd<Prog> {
        self.load(member, text, ProgFlags::empty())
            .unwrap_or_else(|error| panic!("{text}: {error}\n{}", error.log))
    }

    fn map(&self, link: bool) -> Fd<Map> {
        let value = self.id("bpf_struct_ops_meter_ops");
        let args = MapCreate {
            key_size: 4,
            value_size: self.btf.size_of(value).unwrap(),
            max_entries: 1,
            flags: if link { MapFlags::LINK } else { MapFlags::empty() },
            btf: Some(&self.types),
            btf_vmlinux_value_type_id: value.0,
            ..MapCreate::new(MapType::STRUCT_OPS)
        };
        self.kernel.map_create(&args).unwrap()
    }

    /// Gives a map programs by member, and a unit.
    fn give(&self, map: &Fd<Map>, progs: &[(u32, &Fd<Prog>)], unit: u32) -> Result<(), Errno> {
        let size = self.kernel.map_info(map).unwrap().value_size;
        let mut value = vec![0; size as usize];
        for (member, prog) in progs {
            let at = 64 + *member as usize * 8;
            value[at..at + 8].copy_from_slice(&(prog.raw() as u64).to_le_bytes());
        }
        value[64 + 32..64 + 36].copy_from_slice(&unit.to_le_bytes());
        self.kernel.map_update(map, &[0; 4], &value, UpdateFlags::ANY)
    }
}

const ADD: u32 = 0;
const PEEK: u32 = 1;
const RESET: u32 = 2;

/// Adds amount * scale (negated if asked) and more; counts the call.
const ADD_TEXT: &str = "r6 = *(u64 *)(r1 +0)
    r2 = *(u64 *)(r1 +8)
    r3 = *(u64 *)(r1 +16)
    r4 = *(u64 *)(r1 +24)
    r5 = *(u64 *)(r1 +32)
    r2 *= r3
    if r4 == 0 goto plus
    r2 = -r2
    plus: r2 += r5
    r0 = *(u64 *)(r6 +0)
    r0 += r2
    *(u64 *)(r6 +0) = r0
    w1 = *(u32 *)(r6 +8)
    w1 += 1
    *(u32 *)(r6 +8) = w1
    exit";

const PEEK_TEXT: &str = "r1 = *(u64 *)(r1 +0)
    r0 = 256
    if r1 == 0 goto out
    r0 = *(u64 *)(r1 +0)
    r0 &= 255
    out: exit";

#[test]
fn arguments_and_results_are_cs() {
    let ground = Ground::new();
    let (add, peek) = (ground.program(ADD, ADD_TEXT), ground.program(PEEK, PEEK_TEXT));
    let map = ground.map(true);
    ground.give(&map, &[(ADD, &add), (PEEK, &peek)], 12).unwrap();
    assert!(ground.meter.choose().is_none(), "ready, not registered");
    let link = ground.kernel.link_create_struct_ops(&map).unwrap();
    let user = ground.meter.choose().unwrap();
    assert_eq!((user.ops().unit, user.ops().reserved), (12, 0));
    assert!(user.ops().reset.is_none());
    let mut state = State::default();
    assert_eq!(user.add(&mut state, -3, 65535, false, 1), Some(-3 * 65535 + 1));
    assert_eq!(user.add(&mut state, i32::MIN, 1, true, 0), Some(-196_604 + (1 << 31)));
    assert_eq!((state.calls, state.total as i64), (2, -196_604 + (1 << 31)));
    state.total = 0x100;
    assert_eq!(user.peek(Some(&mut state)), Some(false), "a bool is its low byte");
    state.total = 2;
    assert_eq!(user.peek(Some(&mut state)), Some(true));
    assert_eq!(user.peek(None), Some(false));
    drop((link, map, add, peek));
    assert!(ground.meter.choose().is_none());
    drop(ground);
    assert_eq!(
        user.add(&mut state, 1, 1, false, 0),
        Some(3),
        "a user keeps it beyond the kernel"
    );
}

#[test]
fn what_programs_may_not() {
    let ground = Ground::new();
    let code = |member, text, flags| {
        let error = ground.load(member, text, flags).unwrap_err();
        (error.errno, error.report.map(|report| report.code.into_owned()))
    };
    let plain = ProgFlags::empty();
    let so = |code: &str| Some(code.to_owned());
    let cases = [
        (
            "the pointer may be null",
            code(PEEK, "r1 = *(u64 *)(r1 +0)\nr0 = *(u64 *)(r1 +0)\nexit", plain),
            (Errno::EACCES, so("SO1202")),
        ),
        (
            "a field that is read-only",
            code(ADD, "r1 = *(u64 *)(r1 +0)\nr0 = 0\n*(u32 *)(r1 +12) = 1\nexit", plain),
            (Errno::EACCES, so("SO1221")),
        ),
        (
            "an argument too many",
            code(RESET, "r1 = *(u64 *)(r1 +8)\nexit", plain),
            (Errno::EACCES, so("SO1216")),
        ),
        (
            "a helper of another family",
            code(ADD, "r1 = *(u64 *)(r1 +0)\nr2 = 0\ncall 116\nexit", plain),
            (Errno::EINVAL, so("SO1301")),
        ),
        (
            "a member without a stub",
            code(3, "r0 = 0\nexit", plain),
            (Errno::ENOTSUPP, so("SO1702")),
        ),
        (
            "a member that is data",
            code(4, "r0 = 0\nexit", plain),
            (Errno::EINVAL, so("SO1703")),
        ),
        (
            "sleeping where the family forbids it",
            code(ADD, "r0 = 0\nexit", ProgFlags::SLEEPABLE),
            (Errno::EINVAL, so("SO1711")),
        ),
    ];
    for (case, found, expected) in cases {
        assert_eq!(found, expected, "{case}");
    }
    ground.load(RESET, "exit", ProgFlags::SLEEPABLE).unwrap();
}

#[test]
fn registration_without_a_link_and_rules_of_the_family() {
    let ground = Ground::new();
    let add = ground.program(ADD, ADD_TEXT);
    let reset = ground.program(RESET, "exit");
    let empty = ground.map(false);
    assert_eq!(
        ground.give(&empty, &[(RESET, &reset)], 0),
        Err(Errno::EINVAL),
        "validate"
    );
    let first = ground.map(false);
    ground.give(&first, &[(ADD, &add), (RESET, &reset)], 0).unwrap();
    assert_eq!(
        ground.give(&ground.map(false), &[(ADD, &add)], 0),
        Err(Errno::EEXIST),
        "reg"
    );
    ground.kernel.map_delete(&first, &[0; 4]).unwrap();
    assert!(ground.meter.choose().is_none());
    assert_eq!(ground.kernel.map_delete(&first, &[0; 4]), Err(Errno::EINPROGRESS));
}

#[test]
fn a_family_without_update() {
    let ground = Ground::new();
    let add = ground.program(ADD, ADD_TEXT);
    let (old, new) = (ground.map(true), ground.map(true));
    for map in [&old, &new] {
        ground.give(map, &[(ADD, &add)], 0).unwrap();
    }
    let link = ground.kernel.link_create_struct_ops(&old).unwrap();
    let update = LinkUpdate {
        new: &new,
        expected: None,
    };
    assert_eq!(
        ground.kernel.link_update(&link, &update),
        Err(LinkUpdateError::Refused(Errno::EOPNOTSUPP))
    );
}

#[test]
fn test_runs_are_the_familys() {
    let ground = Ground::new();
    let add = ground.program(ADD, ADD_TEXT);
    let context: Vec<u8> = [0_u64, 5, 7, 0, 2].iter().flat_map(|slot| slot.to_le_bytes()).collect();
    let run = |prog, ops_state| {
        let args = TestRun {
            ctx: &context,
            ops_state,
            ..TestRun::default()
        };
        ground.kernel.prog_test_run(prog, &args)
    };
    let result = run(&add, Some(100)).unwrap();
    assert_eq!((result.retval, result.ops_state), (137, Some(137)));
    assert_eq!(run(&add, None).unwrap_err(), Errno::EINVAL, "its state may not be null");
    let peek = ground.program(PEEK, PEEK_TEXT);
    assert_eq!(run(&peek, None).unwrap().retval, 256);
}

/// Two families in one kernel: types, kinds and errors.
#[test]
fn families_must_go_together() {
    let family = || MeterFamily {
        meter: Arc::default(),
        state: TypeId::VOID,
    };
    let error = Kernel::builder().family(family()).family(family()).build().unwrap_err();
    assert_eq!(error.to_string(), "there are two families for meter_ops");
    let kernel = Kernel::builder().family(family()).build().unwrap();
    assert!(kernel.kinds().eq(["meter_ops"]));
    let can = |feature| kernel.probe(&feature).is_yes();
    assert!(can(bpf::Feature::StructOpsKind("meter_ops".to_owned())));
    assert!(!can(bpf::Feature::StructOpsKind("tcp_congestion_ops".to_owned())));
}
