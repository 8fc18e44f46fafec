//! `opswap unload`: unregisters an algorithm and removes what was kept of it.

use super::with_host;
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use opswap::Unloaded;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    unloaded: Unloaded,
}

pub(crate) fn run(name: &str, common: &Common, output: &Output) -> Result<(), Failure> {
    let body = Body {
        unloaded: with_host(common, |host| host.unload(name))?,
    };
    output.result(&body, || {
        let Unloaded {
            name,
            kind,
            references_left,
            pins_removed,
        } = &body.unloaded;
        let mut text = format!("unloaded {name} ({kind}), {pins_removed} pins removed\n");
        if *references_left > 0 {
            text.push_str(&format!(
                "note: {references_left} references are left: sockets keep it until they close\n"
            ));
        }
        text
    })
}
