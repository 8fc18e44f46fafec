//! `opswap load`: registers the ops structures of an object by link and keeps them under the bpffs.

use super::{find_ops, next_command, with_host};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use opswap::{Loaded, SetFieldError, Settings};
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    loaded: Vec<Loaded>,
}

pub(crate) fn run(
    file: &str,
    ops: Option<&str>,
    set: &[String],
    rename: Option<&str>,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let settings = settings(set, rename)?;
    let source = find_ops(file, ops, output)?;
    let body = Body {
        loaded: with_host(common, |host| host.load(&source, &settings))?,
    };
    output.result(&body, || {
        let mut text: Text = body.loaded.iter().map(|loaded| text(loaded, common)).collect();
        let restricted = !settings.set.iter().any(|set| set.field == "flags");
        if restricted && body.loaded.iter().any(|loaded| loaded.kind == TCP) {
            text.push(&text!("note: the default of another network namespace can only be an algorithm with --set flags=non_restricted\n"));
        }
        text
    })
}

/// `FIELD=VALUE` words as settings.
pub(super) fn settings(set: &[String], rename: Option<&str>) -> Result<Settings, Failure> {
    let set = set
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, SetFieldError>>();
    let set = set.map_err(|error| Failure::Usage(format!("--set {error}; try --set flags=non_restricted")))?;
    Ok(Settings {
        set,
        rename: rename.map(str::to_owned),
    })
}

const TCP: &str = "tcp_congestion_ops";

fn text(loaded: &Loaded, common: &Common) -> Text {
    let name = &loaded.name;
    let mut text = text!(
        "loaded {} ({}), link {}, map {}, version 1\n",
        name,
        loaded.kind,
        loaded.link_id,
        loaded.map_id
    );
    if loaded.kind == TCP {
        text.push(&text!(
            "use it: setsockopt(TCP_CONGESTION, \"{}\"), or ip route change … congctl {}, or sysctl net.ipv4.tcp_congestion_control={}\n",
            name,
            name,
            name
        ));
    }
    let undo = next_command(&format!("unload {name}"), common);
    text.push(&text!("undo:   {}\n", undo));
    text
}
