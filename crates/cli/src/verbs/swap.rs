//! `opswap swap`: loads a new version of a registered algorithm and exchanges it for the live one.

use super::load::settings;
use super::{find_ops, next_command, with_host};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use opswap::{FieldValue, Swapped};
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    swapped: Swapped,
}

pub(crate) fn run(
    name: &str,
    file: &str,
    ops: Option<&str>,
    set: &[String],
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let settings = settings(set, None)?;
    let source = find_ops(file, ops, output)?;
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
        let mut text = text!(
            "swapped {} v{} -> v{}, link {}, map {}, {:.0} ms\n",
            name,
            from,
            to,
            link_id,
            map_id,
            took_ms
        );
        for FieldValue { field, value } in carried_over {
            text.push(&text!(
                "note: v{} has {}={} from v{}; --set {}=... sets it anew\n",
                to,
                field,
                value,
                from,
                field
            ));
        }
        text.push(&text!(
            "note: sockets that are open stay on v{} until they close or choose again\nundo: {}\n",
            from,
            next_command(&format!("rollback {name}"), common)
        ));
        text
    })
}
