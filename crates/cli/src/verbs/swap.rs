//! `opswap swap`: loads a new version of a registered algorithm and exchanges it for the live one.

use super::load::settings;
use super::{find, next_command, with_host};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use opswap::{FieldValue, Swapped};
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    swapped: Swapped,
}

pub(crate) fn run(name: &str, file: &str, set: &[String], common: &Common, output: &Output) -> Result<(), Failure> {
    let settings = settings(set, None)?;
    let source = find(file, output)?;
    let body = Body {
        swapped: with_host(common, |host| host.swap(name, &source, &settings))?,
    };
    output.result(&body, || {
        let Swapped {
            name,
            from,
            to,
            link_id,
            map_id,
            took_ms,
            carried_over,
            ..
        } = &body.swapped;
        let mut text = format!("swapped {name} v{from} -> v{to}, link {link_id}, map {map_id}, {took_ms:.0} ms\n");
        for FieldValue { field, value } in carried_over {
            text.push_str(&format!(
                "note: v{to} has {field}={value} from v{from}; --set {field}=... sets it anew\n"
            ));
        }
        text.push_str(&format!(
            "note: sockets that are open stay on v{from} until they close or choose again\n\
             undo: {}\n",
            next_command(&format!("rollback {name}"), common)
        ));
        text
    })
}
