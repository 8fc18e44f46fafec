//! Refusals of calls that we put in ourselves: in place of a missing kernel function, or of an instruction that needs a type or field
//! that the kernel does not have. If such a call can be reached, the verifier sees a helper with a number that no kernel has; the user is told
//! what is missing (as `fixup_log_missing_kfunc_call` and `fixup_log_failed_core_relo` of libbpf do, Linux 6.12).

use crate::programs::ProgramPlan;
use bpf::{LoadVerdict, ProgLoadError, Report, codes};
use isa::RawInsn;
use object::Extern;

/// Number of a helper that does not exist; the extern's index is added (`POISON_CALL_KFUNC_BASE` of libbpf).
pub(crate) const POISONED_CALL: i32 = 2_002_000_000;
/// More externs than an object can have.
const EXTERNS_MAX: i32 = 1_000_000;

/// Says what is missing, if that is why a program was refused: then the kernel lacks it, and the program is not at fault.
pub(crate) fn explain(
    plan: &ProgramPlan,
    insns: &[RawInsn],
    externs: &[Extern],
    kernel: &str,
    refusal: &mut ProgLoadError,
) {
    let Some(report) = refusal.report.as_deref_mut() else {
        return;
    };
    let call = report
        .insn
        .and_then(|slot| Some((slot, insns.get(slot as usize)?)))
        .filter(|(_, insn)| is_helper_call(insn));
    let Some((slot, call)) = call else {
        return;
    };
    let is_embedded = kernel == "embedded";
    let the_kernel = if is_embedded {
        "the embedded kernel"
    } else {
        "the kernel"
    };
    if call.imm == btf::core::POISON_HELPER as i32 {
        say(
            report,
            codes::NO_KERNEL_FIELD,
            match missing(plan, slot) {
                Some(name) => format!("{the_kernel} does not have `{name}`, which this line needs"),
                None => format!("{the_kernel} does not have the type or field that this line needs"),
            },
        );
    } else if (POISONED_CALL..POISONED_CALL + EXTERNS_MAX).contains(&call.imm) {
        let name = externs
            .get((call.imm - POISONED_CALL) as usize)
            .map_or("?", |found| found.name.as_str());
        say(
            report,
            codes::NO_KERNEL_FUNCTION,
            format!("{the_kernel} has no function `{name}`"),
        );
    } else {
        return;
    }
    if is_embedded {
        report
            .notes
            .push("`--kernel linux` asks Linux, which may have it".to_owned());
    }
    refusal.verdict = LoadVerdict::Unsupported;
}

/// The type or field that the instruction at this slot of the program was to be changed for.
fn missing(plan: &ProgramPlan, slot: u32) -> Option<&str> {
    let part = plan.parts.iter().rfind(|part| part.start <= slot)?;
    let mut missing = plan.missing.iter();
    let (_, _, name) = missing.find(|(function, at, _)| (*function, *at) == (part.function, slot - part.start))?;
    name.as_deref()
}

fn say(report: &mut Report, code: &'static str, message: String) {
    report.code = code.into();
    report.message = message;
    report.help =
        Some("guard it: `bpf_ksym_exists`, `bpf_core_field_exists` or `bpf_core_type_exists` and an `if`".to_owned());
}

/// `BPF_JMP | BPF_CALL` with source 0: a helper, by number.
fn is_helper_call(insn: &RawInsn) -> bool {
    insn.code == 0x85 && insn.src == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::ProgramKind;
    use crate::relocate::Part;
    use bpf::{Category, Errno};
    use object::{ExternKind, FunctionIndex};

    fn plan() -> ProgramPlan {
        let function = FunctionIndex(0);
        ProgramPlan {
            function,
            name: "f".to_owned(),
            section: String::new(),
            kind: ProgramKind::Syscall,
            insns: Vec::new(),
            parts: vec![Part { start: 0, function }],
            open: Vec::new(),
            func_info: Vec::new(),
            line_info: Vec::new(),
            poisoned: 1,
            missing: vec![(function, 0, Some("tcp_sock.rto_stamp".to_owned()))],
            fixed_bits: Vec::new(),
        }
    }

    fn explained(imm: i32, kernel: &str) -> ProgLoadError {
        let insns = [RawInsn {
            code: 0x85,
            dst: 0,
            src: 0,
            off: 0,
            imm,
        }];
        let report = Report {
            code: codes::UNRECOGNISED.into(),
            category: Category::Call,
            message: "invalid func".to_owned(),
            insn: Some(0),
            source: None,
            notes: Vec::new(),
            help: None,
        };
        let mut refusal = ProgLoadError {
            errno: Errno::EINVAL,
            verdict: LoadVerdict::Rejected,
            log: String::new(),
            report: Some(Box::new(report)),
        };
        let externs = [Extern {
            name: "some_kfunc".to_owned(),
            weak: true,
            kind: ExternKind::Function { proto: btf::TypeId(0) },
        }];
        explain(&plan(), &insns, &externs, kernel, &mut refusal);
        refusal
    }

    #[test]
    fn what_is_missing_is_named() {
        let kfunc = explained(POISONED_CALL, "linux");
        assert_eq!(kfunc.verdict, LoadVerdict::Unsupported);
        assert_eq!(kfunc.report.unwrap().message, "the kernel has no function `some_kfunc`");
        let field = explained(btf::core::POISON_HELPER as i32, "embedded");
        let report = field.report.unwrap();
        assert_eq!(
            (field.verdict, report.code.as_ref(), report.message.as_str()),
            (
                LoadVerdict::Unsupported,
                codes::NO_KERNEL_FIELD,
                "the embedded kernel does not have `tcp_sock.rto_stamp`, which this line needs"
            )
        );
        assert!(report.notes[0].contains("--kernel linux"), "{:?}", report.notes);
        assert_eq!(
            explained(5, "linux").verdict,
            LoadVerdict::Rejected,
            "any other call is the program's own"
        );
    }
}
