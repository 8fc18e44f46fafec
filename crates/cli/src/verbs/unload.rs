//! `opswap unload`: unregisters an algorithm and removes what was kept of it.

use super::with_host;
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::{Output, count};
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
        let mut text = text!(
            "unloaded {} ({}), {} removed\n",
            name,
            kind,
            count(*pins_removed as u64, "pin")
        );
        if *references_left > 0 {
            text.push(&text!(
                "note: {} left: sockets keep it until they close, and so does a namespace whose default it is\n",
                count(u64::from(*references_left), "reference")
            ));
        }
        text
    })
}
