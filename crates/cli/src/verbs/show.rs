//! `opswap show`: one algorithm in full, every table of it.

use super::{host, note_foreign};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::{Cell, Output, table};
use crate::text::Text;
use opswap::Table;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    tables: Vec<Table>,
}

pub(crate) fn run(name: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let host = host(common)?;
    let body = Body {
        tables: host.show(name)?,
    };
    note_foreign(&host, output);
    output.result(&body, || {
        let shown = body.tables.iter().enumerate();
        shown
            .map(|(place, table)| text!("{}{}", Text::block(if place > 0 { "\n" } else { "" }), text(table)))
            .collect()
    })
}

fn text(shown: &Table) -> Text {
    let row = |name: &str, value: String| vec![Cell::from(name), Cell::from(value)];
    let version = shown.version.map(|version| format!("v{version}"));
    let link = shown.link_id.map(|id| id.to_string());
    let mut rows = vec![
        row("name", shown.name.clone()),
        row("kind", shown.kind.clone()),
        vec![
            Cell::from("state"),
            Cell::styled(&shown.state.to_string(), super::list::style(shown.state)),
        ],
        row("version", version.unwrap_or("not kept by opswap".to_owned())),
        row("map", format!("{} ({})", shown.map_id, shown.map_name)),
        row("link", link.unwrap_or("none".to_owned())),
        row("references", shown.references.to_string()),
    ];
    rows.extend(super::list::default_in(shown).map(|names| row("default in", names)));
    rows.extend(shown.fields.iter().map(|field| row(&field.field, field.value.clone())));
    rows.extend(shown.pins.iter().map(|pin| row("pin", pin.display().to_string())));
    rows.extend(
        shown
            .programs
            .iter()
            .map(|program| row(&program.member, format!("program {}", program.program_id))),
    );
    table(&rows)
}
