//! `opswap rollback`: brings the previous version of an algorithm back.

use super::{next_command, with_host};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use opswap::Swapped;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    rolled_back: Swapped,
}

pub(crate) fn run(name: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let body = Body {
        rolled_back: with_host(common, |host| host.rollback(name))?,
    };
    output.result(&body, || {
        let Swapped {
            name,
            from,
            to,
            link_id,
            map_id,
            took_ms,
            ..
        } = &body.rolled_back;
        text!(
            "rolled back {} v{} -> v{}, link {}, map {}, {:.0} ms\nundo: {}\n",
            name,
            from,
            to,
            link_id,
            map_id,
            took_ms,
            next_command(&format!("rollback {name}"), common)
        )
    })
}
