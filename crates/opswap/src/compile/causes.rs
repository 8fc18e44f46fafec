//! Why clang refuses what would be fine C elsewhere: its messages, in the words of clang 14 to 19, mapped to facts, and each fact to help.

use std::fmt;

/// What BPF does not have, or what a source lacks: one of the reasons for which clang refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Arithmetic with `float` or `double`.
    FloatingPoint,
    /// `/` or `%` of signed numbers, below `-mcpu=v4`.
    SignedDivision,
    /// Multiplying or dividing `__int128`.
    WideInteger,
    /// More than 512 bytes of variables in a function.
    LargeStack,
    /// An array whose size is known only when it runs, or `alloca`.
    DynamicStack,
    /// A function of the program's own with `…` as its last parameter, that is not inlined.
    Variadic,
    /// A function that returns a structure of more than 16 bytes and is not inlined.
    StructReturn,
    /// A function with more than five parameters, that is not inlined.
    TooManyArguments,
    /// A copy, comparison or fill that is too large to be written out, or whose size is not known.
    LibraryCall {
        /// `memcpy`, `memset`, …
        function: String,
    },
    /// An atomic operation on one or two bytes.
    SmallAtomic,
    /// A jump to the address of a label.
    ComputedGoto,
    /// `_Thread_local`.
    ThreadLocal,
    /// Assembly of another machine.
    Assembly,
    /// A call of a function that is declared nowhere.
    Undeclared {
        /// The function.
        function: String,
    },
    /// An include that is not found.
    NoHeader {
        /// As the source names it.
        header: String,
    },
    /// A header of the system defines what vmlinux.h has, too.
    Twice {
        /// As it is included.
        header: String,
    },
    /// A name that a header defines which is not included.
    NotIncluded {
        /// The type or macro.
        name: String,
        /// The header.
        header: &'static str,
    },
    /// A structure that has no such member, in the types that the source was compiled against.
    NoMember {
        /// The member.
        member: String,
        /// The structure.
        of: String,
    },
}

/// Names that sources use without their header, and the header: the type or macro is what clang trips over.
const DEFINED_IN: &[(&[&str], &str)] = &[
    (
        &[
            "__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32", "__s64", "u8", "u16", "u32", "u64", "s8",
            "s16", "s32", "s64", "bool", "__be16", "__be32", "__wsum", "size_t",
        ],
        "\"vmlinux.h\" before the others",
    ),
    (
        &[
            "SEC",
            "__uint",
            "__type",
            "__array",
            "__ksym",
            "__kconfig",
            "__weak",
            "__always_inline",
            "__noinline",
        ],
        "<bpf/bpf_helpers.h>",
    ),
    (&["BPF_PROG", "BPF_STRUCT_OPS"], "<bpf/bpf_tracing.h>"),
];

/// Headers of the C library that programs are seen to include.
const C_LIBRARY: &[&str] = &[
    "assert.h",
    "ctype.h",
    "errno.h",
    "inttypes.h",
    "limits.h",
    "math.h",
    "pthread.h",
    "signal.h",
    "stdio.h",
    "stdlib.h",
    "string.h",
    "strings.h",
    "time.h",
    "unistd.h",
    "netinet/in.h",
    "netinet/tcp.h",
    "arpa/inet.h",
    "sys/socket.h",
    "sys/types.h",
    "sys/time.h",
    "features.h",
    "gnu/stubs.h",
    "bits/libc-header-start.h",
];

/// What clang's standard error tells of causes, each once, in the order of the lines.
pub(super) fn find(stderr: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let lines: Vec<&str> = stderr.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let Some(message) = message(line) else { continue };
        // The line of the source, which some messages make sense with alone.
        let source = lines.get(number + 1).copied().unwrap_or_default();
        let cause = if message.contains("redefinition of ") || message.contains("redefinition with ") {
            twice(line, &lines[number + 1..])
        } else {
            cause(message, source)
        };
        if let Some(cause) = cause
            && !causes.contains(&cause)
        {
            causes.push(cause);
        }
    }
    causes
}

/// The text of an error; `Error at line` is how clang 14 to 16 say what their backend does not have.
fn message(line: &str) -> Option<&str> {
    let after = |word: &str| line.split_once(word).map(|(_, message)| message);
    after("error: error in backend: ")
        .or_else(|| after(" error: "))
        .or_else(|| line.starts_with("Error at line ").then_some(line))
}

/// The header of the system that a redefinition is about: the error is in it and the note about the first definition in vmlinux.h, or the other way round.
fn twice(error: &str, after: &[&str]) -> Option<Cause> {
    let note = after.iter().find(|line| line.contains(": note: previous definition"))?;
    let file = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let files = [file(error), file(note)];
    if !files.iter().any(|file| file.ends_with("vmlinux.h")) {
        return None;
    }
    // Debian's folder for one machine stands between: /usr/include/x86_64-linux-gnu/asm/types.h.
    let header = files.iter().find_map(|file| file.strip_prefix("/usr/include/"))?;
    let header = match header.split_once('/') {
        Some((folder, rest)) if folder.ends_with("-linux-gnu") => rest,
        _ => header,
    };
    Some(Cause::Twice {
        header: header.to_owned(),
    })
}

fn cause(message: &str, source: &str) -> Option<Cause> {
    let has = |word: &str| message.contains(word);
    let cause = if has("signed division") {
        Cause::SignedDivision
    } else if let Some(function) = quoted_after(message, "A call to built-in function ") {
        library(&function)
    } else if has("only small returns supported") {
        Cause::WideInteger
    } else if has("BPF stack limit") {
        Cause::LargeStack
    } else if has("nsupported dynamic stack allocation") {
        Cause::DynamicStack
    } else if has("variadic functions are not supported")
        || has("VarArgs or StructRet") && source.contains("...")
        || has("= vaend")
    {
        Cause::Variadic
    } else if has("aggregate returns are not supported") || has("VarArgs or StructRet") {
        Cause::StructReturn
    } else if has("too many arg") && has("GlobalAddress<")
        || has("defined with too many args")
        || has("stack arguments are not supported")
    {
        Cause::TooManyArguments
    } else if has("nsupported atomic operation") {
        Cause::SmallAtomic
    } else if has("= brind") {
        Cause::ComputedGoto
    } else if has("thread-local storage") {
        Cause::ThreadLocal
    } else if has("invalid register/token name") || has("invalid output constraint") || has("invalid input constraint")
    {
        Cause::Assembly
    } else if has("file not found") {
        Cause::NoHeader {
            header: quoted(message)?,
        }
    } else if has("undeclared function")
        || has("undeclared library function")
        || has("mplicit declaration of function")
        || has("mplicitly declaring library function")
    {
        Cause::Undeclared {
            function: quoted(message)?,
        }
    } else if let Some(member) = quoted_after(message, "no member named ") {
        let of = quoted_after(message, " in ")?;
        Cause::NoMember { member, of }
    } else {
        return not_included(message, source);
    };
    Some(cause)
}

/// The functions of the compiler's own library, and those of C's, that clang calls where BPF has no instruction.
fn library(function: &str) -> Cause {
    let float = ["sf", "df", "tf", "xf"];
    if function.starts_with("__") && function.ends_with("ti3")
        || function.starts_with("__") && function.contains("multi")
    {
        Cause::WideInteger
    } else if function.starts_with("__") && float.iter().any(|word| function.contains(word)) {
        Cause::FloatingPoint
    } else {
        Cause::LibraryCall {
            function: function.to_owned(),
        }
    }
}

fn not_included(message: &str, source: &str) -> Option<Cause> {
    let known = |name: &str| {
        DEFINED_IN
            .iter()
            .find_map(|(names, header)| names.contains(&name).then_some(*header))
    };
    let unknown = message.starts_with("unknown type name") || message.starts_with("use of undeclared identifier");
    let name = if unknown {
        quoted(message)?
    } else if message.starts_with("expected ")
        || message.contains("parameter list without types")
        || message.contains("type specifier missing")
    {
        // A macro that is not defined looks like a function.
        let words = ["SEC", "BPF_PROG", "BPF_STRUCT_OPS"];
        words
            .iter()
            .find(|word| source.contains(&format!("{word}(")))?
            .to_string()
    } else {
        return None;
    };
    let header = known(&name)?;
    Some(Cause::NotIncluded { name, header })
}

fn quoted(message: &str) -> Option<String> {
    message.split('\'').nth(1).map(str::to_owned)
}

fn quoted_after(message: &str, words: &str) -> Option<String> {
    message.split_once(words).and_then(|(_, rest)| quoted(rest))
}

/// What would help.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FloatingPoint => f.write_str(
                "BPF has no floating point: count in integers of a smaller unit, such as 1024ths (x * 717 / 1024 for x * 0.7)",
            ),
            Self::SignedDivision => f.write_str(
                "BPF before v4 divides unsigned numbers only: make both operands unsigned, or compile with -mcpu=v4 (clang 18 and later; \
                 Linux 6.6 and later, and the embedded kernel, run it)",
            ),
            Self::WideInteger => f.write_str("BPF has no 128-bit multiplication and division: scale down to 64 bits first"),
            Self::LargeStack => f.write_str(
                "a program's stack has 512 bytes: move large variables into a map (BPF_MAP_TYPE_PERCPU_ARRAY with one element, or a global \
                 variable), and what belongs to a connection into icsk_ca_priv",
            ),
            Self::DynamicStack => f.write_str("an array on the stack needs a size that is known when it is compiled"),
            Self::Variadic => {
                f.write_str("BPF has no variable arguments: write the function with the arguments that it takes, or as a macro")
            }
            Self::StructReturn => {
                f.write_str("a BPF function returns one number: fill in a structure through a pointer, or make the function __always_inline")
            }
            Self::TooManyArguments => {
                f.write_str("a BPF function takes at most five arguments: put some into a structure, or make the function __always_inline")
            }
            Self::LibraryCall { function } => write!(
                f,
                "BPF has no {function}(): clang writes small ones of known size out itself; use a loop with a fixed bound for others"
            ),
            Self::SmallAtomic => f.write_str("atomic operations work on 4 or 8 bytes: use a u32 or u64"),
            Self::ComputedGoto => f.write_str("BPF has no jumps to addresses: use `switch` or `if`"),
            Self::ThreadLocal => f.write_str("BPF has no thread-local variables: BPF_MAP_TYPE_PERCPU_ARRAY has one value a CPU"),
            Self::Assembly => f.write_str(
                "this assembly is of another machine, mostly from a kernel header that is not meant for BPF: include \"vmlinux.h\" instead",
            ),
            Self::Undeclared { function } => undeclared(function, f),
            Self::NoHeader { header } => no_header(header, f),
            Self::Twice { header } if header.starts_with("linux/") || header.starts_with("asm") => write!(
                f,
                "vmlinux.h has all types of <{header}>, and the two cannot be included together: leave <{header}> out and define the macros \
                 of it that you need"
            ),
            Self::Twice { header } => write!(
                f,
                "<{header}> does not go together with vmlinux.h, and there is no C library in a BPF program: leave it out (bpf_printk in place of \
                 printf)"
            ),
            Self::NotIncluded { name, header } => write!(f, "`{name}` needs #include {header}"),
            Self::NoMember { member, of } => write!(
                f,
                "`{of}` has no `{member}` in the types that it was compiled against: `opswap header` prints those of the running kernel, and a \
                 member that only some kernels have is declared in a structure of your own, `{of}___x {{ … }} \
                 __attribute__((preserve_access_index))`"
            ),
        }
    }
}

fn undeclared(function: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if ["printf", "fprintf", "puts", "printk"].contains(&function) {
        return write!(
            f,
            "a BPF program has no {function}(): bpf_printk(\"cwnd %u\", cwnd), of <bpf/bpf_helpers.h>, writes to the kernel's trace pipe"
        );
    }
    if function.starts_with("bpf_") {
        return write!(
            f,
            "{function}() is declared nowhere: helpers are in <bpf/bpf_helpers.h>, and a kernel function is declared as \
             `extern … {function}(…) __ksym;`"
        );
    }
    write!(
        f,
        "{function}() is declared nowhere: there is no C library in a BPF program; a function of the kernel is declared as \
         `extern … {function}(…) __ksym;`, one of your own stands before its first use"
    )
}

fn no_header(header: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let folder = header.split('/').next().unwrap_or_default();
    if C_LIBRARY.contains(&header) || ["bits", "gnu", "sys"].contains(&folder) {
        return write!(
            f,
            "there is no C library in a BPF program, and most do not need <{header}>: leave it out (bpf_printk in place of printf), or \
             install libc6-dev for its constants"
        );
    }
    match folder {
        "linux" | "asm" | "asm-generic" | "uapi" => write!(
            f,
            "<{header}> is of the kernel's headers for programs: apt-get install linux-libc-dev, or include \"vmlinux.h\", which has the \
             kernel's types and none of its macros"
        ),
        "net" => write!(
            f,
            "<{header}> is inside the kernel: include \"vmlinux.h\", which has its types and none of its macros"
        ),
        "bpf" => write!(
            f,
            "<{header}> is of libbpf: apt-get install libbpf-dev, or `-- -I FOLDER`"
        ),
        _ => write!(
            f,
            "{header} is searched for beside the source and in the folders of -I: `opswap build FILE -- -I FOLDER`, or \
             OPSWAP_CFLAGS='-I FOLDER' for every verb"
        ),
    }
}
