//! Registering the ops structures of a loaded object, all or none, and undoing it.
//!
//! Without a link, giving the map its value registers, and deleting key 0 unregisters. With one, the value is only
//! validated, the link registers, and closing or detaching the link unregisters (`bpf_map__attach_struct_ops` of
//! libbpf, Linux 6.12).

use crate::error::{AttachError, DetachError, Step};
use crate::load::{Loaded, LoadedOps};
use crate::rules::{self, Breach};
use bpf::{Bpf, Errno, Fd, Link, Map, UpdateFlags};
use std::sync::Arc;

/// Registered ops structures and what they are made of. Dropping it unregisters them, unless [`Attached::keep`] or a
/// pin says otherwise.
#[derive(Debug)]
pub struct Attached {
    // Registrations end before the programs and maps behind them are closed: fields are dropped in this order.
    pub(crate) registrations: Vec<Registration>,
    pub(crate) loaded: Loaded,
}

/// One registered ops structure.
pub struct Registration {
    pub(crate) ops: String,
    pub(crate) link: Option<Fd<Link>>,
    /// For the flavour without link: what is needed to unregister.
    pub(crate) undo: Option<(Arc<dyn Bpf>, Fd<Map>)>,
}

const KEY: [u8; 4] = [0; 4];

impl Loaded {
    /// Registers all ops structures. If one is refused, those registered before are unregistered again.
    ///
    /// # Errors
    /// [`AttachError`] with the rule that the refused structure breaks, as far as we know it.
    pub fn attach(mut self) -> Result<Attached, AttachError> {
        let mut registrations: Vec<Registration> = Vec::new();
        for ops in &self.ops {
            match register(&self.kernel, ops) {
                Ok(registration) => registrations.push(registration),
                Err((step, errno)) => {
                    let left = undo_all(registrations);
                    let broken = why(&*self.kernel, &ops.plan, errno);
                    return Err(error(ops, step, errno, broken, left));
                }
            }
        }
        self.pins.keep();
        Ok(Attached {
            registrations,
            loaded: self,
        })
    }

    /// Gives the ops structures of the link flavour their values, so that a link can be made for or exchanged to them;
    /// those without link are left alone, for them this would register.
    ///
    /// # Errors
    /// [`AttachError`]; nothing is registered in any case.
    pub fn make_ready(&self) -> Result<(), AttachError> {
        for ops in self.ops.iter().filter(|ops| ops.plan.link) {
            ops.make_ready(&*self.kernel)?;
        }
        Ok(())
    }
}

impl LoadedOps {
    /// Gives it its value; for the link flavour, where that only validates.
    pub(crate) fn make_ready(&self, kernel: &dyn Bpf) -> Result<(), AttachError> {
        give_value(kernel, self)
            .map_err(|errno| error(self, Step::Update, errno, why(kernel, &self.plan, errno), Vec::new()))
    }

    /// Registers this one by a link, which the caller keeps: for a caller that pins in an order of its own. The table must be ready
    /// ([`Loaded::make_ready`]).
    ///
    /// # Errors
    /// [`AttachError`] with the rule that the structure breaks, as far as we know it.
    pub fn register_by_link(&self, kernel: &dyn Bpf) -> Result<Fd<Link>, AttachError> {
        let refused = |errno| error(self, Step::Link, errno, why(kernel, &self.plan, errno), Vec::new());
        kernel.link_create_struct_ops(&self.map).map_err(refused)
    }
}

fn register(kernel: &Arc<dyn Bpf>, ops: &LoadedOps) -> Result<Registration, (Step, Errno)> {
    let undo = match ops.plan.link {
        // Made beforehand: once registered, nothing may keep us from undoing it.
        false => Some((
            Arc::clone(kernel),
            ops.map.duplicate().map_err(|errno| (Step::Update, errno))?,
        )),
        true => None,
    };
    give_value(&**kernel, ops).map_err(|errno| (Step::Update, errno))?;
    let link = match ops.plan.link {
        false => None,
        true => Some(
            kernel
                .link_create_struct_ops(&ops.map)
                .map_err(|errno| (Step::Link, errno))?,
        ),
    };
    Ok(Registration {
        ops: ops.plan.name.clone(),
        link,
        undo,
    })
}

/// A map that has its value already keeps it (`make_ready` before `attach`).
fn give_value(kernel: &dyn Bpf, ops: &LoadedOps) -> Result<(), Errno> {
    match kernel.map_update(&ops.map, &KEY, &ops.plan.value, UpdateFlags::ANY) {
        Err(Errno::EBUSY) if ops.plan.link => Ok(()),
        other => other,
    }
}

/// Unregisters in reverse order; names those that stay.
fn undo_all(registrations: Vec<Registration>) -> Vec<String> {
    let undone = registrations.into_iter().rev().map(Registration::detach);
    undone
        .filter_map(|result| result.err().map(|error| error.ops))
        .collect()
}

/// The rules that explain a refusal.
fn why(kernel: &dyn Bpf, ops: &crate::OpsPlan, errno: Errno) -> Vec<Breach> {
    match errno {
        Errno::ENOMEM => kernel
            .map_memory()
            .map(|memory| Breach::NoMemory { memory })
            .into_iter()
            .collect(),
        Errno::EINVAL => rules::check(ops),
        Errno::EEXIST => {
            let name = rules::name_member(&ops.kind).and_then(|member| ops.text(member));
            name.map(|name| Breach::NameTaken {
                kind: ops.kind.clone(),
                name,
            })
            .into_iter()
            .collect()
        }
        _ => Vec::new(),
    }
}

fn error(ops: &LoadedOps, step: Step, errno: Errno, broken: Vec<Breach>, left: Vec<String>) -> AttachError {
    AttachError {
        ops: ops.plan.name.clone(),
        kind: ops.plan.kind.clone(),
        step,
        errno,
        broken,
        left,
    }
}

impl Registration {
    /// The ops structure's variable.
    pub fn ops(&self) -> &str {
        &self.ops
    }

    /// The link that holds the registration; none for the flavour without.
    pub fn link(&self) -> Option<&Fd<Link>> {
        self.link.as_ref()
    }

    fn detach(mut self) -> Result<(), DetachError> {
        self.unregister().map_err(|errno| DetachError {
            ops: self.ops.clone(),
            errno,
        })
    }

    fn unregister(&mut self) -> Result<(), Errno> {
        drop(self.link.take());
        match self.undo.take() {
            Some((kernel, map)) => match kernel.map_delete(&map, &KEY) {
                // Unregistered already, by somebody else, and still in use.
                Err(Errno::EINPROGRESS) | Ok(()) => Ok(()),
                Err(errno) => Err(errno),
            },
            None => Ok(()),
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; `Attached::detach` tells.
        let _ = self.unregister();
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("ops", &self.ops)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

impl Attached {
    /// The registrations, in the order of the ops structures.
    pub fn registrations(&self) -> &[Registration] {
        &self.registrations
    }

    /// What is behind them.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Unregisters now. A link that is pinned, or of which another process has a descriptor, keeps its registration.
    ///
    /// # Errors
    /// The first structure that could not be unregistered; the others are tried all the same.
    pub fn detach(self) -> Result<Loaded, DetachError> {
        let mut first = Ok(());
        for registration in self.registrations.into_iter().rev() {
            first = first.and(registration.detach());
        }
        first.map(|()| self.loaded)
    }

    /// Leaves the ops structures without link registered when this process ends; those with a link stay only if the
    /// link is pinned. Gives back what is loaded and the links.
    pub fn keep(self) -> (Loaded, Vec<(String, Fd<Link>)>) {
        let mut links = Vec::new();
        for mut registration in self.registrations {
            drop(registration.undo.take());
            if let Some(link) = registration.link.take() {
                links.push((registration.ops.clone(), link));
            }
        }
        (self.loaded, links)
    }
}
