//! [`Plan`]: everything that loading will do, worked out before anything is done.

use crate::choose;
use crate::error::{Elsewhere, PlanError};
use crate::externs;
use crate::fields;
use crate::maps::{self, MapPlan};
use crate::misplaced;
use crate::needs;
use crate::options::PlanOptions;
use crate::others;
use crate::programs::{self, ProgramPlan, Skipped};
use crate::rules::{self, Breach};
use crate::struct_ops::{self, OpsPlan};
use btf::{Btf, Linkage};
use object::{FunctionIndex, Object};
use std::collections::BTreeSet;

/// What will be given to the kernel, in the order in which it will be: types, maps, programs, ops structures.
///
/// A plan is a value: making one asks nothing of a kernel but its types, so the same plan can be made for a kernel
/// that runs elsewhere, from its BTF file. Printing it says what [`Plan::load`] would do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) license: String,
    pub(crate) version: u32,
    pub(crate) btf: Option<Btf>,
    pub(crate) maps: Vec<MapPlan>,
    pub(crate) programs: Vec<ProgramPlan>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) ops: Vec<OpsPlan>,
    pub(crate) ops_left_out: Vec<String>,
    /// There are types, and no `.BTF.ext` beside them.
    pub(crate) lacks_records: bool,
    pub(crate) externs: Vec<object::Extern>,
    pub(crate) modules: Vec<bpf::ModuleBtf>,
    pub(crate) misplaced: Option<Elsewhere>,
}

impl Plan {
    /// Works out how to load `object` into a kernel with these types.
    ///
    /// # Errors
    /// [`PlanError`]; [`PlanError::fault`] says whether the object, the kernel, the options or this loader is in the
    /// way.
    pub fn new(object: &Object, kernel: &Btf, options: &PlanOptions) -> Result<Self, PlanError> {
        let chosen = fields::set(object, choose::chosen(object, options)?, options)?;
        let mut ops = chosen
            .iter()
            .map(|ops| struct_ops::plan(object, ops, kernel, &options.modules))
            .collect::<Result<Vec<_>, _>>()?;
        for plan in &mut ops {
            plan.link |= options.by_link;
        }
        // A kind that is not there says more than the functions that come with it.
        let fates = others::decide(object, &options.others, kernel);
        let left_out: BTreeSet<FunctionIndex> = others::left_out(&fates).collect();
        let kept = object
            .programs()
            .map(|(index, _)| index)
            .filter(|index| !left_out.contains(index));
        let (needed, unneeded) = (needs::of(object, kept), needs::of(object, left_out.iter().copied()));
        let only_left_out = |index| unneeded.externs.contains(&index) && !needed.externs.contains(&index);
        let resolved = externs::resolve(object, kernel, &options.modules, &only_left_out)?;
        let (programs, skipped) = programs::plan(object, &ops, &fates, &resolved, kernel, options)?;
        let created = |name: &String| ops.iter().any(|plan| plan.name == *name);
        Ok(Self {
            license: object.license.clone().unwrap_or_default(),
            version: object.version.unwrap_or(0),
            btf: object.btf.as_ref().map(|btf| for_kernel(btf, object)),
            maps: maps::plan(object, options, &|map| {
                unneeded.maps.contains(&map) && !needed.maps.contains(&map)
            })?,
            programs,
            skipped,
            lacks_records: object.btf.is_some() && !object.has_records,
            ops_left_out: object
                .ops
                .iter()
                .map(|ops| ops.name.clone())
                .filter(|name| !created(name))
                .collect(),
            ops,
            externs: object.externs.clone(),
            modules: options.modules.clone(),
            misplaced: object
                .btf
                .as_ref()
                .and_then(|btf| misplaced::variable(btf, kernel, options)),
        })
    }

    /// The maps, data sections included, ops structures not.
    pub fn maps(&self) -> &[MapPlan] {
        &self.maps
    }

    /// The programs that will be loaded.
    pub fn programs(&self) -> &[ProgramPlan] {
        &self.programs
    }

    /// The programs that will not be loaded.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The ops structures that will be created.
    pub fn ops(&self) -> &[OpsPlan] {
        &self.ops
    }

    /// The same, for a caller that gives data members another value: [`OpsPlan::value`] is what the kernel gets.
    pub fn ops_mut(&mut self) -> &mut [OpsPlan] {
        &mut self.ops
    }

    /// Variables of ops structures that will not be created.
    pub fn ops_left_out(&self) -> &[String] {
        &self.ops_left_out
    }

    /// A variable that would be an ops structure, did it not stand in a section for other data.
    pub fn misplaced(&self) -> Option<&Elsewhere> {
        self.misplaced.as_ref()
    }

    /// The types that the kernel will be given.
    pub fn btf(&self) -> Option<&Btf> {
        self.btf.as_ref()
    }

    /// The object's licence.
    pub fn license(&self) -> &str {
        &self.license
    }

    /// The function and the line of source that an instruction of a loaded program belongs to. `slot` counts as the
    /// kernel's log does.
    pub fn source(&self, program: &str, slot: u32) -> Option<(&str, bpf::SourceLine)> {
        let program = self.programs.iter().find(|plan| plan.name == program)?;
        program.source(self.btf.as_ref()?, slot)
    }

    /// Rules of registration that ops structures break, by variable; the kernel would say so only when registering.
    pub fn breaches(&self) -> Vec<(&str, Breach)> {
        let of = |ops: &'_ OpsPlan| rules::check(ops);
        self.ops
            .iter()
            .flat_map(|ops| of(ops).into_iter().map(|breach| (ops.name.as_str(), breach)))
            .collect()
    }
}

/// The object's types as the kernel accepts them: sub-programs of hidden visibility become static
/// (`bpf_object__sanitize_and_load_btf` of libbpf, Linux 6.12).
fn for_kernel(btf: &Btf, object: &Object) -> Btf {
    let hidden = object
        .functions
        .iter()
        .filter(|function| function.hidden && function.role == object::Role::Subprogram);
    let mut edit = btf.edit();
    let mut changed = false;
    for ty in hidden.filter_map(|function| function.type_id) {
        changed |= edit.set_func_linkage(ty, Linkage::Static);
    }
    match edit.finish() {
        Ok(edited) if changed => edited,
        Ok(_) | Err(_) => btf.clone(),
    }
}
