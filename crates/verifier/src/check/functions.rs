//! Calls of the program's own functions, the start of functions, and their end.
//!
//! Follows `check_func_call`, `btf_check_func_arg_match`, `prepare_func_exit`, `check_return_code` and
//! `do_check_common` of Linux 6.12's `kernel/bpf/verifier.c`. A static function is followed anew for each call,
//! as if it stood there; a global one is verified once, for all arguments that its prototype allows.

use isa::Reg;

use crate::engine::{Checked, Next, Verifier};
use crate::environment::{CallContract, RetKind, ReturnRule};
use crate::failure::Internal;
use crate::options::MAX_CALL_FRAMES;
use crate::reason::Reason;
use crate::state::{Frame, State};
use crate::subprogs::{Fault, Param, Prototype};
use crate::value::{Kind, Reference, Trust, Value};

use super::arguments::{Arg, Facts, MemUse, argument};

impl Verifier<'_> {
    /// The state in which the program starts.
    pub(crate) fn entry_state(&mut self) {
        self.slot = 0;
        self.state = State::new(0);
        self.state.set(Reg::R1, Value::pointer(Kind::Ctx));
    }

    /// The state in which a global function starts.
    pub(crate) fn global_state(&mut self, subprog: u32) -> Checked {
        let Some(prototype) = self.functions.get(subprog).global.clone() else {
            return Err(no_function(subprog));
        };
        self.slot = self.shape.slots(subprog).start;
        self.state = State::new(subprog);
        for (index, param) in prototype.params.iter().enumerate() {
            let value = match *param {
                Param::Number => self.unknown(),
                Param::Ctx => Value::pointer(Kind::Ctx),
                Param::Mem { size, nullable } => {
                    let null = self.new_null(nullable);
                    Value::pointer(Kind::Mem { size, null })
                }
                Param::Trusted { ty, nullable } => Value::pointer(Kind::Struct {
                    ty,
                    trust: Trust::Trusted,
                    null: self.new_null(nullable),
                    reference: Reference::NONE,
                }),
            };
            self.state.set(argument(index), value);
        }
        Ok(())
    }

    /// A call of one of the program's functions.
    pub(crate) fn call_subprog(&mut self) -> Checked<Next> {
        let slot = self.slot;
        let target = crate::cfg::callee(&self.program.insns[slot], slot);
        let subprog = target.and_then(|target| self.shape.subprog_at(target));
        let (Some(target), Some(subprog)) = (target, subprog) else {
            return Err(no_function(u32::MAX));
        };
        if let Some(prototype) = self.functions.get(subprog).global.clone() {
            match prototype.fault {
                Some(Fault::Broken(reason)) => return Err(reason.into()),
                Some(Fault::Unsupported(feature)) => return Err(feature.into()),
                None => self.check_global_call(&prototype)?,
            }
            self.functions.set_called(subprog);
            self.state.forget_arguments();
            let result = self.unknown();
            self.state.set(Reg::R0, result);
            return Ok(Next::Slot(slot + 1));
        }
        let depth = self.state.frames.len();
        if depth >= MAX_CALL_FRAMES {
            let max = MAX_CALL_FRAMES;
            return Err(Reason::CallsTooDeep { max }.into());
        }
        let mut callee = Frame::new(depth, subprog, Some(slot as u32));
        callee.regs[1..=5].copy_from_slice(&self.state.frame().regs[1..=5]);
        self.state.forget_arguments();
        self.state.set(Reg::R0, Value::UNINIT);
        self.state.frames.push(callee);
        Ok(Next::Slot(target))
    }

    /// The arguments of a global function fit its prototype.
    fn check_global_call(&mut self, prototype: &Prototype) -> Checked {
        let contract = CallContract::new(prototype.name.clone(), &[], RetKind::Scalar);
        for (index, param) in prototype.params.iter().enumerate() {
            let value = self.read(argument(index))?;
            let arg = Arg {
                contract: &contract,
                index,
                value,
            };
            let fits = match *param {
                Param::Number => value.is_number(),
                Param::Ctx => {
                    self.check_ctx(&arg)?;
                    true
                }
                Param::Mem { size, nullable } => self.check_memory_param(&arg, size, nullable)?,
                Param::Trusted { ty, nullable } => {
                    let null = nullable && value.is_null();
                    if null {
                        self.graph.mark(value.node);
                    } else {
                        self.check_struct_argument(&arg, ty, nullable, &mut Facts::default())?;
                    }
                    true
                }
            };
            if !fits {
                return Err(Reason::GlobalArg {
                    function: prototype.name.clone(),
                    arg: index as u8 + 1,
                    kind: self.describe(&value),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Memory that a global function may read and write (`check_mem_reg`).
    fn check_memory_param(&mut self, arg: &Arg<'_>, size: u32, nullable: bool) -> Checked<bool> {
        if arg.value.is_null() {
            self.graph.mark(arg.value.node);
            return Ok(nullable);
        }
        let mut arg = *arg;
        if nullable {
            arg.value.set_not_null();
        }
        if !matches!(
            arg.value.kind,
            Kind::Stack { .. } | Kind::MapValue { .. } | Kind::Mem { .. }
        ) {
            return Ok(false);
        }
        let usage = MemUse {
            size,
            reads: true,
            writes: true,
            zero_ok: true,
        };
        self.check_memory(&arg, &usage)?;
        Ok(true)
    }

    /// `exit`: back to the caller, or the end.
    pub(crate) fn exit(&mut self) -> Checked<Next> {
        let result = *self.state.reg(Reg::R0);
        let Some(callsite) = self.state.frame().callsite else {
            self.check_end(&result)?;
            return Ok(Next::End);
        };
        if matches!(result.kind, Kind::Stack { .. }) {
            return Err(Reason::ReturnsStack.into());
        }
        self.state.frames.pop();
        self.state.set(Reg::R0, result);
        Ok(Next::Slot(callsite as usize + 1))
    }

    /// What must hold at the end of the program or of a global function.
    fn check_end(&mut self, result: &Value) -> Checked {
        if let Some(&(_, acquired_at)) = self.state.references.first() {
            return Err(Reason::LeakedReference { acquired_at }.into());
        }
        let is_entry = self.state.frame().subprog == 0;
        let rule = if is_entry {
            self.env.returns()
        } else {
            ReturnRule::Scalar
        };
        if rule == ReturnRule::Void {
            return Ok(());
        }
        self.read(Reg::R0)?;
        if rule == ReturnRule::Readable {
            return Ok(());
        }
        if !result.is_number() {
            let kind = self.describe(result);
            return Err(Reason::ReturnKind { kind }.into());
        }
        if let ReturnRule::Range { min, max } = rule {
            self.graph.mark(result.node);
            if result.scalar.smin < min || result.scalar.smax > max {
                let bounds = result.scalar.facts();
                return Err(Reason::ReturnRange { bounds, min, max }.into());
            }
        }
        Ok(())
    }
}

fn no_function(index: u32) -> crate::engine::Halt {
    Internal::Missing {
        what: "function",
        index: index as usize,
    }
    .into()
}
