//! What the verbs say of network namespaces whose default is an algorithm.

use opswap::{Namespace, NotRenewed, Renewal};

/// What has the algorithm's name now.
#[derive(Clone, Copy)]
pub(super) enum Now {
    /// This version.
    Version(u32),
    /// No table at all.
    Gone,
}

/// A note for each namespace: what it gives to new sockets, and what changes that where it was left as it is.
pub(super) fn notes(name: &str, now: Now, namespaces: &[Renewal]) -> Vec<String> {
    namespaces.iter().map(|one| note(name, now, one)).collect()
}

/// Once for all names: namespaces that nobody could look into may be among those that still use an older version.
pub(super) fn note_hidden(hidden_processes: u32) -> String {
    format!(
        "note: an older version is still used, perhaps as the default of a namespace that cannot be seen: it takes CAP_SYS_PTRACE to see those of all processes (hidden: {hidden_processes})"
    )
}

fn note(name: &str, now: Now, one: &Renewal) -> String {
    let space = &one.namespace;
    let old = match now {
        Now::Version(_) => "an older version",
        Now::Gone => "the unloaded version",
    };
    match (&one.why, now) {
        (None, Now::Version(version)) => {
            format!("note: {space}, whose default it is, gives v{version} to new sockets now")
        }
        (None, Now::Gone) => {
            let default = one.default.as_deref().unwrap_or_default();
            format!("note: {space} has the default {default} now")
        }
        (Some(NotRenewed::Closed(errno)), _) => {
            format!(
                "note: {space} cannot be entered ({errno}); if its default is {name}, it goes on giving {old} to new sockets"
            )
        }
        (Some(NotRenewed::NotAsked), Now::Gone) => format!(
            "note: {space} has it as its default and goes on giving {old} to new sockets, until `{}` or `opswap unload {name} --default reno`",
            write(space, "reno"),
        ),
        (Some(NotRenewed::NotAsked), Now::Version(_)) => format!(
            "note: {space} has it as its default and goes on giving {old} to new sockets, until `{}`",
            write(space, name)
        ),
        (Some(why), _) => format!("note: {space} has it as its default and goes on giving {old} to new sockets: {why}"),
    }
}

fn write(namespace: &Namespace, name: &str) -> String {
    format!(
        "{}sysctl -w net.ipv4.tcp_congestion_control={name}",
        namespace.command_prefix()
    )
}
