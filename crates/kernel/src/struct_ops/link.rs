//! [`OpsLink`]: the registration of an ops map's table (`bpf_struct_ops_link_create`, `…_update`, `…_detach`; `kernel/bpf/bpf_struct_ops.c`,
//! Linux 6.12).

use crate::map::Map;
use crate::struct_ops::OpsMap;
use bpf::{Errno, LinkInfo, LinkType, LinkUpdateError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A link. What it registered is unregistered when it ends.
#[derive(Debug)]
pub(crate) struct OpsLink {
    pub(crate) id: u32,
    /// None once it is detached.
    map: Mutex<Option<Arc<Map>>>,
    /// One exchange at a time in the whole kernel (`update_mutex`).
    exchange: Arc<Mutex<()>>,
}

impl OpsLink {
    /// Registers the table of a map.
    pub(crate) fn new(id: u32, map: Arc<Map>, exchange: &Arc<Mutex<()>>) -> Result<Self, Errno> {
        let (ops, built) = valid_to_reg(&map).ok_or(Errno::EINVAL)?;
        let module = map.module().ok_or(Errno::EINVAL)?;
        built.prepare()?;
        let _guard = lock(exchange);
        ops.desc.family.reg(&built.table, module)?;
        Ok(Self {
            id,
            map: Mutex::new(Some(map)),
            exchange: Arc::clone(exchange),
        })
    }

    /// Exchanges the table for that of another map; with `expected`, only if the link holds that one.
    pub(crate) fn update(&self, new: &Arc<Map>, expected: Option<&Arc<Map>>) -> Result<(), LinkUpdateError> {
        let (ops, built) = valid_to_reg(new).ok_or(Errno::EINVAL)?;
        let family = &ops.desc.family;
        if !family.has_update() {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let _guard = lock(&self.exchange);
        let mut map = lock(&self.map);
        let old = map.as_ref().ok_or(Errno::ENOLINK)?;
        if Arc::ptr_eq(old, new) {
            return Err(LinkUpdateError::SameMap { map_id: old.id });
        }
        if let Some(expected) = expected.filter(|expected| !Arc::ptr_eq(old, expected)) {
            return Err(LinkUpdateError::Stale {
                expected: expected.id,
                found: old.id,
            });
        }
        let (old_ops, old_built) = valid_to_reg(old).ok_or(Errno::EINVAL)?;
        if !Arc::ptr_eq(&ops.desc, &old_ops.desc) {
            return Err(Errno::EINVAL.into());
        }
        let module = new.module().ok_or(Errno::EINVAL)?;
        built.prepare()?;
        family.update(&built.table, module, &old_built.table)?;
        let old = map.replace(Arc::clone(new));
        // The old map may end here: not under the locks.
        drop((map, _guard));
        drop(old);
        Ok(())
    }

    /// Unregisters, although the link is still held. A second time nothing happens.
    pub(crate) fn detach(&self) {
        let _guard = lock(&self.exchange);
        let map = lock(&self.map).take();
        if let Some((ops, built)) = map.as_ref().and_then(valid_to_reg) {
            ops.desc.family.unreg(&built.table);
        }
        drop(_guard);
        drop(map);
    }

    /// `BPF_OBJ_GET_INFO_BY_FD`.
    pub(crate) fn info(&self) -> LinkInfo {
        LinkInfo {
            link_type: LinkType::STRUCT_OPS,
            id: self.id,
            prog_id: 0,
            map_id: Some(lock(&self.map).as_ref().map_or(0, |map| map.id)),
        }
    }
}

impl Drop for OpsLink {
    fn drop(&mut self) {
        self.detach();
    }
}

fn valid_to_reg(map: &Arc<Map>) -> Option<(&OpsMap, Arc<crate::struct_ops::ops_map::Built>)> {
    let ops = map.ops()?;
    Some((ops, ops.ready()?))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
