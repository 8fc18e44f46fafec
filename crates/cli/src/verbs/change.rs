//! What load, swap, rollback, unload and apply have in common: they change which tables are registered, and tell what was done and what there is now.

use super::namespaces::{self, Now};
use super::{next_command, note_foreign};
use crate::arguments::Common;
use crate::failure::{ErrorFacts, Failure};
use crate::output::{Output, count};
use crate::text::Text;
use opswap::{FieldValue, Host, Loaded, Place, Shared, State, StillUsed, Swapped, Table, Unchanged, Unloaded};
use serde::Serialize;

/// One thing that was done, or was there before.
#[derive(Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(super) enum Change {
    Loaded(Loaded),
    Swapped(Swapped),
    RolledBack(Swapped),
    Unloaded(Unloaded),
    /// What was asked for was so already.
    Unchanged(Unchanged),
}

#[derive(Serialize)]
struct Body {
    changes: Vec<Change>,
    /// Every table of the names that were changed, as the kernel has them afterwards.
    tables: Vec<Table>,
    /// Why the first name with which nothing could be done was left as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorFacts>,
}

impl Change {
    fn name(&self) -> &str {
        match self {
            Self::Loaded(loaded) => &loaded.name,
            Self::Swapped(swapped) | Self::RolledBack(swapped) => &swapped.name,
            Self::Unloaded(unloaded) => &unloaded.name,
            Self::Unchanged(unchanged) => &unchanged.name,
        }
    }
}

/// Shows what was done. `failed` is what could not be done beside it.
pub(super) fn show(
    changes: Vec<Change>,
    failed: Option<Failure>,
    host: &Host,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let names: Vec<&str> = changes.iter().map(Change::name).collect();
    // What was done is done: that it cannot be looked at afterwards is a note.
    let mut tables = host.list().unwrap_or_else(|error| {
        output.note(&format!("the tables that there are now cannot be listed: {error}"));
        Vec::new()
    });
    tables.retain(|table| names.contains(&table.name.as_str()));
    changes.iter().for_each(|change| note(change, output));
    note_hidden(&changes, &tables, output);
    note_restricted(&changes, output);
    note_foreign(host, output);
    let body = Body {
        error: failed.as_ref().map(Failure::facts),
        changes,
        tables,
    };
    output.result(&body, || {
        body.changes.iter().map(|change| text(change, common)).collect()
    })?;
    match failed {
        Some(failure) if output.json() => Err(Failure::Shown(failure.exit())),
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// What is to know of the bpffs in which something was just kept; `before` is as it was then.
pub(super) fn note_place(before: Place, common: &Common, output: &Output) {
    let place = common.bpffs.display();
    if !before.mounted {
        output.note_after(&format!(
            "note: a bpffs was mounted at {place}; it stays after unload: `umount {place}` when nothing is kept there"
        ));
    }
    if before.lasts == Some(false) {
        output.note_after(&format!(
            "note: the bpffs at {place} is in this mount namespace only: it ends with the last process there, and with it what is kept in it"
        ));
    }
}

fn text(change: &Change, common: &Common) -> Text {
    match change {
        Change::Loaded(loaded) => {
            let undo = next_command(&format!("unload {}", loaded.name), common);
            text!("{}undo:   {}\n", of_loaded(loaded), undo)
        }
        Change::Swapped(swapped) => of_swapped("swapped", swapped, common),
        Change::RolledBack(swapped) => of_swapped("rolled back", swapped, common),
        Change::Unloaded(unloaded) => text!(
            "unloaded {} ({}), {} removed\n",
            unloaded.name,
            unloaded.kind,
            count(unloaded.pins_removed as u64, "pin")
        ),
        Change::Unchanged(unchanged) => text!("unchanged {}: the live version is the same\n", unchanged.name),
    }
}

const TCP: &str = "tcp_congestion_ops";

fn of_loaded(loaded: &Loaded) -> Text {
    let name = &loaded.name;
    let mut text = text!(
        "loaded {} ({}), link {}, map {}, version 1\n",
        name,
        loaded.kind,
        loaded.link_id,
        loaded.map_id
    );
    for one in &loaded.attached {
        text.push(&text!(
            "attached {} ({}) to {}, link {}\n",
            one.program,
            one.section,
            one.target,
            one.link_id
        ));
    }
    text.push(&of_shared(&loaded.shared));
    if loaded.kind == TCP {
        text.push(&text!(
            "use it: setsockopt(TCP_CONGESTION, \"{}\"), or ip route change … congctl {}, or sysctl net.ipv4.tcp_congestion_control={}\n",
            name,
            name,
            name
        ));
    }
    text
}

fn of_swapped(done: &str, swapped: &Swapped, common: &Common) -> Text {
    let mut text = text!(
        "{} {} v{} -> v{}, link {}, map {}, {:.0} ms\n",
        done,
        swapped.name,
        swapped.from,
        swapped.to,
        swapped.link_id,
        swapped.map_id,
        swapped.took_ms,
    );
    text.push(&of_shared(&swapped.shared));
    text.push(&text!(
        "undo: {}\n",
        next_command(&format!("rollback {}", swapped.name), common)
    ));
    text
}

/// Maps that have pins of their own, which nothing here takes away.
fn of_shared(shared: &[Shared]) -> Text {
    let line = |one: &Shared| {
        let how = if one.was_there { "was there" } else { "new" };
        text!(
            "map {} is shared at {} ({}); it stays there after unload\n",
            one.map,
            one.pin.display(),
            how
        )
    };
    shared.iter().map(line).collect()
}

/// What goes with a change and is easily overlooked.
fn note(change: &Change, output: &Output) {
    match change {
        Change::Swapped(swapped) => {
            let (from, to) = (swapped.from, swapped.to);
            if let Some(own) = &swapped.object_name {
                output.note_after(&format!(
                    "note: the object calls it {own}; a swap keeps the name {}",
                    swapped.name
                ));
            }
            for FieldValue { field, value } in &swapped.carried_over {
                output.note_after(&format!(
                    "note: v{to} has {field}={value} from v{from}; --set {field}=... sets it anew"
                ));
            }
            output.note_after(&format!(
                "note: sockets that are open stay on v{from} until they close or choose again"
            ));
        }
        Change::Unloaded(unloaded) => {
            for StillUsed {
                version,
                map_id,
                references,
            } in &unloaded.still_used
            {
                let version = version.map_or(String::new(), |version| format!("v{version}, "));
                output.note_after(&format!(
                    "note: {version}map {map_id} is still used ({}): by sockets until they close, by a namespace until its default changes",
                    count(u64::from(*references), "reference")
                ));
            }
        }
        Change::Loaded(_) | Change::RolledBack(_) | Change::Unchanged(_) => {}
    }
    if let Change::Swapped(Swapped { attached_before, .. }) | Change::RolledBack(Swapped { attached_before, .. }) =
        change
        && *attached_before > 0
    {
        output.note_after(&format!(
            "note: {} attached beside it {} on with the maps of the version that was loaded first; unload and `load --attach` renew both",
            count(u64::from(*attached_before), "program"),
            if *attached_before == 1 { "goes" } else { "go" },
        ));
    }
    let (now, namespaces) = match change {
        Change::Loaded(loaded) => (Now::Version(loaded.version), &loaded.namespaces),
        Change::Swapped(swapped) | Change::RolledBack(swapped) => (Now::Version(swapped.to), &swapped.namespaces),
        Change::Unloaded(unloaded) => (Now::Gone, &unloaded.namespaces),
        Change::Unchanged(unchanged) => (
            Now::Version(unchanged.table.version.unwrap_or(0)),
            &unchanged.namespaces,
        ),
    };
    for note in namespaces::notes(change.name(), now, namespaces) {
        output.note_after(&note);
    }
}

/// Processes whose namespaces could not be looked at matter only where something that nobody else explains uses an older version.
fn note_hidden(changes: &[Change], tables: &[Table], output: &Output) {
    let hidden = |change: &Change| match change {
        Change::Swapped(swapped) | Change::RolledBack(swapped) => swapped.hidden_processes,
        Change::Unloaded(unloaded) => unloaded.hidden_processes,
        Change::Loaded(_) | Change::Unchanged(_) => 0,
    };
    let hidden = changes.iter().map(hidden).max().unwrap_or(0);
    let is_old = |table: &&Table| table.state != State::Live && table.references > 0;
    if hidden > 0 && tables.iter().any(|table| is_old(&table)) {
        output.note_after(&namespaces::note_hidden(hidden));
    }
}

/// For a table that was registered without it.
fn note_restricted(changes: &[Change], output: &Output) {
    let has_flag = |loaded: &Loaded| {
        let mut flags = loaded.fields.iter().filter(|field| field.field == "flags");
        flags.any(|flags| flags.value.split(',').any(|flag| flag == "non_restricted"))
    };
    let is_restricted =
        |change: &Change| matches!(change, Change::Loaded(loaded) if loaded.kind == TCP && !has_flag(loaded));
    if changes.iter().any(is_restricted) {
        output.note_after(
            "note: it lacks the flag non_restricted: do not make it the default of a network namespace other than the first (the kernel refuses, and can never free it afterwards); --set flags=non_restricted allows it",
        );
    }
}
