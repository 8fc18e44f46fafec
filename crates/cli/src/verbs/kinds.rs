//! `opswap kinds`: which ops structures a kernel offers, and the members of one.

use super::kernel;
use crate::arguments::{Common, KernelName};
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::text::Text;
use opswap::{KindDetail, KindSummary, MemberUse};
use serde::Serialize;

#[derive(Serialize)]
struct Body<T: Serialize> {
    kernel: &'static str,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize)]
struct All {
    kinds: Vec<KindSummary>,
}

#[derive(Serialize)]
struct One {
    kind: KindDetail,
}

pub(crate) fn run(name: Option<&str>, common: &Common, output: &Output) -> Result<(), Failure> {
    let bpf = kernel(common, KernelName::Linux)?;
    let kernel = bpf.name();
    match name {
        None => {
            let kinds = opswap::kinds(bpf.as_ref())?;
            output.result(
                &Body {
                    kernel,
                    body: All { kinds: kinds.clone() },
                },
                || all(&kinds),
            )
        }
        Some(name) => {
            let kind = opswap::kind(bpf.as_ref(), name)?;
            let text = one(&kind);
            output.result(
                &Body {
                    kernel,
                    body: One { kind },
                },
                || text,
            )
        }
    }
}

fn all(kinds: &[KindSummary]) -> Text {
    let head = ["KIND", "FUNCTIONS", "SWAP BY LINK"].map(str::to_owned).to_vec();
    let row = |kind: &KindSummary| {
        let links = if kind.links { "yes" } else { "no" };
        vec![kind.name.clone(), kind.functions.to_string(), links.to_owned()]
    };
    table(&std::iter::once(head).chain(kinds.iter().map(row)).collect::<Vec<_>>())
}

fn one(kind: &KindDetail) -> Text {
    let mut rows = vec![["MEMBER", "USE", "DECLARATION"].map(str::to_owned).to_vec()];
    for member in &kind.members {
        let use_ = match member.use_ {
            MemberUse::Required => "required",
            MemberUse::Optional => "optional",
            MemberUse::Unsupported => "not for BPF",
            MemberUse::Data => "data",
        };
        rows.push(vec![member.name.clone(), use_.to_owned(), member.declaration.clone()]);
    }
    let mut text = text!("struct {} ({} bytes)\n\n{}", kind.name, kind.bytes, table(&rows));
    if !kind.rule.is_empty() {
        text.push(&text!("\n{}\n", kind.rule));
    }
    if !kind.kfuncs.is_empty() {
        text.push(&text!(
            "\nkernel functions for its programs: {}\n",
            kind.kfuncs.join(", ")
        ));
    }
    text
}
