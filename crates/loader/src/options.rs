//! What the caller may decide about a load: fields of ops structures, names, and what is created at all.

use crate::others::Others;
use crate::sharing::PinRoot;
use std::collections::BTreeMap;

/// Choices for [`crate::Plan::new`]. The default changes nothing that the object says.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// The object's name, by convention its file name up to the first dot. Maps of `.data`, `.bss` and `.rodata`
    /// are named after it, as libbpf does.
    pub object_name: String,
    /// Fields of ops structures that get another value than the object gives them.
    pub set: Vec<SetField>,
    /// Another algorithm name: the member `name` of the object's one ops structure.
    pub rename: Option<String>,
    /// Every ops structure is registered through a link, also one of the section `.struct_ops`: only a link can be kept
    /// and exchanged.
    pub by_link: bool,
    /// The one ops structure that is created, by the variable's name or the algorithm's; also one of a `?` section. Without it, all of the others are.
    pub only: Option<String>,
    /// Whether an ops structure, by variable name, is created; overrides a `?` section.
    pub autocreate: BTreeMap<String, bool>,
    /// Whether a program, by name, is loaded; overrides a `?` section. The programs of an ops structure follow it.
    pub autoload: BTreeMap<String, bool>,
    /// Which programs are loaded that belong to no ops structure and are neither socket filters nor syscall programs.
    pub others: Others,
    /// A struct_ops program that no ops structure uses is left out and noted, where libbpf gives the object up: for judging the rest of it.
    pub leave_out_unreferenced: bool,
    /// Types of kernel modules, for ops kinds and kernel functions that live in one.
    pub modules: Vec<bpf::ModuleBtf>,
    /// Directory for maps with `LIBBPF_PIN_BY_NAME`. Without it such a map is not shared, and a note of the plan says so.
    pub pin_root: Option<PinRoot>,
}

/// A new value for one field of an ops structure.
///
/// ```
/// use loader::SetField;
/// let set: SetField = "flags=non_restricted".parse()?;
/// assert_eq!((set.ops, set.field.as_str(), set.value.as_str()), (None, "flags", "non_restricted"));
/// let set: SetField = "reno.name=bpf_reno".parse()?;
/// assert_eq!(set.ops.as_deref(), Some("reno"));
/// # Ok::<(), loader::SetFieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetField {
    /// The variable's name; may be left out when the object has one ops structure.
    pub ops: Option<String>,
    /// The member's name.
    pub field: String,
    /// The value as text: a number, the name of an enumerator or flag (several joined by `|` or `,`), the text of a `char`
    /// array, or `null` to take a program away.
    pub value: String,
}

/// A text that is no `FIELD=VALUE` or `OPS.FIELD=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not FIELD=VALUE or OPS.FIELD=VALUE")]
pub struct SetFieldError(pub String);

impl std::str::FromStr for SetField {
    type Err = SetFieldError;

    fn from_str(text: &str) -> Result<Self, SetFieldError> {
        let error = || SetFieldError(text.to_owned());
        let (place, value) = text.split_once('=').ok_or_else(error)?;
        let (ops, field) = match place.split_once('.') {
            Some((ops, field)) => (Some(ops), field),
            None => (None, place),
        };
        if field.is_empty() || ops == Some("") || field.contains('.') {
            return Err(error());
        }
        Ok(Self {
            ops: ops.map(str::to_owned),
            field: field.to_owned(),
            value: value.to_owned(),
        })
    }
}
