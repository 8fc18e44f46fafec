//! `opswap list`: what is registered or kept, as the kernel has it.

use super::with_host;
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::{Cell, Output, table_in_view};
use crate::render;
use crate::text::Text;
use anstyle::Style;
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
            text!("no ops structure is registered or kept\n")
        } else {
            rows(&body.algorithms)
        }
    })
}

/// The colour of a state.
pub(super) fn style(state: State) -> Style {
    match state {
        State::Live => render::GOOD,
        State::Kept => Style::new(),
        State::Unused | State::Empty | State::Dying => render::DOUBTFUL,
    }
}

/// A line for each table.
pub(super) fn rows(tables: &[Table]) -> Text {
    let head = ["NAME", "KIND", "STATE", "VERSION", "MAP", "LINK", "REFERENCES", "PINS"]
        .map(Cell::from)
        .to_vec();
    let row = |table: &Table| {
        let number = |number: Option<u32>| number.map_or("-".to_owned(), |number| number.to_string());
        vec![
            Cell::from(if table.name.is_empty() { "-" } else { &table.name }),
            Cell::from(table.kind.as_str()),
            Cell::styled(&table.state.to_string(), style(table.state)),
            Cell::from(table.version.map_or("-".to_owned(), |version| format!("v{version}"))),
            Cell::from(table.map_id.to_string()),
            Cell::from(number(table.link_id)),
            Cell::from(table.references.to_string()),
            Cell::from(match table.pins.len() {
                0 => "-".to_owned(),
                pins => pins.to_string(),
            }),
        ]
    };
    let mut text = table_in_view(
        &std::iter::once(head).chain(tables.iter().map(row)).collect::<Vec<_>>(),
        1,
    );
    for dying in tables.iter().filter(|table| table.state == State::Dying) {
        text.push(&text!(
            "note: {} (map {}) is unregistered and still used: sockets keep it until they close, and so does a namespace whose default it is\n",
            dying.name, dying.map_id
        ));
    }
    for kept in tables.iter().filter(|table| table.state == State::Kept) {
        text.push(&text!("note: {}\n", why_kept(kept, tables)));
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
