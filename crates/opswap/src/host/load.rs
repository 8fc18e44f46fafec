//! Registering by link, and keeping: first everything is created and validated, then pinned, then registered. Several ops structures in one
//! object are registered all or none.

use super::attach::{Attach, Attached, Made};
use super::folders::Folder;
use super::pins::{self, PinName};
use super::shape::{NAME, Shape};
use super::sharing::Shared;
use super::{FieldValue, Host, HostError, Renewal, State, census};
use crate::{Error, Source};
use bpf::{Bpf, Fd, Link, Map, ObjectRef, Pinned};
use loader::{LoadedOps, OpsPlan, Others, PlanOptions, SetField};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// What may be changed about an object without compiling it again.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Data fields and their new values.
    pub set: Vec<SetField>,
    /// Another name for the algorithm: the field `name`.
    pub rename: Option<String>,
    /// Where programs that belong to no ops structure are attached; those of other sections are left out. Only a load does it.
    pub attach: Vec<Attach>,
}

impl Settings {
    /// For a table that is registered by a link.
    pub(super) fn options(&self) -> PlanOptions {
        PlanOptions {
            set: self.set.clone(),
            rename: self.rename.clone(),
            by_link: true,
            others: match self.attach.as_slice() {
                [] => Others::LeaveOut,
                asked => Others::Sections(asked.iter().map(|one| one.section.clone()).collect()),
            },
            ..PlanOptions::default()
        }
    }
}

/// One registered ops structure.
#[derive(Clone, Debug, Serialize)]
pub struct Loaded {
    /// The name that sockets choose it by.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The link's id.
    #[serde(rename = "link")]
    pub link_id: u32,
    /// The map's id.
    #[serde(rename = "map")]
    pub map_id: u32,
    /// Its version: 1.
    pub version: u32,
    /// Its data fields that are not zero, without the name.
    pub fields: Vec<FieldValue>,
    /// The pins that keep it.
    pub pins: Vec<PathBuf>,
    /// Namespaces whose default has this name, and held an older table of it until now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Renewal>,
    /// Maps of the object that are shared by name; with several ops structures they go with the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<Shared>,
    /// Programs of the object that were attached with it; with several ops structures they go with the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Attached>,
}

/// Creates everything in the kernel and lets it validate the tables; registers nothing. `change` has the last word about the tables' data; maps that
/// are shared by name are so in `shared`.
pub(crate) fn prepare(
    kernel: &Arc<dyn Bpf>,
    source: &Source,
    settings: &Settings,
    shared: Option<&Folder>,
    change: impl FnOnce(&mut [OpsPlan]),
) -> Result<loader::Loaded, Error> {
    let file = || source.label();
    let options = PlanOptions {
        pin_root: shared.map(Folder::pin_root),
        ..settings.options()
    };
    let mut plan = crate::check::plan(source, kernel, &options)?;
    if plan.ops().is_empty() {
        return Err(HostError::NoTable { file: file() }.into());
    }
    if let Some(folder) = shared {
        folder.trusts(plan.maps())?;
    }
    change(plan.ops_mut());
    let loaded = plan.load(kernel).map_err(|error| Error::Load {
        file: file(),
        error: Box::new(error),
    })?;
    if let Some(folder) = shared {
        // Where all may make files, a link may have come between the look and the use.
        folder.trusts(plan.maps())?;
    }
    loaded.make_ready().map_err(|error| Error::Attach {
        file: file(),
        error: Box::new(error),
    })?;
    Ok(loaded)
}

/// Whether an object can be swapped in: found before anything is asked of a kernel, in words about the swap.
pub(super) fn holds_one_table(source: &Source, kind: &str) -> Result<(), Error> {
    let object = object::Object::parse(&source.object).map_err(|error| Error::Object {
        file: source.label(),
        error: Box::new(error),
    })?;
    if source.ops.is_some() {
        return Ok(()); // what was chosen is found when the object is matched against the kernel
    }
    let created: Vec<_> = object.ops.iter().filter(|ops| ops.autocreate).collect();
    match created.as_slice() {
        [only] if only.kind == kind => Ok(()),
        [] => Err(HostError::NoTable { file: source.label() }.into()),
        several => {
            let of_kind = several.iter().filter(|ops| ops.kind == kind);
            Err(HostError::NotOneTable {
                kind: kind.to_owned(),
                names: of_kind.map(|ops| ops.name.clone()).collect(),
            }
            .into())
        }
    }
}

/// The one table of an object, for a swap: it must be of this kind.
pub(super) fn only_table<'a>(loaded: &'a loader::Loaded, kind: &str) -> Result<&'a Fd<Map>, HostError> {
    match loaded.ops() {
        [ops] if ops.plan.kind == kind => Ok(&ops.map),
        several => {
            let of_kind = several.iter().filter(|ops| ops.plan.kind == kind);
            Err(HostError::NotOneTable {
                kind: kind.to_owned(),
                names: of_kind.map(|ops| ops.plan.name.clone()).collect(),
            })
        }
    }
}

/// The name that the table carries; of a kind without names that of its map, which the kernel shows, and which is made of the variable's.
pub(super) fn algorithm(ops: &OpsPlan) -> String {
    ops.text(NAME).unwrap_or_else(|| bpf::object_name(&ops.name))
}

impl Host {
    /// Loads `source` and registers its ops structures by link; they stay when this process ends. Namespaces whose default is the name of one still
    /// hold the table that had it before; they get the new one ([`Loaded::namespaces`]).
    ///
    /// # Errors
    /// What the kernel refuses ([`Error::Plan`], [`Error::Load`], [`Error::Attach`]), a name that is taken ([`HostError::Exists`]), a folder of the
    /// bpffs that somebody else controls ([`HostError::ForeignFolder`]); nothing is left behind then.
    pub fn load(&self, source: &Source, settings: &Settings) -> Result<Vec<Loaded>, Error> {
        // Dropped in the other order: a mount of ours can only end when nothing in it is open. It is made when it is needed first.
        let mut mounted = None;
        if super::sharing::wanted(source) {
            mounted = Some(self.mount()?);
        }
        let shared = self.shared_folder(source)?;
        let mut loaded = prepare(&self.bpf, source, settings, shared.as_ref(), |_| ())?;
        if mounted.is_none() {
            mounted = Some(self.mount()?);
        }
        let _nobody_else = self.lock()?;
        // Without the right to walk ids the kernel's own answer must do.
        let registered = match census::tables(self) {
            Err(HostError::System { errno, .. }) if errno.is_denied() => Vec::new(),
            tables => tables?,
        };
        for ops in loaded.ops() {
            let name = algorithm(&ops.plan);
            let live =
                |table: &&super::Table| table.state == State::Live && table.name == name && table.kind == ops.plan.kind;
            if registered.iter().any(|table| live(&table)) {
                return Err(HostError::Exists { name }.into());
            }
        }
        let mut made = self.attach(&loaded, &settings.attach)?;
        let mut kept = Vec::new();
        for ops in loaded.ops() {
            let names = pins::names(&ops.plan.kind, &algorithm(&ops.plan));
            match self.keep(ops, &names, std::mem::take(&mut made), source) {
                Ok(one) => kept.push((names, one)),
                Err(error) => {
                    kept.push((names, Registered::default()));
                    self.undo(kept);
                    return Err(error);
                }
            }
        }
        loaded.keep_shared();
        if let Some(mounted) = mounted {
            mounted.keep();
        }
        let mut facts: Vec<Loaded> = kept.into_iter().filter_map(|(_, one)| one.facts).collect();
        if let Some(first) = facts.first_mut() {
            first.shared = super::sharing::facts(&loaded);
        }
        for one in &mut facts {
            // What cannot be entered is told when an older table is known to be there: after a swap.
            let mut namespaces = self.renew(&one.name, &one.kind).0;
            namespaces.retain(|one| one.default.is_some());
            one.namespaces = namespaces;
        }
        Ok(facts)
    }

    /// The table is pinned before it is registered: killed between the two, `unload` finds it; the link registers and is pinned last, after those of
    /// programs that are attached: killed before that, it ends with its process, and so does the registration.
    fn keep(&self, ops: &LoadedOps, names: &[String; 3], made: Made, source: &Source) -> Result<Registered, Error> {
        let system = HostError::system;
        let name = algorithm(&ops.plan);
        let folder = self.make_folder(&names.each_ref().map(String::as_str))?;
        if self.is_live(&folder)? {
            return Err(HostError::Exists { name }.into());
        }
        // What a killed load left.
        self.remove_pins(&folder)?;
        let wanted = [PinName::Link, PinName::Version(1)];
        let foreign = census::pins_in(self, &folder)?.foreign.into_iter();
        let mut in_the_way = foreign.filter(|foreign| foreign.pin_name().is_some_and(|name| wanted.contains(&name)));
        if let Some(foreign) = in_the_way.next() {
            return Err(HostError::InTheWay(foreign).into());
        }
        let [link_pin, map_pin] = wanted.map(|name| name.to_string());
        self.bpf
            .obj_pin(&folder.at(&map_pin), ObjectRef::Map(&ops.map))
            .map_err(system("pin the table"))?;
        let refused = |error| Error::Attach {
            file: source.label(),
            error: Box::new(error),
        };
        let link = ops.register_by_link(self.bpf.as_ref()).map_err(refused)?;
        let mut facts = self.facts(ops, &link)?;
        facts.pins = vec![folder.shown(&link_pin), folder.shown(&map_pin)];
        facts.pins.extend(self.keep_attached(&made, &folder)?);
        facts.attached = made.into_iter().map(|(attached, _)| attached).collect();
        // The last step, after which nothing fails: whatever ends before it registers nothing.
        self.bpf
            .obj_pin(&folder.at(&link_pin), ObjectRef::Link(&link))
            .map_err(system("pin the link"))?;
        Ok(Registered {
            facts: Some(facts),
            link: Some(link),
        })
    }

    /// What is told of a registration.
    fn facts(&self, ops: &LoadedOps, link: &Fd<Link>) -> Result<Loaded, HostError> {
        let system = HostError::system;
        let link_id = self
            .bpf
            .link_info(link)
            .map_err(system("read the facts of the link"))?
            .id;
        let map_id = self
            .bpf
            .map_info(&ops.map)
            .map_err(system("read the facts of the table"))?
            .id;
        let shape = Shape::of_value_type(&self.kernel_btf()?, ops.plan.types.value_ty.0);
        let table = ops
            .plan
            .value
            .get(ops.plan.types.data_offset as usize..)
            .unwrap_or_default();
        Ok(Loaded {
            name: algorithm(&ops.plan),
            fields: shape.map_or(Vec::new(), |shape| super::carry::fields(&shape, table)),
            kind: ops.plan.kind.clone(),
            link_id,
            map_id,
            version: 1,
            pins: Vec::new(),
            namespaces: Vec::new(),
            shared: Vec::new(),
            attached: Vec::new(),
        })
    }

    /// Whether a link that is pinned there holds a table.
    fn is_live(&self, folder: &Folder) -> Result<bool, HostError> {
        let links = census::pins_in(self, folder)?.pins.into_iter();
        for pin in links.filter(|pin| pin.name == PinName::Link) {
            if let Ok(Pinned::Link(link)) = self.bpf.obj_get(&folder.at(&pin.name.to_string()))
                && self
                    .bpf
                    .link_info(&link)
                    .is_ok_and(|info| info.map_id.is_some_and(|id| id != 0))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All or none: what was registered before the failure is unregistered, and its pins go.
    fn undo(&self, kept: Vec<([String; 3], Registered)>) {
        for (names, one) in kept.into_iter().rev() {
            if let Some(link) = &one.link {
                // A failure leaves a pin that `list` shows and `unload` removes.
                let _shown_by_list = self.bpf.link_detach(link);
            }
            let _shown_by_list = match one.link {
                Some(_) => self.remove_folder(&names).map(drop),
                // Only what `keep` made before it failed; a registration of somebody who was faster stays.
                None => self.remove_unregistered(&names),
            };
        }
    }

    fn remove_unregistered(&self, names: &[String; 3]) -> Result<(), HostError> {
        let names_ = names.each_ref().map(String::as_str);
        match self.folder(&names_) {
            Ok(folder) if !self.is_live(&folder)? => self.remove_folder(names).map(drop),
            _ => self.remove_empty_folders(&names_),
        }
    }
}

/// What `undo` needs to take a registration back.
#[derive(Default)]
struct Registered {
    link: Option<Fd<Link>>,
    facts: Option<Loaded>,
}
