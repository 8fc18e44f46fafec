//! What may be typed: the verbs, their arguments and their help. Nothing is done here.

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use opswap::lab::{QueueSize, Rate, Span, parse_bytes, parse_probability};
use opswap::{Attach, Limits, Template};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Replace kernel operations structures with verified BPF programs: check, try, load, swap, roll back.
#[derive(Debug, Parser)]
#[command(name = "opswap", version, propagate_version = true, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Which verb.
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// What every verb takes.
    #[command(flatten)]
    pub(crate) common: Common,
}

const AFTER_HELP: &str = "\
Every verb takes --json, --color, --kernel and --bpffs; `opswap VERB --help` tells all of a verb, `opswap VERB -h` what is its own.

An algorithm is given by name (reno, cubic, dctcp are shipped), as an object (x.bpf.o), as source
(x.bpf.c, needs clang), or as - for standard input; x.bpf.o:mine is the ops structure `mine` of an
object that has several. OPSWAP_CLANG names the clang, OPSWAP_CFLAGS has flags for it.

Exit codes:
  0  done
  1  the operation failed
  2  wrong usage
  3  the program or the ops structure was rejected, or a call into it did not end
  4  this kernel (or this version of opswap) lacks it
  5  no permission
  6  conflict, or another state than expected
  7  there is no such thing: file, algorithm, version, kind or code

Examples:
  opswap compare reno cubic dctcp --rate 100mbit --rtt 20ms --queue 250000b
  opswap check my_cc.bpf.o
  sudo opswap load my_cc.bpf.o && sudo opswap swap my_cc my_cc2.bpf.o && sudo opswap rollback my_cc";

/// Where tools expect the bpffs.
pub(crate) const DEFAULT_BPFFS: &str = "/sys/fs/bpf";

/// Where the help has what every verb takes: below what is the verb's own, and only where all is told.
const GLOBAL: &str = "Options of every verb";

/// Flags that every verb takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Print one JSON object instead of text
    #[arg(long, global = true, hide_short_help = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// When to use colour
    #[arg(long, global = true, hide_short_help = true, help_heading = GLOBAL, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Which kernel: check, try and compare use the embedded one by default, the other verbs Linux
    #[arg(long, global = true, hide_short_help = true, help_heading = GLOBAL, value_name = "KERNEL")]
    pub(crate) kernel: Option<KernelName>,
    /// Where the bpffs is mounted, for the verbs that keep things there; `load` and `apply` mount one on an empty directory
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        help_heading = GLOBAL,
        value_name = "DIR",
        env = "OPSWAP_BPFFS",
        default_value = DEFAULT_BPFFS,
        hide_env = true
    )]
    pub(crate) bpffs: PathBuf,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Also into pipes and files.
    Always,
    /// Not at all.
    Never,
}

/// The two kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KernelName {
    /// The kernel inside this process.
    Embedded,
    /// The running Linux kernel.
    Linux,
}

/// What a new program starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Like {
    /// Additive increase, multiplicative decrease: the least there is.
    Aimd,
    /// By delay: a few packets in the queue.
    Vegas,
    /// By a model of rate and round trip: paced, deaf to losses.
    Bbr,
}

impl Like {
    pub(crate) fn template(self) -> Template {
        match self {
            Self::Aimd => Template::Aimd,
            Self::Vegas => Template::Vegas,
            Self::Bbr => Template::Bbr,
        }
    }
}

/// The verbs; each has a file in `verbs/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List the ops structures that a kernel offers, or the members of one
    Kinds {
        /// One kind, for instance tcp_congestion_ops
        kind: Option<String>,
    },
    /// Print a kernel's types as a C header (vmlinux.h)
    Header,
    /// Write a first congestion control, NAME.bpf.c, and the header it includes
    #[command(
        after_help = "Examples:\n  opswap new my_cc             the least there is: additive increase, multiplicative decrease\n  opswap new my_cc --like bbr  paced at the measured rate"
    )]
    New {
        /// The algorithm's name: 1 to 15 letters, digits and `_`; the files go into the current folder
        name: String,
        /// What to start from
        #[arg(long, value_name = "TEMPLATE", default_value = "aimd")]
        like: Like,
    },
    /// Compile BPF C to an object with clang and the right flags
    #[command(
        after_help = "Headers that the source includes and that neither it nor the system has are supplied: opswap_tcp.h, libbpf's <bpf/…>, those of the kernel's selftests, and vmlinux.h with the running kernel's types.\n\nExamples:\n  opswap build my_cc.bpf.c\n  opswap build my_cc.bpf.c -o out.bpf.o -- -I include -DDEBUG -mcpu=v4\n  opswap build - -o - < my_cc.bpf.c > my_cc.bpf.o"
    )]
    Build {
        /// The source, x.bpf.c; - for standard input
        #[arg(value_name = "FILE")]
        source: PathBuf,
        /// Where to write the object, - for standard output; default: beside the source, x.bpf.o
        #[arg(short, long, value_name = "OBJECT")]
        output: Option<PathBuf>,
        /// Flags for clang, after ours and those of OPSWAP_CFLAGS
        #[arg(last = true, value_name = "CLANG-FLAGS")]
        flags: Vec<OsString>,
    },
    /// Verify objects without registering anything
    #[command(
        after_help = "Examples:\n  opswap check my_cc.bpf.o                      on the embedded kernel: no root\n  sudo opswap check my_cc.bpf.o --kernel linux  what the running kernel says\n  opswap explain SO1221                         what a code means"
    )]
    Check {
        /// Algorithms: names, objects or sources
        #[arg(value_name = "FILE", required = true)]
        files: Vec<OsString>,
        /// Which ops structure of an object that has several, by its variable or its name; as FILE:NAME does
        #[arg(long, value_name = "NAME")]
        ops: Option<String>,
        /// Also print the kernel's whole verifier log of what is rejected
        #[arg(long)]
        log: bool,
        /// Memory that the maps of the embedded kernel may take together: 64mb, 2gb [default: 512mib]
        #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
        map_memory: Option<u64>,
    },
    /// Run one algorithm over a bottleneck and show what it does
    #[command(
        after_help = "Examples:\n  opswap try cubic --rate 1gbit --rtt 50ms --loss 0.01%\n  opswap try reno --swap 10s=cubic --report run.html"
    )]
    Try {
        /// The algorithm: a name, an object or a source
        #[arg(value_name = "FILE")]
        file: OsString,
        /// Which ops structure of an object that has several, by its variable or its name; as FILE:NAME does
        #[arg(long, value_name = "NAME")]
        ops: Option<String>,
        /// Swap every flow to another algorithm at a time: 10s=cubic
        #[arg(long, value_name = "TIME=FILE", value_parser = OsStringValueParser::new().try_map(|word| SwapAt::read(&word)))]
        swap: Option<SwapAt>,
        /// Write a report that needs nothing but a browser
        #[arg(long, value_name = "HTML")]
        report: Option<PathBuf>,
        /// The bottleneck and the flows.
        #[command(flatten)]
        scenario: ScenarioArguments,
        /// Print what the programs print (bpf_printk with at most three numbers), with the simulated time, on standard error
        #[arg(long)]
        trace: bool,
        /// What programs may use.
        #[command(flatten)]
        limits: LimitArguments,
    },
    /// Run several algorithms over the same bottleneck and put the results side by side
    Compare {
        /// Algorithms: names, objects or sources
        #[arg(value_name = "FILE", required = true)]
        files: Vec<OsString>,
        /// Which ops structure of an object that has several, by its variable or its name; as FILE:NAME does
        #[arg(long, value_name = "NAME")]
        ops: Option<String>,
        /// Put all of them on one bottleneck at once
        #[arg(long)]
        mix: bool,
        /// Write a report that needs nothing but a browser
        #[arg(long, value_name = "HTML")]
        report: Option<PathBuf>,
        /// The bottleneck and the flows.
        #[command(flatten)]
        scenario: ScenarioArguments,
        /// Print what the programs print (bpf_printk with at most three numbers), with the simulated time, on standard error
        #[arg(long)]
        trace: bool,
        /// What programs may use.
        #[command(flatten)]
        limits: LimitArguments,
    },
    /// Register the ops structures of an object, by link, and keep them under the bpffs
    #[command(
        after_help = "It stays registered when the command ends, until `opswap unload` or the next boot.\n\nExamples:\n  sudo opswap load my_cc.bpf.o\n  sudo opswap load cubic --as my_cubic --set flags=non_restricted"
    )]
    Load {
        /// The algorithm: a name, an object or a source
        #[arg(value_name = "FILE")]
        file: OsString,
        /// Which ops structure of an object that has several, by its variable or its name; as FILE:NAME does
        #[arg(long, value_name = "NAME")]
        ops: Option<String>,
        /// Set a data field before loading: flags=non_restricted
        #[arg(long = "set", value_name = "FIELD=VALUE")]
        set: Vec<String>,
        /// Register under this name (field `name`, at most 15 characters)
        #[arg(long = "as", value_name = "NAME")]
        rename: Option<String>,
        /// Attach the object's other programs, too, until `unload`: cgroup/setsockopt=/sys/fs/cgroup/x, xdp=eth0, tp_btf/tcp_probe=auto
        ///
        /// SECTION is the programs' section. TARGET is the path of a cgroup, the name of a network interface, or `auto` for what the section itself names
        /// (tp_btf, raw_tp, fentry, fexit, iter; some kernels refuse fentry and fexit). They end with `opswap unload`; a swap leaves them as they are.
        #[arg(long = "attach", value_name = "SECTION=TARGET")]
        attach: Vec<Attach>,
        /// Leave the defaults of network namespaces alone
        #[arg(long)]
        no_namespaces: bool,
    },
    /// Load an object, or swap it in if its algorithm is registered, or do nothing if it is the same: for scripts and unit files
    #[command(
        after_help = "The same is what has the same data fields and programs of the same tags (`bpftool prog show` has them), whose constants are the same. An object with variables that begin with other than zero is always swapped in: nobody can see what those of the live version began with.\n\nExamples:\n  sudo opswap apply my_cc.bpf.o\n  sudo opswap apply cubic --as my_cubic --set flags=non_restricted"
    )]
    Apply {
        /// The algorithm: a name, an object or a source
        #[arg(value_name = "FILE")]
        file: OsString,
        /// Which ops structure of an object that has several, by its variable or its name; as FILE:NAME does
        #[arg(long, value_name = "NAME")]
        ops: Option<String>,
        /// Set a data field before loading: flags=non_restricted
        #[arg(long = "set", value_name = "FIELD=VALUE")]
        set: Vec<String>,
        /// Register under this name (field `name`, at most 15 characters)
        #[arg(long = "as", value_name = "NAME")]
        rename: Option<String>,
        /// Leave the defaults of network namespaces alone
        #[arg(long)]
        no_namespaces: bool,
    },
    /// List what is registered or kept, as the kernel has it
    #[command(
        visible_alias = "ls",
        after_help = "REFERENCES are the kernel's: one for a registration, so that a live table that nobody uses has 1, and one for each socket and each namespace default that uses it."
    )]
    List {
        /// Only these
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Show one registered algorithm in full
    Show {
        /// The algorithm's name
        name: String,
    },
    /// Check and load an object, then exchange it for a registered algorithm of the same name, keeping the previous version
    #[command(
        after_help = "Sockets that are open keep the version they began with; new ones get the new one. Nothing changes if the new version is refused.\n\nA network namespace whose default (net.ipv4.tcp_congestion_control) is the algorithm holds a version like a socket does. That setting is written anew there, where it can be, so that its new sockets get the new version; what could not be is named, and --no-namespaces leaves it.\n\nData fields of the old version, flags for instance, stay unless the new object or --set says otherwise; of flags each bit (--set flags=0 drops them).\n\nExamples:\n  sudo opswap swap my_cc my_cc2.bpf.o\n  sudo opswap rollback my_cc"
    )]
    Swap {
        /// The registered algorithm's name
        name: String,
        /// The new version: a name, an object or a source
        #[arg(value_name = "FILE")]
        file: OsString,
        /// Which ops structure of an object that has several, by its variable or its name; as FILE:NAME does
        #[arg(long, value_name = "NAME")]
        ops: Option<String>,
        /// Set a data field before loading: flags=non_restricted
        #[arg(long = "set", value_name = "FIELD=VALUE")]
        set: Vec<String>,
        /// Leave the defaults of network namespaces alone
        #[arg(long)]
        no_namespaces: bool,
    },
    /// Bring the previous version back
    #[command(
        after_help = "What `opswap swap --help` says of sockets and of network namespaces holds here, too. A second rollback brings back what the first took away."
    )]
    Rollback {
        /// The registered algorithm's name
        name: String,
        /// No such algorithm, or no version before this one, is no error
        #[arg(long)]
        ignore_not_found: bool,
        /// Leave the defaults of network namespaces alone
        #[arg(long)]
        no_namespaces: bool,
    },
    /// Unregister algorithms and remove what was kept of them
    #[command(
        visible_alias = "rm",
        after_help = "Sockets that are open keep it until they close. A network namespace whose default (net.ipv4.tcp_congestion_control) it is goes on giving it to new sockets; such namespaces are named, and --default gives them another one."
    )]
    Unload {
        /// The algorithms' names
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        /// Make this the default of the network namespaces whose default the algorithm is
        #[arg(long, value_name = "ALGORITHM")]
        default: Option<String>,
        /// No such algorithm is no error
        #[arg(long)]
        ignore_not_found: bool,
    },
    /// Explain an error code, or list all of them
    Explain {
        /// A code such as SO1001, or a word that stands in its place such as EINVAL
        code: Option<String>,
    },
    /// Tell what this machine can do and what is missing
    #[command(
        after_help = "It does what `opswap load` does, up to the point where it would register, and changes nothing. If a load would fail, it ends with the exit code that the load would have."
    )]
    Doctor,
    /// Print a completion script for a shell, which then offers verbs, options, files, and names, kinds and codes that there are
    #[command(
        after_help = "Examples:\n  source <(opswap completions bash)              in ~/.bashrc\n  source <(opswap completions zsh)               in ~/.zshrc\n  opswap completions fish > ~/.config/fish/completions/opswap.fish"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the command or of a verb, or write all of them
    #[command(
        after_help = "Examples:\n  opswap man check | man -l -\n  sudo opswap man --out /usr/local/share/man/man1"
    )]
    Man {
        /// The verb
        #[arg(value_name = "VERB", conflicts_with = "out")]
        of_verb: Option<String>,
        /// Write all pages into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// The bottleneck, the flows and the time of a simulated run.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScenarioArguments {
    /// Rate of the bottleneck: 100mbit, 1gbit, 500kbit
    #[arg(long, allow_hyphen_values = true, value_name = "RATE", default_value = "100mbit")]
    pub(crate) rate: Rate,
    /// Round-trip time without queueing: 20ms, 500us
    #[arg(long, allow_hyphen_values = true, value_name = "TIME", default_value = "20ms")]
    pub(crate) rtt: Span,
    /// Size of the bottleneck's queue: 250000b, 166p (packets of 1500 bytes), 2bdp (rate times round-trip time) [default: 1bdp, at
    /// least 10p]
    #[arg(long, allow_hyphen_values = true, value_name = "SIZE")]
    pub(crate) queue: Option<QueueSize>,
    /// How long each run lasts
    #[arg(long, allow_hyphen_values = true, value_name = "TIME", default_value = "30s")]
    pub(crate) duration: Span,
    /// How much of its beginning is left out of the figures [default: a third of the duration, at most 10s]
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub(crate) warmup: Option<Span>,
    /// Flows of each algorithm
    #[arg(long, allow_hyphen_values = true, value_parser = whole_number::<u32>, value_name = "N", default_value_t = 1)]
    pub(crate) flows: u32,
    /// The same seed gives the same run, bit for bit
    #[arg(long, allow_hyphen_values = true, value_parser = whole_number::<u64>, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Mark with ECN (RFC 3168) when this much is queued: 36000b, 24p
    #[arg(long, allow_hyphen_values = true, value_name = "SIZE")]
    pub(crate) ecn_at: Option<QueueSize>,
    /// Largest receive buffer (tcp_rmem): 64mb. A window takes half of it, about [default: 33554432b, Linux's]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(crate) rcvbuf: Option<u64>,
    /// Data that a sender may have written and that is not acknowledged: 4mb [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(crate) sndbuf: Option<u64>,
    /// Lose packets at random: 0.01%, or as a fraction 0.0001
    #[arg(long, allow_hyphen_values = true, value_name = "SHARE", value_parser = parse_probability, conflicts_with = "loss_every")]
    pub(crate) loss: Option<f64>,
    /// Lose every Nth packet
    #[arg(long, allow_hyphen_values = true, value_parser = whole_number::<u64>, value_name = "N")]
    pub(crate) loss_every: Option<u64>,
}

/// What programs may use of this process.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LimitArguments {
    /// Memory that the maps of one embedded kernel may take together: 64mb, 2gb [default: 512mib]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(crate) map_memory: Option<u64>,
    /// Instructions that one call into a program may execute before the run is given up [default: 1073741824]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_insns: Option<u64>,
}

impl LimitArguments {
    /// As the embedded kernel takes them.
    pub(crate) fn limits(self) -> Limits {
        let usual = Limits::default();
        Limits {
            map_bytes: self.map_memory.unwrap_or(usual.map_bytes),
            insns_per_call: self.max_insns.unwrap_or(usual.insns_per_call),
        }
    }
}

/// A number that is none below zero, and is told so.
fn whole_number<T: std::str::FromStr<Err = std::num::ParseIntError>>(text: &str) -> Result<T, String> {
    let negative = text
        .strip_prefix('-')
        .is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
    if negative {
        return Err("it must not be negative".to_owned());
    }
    text.parse()
        .map_err(|error: std::num::ParseIntError| match error.kind() {
            std::num::IntErrorKind::PosOverflow => "it is too large".to_owned(),
            _ => "it is no whole number".to_owned(),
        })
}

/// When to swap, and to what: `10s=cubic`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SwapAt {
    /// Simulated time from the start of the run.
    pub(crate) at: Span,
    /// The algorithm: a name, an object or a source.
    pub(crate) file: OsString,
}

impl SwapAt {
    /// Reads `TIME=FILE`; the file's name may be no text.
    fn read(word: &OsStr) -> Result<Self, String> {
        let shown = word.display();
        let bytes = word.as_bytes();
        let parts = bytes.iter().position(|byte| *byte == b'=').map(|at| bytes.split_at(at));
        let Some((at, [_, file @ ..])) = parts else {
            return Err(format!("`{shown}` is not TIME=FILE, as in 10s=cubic"));
        };
        let at = String::from_utf8_lossy(at)
            .parse()
            .map_err(|error| format!("{error}"))?;
        if file.is_empty() {
            return Err(format!("`{shown}` names no algorithm after the `=`"));
        }
        let file = OsStr::from_bytes(file).to_owned();
        Ok(Self { at, file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_description_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_swap_is_read() {
        let swap = SwapAt::read(OsStr::from_bytes(b"10s=./a=\xff.o")).unwrap();
        assert_eq!(
            (swap.at, swap.file.as_bytes()),
            (Span::from_secs(10), &b"./a=\xff.o"[..])
        );
        for wrong in ["cubic", "soon=cubic", "10s="] {
            assert!(SwapAt::read(wrong.as_ref()).is_err(), "{wrong}");
        }
    }
}
