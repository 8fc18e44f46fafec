//! Maps: what all kinds have in common, and the commands on elements. `create` checks what is asked for, `array`, `hash` and `storage`
//! hold elements; ops maps are in [`struct_ops`](crate::struct_ops). After `kernel/bpf/syscall.c` of Linux 6.12.

mod array;
mod create;
mod hash;
mod storage;
mod types;

pub(crate) use array::Array;
pub(crate) use create::{Plan, check_name, has as has_type};
pub(crate) use hash::Hash;
pub(crate) use storage::Storage;

use crate::btf_object::BtfObject;
use crate::struct_ops::OpsMap;
use bpf::{Errno, MapFlags, MapInfo, MapType, UpdateFlags};
use btf::TypeId;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use verifier::{MapShape, SpecialField};

/// A map.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) id: u32,
    pub(crate) plan: Plan,
    pub(crate) elements: Elements,
    /// Whether user space may never write again. Held for reading by whoever writes, so that no write begun before is seen after.
    frozen: RwLock<bool>,
}

/// What a map holds.
#[derive(Debug)]
pub(crate) enum Elements {
    Array(Array),
    Hash(Hash),
    Storage(Storage),
    Ops(Box<OpsMap>),
}

/// Types of key and value.
#[derive(Clone, Debug)]
pub(crate) struct MapTypes {
    pub(crate) object: Arc<BtfObject>,
    pub(crate) key: TypeId,
    pub(crate) value: TypeId,
    /// Parts of a value that are no plain bytes.
    pub(crate) special: Vec<SpecialField>,
}

/// Proof that a map may be written now; it is not frozen before this ends.
pub(crate) struct Writing<'a>(#[expect(dead_code, reason = "it is held, not read")] RwLockReadGuard<'a, bool>);

/// There is one CPU: values per CPU are values.
pub(crate) const CPUS: u32 = 1;

impl Map {
    pub(crate) fn new(id: u32, plan: Plan, elements: Elements) -> Self {
        Self {
            id,
            plan,
            elements,
            frozen: RwLock::new(false),
        }
    }

    /// Bytes of a value as commands carry it.
    fn transfer_size(&self) -> usize {
        let size = self.plan.value_size as usize;
        if self.plan.map_type.is_per_cpu() {
            size.next_multiple_of(8) * CPUS as usize
        } else {
            size
        }
    }

    /// The right of user space to write, for as long as the answer is held.
    pub(crate) fn writing(&self) -> Result<Writing<'_>, Errno> {
        let frozen = self.frozen.read().unwrap_or_else(PoisonError::into_inner);
        if *frozen || self.plan.flags.contains(MapFlags::RDONLY) {
            return Err(Errno::EPERM);
        }
        Ok(Writing(frozen))
    }

    fn is_frozen(&self) -> bool {
        *self.frozen.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// `BPF_MAP_LOOKUP_ELEM`.
    pub(crate) fn lookup(&self, key: &[u8]) -> Result<Vec<u8>, Errno> {
        if self.plan.flags.contains(MapFlags::WRONLY) {
            return Err(Errno::EPERM);
        }
        self.check_key(key)?;
        match &self.elements {
            Elements::Array(array) => array.lookup(key, self.transfer_size()),
            Elements::Hash(hash) => hash.lookup(key, self.transfer_size()),
            // The key is the descriptor of a socket, and no socket has one here.
            Elements::Storage(_) => Err(Errno::EBADF),
            Elements::Ops(ops) => ops.lookup(key),
        }
    }

    /// `BPF_MAP_UPDATE_ELEM`, but for ops maps.
    pub(crate) fn update(&self, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
        let _writing = self.writing()?;
        self.check_sizes(key, value)?;
        match &self.elements {
            Elements::Array(array) => array.update(key, value, flags),
            Elements::Hash(hash) => hash.update(key, value, flags),
            Elements::Storage(_) => Err(Errno::EBADF),
            Elements::Ops(_) => Err(Errno::EINVAL),
        }
    }

    /// Key and value of an update have the right sizes.
    pub(crate) fn check_sizes(&self, key: &[u8], value: &[u8]) -> Result<(), Errno> {
        self.check_key(key)?;
        if value.len() != self.transfer_size() {
            return Err(Errno::EINVAL);
        }
        Ok(())
    }

    /// `BPF_MAP_DELETE_ELEM`.
    pub(crate) fn delete(&self, key: &[u8]) -> Result<(), Errno> {
        let _writing = self.writing()?;
        self.check_key(key)?;
        match &self.elements {
            Elements::Array(_) => Err(Errno::EINVAL),
            Elements::Hash(hash) => hash.delete(key),
            Elements::Storage(_) => Err(Errno::EBADF),
            Elements::Ops(ops) => ops.delete(),
        }
    }

    /// `BPF_MAP_GET_NEXT_KEY`.
    pub(crate) fn next_key(&self, after: Option<&[u8]>) -> Result<Option<Vec<u8>>, Errno> {
        if self.plan.flags.contains(MapFlags::WRONLY) {
            return Err(Errno::EPERM);
        }
        if let Some(after) = after {
            self.check_key(after)?;
        }
        match &self.elements {
            Elements::Array(array) => Ok(array.next_key(after)),
            Elements::Hash(hash) => hash.next_key(after),
            Elements::Storage(_) => Err(Errno::ENOTSUPP),
            Elements::Ops(_) => Ok(match after {
                Some([0, 0, 0, 0]) => None,
                _ => Some(vec![0; 4]),
            }),
        }
    }

    /// `BPF_MAP_FREEZE`.
    pub(crate) fn freeze(&self) -> Result<(), Errno> {
        let special = self.plan.types.as_ref().is_some_and(|types| !types.special.is_empty());
        if matches!(self.elements, Elements::Ops(_)) || special {
            return Err(Errno::ENOTSUPP);
        }
        let mut frozen = self.frozen.write().unwrap_or_else(PoisonError::into_inner);
        if *frozen || self.plan.flags.contains(MapFlags::RDONLY) {
            return Err(Errno::EPERM);
        }
        *frozen = true;
        Ok(())
    }

    fn check_key(&self, key: &[u8]) -> Result<(), Errno> {
        if key.len() == self.plan.key_size as usize {
            Ok(())
        } else {
            Err(Errno::EINVAL)
        }
    }

    /// The address of a value, for programs; 0 when there is none.
    pub(crate) fn value_address(&self, key: &[u8]) -> u64 {
        match &self.elements {
            Elements::Array(array) => array.value_address(key),
            Elements::Hash(hash) => hash.value_address(key),
            Elements::Storage(_) | Elements::Ops(_) => 0,
        }
    }

    /// An update by a program: the value has the value's own size.
    pub(crate) fn program_update(&self, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
        match &self.elements {
            Elements::Array(array) => array.update(key, value, flags),
            Elements::Hash(hash) => hash.update(key, value, flags),
            Elements::Storage(_) | Elements::Ops(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    /// A deletion by a program.
    pub(crate) fn program_delete(&self, key: &[u8]) -> Result<(), Errno> {
        match &self.elements {
            Elements::Array(_) => Err(Errno::EINVAL),
            Elements::Hash(hash) => hash.delete(key),
            Elements::Storage(_) | Elements::Ops(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    /// The address of a byte of a map's only value, for `ldimm64` (`array_map_direct_value_addr`).
    ///
    /// # Errors
    /// `ENOMEM` when the value cannot have its memory.
    pub(crate) fn direct_address(&self, offset: u32) -> Result<Option<u64>, Errno> {
        match &self.elements {
            Elements::Array(array) if self.has_direct_value() && offset < self.plan.value_size => {
                Ok(Some(array.memory()?.address(offset as usize)))
            }
            _ => Ok(None),
        }
    }

    /// A program that names this map is about to run: what Linux allocates when it creates a map is there from now on.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub(crate) fn prepare(&self) -> Result<(), Errno> {
        match &self.elements {
            Elements::Array(array) => array.memory().map(|_| ()),
            Elements::Hash(_) | Elements::Storage(_) | Elements::Ops(_) => Ok(()),
        }
    }

    fn has_direct_value(&self) -> bool {
        self.plan.map_type == MapType::ARRAY && self.plan.max_entries == 1
    }

    /// Bytes of a value that nobody can write any more (`bpf_map_is_rdonly`), as a number.
    pub(crate) fn constant(&self, offset: u32, size: u32) -> Option<u64> {
        let fixed = self.is_frozen() && self.plan.flags.contains(MapFlags::RDONLY_PROG) && self.has_direct_value();
        let end = offset.checked_add(size)?;
        let Elements::Array(array) = &self.elements else {
            return None;
        };
        if !fixed || end > self.plan.value_size || size > 8 {
            return None;
        }
        // Two words, as the bytes may lie across a border of words.
        let mut words = [0; 16];
        array.read(offset as usize / 8 * 8, &mut words);
        let mut bytes = [0; 8];
        let part = words.get(offset as usize % 8..)?.get(..size as usize)?;
        bytes[..part.len()].copy_from_slice(part);
        Some(u64::from_le_bytes(bytes))
    }

    /// What the verifier must know.
    pub(crate) fn shape(&self) -> MapShape {
        let flags = self.plan.flags;
        MapShape {
            name: self.plan.name.clone(),
            identity: u64::from(self.id),
            map_type: self.plan.map_type.0,
            key_size: self.plan.key_size,
            value_size: self.plan.value_size,
            readable: !flags.contains(MapFlags::WRONLY_PROG),
            writable: !flags.contains(MapFlags::RDONLY_PROG),
            direct_value: self.has_direct_value(),
            special: self
                .plan
                .types
                .as_ref()
                .map_or_else(Vec::new, |types| types.special.clone()),
        }
    }

    /// `BPF_OBJ_GET_INFO_BY_FD`; `vmlinux` is the id of the kernel's own types.
    pub(crate) fn info(&self, vmlinux: u32) -> MapInfo {
        let plan = &self.plan;
        let types = plan.types.as_ref();
        MapInfo {
            map_type: plan.map_type,
            id: self.id,
            key_size: plan.key_size,
            value_size: plan.value_size,
            max_entries: plan.max_entries,
            flags: plan.flags,
            name: plan.name.clone(),
            btf_vmlinux_id: if plan.ops_value_ty.is_void() { 0 } else { vmlinux },
            btf_vmlinux_value_type_id: plan.ops_value_ty.0,
            btf_id: types.map_or(0, |types| types.object.id),
            btf_key_type_id: types.map_or(0, |types| types.key.0),
            btf_value_type_id: types.map_or(0, |types| types.value.0),
            map_extra: plan.map_extra,
        }
    }
}
