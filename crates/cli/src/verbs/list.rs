//! `opswap list`: what is registered or kept, as the kernel has it.

use super::with_host;
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::{Output, table_in_view};
use opswap::{State, Table};
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    algorithms: Vec<Table>,
}

pub(crate) fn run(common: &Common, output: &Output) -> Result<(), Failure> {
    let body = Body {
        algorithms: with_host(common, |host| host.list())?,
    };
    output.result(&body, || {
        if body.algorithms.is_empty() {
            "no ops structure is registered or kept\n".to_owned()
        } else {
            rows(&body.algorithms)
        }
    })
}

/// A line for each table.
pub(super) fn rows(tables: &[Table]) -> String {
    let head = ["NAME", "KIND", "STATE", "VERSION", "MAP", "LINK", "REFERENCES", "PINS"]
        .map(str::to_owned)
        .to_vec();
    let row = |table: &Table| {
        vec![
            if table.name.is_empty() { "-" } else { &table.name }.to_owned(),
            table.kind.clone(),
            table.state.to_string(),
            table.version.map_or("-".to_owned(), |version| format!("v{version}")),
            table.map_id.to_string(),
            table.link_id.map_or("-".to_owned(), |id| id.to_string()),
            table.references.to_string(),
            if table.pins.is_empty() {
                "-".to_owned()
            } else {
                table.pins.len().to_string()
            },
        ]
    };
    let mut text = table_in_view(
        &std::iter::once(head).chain(tables.iter().map(row)).collect::<Vec<_>>(),
        1,
    );
    for dying in tables.iter().filter(|table| table.state == State::Dying) {
        text.push_str(&format!(
            "note: {} (map {}) is unregistered and still used: sockets keep it until they close, and so does a namespace whose default it is\n",
            dying.name, dying.map_id
        ));
    }
    for kept in tables.iter().filter(|table| table.state == State::Kept) {
        text.push_str(&format!("note: {}\n", why_kept(kept, tables)));
    }
    text
}

/// What a version that is not live is kept for.
fn why_kept(kept: &Table, tables: &[Table]) -> String {
    let name = &kept.name;
    let version = kept.version.map_or(String::new(), |version| format!(" v{version}"));
    let users = if kept.references > 0 {
        "; sockets still use it"
    } else {
        ""
    };
    let live = |table: &Table| table.state == State::Live && table.name == *name && table.kind == kept.kind;
    if tables.iter().any(live) {
        format!("{name}{version} is kept for `opswap rollback {name}`{users}")
    } else {
        format!("{name}{version} is kept, but its link is gone: `opswap unload {name}` removes it{users}")
    }
}
