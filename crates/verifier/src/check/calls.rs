//! Calls of helpers and kernel functions: the contract is checked, then R0 to R5 are what it says.
//!
//! Follows `check_helper_call` and `check_kfunc_call` of Linux 6.12's `kernel/bpf/verifier.c`.

use btf::TypeId;
use isa::Reg;

use crate::engine::{Checked, Verifier};
use crate::environment::{CallContract, RetKind};
use crate::failure::Feature;
use crate::reason::Reason;
use crate::value::{Kind, MapIndex, Reference, Trust, Value};

use super::arguments::Facts;

/// Map types whose values are plain memory (`enum bpf_map_type`): hash, array, per-CPU hash and array, LRU hash,
/// per-CPU LRU hash, LPM trie, socket, inode, task and cgroup storage.
const PLAIN_MAPS: [u32; 11] = [1, 2, 5, 6, 9, 10, 11, 24, 28, 29, 32];

impl Verifier<'_> {
    pub(crate) fn call_helper(&mut self, id: u32) -> Checked {
        let env = self.env;
        let contract = env.helper(id).ok_or_else(|| Reason::UnknownHelper {
            id,
            name: env.helper_name(id).map(str::to_owned),
        })?;
        let facts = self.check_arguments(contract)?;
        if let Some(map) = facts.map {
            let shape = self.map(map);
            if !env.helper_takes_map(id, shape) {
                let (call, map) = (contract.name.clone().into_owned(), shape.name.clone());
                return Err(Reason::HelperMap { call, map }.into());
            }
        }
        self.finish_call(contract, &facts)
    }

    pub(crate) fn call_kfunc(&mut self, btf_id: u32, module: i16) -> Checked {
        let env = self.env;
        let contract = env
            .kfunc(TypeId(btf_id), module)
            .ok_or_else(|| self.unknown_kfunc(btf_id))?;
        let facts = self.check_arguments(contract)?;
        self.finish_call(contract, &facts)
    }

    /// The references and registers after a call.
    fn finish_call(&mut self, contract: &CallContract, facts: &Facts) -> Checked {
        if contract.flags.release {
            match facts.reference {
                Some(reference) if reference != Reference::NONE => self.state.forget_reference(reference),
                _ => {
                    let call = contract.name.clone().into_owned();
                    return Err(Reason::NotReferenced { call, arg: 1 }.into());
                }
            }
        }
        let result = self.result(contract, facts)?;
        self.state.forget_arguments();
        self.state.set(Reg::R0, result);
        Ok(())
    }

    fn result(&mut self, contract: &CallContract, facts: &Facts) -> Checked<Value> {
        let unsupported = |what| {
            let call = contract.name.clone().into_owned();
            Feature::Call { call, what }
        };
        let pointer = matches!(contract.ret, RetKind::Btf { .. });
        if contract.flags.acquire && !pointer {
            return Err(unsupported("a reference that is not a kernel structure").into());
        }
        Ok(match contract.ret {
            RetKind::Void => Value::UNINIT,
            RetKind::Scalar | RetKind::SmallScalar(_) => self.unknown(),
            RetKind::MapValueOrNull => {
                let map = facts.map.ok_or_else(|| unsupported("a value of no map"))?;
                self.map_value_or_null(map).map_err(|_| unsupported("this map type"))?
            }
            RetKind::Btf { ty, nullable, trusted } => {
                let trust = if trusted { Trust::Trusted } else { Trust::Walked };
                let null = self.new_null(nullable);
                let reference = if contract.flags.acquire {
                    self.new_reference()
                } else {
                    Reference::NONE
                };
                Value::pointer(Kind::Struct {
                    ty,
                    trust,
                    null,
                    reference,
                })
            }
            RetKind::Unknown(what) => return Err(unsupported(what).into()),
        })
    }

    fn map_value_or_null(&mut self, map: MapIndex) -> Result<Value, ()> {
        if !PLAIN_MAPS.contains(&self.map(map).map_type) {
            return Err(());
        }
        let null = self.new_null(true);
        Ok(Value::pointer(Kind::MapValue { map, null }))
    }
}
