//! `opswap show`: one algorithm in full, every table of it.

use super::{host, note_foreign};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::{Output, table};
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

fn text(table_: &Table) -> Text {
    let mut rows = vec![
        vec!["name".to_owned(), table_.name.clone()],
        vec!["kind".to_owned(), table_.kind.clone()],
        vec!["state".to_owned(), table_.state.to_string()],
        vec![
            "version".to_owned(),
            table_
                .version
                .map_or("not kept by opswap".to_owned(), |version| format!("v{version}")),
        ],
        vec!["map".to_owned(), format!("{} ({})", table_.map_id, table_.map_name)],
        vec![
            "link".to_owned(),
            table_.link_id.map_or("none".to_owned(), |id| id.to_string()),
        ],
        vec!["references".to_owned(), table_.references.to_string()],
    ];
    rows.extend(super::list::default_in(table_).map(|names| vec!["default in".to_owned(), names]));
    rows.extend(
        table_
            .fields
            .iter()
            .map(|field| vec![field.field.clone(), field.value.clone()]),
    );
    rows.extend(
        table_
            .pins
            .iter()
            .map(|pin| vec!["pin".to_owned(), pin.display().to_string()]),
    );
    rows.extend(
        table_
            .programs
            .iter()
            .map(|program| vec![program.member.clone(), format!("program {}", program.program_id)]),
    );
    table(&rows)
}
