//! `opswap list`: what is registered or kept, as the kernel has it.

use super::{host, note_foreign};
use crate::arguments::{Common, DEFAULT_BPFFS};
use crate::failure::Failure;
use crate::output::{Cell, Output, table_in_view};
use crate::render;
use crate::text::Text;
use anstyle::Style;
use opswap::{State, Table};
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    tables: Vec<Table>,
}

pub(crate) fn run(names: &[String], common: &Common, output: &Output) -> Result<(), Failure> {
    let host = host(common)?;
    let tables = if names.is_empty() {
        host.list()?
    } else {
        let of_each = names
            .iter()
            .map(|name| host.show(name))
            .collect::<Result<Vec<_>, _>>()?;
        of_each.into_iter().flatten().collect()
    };
    note_foreign(&host, output);
    if common.bpffs != std::path::Path::new(DEFAULT_BPFFS) && !host.place().mounted {
        output.note_after(&format!(
            "note: {} is no bpffs: nothing is kept there",
            common.bpffs.display()
        ));
    }
    let body = Body { tables };
    notes(&body.tables, output);
    output.result(&body, || {
        if body.tables.is_empty() {
            text!("no ops structure is registered or kept\n")
        } else {
            rows(&body.tables)
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
fn rows(tables: &[Table]) -> Text {
    let head = [
        "NAME",
        "KIND",
        "STATE",
        "VERSION",
        "MAP",
        "LINK",
        "REFERENCES",
        "PINS",
        "DEFAULT IN",
    ]
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
            Cell::from(default_in(table).unwrap_or_else(|| "-".to_owned())),
        ]
    };
    table_in_view(
        &std::iter::once(head).chain(tables.iter().map(row)).collect::<Vec<_>>(),
        1,
    )
}

/// Why there is what is not live.
fn notes(tables: &[Table], output: &Output) {
    for dying in tables.iter().filter(|table| table.state == State::Dying) {
        output.note_after(&format!(
            "note: {} (map {}) is unregistered and still used: sockets keep it until they close, and so does a namespace whose default it is",
            dying.name, dying.map_id
        ));
    }
    for kept in tables.iter().filter(|table| table.state == State::Kept) {
        output.note_after(&format!("note: {}", why_kept(kept, tables)));
    }
}

/// The namespaces that give it to new sockets, if there are any.
pub(super) fn default_in(table: &Table) -> Option<String> {
    let names = table.default_in.iter().map(|namespace| namespace.short());
    Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
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
    let live = |table: &&Table| table.state == State::Live && table.name == *name && table.kind == kept.kind;
    if kept.previous {
        format!("{name}{version} is kept for `opswap rollback {name}`{users}")
    } else if let Some(live) = tables.iter().find(live) {
        let held = live.pins.iter().any(|pin| pin.ends_with("link"));
        let gone = if held {
            format!("goes at the next swap; `opswap rollback {name}` brings another version back")
        } else {
            "cannot be gone back to: opswap does not hold the link of the live version".to_owned()
        };
        format!("{name}{version} is kept and {gone}{users}")
    } else {
        format!("{name}{version} is kept, but its link is gone: `opswap unload {name}` removes it{users}")
    }
}
