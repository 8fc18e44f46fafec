//! [`OpsMap`]: what an ops map holds, its states and what is checked when it gets its value (`bpf_struct_ops_map_update_elem` and its neighbours,
//! `kernel/bpf/bpf_struct_ops.c`, Linux 6.12). [`Module`] is the reference that users of a table hold.

use crate::map::{Elements, Map};
use crate::program::Program;
use crate::struct_ops::call::{Functions, OpsFunc};
use crate::struct_ops::desc;
use crate::struct_ops::{Desc, Member, MemberKind, Table};
use crate::tables::Fds;
use bpf::{Errno, MapFlags, OpsState, ProgType, UpdateFlags};
use btf::Btf;
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A reference on a table, as `bpf_try_module_get()` takes one: while it lives, the map with its table, programs and thunks stays.
/// The map's reference count, which user space sees, is the number of these.
#[derive(Clone)]
pub struct Module(Arc<Hold>);

/// What a [`Module`] keeps.
struct Hold {
    /// Beside the map, so that the table would outlive a map that was reset.
    _built: Arc<Built>,
    _map: Arc<Map>,
}

impl Module {
    /// The reference as something that can be kept without knowing this crate.
    pub fn into_keep_alive(self) -> Arc<dyn Any + Send + Sync> {
        self.0
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Module")
    }
}

/// The table of an ops map.
#[derive(Debug)]
pub(crate) struct OpsMap {
    pub(crate) desc: Arc<Desc>,
    link: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    state: OpsState,
    /// What lookups show, from the start of the value; empty while there is none.
    shown: Vec<u8>,
    built: Option<Arc<Built>>,
    hold: Weak<Hold>,
}

/// A table with what its functions lead to.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) table: Table,
    functions: Functions,
}

impl Built {
    /// The table is about to be registered, and its programs can be called from then on.
    ///
    /// # Errors
    /// `ENOMEM` when a map of theirs cannot have its memory.
    pub(crate) fn prepare(&self) -> Result<(), Errno> {
        self.functions.programs().try_for_each(Program::prepare)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl OpsMap {
    pub(crate) fn new(desc: Arc<Desc>, flags: MapFlags) -> Self {
        let inner = Inner {
            state: OpsState::Init,
            shown: Vec::new(),
            built: None,
            hold: Weak::new(),
        };
        Self {
            desc,
            link: flags.contains(MapFlags::LINK),
            inner: Mutex::new(inner),
        }
    }

    /// `BPF_MAP_LOOKUP_ELEM`.
    pub(crate) fn lookup(&self, key: &[u8]) -> Result<Vec<u8>, Errno> {
        if key != [0; 4] {
            return Err(Errno::ENOENT);
        }
        let inner = self.lock();
        if inner.state == OpsState::Init {
            return Ok(vec![0; self.desc.value_size as usize]);
        }
        let mut value = inner.shown.clone();
        let refcnt = u32::try_from(inner.hold.strong_count()).unwrap_or(u32::MAX);
        if let Some(common) = value.first_chunk_mut::<8>() {
            common[..4].copy_from_slice(&refcnt.to_le_bytes());
            common[4..].copy_from_slice(&u32::from(inner.state).to_le_bytes());
        }
        Ok(value)
    }

    /// `BPF_MAP_UPDATE_ELEM` of `map`, which is the map that this is the content of; sizes are checked.
    pub(crate) fn update(
        &self,
        map: &Arc<Map>,
        (key, value): (&[u8], &[u8]),
        flags: UpdateFlags,
        kernel: (&Fds, &Btf),
    ) -> Result<(), Errno> {
        if flags != UpdateFlags::ANY {
            return Err(Errno::EINVAL);
        }
        if key != [0; 4] {
            return Err(Errno::E2BIG);
        }
        self.check_zero_outside_members(value)?;
        let mut inner = self.lock();
        if inner.state != OpsState::Init {
            return Err(Errno::EBUSY);
        }
        let (built, shown) = self.build(value, kernel)?;
        let family = &self.desc.family;
        family.validate(&built.table)?;
        if self.link {
            inner.state = OpsState::Ready;
        } else {
            built.prepare()?;
            let module = Module(Arc::new(Hold {
                _built: Arc::clone(&built),
                _map: Arc::clone(map),
            }));
            inner.hold = Arc::downgrade(&module.0);
            family.reg(&built.table, module)?;
            inner.state = OpsState::InUse;
        }
        (inner.shown, inner.built) = (shown, Some(built));
        Ok(())
    }

    /// `check_zero_holes()`: bytes that are no member's must be zero, and so must reference count and state.
    fn check_zero_outside_members(&self, value: &[u8]) -> Result<(), Errno> {
        let data = self.desc.data as usize;
        let (before, rest) = value.split_at_checked(data).ok_or(Errno::EINVAL)?;
        let (table, after) = rest.split_at_checked(self.desc.size as usize).ok_or(Errno::EINVAL)?;
        let mut end = 0;
        let mut zero = is_zero(before) && is_zero(after);
        for member in &self.desc.members {
            let offset = member.offset as usize;
            zero &= table.get(end..offset).is_none_or(is_zero);
            end = end.max(offset + member.size as usize);
        }
        zero &= table.get(end..).is_none_or(is_zero);
        if zero { Ok(()) } else { Err(Errno::EINVAL) }
    }

    /// Goes through the members; answers the table and what lookups show.
    fn build(&self, value: &[u8], (fds, btf): (&Fds, &Btf)) -> Result<(Arc<Built>, Vec<u8>), Errno> {
        let (data, size) = (self.desc.data as usize, self.desc.size as usize);
        let mut shown = value.to_vec();
        let user = value.get(data..data + size).ok_or(Errno::EINVAL)?;
        let mut bytes = vec![0; size];
        let mut functions = Vec::new();
        let mut offsets = Vec::new();
        for member in &self.desc.members {
            let offset = member.offset as usize;
            let given = user.get(offset..offset + member.size as usize).ok_or(Errno::EINVAL)?;
            if matches!(member.kind, MemberKind::Owner) {
                // Linux puts BPF_MODULE_OWNER here; a table's owner is its `Module` and nobody reads this.
                require_zero(given)?;
                continue;
            }
            if self.desc.family.init_member(member, user, &mut bytes)? {
                continue;
            }
            let MemberKind::Function { proto, .. } = member.kind else {
                require_zero(given)?;
                continue;
            };
            let Some(prog) = self.program(member, given, fds)? else {
                continue;
            };
            shown[data + offset..data + offset + 8].copy_from_slice(&u64::from(prog.id).to_le_bytes());
            let (args, ret) = desc::registers(btf, proto).map_err(|_| Errno::EINVAL)?;
            functions.push(OpsFunc { prog, args, ret });
            offsets.push(offset);
        }
        let functions = Functions::new(functions).map_err(|error| match error {
            jit::thunk::ThunkError::Memory(_) => Errno::ENOMEM,
            _ => Errno::ENOTSUPP,
        })?;
        let table = Table::new(&bytes);
        for (offset, address) in offsets.into_iter().zip(functions.addresses()) {
            table.put(offset, address);
        }
        let built = Built { table, functions };
        Ok((Arc::new(built), shown))
    }

    /// The program whose descriptor stands in a function's slot; 0 is none.
    fn program(&self, member: &Member, given: &[u8], fds: &Fds) -> Result<Option<Arc<Program>>, Errno> {
        // As in Linux, the descriptor is the low half of the word.
        let fd = i32::from_le_bytes(*given.first_chunk().ok_or(Errno::EINVAL)?);
        if fd == 0 {
            return Ok(None);
        }
        let prog = fds.prog(fd)?;
        let fits = prog.prog_type == ProgType::STRUCT_OPS
            && prog
                .attach
                .as_ref()
                .is_some_and(|attach| Arc::ptr_eq(&attach.desc, &self.desc) && attach.member == member.index);
        if fits { Ok(Some(prog)) } else { Err(Errno::EINVAL) }
    }

    /// `BPF_MAP_DELETE_ELEM`: unregisters.
    pub(crate) fn delete(&self) -> Result<(), Errno> {
        if self.link {
            return Err(Errno::EOPNOTSUPP);
        }
        let built = {
            let mut inner = self.lock();
            match inner.state {
                OpsState::InUse => inner.state = OpsState::ToBeFree,
                OpsState::ToBeFree => return Err(Errno::EINPROGRESS),
                OpsState::Init | OpsState::Ready | OpsState::Unknown(_) => return Err(Errno::ENOENT),
            }
            inner.built.clone()
        };
        if let Some(built) = built {
            self.desc.family.unreg(&built.table);
        }
        Ok(())
    }

    /// The table, if a link may register it (`bpf_struct_ops_valid_to_reg`).
    pub(crate) fn ready(&self) -> Option<Arc<Built>> {
        let inner = self.lock();
        let ready = self.link && inner.state == OpsState::Ready;
        inner.built.clone().filter(|_| ready)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    /// The ops map in it, if it is one.
    pub(crate) fn ops(&self) -> Option<&OpsMap> {
        match &self.elements {
            Elements::Ops(ops) => Some(ops),
            Elements::Array(_) | Elements::Hash(_) | Elements::Storage(_) => None,
        }
    }

    /// A reference on the table of an ops map that is ready.
    pub(crate) fn module(self: &Arc<Self>) -> Option<Module> {
        let mut inner = self.ops()?.lock();
        if let Some(hold) = inner.hold.upgrade() {
            return Some(Module(hold));
        }
        let hold = Arc::new(Hold {
            _built: inner.built.clone()?,
            _map: Arc::clone(self),
        });
        inner.hold = Arc::downgrade(&hold);
        Some(Module(hold))
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn require_zero(bytes: &[u8]) -> Result<(), Errno> {
    if is_zero(bytes) { Ok(()) } else { Err(Errno::EINVAL) }
}
