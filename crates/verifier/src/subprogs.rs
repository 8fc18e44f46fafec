//! The program's functions: which are global, what their arguments are, how much stack they use.
//!
//! Follows `check_btf_func`, `btf_prepare_func_args` and `check_max_stack_depth` of Linux 6.12.

use btf::{Btf, Def, Linkage, TypeId};
use isa::Insn;

use crate::cfg::{Broken, Shape, callee};
use crate::engine::Checked;
use crate::environment::{Context, Environment};
use crate::failure::Feature;
use crate::options::{MAX_BPF_STACK, MAX_CALL_FRAMES};
use crate::program::Program;
use crate::reason::Reason;
use crate::verified;

/// All functions of a program; the first is the entry.
#[derive(Debug)]
pub(crate) struct Functions {
    all: Vec<Function>,
}

/// One function.
#[derive(Debug, Default)]
pub(crate) struct Function {
    /// Verified on its own, by its prototype.
    pub(crate) global: Option<Prototype>,
    /// It is called by something that was verified.
    pub(crate) called: bool,
    verified: bool,
    /// Bytes of stack that it was seen to use.
    stack_bytes: u32,
}

/// What a global function takes.
#[derive(Clone, Debug)]
pub(crate) struct Prototype {
    pub(crate) name: String,
    pub(crate) params: Vec<Param>,
    /// Why no call can be checked. It matters only where there is one, as on Linux.
    pub(crate) fault: Option<Fault>,
}

/// What is wrong with the prototype of a global function.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Broken(Reason),
    Unsupported(Feature),
}

/// One parameter of a global function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    /// A number.
    Number,
    /// The program's context.
    Ctx,
    /// Memory of this size, or null.
    Mem { size: u32, nullable: bool },
    /// A trusted pointer to a structure of the kernel.
    Trusted { ty: TypeId, nullable: bool },
}

impl Functions {
    /// Find out about the functions; their number and places must agree with the function information.
    pub(crate) fn of(program: &Program<'_>, shape: &Shape, env: &dyn Environment) -> Result<Self, Broken> {
        let mut all: Vec<Function> = (0..shape.count()).map(|_| Function::default()).collect();
        if let Some(debug) = program.debug.filter(|debug| !debug.funcs.is_empty()) {
            let starts = &shape.starts[..shape.count()];
            let agree = debug.funcs.len() == starts.len()
                && debug.funcs.iter().zip(starts).all(|(info, &start)| info.slot == start);
            if !agree {
                let slot = debug
                    .funcs
                    .iter()
                    .zip(starts)
                    .find(|(info, start)| info.slot != **start);
                return Err(bad_info(slot.map_or(0, |(info, _)| info.slot)));
            }
            for (index, (function, info)) in all.iter_mut().zip(debug.funcs).enumerate() {
                let Some((name, proto, linkage)) = func_of(debug.btf, info.type_id) else {
                    return Err(bad_info(info.slot));
                };
                if index > 0 && linkage != Linkage::Static {
                    let params = parameters(debug.btf, name, info.type_id, proto, env);
                    let (params, fault) = match params {
                        Ok(params) => (params, None),
                        Err(fault) => (Vec::new(), Some(fault)),
                    };
                    let name = name.to_owned();
                    function.global = Some(Prototype { name, params, fault });
                }
            }
        }
        let functions = Self { all };
        functions.check_recursion(program.insns, shape)?;
        Ok(functions)
    }

    pub(crate) fn get(&self, index: u32) -> &Function {
        &self.all[index as usize]
    }

    pub(crate) fn set_called(&mut self, index: u32) {
        self.all[index as usize].called = true;
    }

    /// A global function that is called and not verified yet; it counts as verified from now on.
    pub(crate) fn next_unverified(&mut self) -> Option<u32> {
        let index = self
            .all
            .iter()
            .position(|function| function.called && !function.verified && function.global.is_some())?;
        self.all[index].verified = true;
        Some(index as u32)
    }

    /// The function's stack is used down to this offset.
    pub(crate) fn uses_stack(&mut self, index: u32, offset: i32) {
        let function = &mut self.all[index as usize];
        let bytes = offset.unsigned_abs().next_multiple_of(8);
        function.stack_bytes = function.stack_bytes.max(bytes);
    }

    /// No function may call itself, over others or not: then all call paths end.
    fn check_recursion(&self, insns: &[Insn], shape: &Shape) -> Result<(), Broken> {
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut marks = vec![0_u8; self.all.len()];
        // Slots at which to go on, and their functions.
        let mut stack: Vec<(usize, usize)> = vec![(0, 0)];
        marks[0] = OPEN;
        while let Some((subprog, slot)) = stack.pop() {
            let call = (slot..shape.slots(subprog as u32).end)
                .find_map(|slot| callee(&insns[slot], slot).map(|target| (slot, target)));
            let Some((slot, target)) = call else {
                marks[subprog] = DONE;
                continue;
            };
            stack.push((subprog, slot + 1));
            let Some(target) = shape.subprog_at(target).map(|target| target as usize) else {
                continue;
            };
            match marks[target] {
                OPEN => {
                    let (slot, reason) = (Some(slot), Reason::Recursion);
                    return Err(Broken { slot, reason });
                }
                DONE => {}
                _ => {
                    marks[target] = OPEN;
                    stack.push((target, shape.slots(target as u32).start));
                }
            }
        }
        Ok(())
    }

    /// Bytes of the deepest call path (`check_max_stack_depth`). Functions are taken callees first, so each is
    /// looked at once.
    pub(crate) fn check_stack_depth(&self, insns: &[Insn], shape: &Shape) -> Checked<u32> {
        let mut depths: Vec<Option<(u32, usize)>> = vec![None; self.all.len()];
        // There is no recursion, so this ends after at most as many rounds as there are functions.
        while depths[0].is_none() {
            for index in 0..self.all.len() {
                if depths[index].is_none() {
                    depths[index] = self.depth_of(index, insns, shape, &depths);
                }
            }
        }
        let (bytes, frames) = depths[0].unwrap_or_default();
        if frames > MAX_CALL_FRAMES {
            let max = MAX_CALL_FRAMES;
            return Err(Reason::CallsTooDeep { max }.into());
        }
        if bytes > MAX_BPF_STACK {
            let max = MAX_BPF_STACK;
            return Err(Reason::StackTooDeep { bytes, max }.into());
        }
        Ok(bytes)
    }

    /// Stack bytes and frames of the deepest path from a function, if those of its callees are known.
    fn depth_of(
        &self,
        index: usize,
        insns: &[Insn],
        shape: &Shape,
        depths: &[Option<(u32, usize)>],
    ) -> Option<(u32, usize)> {
        let (mut bytes, mut frames) = (0, 0);
        for slot in shape.slots(index as u32) {
            let Some(target) = callee(&insns[slot], slot) else {
                continue;
            };
            let below = depths[shape.subprog_at(target)? as usize]?;
            (bytes, frames) = (bytes.max(below.0), frames.max(below.1));
        }
        // As Linux rounds them when it compiles the program.
        let own = self.all[index].stack_bytes.next_multiple_of(16);
        Some((own + bytes, frames + 1))
    }

    /// The functions for the result.
    pub(crate) fn describe(&self, program: &Program<'_>, shape: &Shape) -> Vec<verified::Subprog> {
        let describe = |(index, function): (usize, &Function)| {
            let slots = shape.slots(index as u32);
            verified::Subprog {
                name: program.function_name(slots.start).to_owned(),
                start: slots.start as u32,
                end: slots.end as u32,
                stack_bytes: function.stack_bytes,
                global: function.global.is_some(),
            }
        };
        self.all.iter().enumerate().map(describe).collect()
    }
}

fn bad_info(slot: u32) -> Broken {
    let reason = Reason::BadFuncInfo { slot };
    Broken {
        slot: Some(slot as usize),
        reason,
    }
}

fn func_of(btf: &Btf, id: TypeId) -> Option<(&str, TypeId, Linkage)> {
    let ty = btf.type_by_id(id)?;
    match ty.def {
        Def::Func { proto, linkage } => {
            btf.type_by_id(proto)?.func_proto()?;
            Some((ty.name, proto, linkage))
        }
        _ => None,
    }
}

/// `btf_prepare_func_args` for a global function.
fn parameters(btf: &Btf, name: &str, func: TypeId, proto: TypeId, env: &dyn Environment) -> Result<Vec<Param>, Fault> {
    let function = || name.to_owned();
    let unsupported = |index| {
        Fault::Unsupported(Feature::GlobalParam {
            function: function(),
            index,
        })
    };
    let proto = btf
        .type_by_id(proto)
        .and_then(|ty| ty.func_proto())
        .ok_or_else(|| unsupported(0))?;
    if proto.params().len() > 5 {
        return Err(Fault::Unsupported(Feature::GlobalShape { function: function() }));
    }
    match btf.resolve(proto.ret) {
        Ok(ty) if matches!(ty.def, Def::Int(_) | Def::Enum(_)) => {}
        _ => {
            let function = function();
            return Err(Fault::Broken(Reason::GlobalResult { function }));
        }
    }
    let mut params = Vec::new();
    for (index, param) in proto.params().enumerate() {
        let tags: Vec<&str> = btf
            .decl_tags(func)
            .filter(|(_, component)| *component == Some(index as u32))
            .filter_map(|(text, _)| text.strip_prefix("arg:"))
            .collect();
        params.push(parameter(btf, param.ty, &tags, env).ok_or_else(|| unsupported(index))?);
    }
    Ok(params)
}

/// Whether a pointer to this type may be tagged as the context (`btf_validate_prog_ctx_type`): `void *` always, `u64 *` where the context is an array of
/// arguments, and the structure that a packet's program gets.
fn is_context(pointee: btf::Type<'_>, context: &Context) -> bool {
    match (pointee.def, context) {
        (Def::Void, _) => true,
        (Def::Int(int), Context::Args(_)) => int.size == 8,
        (Def::Struct(_), Context::Fields(_)) => pointee.name == "__sk_buff",
        _ => false,
    }
}

/// One parameter; `None` for what is not modelled.
fn parameter(btf: &Btf, ty: TypeId, tags: &[&str], env: &dyn Environment) -> Option<Param> {
    let resolved = btf.resolve(ty).ok()?;
    match resolved.def {
        Def::Int(_) | Def::Enum(_) => tags.is_empty().then_some(Param::Number),
        Def::Ptr(target) => {
            let pointee = btf.resolve(target).ok()?;
            match tags {
                ["ctx"] => is_context(pointee, env.context()).then_some(Param::Ctx),
                ["trusted"] | ["trusted", "nullable"] | ["nullable", "trusted"] => {
                    let kind = pointee.kind();
                    let ty = env.kernel_btf().find(pointee.name, kind)?;
                    let nullable = tags.len() == 2;
                    pointee.composite().map(|_| Param::Trusted { ty, nullable })
                }
                [] | ["nonnull"] => {
                    // A pointer to the context's type would be the context; which type that is, is not known here.
                    let plain = matches!(pointee.def, Def::Int(_) | Def::Enum(_) | Def::Struct(_) | Def::Array(_));
                    let foreign = env.kernel_btf().find(pointee.name, pointee.kind()).is_some();
                    let named_struct = pointee.composite().is_some() && foreign;
                    let size = btf.size_of(pointee.id).ok().filter(|&size| size > 0)?;
                    let nullable = tags.is_empty();
                    (plain && !named_struct).then_some(Param::Mem { size, nullable })
                }
                _ => None,
            }
        }
        _ => None,
    }
}
