//! Types of keys and values: whether they fit (`map_check_btf`, `array_map_check_btf`; Linux 6.12), and which parts of a value are no plain bytes
//! (`btf_parse_fields`).

use crate::map::Plan;
use bpf::{Errno, MapType};
use btf::{Btf, Def, TypeId};
use verifier::SpecialField;

/// Checks the types of a map; answers the special parts of its values.
pub(super) fn check(plan: &Plan, btf: &Btf, key: TypeId, value: TypeId) -> Result<Vec<SpecialField>, Errno> {
    if plan.map_type == MapType::STRUCT_OPS {
        return Ok(Vec::new());
    }
    let size = |ty| btf.size_of(ty).map_err(|_| Errno::EINVAL);
    let is_array = matches!(plan.map_type, MapType::ARRAY | MapType::PERCPU_ARRAY);
    if key.is_void() {
        // The section of global variables that an array stands for.
        let section = matches!(btf.type_by_id(value).map(|ty| ty.def), Some(Def::DataSec(_)));
        let sole = plan.map_type == MapType::ARRAY && plan.max_entries == 1;
        if !section || !sole {
            return Err(Errno::EINVAL);
        }
    } else {
        if size(key)? != plan.key_size {
            return Err(Errno::EINVAL);
        }
        let int = matches!(btf.resolve(key).map(|ty| ty.def), Ok(Def::Int(int)) if int.bits == 32);
        if (is_array || plan.map_type == MapType::SK_STORAGE) && !int {
            return Err(Errno::EINVAL);
        }
    }
    if size(value)? != plan.value_size {
        return Err(Errno::EINVAL);
    }
    let mut search = Search {
        btf,
        special: Vec::new(),
        budget: VISITS_MAX,
    };
    search.collect(value, 0, btf::DEPTH_MAX);
    match search.budget {
        0 => Err(Errno::E2BIG),
        _ => Ok(search.special),
    }
}

/// Types that are looked at in one value, at most.
const VISITS_MAX: u32 = 10_000;

/// Structures that only the kernel's own functions may touch.
const SPECIAL: &[&str] = &[
    "bpf_spin_lock",
    "bpf_res_spin_lock",
    "bpf_timer",
    "bpf_wq",
    "bpf_task_work",
    "bpf_list_head",
    "bpf_list_node",
    "bpf_rb_root",
    "bpf_rb_node",
    "bpf_refcount",
    "bpf_dynptr",
];

/// Type tags of pointers that belong to the kernel.
const KPTR_TAGS: &[&str] = &["kptr", "kptr_untrusted", "percpu_kptr", "uptr"];

struct Search<'a> {
    btf: &'a Btf,
    special: Vec<SpecialField>,
    budget: u32,
}

impl Search<'_> {
    fn collect(&mut self, ty: TypeId, offset: u32, depth: usize) {
        let btf = self.btf;
        let (Some(depth), Ok(resolved)) = (depth.checked_sub(1), btf.resolve(ty)) else {
            return;
        };
        self.budget = self.budget.saturating_sub(1);
        if self.budget == 0 {
            return;
        }
        let size = btf.size_of(resolved.id).unwrap_or(0);
        match resolved.def {
            Def::Struct(composite) | Def::Union(composite) => {
                if let Some(what) = SPECIAL.iter().copied().find(|name| *name == resolved.name) {
                    self.special.push(SpecialField { offset, size, what });
                    return;
                }
                for member in composite.members() {
                    self.collect(member.ty, offset.saturating_add(member.byte_offset()), depth);
                }
            }
            Def::DataSec(section) => {
                for var in section.vars() {
                    if let Some(ty) = btf.type_by_id(var.ty).and_then(|var| var.target()) {
                        self.collect(ty, offset.saturating_add(var.offset), depth);
                    }
                }
            }
            Def::Array(array) => {
                let before = self.special.len();
                self.collect(array.element, offset, depth);
                // What is special in one element makes the whole array special.
                self.special.truncate(before + 1);
                if let Some(field) = self.special.get_mut(before) {
                    (field.offset, field.size) = (offset, size);
                }
            }
            Def::Ptr(to) => {
                let tag = btf.type_by_id(to).filter(|ty| matches!(ty.def, Def::TypeTag(_)));
                if tag.is_some_and(|tag| KPTR_TAGS.contains(&tag.name)) {
                    let what = "kptr";
                    self.special.push(SpecialField { offset, size, what });
                }
            }
            _ => {}
        }
    }
}
