//! Names under which an ops structure cannot be registered, because somebody has them: another one of the object, or the kernel itself.

use super::CheckedError;
use crate::Class;
use crate::host::shape::Shape;
use bpf::{Bpf, Errno, IdKind, MapType, StructOpsValue};
use loader::OpsPlan;
use std::collections::BTreeSet;

/// Who has a name already.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Another ops structure of the same object, by its variable.
    Sibling(String),
    /// The kernel: an algorithm of its own or of a module.
    Kernel,
    /// A table that was registered before, and that a swap would exchange.
    Table,
}

/// The name that an ops structure of a kind with names is registered under.
pub(super) fn algorithm(ops: &OpsPlan) -> Option<String> {
    let name = ops.text(loader::rules::name_member(&ops.kind)?)?;
    (!name.is_empty()).then_some(name)
}

/// Who has the name of `ops`; `earlier` are those before it in the object.
pub(super) fn taken(ops: &OpsPlan, earlier: &[OpsPlan], kernel: &dyn Bpf) -> Option<Taken> {
    let name = algorithm(ops)?;
    let same = |other: &&OpsPlan| other.kind == ops.kind && algorithm(other).as_deref() == Some(&name);
    if let Some(sibling) = earlier.iter().find(same) {
        return Some(Taken::Sibling(sibling.name.clone()));
    }
    if !kernel.registered_names(&ops.kind).contains(&name) {
        return None;
    }
    let of_tables = match table_names(kernel, &ops.kind) {
        Ok(names) => names.contains(&name),
        // Listing takes more rights than checking: then it is who usually has such a name.
        Err(_) => !OF_LINUX.contains(&name.as_str()),
    };
    Some(if of_tables { Taken::Table } else { Taken::Kernel })
}

/// The error that a taken name is; a table that can be swapped is none.
pub(super) fn error(ops: &OpsPlan, taken: &Taken) -> Option<CheckedError> {
    let name = algorithm(ops)?;
    let (why, help) = match taken {
        Taken::Sibling(sibling) => (
            format!("`{sibling}` of the same object has the name {name}, too"),
            "give each its own `name`, or load them one by one: FILE:VARIABLE with --as NAME",
        ),
        Taken::Kernel => (
            format!("the kernel has an algorithm {name} of its own"),
            "`opswap load FILE --as NAME` registers it under another name",
        ),
        Taken::Table => return None,
    };
    Some(CheckedError {
        help: Some(help.to_owned()),
        ..CheckedError::plain(
            Class::Rejected,
            Errno::EEXIST.name().to_owned(),
            format!("`{}` cannot be registered: {why}", ops.name),
        )
    })
}

/// Names of the tables of programs that are registered.
fn table_names(kernel: &dyn Bpf, kind: &str) -> Result<BTreeSet<String>, Errno> {
    let btf = kernel.kernel_btf().map_err(|error| error.errno())?;
    let mut names = BTreeSet::new();
    for id in kernel.ids(IdKind::Map)? {
        let map = match kernel.map_by_id(id) {
            Err(Errno::ENOENT) => continue, // gone between the two calls
            other => other?,
        };
        let info = kernel.map_info(&map)?;
        if info.map_type != MapType::STRUCT_OPS {
            continue;
        }
        let shape = Shape::of_value_type(&btf, info.btf_vmlinux_value_type_id).filter(|shape| shape.kind == kind);
        if let Some(shape) = shape
            && let Ok(bytes) = kernel.map_lookup(&map, &[0; 4])
            && let Some(value) = StructOpsValue::parse(&bytes, shape.data_offset)
        {
            names.extend(shape.name(&value.data));
        }
    }
    Ok(names)
}

/// The congestion controls of Linux 6.18 (`net/ipv4/tcp_*.c`), as they name themselves.
pub(crate) const OF_LINUX: &[&str] = &[
    "bbr",
    "bic",
    "cdg",
    "cubic",
    "dctcp",
    "dctcp-reno",
    "highspeed",
    "htcp",
    "hybla",
    "illinois",
    "lp",
    "nv",
    "reno",
    "scalable",
    "vegas",
    "veno",
    "westwood",
    "yeah",
];
