//! Linux's verdict on a program. Programs are loaded and closed again, never attached.

use bpf::{AttachType, Bpf, Fd, Map, MapCreate, MapFlags, MapType, ProgLoad, ProgLoadError, ProgType, UpdateFlags};
use btf::{Btf, Kind};
use isa::{Imm64, Insn};
use linux::Linux;

use super::world::{CONSTANTS, MAPS};

/// The running kernel with the maps that the programs name.
pub(crate) struct Judge {
    linux: Linux,
    pub(crate) btf: Btf,
    maps: Vec<(i32, Fd<Map>)>,
}

impl Judge {
    pub(crate) fn new() -> Self {
        let linux = Linux::new();
        let btf = linux.kernel_btf().expect("the kernel's types");
        let maps = MAPS.iter().map(|known| {
            let mut flags = MapFlags::empty();
            flags.set(MapFlags::RDONLY_PROG, !known.writable);
            flags.set(MapFlags::WRONLY_PROG, !known.readable);
            let args = MapCreate {
                key_size: known.key_size,
                value_size: known.value_size,
                max_entries: known.entries,
                flags,
                name: "vrfy_hunt",
                ..MapCreate::new(if known.hash { MapType::HASH } else { MapType::ARRAY })
            };
            let map = linux.map_create(&args).expect("a map");
            if known.frozen {
                linux
                    .map_update(&map, &[0; 4], &CONSTANTS, UpdateFlags::empty())
                    .expect("its value");
                linux.map_freeze(&map).expect("a frozen map");
            }
            (known.fd, map)
        });
        let maps = maps.collect();
        Self { linux, btf, maps }
    }

    /// Why Linux refuses a program for this place, if it does. `socket_filter` is a place too.
    pub(crate) fn refusal(&self, place: &str, insns: &[Insn]) -> Option<String> {
        let mut insns = insns.to_vec();
        for insn in &mut insns {
            if let Insn::LoadImm64 {
                imm: Imm64::MapFd(fd) | Imm64::MapValue { fd, .. },
                ..
            } = insn
            {
                // An unknown number stays, and is no descriptor.
                *fd = self.maps.iter().find(|map| map.0 == *fd).map_or(-1, |map| map.1.raw());
            }
        }
        let raw = isa::encode(&insns).expect("encodable instructions");
        match self.load(place, &raw) {
            Ok(()) => None,
            Err(error) => {
                let lines: Vec<&str> = error.log.lines().collect();
                let end = lines[lines.len().saturating_sub(60)..].join("\n");
                Some(format!("{error}\n{end}"))
            }
        }
    }

    /// Loads a program for a place and closes it again.
    pub(crate) fn load(&self, place: &str, raw: &[bpf::RawInsn]) -> Result<(), ProgLoadError> {
        let args = if place == "socket_filter" {
            ProgLoad {
                name: "vrfy_hunt",
                ..ProgLoad::new(ProgType::SOCKET_FILTER, raw)
            }
        } else {
            let ops = self
                .btf
                .find("tcp_congestion_ops", Kind::Struct)
                .expect("tcp_congestion_ops");
            let composite = self
                .btf
                .type_by_id(ops)
                .and_then(|ty| ty.composite())
                .expect("a structure");
            let (index, _) = composite.member_named(place).expect("a member");
            ProgLoad {
                name: "vrfy_hunt",
                attach_btf_id: ops.0,
                expected_attach_type: AttachType(index as u32),
                ..ProgLoad::new(ProgType::STRUCT_OPS, raw)
            }
        };
        self.linux.prog_load(&args).map(drop)
    }
}
