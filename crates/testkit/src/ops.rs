//! Congestion controls small enough to write by hand, for tests of commands, states and errnos on any kernel.
//!
//! The programs are assembled here and loaded as the loader would; nothing of `object` or `loader` is used, so that their bugs cannot hide in these tests.

use bpf::{
    AttachType, Bpf, BtfObject, Errno, Fd, IdKind, Link, Map, MapCreate, MapFlags, MapType, Prog, ProgLoad,
    ProgLoadError, ProgType, RawInsn, StructOpsValue, UpdateFlags,
};
use btf::{Btf, Builder, Composite, Encoding, Kind, TypeId};

/// The kind that these tests use; both kernels have it.
const KIND: &str = "tcp_congestion_ops";

/// Assembles a program; see `isa::asm`.
///
/// # Panics
/// When the text is no program.
pub fn assemble(text: &str) -> Vec<RawInsn> {
    let insns = isa::asm::assemble(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    isa::encode(&insns).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// Makes the parts of `tcp_congestion_ops` tables on one kernel.
pub struct Ops<'k> {
    /// The kernel that they are for.
    pub kernel: &'k dyn Bpf,
    /// Its types.
    pub btf: Btf,
    /// `tcp_congestion_ops` there.
    pub ops: TypeId,
    /// `bpf_struct_ops_tcp_congestion_ops` there.
    pub value: TypeId,
    /// Size of the value in bytes.
    pub value_size: usize,
    /// Offset of the ops structure in the value.
    pub data: usize,
    types: Fd<BtfObject>,
}

/// A table and the programs in it.
pub struct Table {
    /// The ops map, with its value given.
    pub map: Fd<Map>,
    /// The programs, by member.
    pub progs: Vec<(&'static str, Fd<Prog>)>,
}

impl<'k> Ops<'k> {
    /// Looks the kind up and loads a little BTF for the maps.
    ///
    /// # Panics
    /// When the kernel does not have the kind.
    pub fn new(kernel: &'k dyn Bpf) -> Self {
        let btf = kernel.kernel_btf().expect("the kernel shows its types");
        let ops = btf.find(KIND, Kind::Struct).expect("tcp_congestion_ops");
        let value = btf
            .find(&format!("bpf_struct_ops_{KIND}"), Kind::Struct)
            .expect("bpf_struct_ops_tcp_congestion_ops");
        let value_size = btf.size_of(value).expect("a size") as usize;
        let data = btf.field(value, "data").expect("data").byte_offset() as usize;
        let mut types = Builder::new();
        types.int("int", 4, Encoding::SIGNED);
        let types = types.build().expect("one integer").to_bytes();
        let types = kernel.btf_load(&types).expect("one integer");
        Self {
            kernel,
            btf,
            ops,
            value,
            value_size,
            data,
            types,
        }
    }

    fn composite(&self) -> Composite<'_> {
        let ops = self.btf.type_by_id(self.ops).and_then(|ops| ops.composite());
        ops.expect("a structure")
    }

    /// Index of a member, what a program says as its attach type.
    ///
    /// # Panics
    /// When there is no such member.
    pub fn member(&self, name: &str) -> u32 {
        let (index, _) = self.composite().member_named(name).expect("a member");
        u32::try_from(index).expect("few members")
    }

    /// Offset of a member in the value.
    ///
    /// # Panics
    /// When there is no such member.
    pub fn offset(&self, name: &str) -> usize {
        let (_, member) = self.composite().member_named(name).expect("a member");
        self.data + member.byte_offset() as usize
    }

    /// Arguments to load a program for a member.
    pub fn load_args<'a>(&self, member: &str, insns: &'a [RawInsn]) -> ProgLoad<'a> {
        ProgLoad {
            name: "oswt_prog",
            attach_btf_id: self.ops.0,
            expected_attach_type: AttachType(self.member(member)),
            ..ProgLoad::new(ProgType::STRUCT_OPS, insns)
        }
    }

    /// Loads a program for a member.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn program(&self, member: &str, text: &str) -> Result<Fd<Prog>, ProgLoadError> {
        self.kernel.prog_load(&self.load_args(member, &assemble(text)))
    }

    /// Arguments for a map of the kind.
    pub fn map_args<'a>(&'a self, name: &'a str, flags: MapFlags) -> MapCreate<'a> {
        MapCreate {
            key_size: 4,
            value_size: u32::try_from(self.value_size).expect("small"),
            max_entries: 1,
            flags,
            name,
            btf: Some(&self.types),
            btf_vmlinux_value_type_id: self.value.0,
            ..MapCreate::new(MapType::STRUCT_OPS)
        }
    }

    /// A map of the kind without a value; `link` makes it one that a link registers.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn map(&self, link: bool) -> Fd<Map> {
        let flags = if link { MapFlags::LINK } else { MapFlags::empty() };
        self.kernel
            .map_create(&self.map_args("oswt_map", flags))
            .expect("an ops map")
    }

    /// The bytes of a value: the algorithm's name, and programs in their members.
    ///
    /// # Panics
    /// When the name has more than 16 bytes.
    pub fn value<'p>(&self, name: &str, progs: impl IntoIterator<Item = &'p (&'static str, Fd<Prog>)>) -> Vec<u8> {
        let mut value = vec![0; self.value_size];
        let at = self.offset("name");
        value[at..at + 16][..name.len()].copy_from_slice(name.as_bytes());
        for (member, prog) in progs {
            let at = self.offset(member);
            value[at..at + 8].copy_from_slice(&(prog.raw() as u64).to_le_bytes());
        }
        value
    }

    /// The programs that an algorithm must have: half the window after a loss, no growth, back to the window from before.
    ///
    /// # Panics
    /// When the kernel refuses one.
    pub fn required(&self) -> Vec<(&'static str, Fd<Prog>)> {
        let texts = [
            ("ssthresh", "r0 = 10\nexit"),
            ("cong_avoid", "r0 = 0\nexit"),
            ("undo_cwnd", "r0 = 10\nexit"),
        ];
        texts
            .map(|(member, text)| (member, self.program(member, text).expect("a trivial program")))
            .into()
    }

    /// A complete table: READY with `link`, registered without.
    ///
    /// # Errors
    /// What the kernel says to the value.
    pub fn table(&self, name: &str, link: bool) -> Result<Table, Errno> {
        let progs = self.required();
        let map = self.map(link);
        self.give(&map, &self.value(name, &progs))?;
        Ok(Table { map, progs })
    }

    /// Gives a map its value.
    ///
    /// # Errors
    /// What the kernel says to it.
    pub fn give(&self, map: &Fd<Map>, value: &[u8]) -> Result<(), Errno> {
        self.kernel.map_update(map, &[0; 4], value, UpdateFlags::ANY)
    }

    /// Reference count, state and data as a lookup shows them.
    ///
    /// # Errors
    /// The kernel's answer.
    ///
    /// # Panics
    /// When the value is too short.
    pub fn look(&self, map: &Fd<Map>) -> Result<StructOpsValue, Errno> {
        let bytes = self.kernel.map_lookup(map, &[0; 4])?;
        Ok(StructOpsValue::parse(&bytes, self.data).expect("a whole value"))
    }

    /// Whether an algorithm of this name is registered: another one of the name is refused then.
    ///
    /// # Panics
    /// When the kernel gives another answer than yes or no.
    pub fn is_registered(&self, name: &str) -> bool {
        let table = self.table(name, true).expect("a valid table");
        match self.kernel.link_create_struct_ops(&table.map) {
            Ok(link) => {
                self.end(link);
                false
            }
            Err(Errno::EEXIST) => true,
            Err(errno) => panic!("a link to a valid table: {errno}"),
        }
    }

    /// Unregisters what a failed test of this process left registered without a link.
    pub fn unregister_ours(&self) {
        let prefix = format!("oswt_{:x}_", std::process::id());
        for id in self.kernel.ids(IdKind::Map).unwrap_or_default() {
            let Ok(map) = self.kernel.map_by_id(id) else {
                continue;
            };
            let ours = |info: bpf::MapInfo| info.map_type == MapType::STRUCT_OPS && info.name == "oswt_map";
            if !self.kernel.map_info(&map).is_ok_and(ours) {
                continue;
            }
            let at = self.offset("name") - self.data;
            let named = |value: StructOpsValue| value.data[at..].starts_with(prefix.as_bytes());
            if self.look(&map).is_ok_and(named) {
                // A map with a link, or one that is unregistered already, refuses; that is as well.
                let _ = self.kernel.map_delete(&map, &[0; 4]);
            }
        }
    }

    /// Ends a registration now, whoever else may hold the link.
    fn end(&self, link: Fd<Link>) {
        self.kernel.link_detach(&link).expect("a link of an ops map detaches");
    }
}

/// Waits until something that a kernel does in the background has happened.
///
/// # Panics
/// When it has not within a minute.
pub fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !happened() {
        assert!(start.elapsed().as_secs() < 60, "{what} did not happen");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
