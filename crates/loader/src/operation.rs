//! What a refusal has to do with the operation's arguments. A program sees them as 8-byte slots, and verifiers speak of registers: where a register
//! comes from an argument, the report names the argument and shows the operation's prototype.
//!
//! Both kernels' reports pass here, so that they say the same.

use crate::origin::{Origin, Origins};
use bpf::{Bpf, ProgLoadError, Report};
use btf::{Btf, TypeId};
use isa::{Insn, RawInsn, Reg};

/// The operation that a program implements.
pub(crate) struct Operation<'a> {
    pub(crate) ty: TypeId,
    pub(crate) member: &'a str,
    pub(crate) member_index: u32,
}

/// Codes of refusals about a register that holds a number where a pointer is wanted.
const NUMBER_FOR_POINTER: [&str; 3] = ["SO1201", "SO1304", "SO1312"];
/// Code of an access to an argument that there is not.
const NO_ARGUMENT: &str = "SO1216";

impl Operation<'_> {
    /// Adds what is known of the argument that the refusal is about, if it is about one.
    pub(crate) fn explain(&self, insns: &[RawInsn], kernel: &dyn Bpf, refusal: &mut ProgLoadError) {
        let Some(report) = refusal.report.as_deref_mut() else {
            return;
        };
        let code = report.code.as_ref();
        if code != NO_ARGUMENT && !NUMBER_FOR_POINTER.contains(&code) {
            return;
        }
        let Ok(insns) = isa::decode(insns) else {
            return;
        };
        let argument = match code {
            NO_ARGUMENT => None,
            _ => match self.argument_at_fault(&insns, report) {
                Some(index) => Some(index),
                None => return,
            },
        };
        // Read here and not earlier, as only refusals need it.
        if let Ok(btf) = kernel.kernel_btf() {
            self.say(&btf, argument, report);
        }
    }

    /// Index of the argument that the register at fault was loaded from.
    fn argument_at_fault(&self, insns: &[Insn], report: &Report) -> Option<usize> {
        let slot = report.insn? as usize;
        let reg = match *insns.get(slot)? {
            Insn::Load { base, .. } | Insn::Store { base, .. } | Insn::Atomic { base, .. } => base,
            Insn::Call(_) => {
                let (_, rest) = report.message.split_once("argument ")?;
                let number: u8 = rest.split(' ').next()?.parse().ok()?;
                Reg::new(number).filter(|_| report.message.contains("a number"))?
            }
            _ => return None,
        };
        match Origins::new(insns).of(slot, reg)? {
            Origin::Argument(index) => Some(index),
            Origin::Context => None,
        }
    }

    fn say(&self, btf: &Btf, argument: Option<usize>, report: &mut Report) {
        let Some(prototype) = self.prototype(btf) else {
            return;
        };
        if let Some(argument) = argument {
            let Some(declared) = prototype.params.get(argument) else {
                return;
            };
            report.message += &format!(": it is argument {} of {}, `{declared}`", argument + 1, self.member);
        }
        report.notes.insert(0, format!("the operation is `{prototype}`"));
        // The rate sample was the second argument.
        if self.member == "cong_control" && argument == Some(1) && prototype.params.len() == 4 {
            report.help = Some(format!(
                "before Linux 6.10 the operation was `void cong_control(struct sock *sk, const struct rate_sample *rs)`; now the sample is its fourth argument: \
                 BPF_PROG(NAME, {})",
                prototype.params.join(", ")
            ));
        }
    }

    fn prototype<'b>(&'b self, btf: &Btf) -> Option<Prototype<'b>> {
        let members = btf.type_by_id(self.ty)?.composite()?;
        let member = members.member(self.member_index as usize)?;
        let proto = btf.pointee(member.ty).ok()??.func_proto()?;
        let names = NAMES.iter().find(|(member, _)| *member == self.member);
        let params = proto.params().enumerate().map(|(index, param)| {
            let known = names
                .and_then(|(_, names)| names.get(index).copied())
                .unwrap_or_default();
            let name = if param.name.is_empty() { known } else { param.name };
            btf.declaration(param.ty, name)
        });
        Some(Prototype {
            ret: btf.type_name(proto.ret),
            member: self.member,
            params: params.collect(),
        })
    }
}

struct Prototype<'a> {
    ret: String,
    member: &'a str,
    params: Vec<String>,
}

impl std::fmt::Display for Prototype<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}({})", self.ret, self.member, self.params.join(", "))
    }
}

/// Names of the arguments of `struct tcp_congestion_ops`'s members (`include/net/tcp.h`, Linux 6.18): BTF has none for pointers to functions.
const NAMES: &[(&str, &[&str])] = &[
    ("ssthresh", &["sk"]),
    ("cong_avoid", &["sk", "ack", "acked"]),
    ("set_state", &["sk", "new_state"]),
    ("cwnd_event", &["sk", "ev"]),
    ("in_ack_event", &["sk", "flags"]),
    ("pkts_acked", &["sk", "sample"]),
    ("min_tso_segs", &["sk"]),
    ("cong_control", &["sk", "ack", "flag", "rs"]),
    ("undo_cwnd", &["sk"]),
    ("sndbuf_expand", &["sk"]),
    ("init", &["sk"]),
    ("release", &["sk"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use bpf::Category;
    use btf::{Builder, Encoding, Member, Param};

    fn types() -> Btf {
        let mut b = Builder::new();
        let void = TypeId::VOID;
        let (u32_, int) = (
            b.int("unsigned int", 4, Encoding::UNSIGNED),
            b.int("int", 4, Encoding::SIGNED),
        );
        let alias = b.typedef("u32", u32_);
        let (sock, sample) = (b.struct_type("sock", 0, &[]), b.struct_type("rate_sample", 0, &[]));
        let constant = b.constant(sample);
        let (sock, sample) = (b.ptr(sock), b.ptr(constant));
        let params = [sock, alias, int, sample].map(|ty| Param::new("", ty));
        let proto = b.func_proto(void, &params, false);
        let pointer = b.ptr(proto);
        b.struct_type("tcp_congestion_ops", 8, &[Member::at("cong_control", pointer, 0)]);
        b.build().unwrap()
    }

    fn explained(text: &str, code: &'static str, message: &str, insn: u32) -> Report {
        let btf = types();
        let operation = Operation {
            ty: btf.find("tcp_congestion_ops", btf::Kind::Struct).unwrap(),
            member: "cong_control",
            member_index: 0,
        };
        let mut report = Report {
            code: code.into(),
            category: Category::Memory,
            message: message.to_owned(),
            insn: Some(insn),
            source: None,
            notes: Vec::new(),
            help: None,
        };
        let insns = isa::asm::assemble(text).unwrap();
        let argument = operation.argument_at_fault(&insns, &report);
        operation.say(&btf, argument, &mut report);
        report
    }

    #[test]
    fn the_operation_of_two_arguments_is_recognised() {
        let program = "r2 = *(u64 *)(r1 +8)\nr0 = *(u32 *)(r2 +0)\nexit";
        let report = explained(program, "SO1201", "memory access through R2, which is a number", 1);
        assert_eq!(
            report.message,
            "memory access through R2, which is a number: it is argument 2 of cong_control, `u32 ack`"
        );
        assert_eq!(
            report.notes,
            ["the operation is `void cong_control(struct sock *sk, u32 ack, int flag, const struct rate_sample *rs)`"]
        );
        let help = report.help.unwrap();
        assert!(
            help.contains("before Linux 6.10") && help.contains("const struct rate_sample *rs)"),
            "{help}"
        );
    }

    #[test]
    fn an_argument_of_a_call_is_named() {
        let program = "r1 = *(u64 *)(r1 +16)\ncall kfunc#7\nexit";
        let message = "argument 1 of tcp_reno_ssthresh is a number, not a pointer to a kernel structure";
        let report = explained(program, "SO1304", message, 1);
        assert_eq!(
            report.message,
            format!("{message}: it is argument 3 of cong_control, `int flag`")
        );
        assert_eq!(report.help, None);
    }
}
