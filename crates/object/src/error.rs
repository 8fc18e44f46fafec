//! Why an object file could not be read: where, and which rule is broken.

/// Why an object file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not an ELF file that a BPF compiler makes.
    #[error("not a BPF object file: {0}")]
    NotAnObject(NotAnObject),
    /// The file is damaged or breaks a convention of BPF objects.
    #[error("section {section} at offset {offset:#x}: {problem}")]
    Malformed {
        /// The section concerned.
        section: String,
        /// The offset in it, in bytes; 0 when the whole section is meant.
        offset: u64,
        /// The rule that is broken.
        problem: Problem,
    },
    /// The file is in order but uses something this crate does not read.
    #[error("section {section} at offset {offset:#x}: not supported: {feature}")]
    Unsupported {
        /// The section concerned.
        section: String,
        /// The offset in it, in bytes.
        offset: u64,
        /// What is not supported.
        feature: Feature,
    },
    /// There are no types (`.BTF`), and something cannot be read without them.
    #[error("no types (.BTF), which {user} needs; {}", if *has_dwarf { DWARF_ONLY } else { NO_DEBUG })]
    NoTypes {
        /// What needs them.
        user: TypeUser,
        /// Whether there is debug information of the other format, DWARF.
        has_dwarf: bool,
    },
    /// The types (`.BTF`) or the records that refer to them (`.BTF.ext`) are damaged.
    #[error("section {section}: {source}")]
    Btf {
        /// `.BTF` or `.BTF.ext`.
        section: &'static str,
        /// What is wrong, with the offset in the section.
        source: btf::ParseError,
    },
}

const NO_DEBUG: &str = "compile with clang -g or gcc -gbtf";
const DWARF_ONLY: &str = "the debug information is DWARF only: gcc writes types with -gbtf, not with -g; clang -g writes both, and \
                          `llvm-strip -g` leaves the types there";

fn found_in(section: &Option<Box<str>>) -> String {
    let section = section.as_ref();
    section.map_or(String::new(), |section| format!(" but stands in section `{section}`"))
}

/// What cannot be read without types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypeUser {
    /// A symbol that the object does not define.
    #[error("extern `{0}`")]
    Extern(String),
    /// The section of maps or of ops structures.
    #[error("section {0}")]
    Section(String),
}

/// Why a file is no BPF object at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnObject {
    /// No ELF header, or one that contradicts the file.
    #[error("no ELF header that fits the file")]
    NoElf,
    /// 32-bit ELF.
    #[error("not a 64-bit ELF file")]
    NotElf64,
    /// Compiled with `-target bpfeb`.
    #[error("big-endian (compile with -target bpf or bpfel)")]
    BigEndian,
    /// Another machine than `EM_BPF`.
    #[error("compiled for machine {0}, not for BPF ({bpf})", bpf = 247)]
    Machine(u16),
    /// Not `ET_REL`.
    #[error("not a relocatable file (ELF type {0}); compile with -c")]
    NotRelocatable(u16),
}

/// The rule that a damaged or unconventional object breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Section header table, section names or symbol table do not fit the file.
    #[error("the {0} does not fit the file")]
    Table(&'static str),
    /// A name is outside the string table or not UTF-8.
    #[error("a name that is not in the string table or not UTF-8")]
    Name,
    /// The section's bytes lie outside the file.
    #[error("the section's bytes lie outside the file")]
    Bytes,
    /// A section of which there may be one occurs again.
    #[error("the section occurs twice")]
    Duplicate,
    /// Sizes or offsets of instructions that are not multiples of 8.
    #[error("not a multiple of the 8 bytes of an instruction: {0}")]
    NotWholeInstructions(u64),
    /// `license` is not one NUL-terminated text.
    #[error("the licence is not a NUL-terminated text")]
    License,
    /// `version` is not four bytes.
    #[error("the version is {0} bytes long, not 4")]
    Version(u64),
    /// A function symbol reaches past its section.
    #[error("function `{name}` reaches past the section")]
    FunctionPastEnd {
        /// The function.
        name: String,
    },
    /// Instructions in a program section that belong to no function symbol.
    #[error("instructions that belong to no function")]
    NoFunction,
    /// Functions that overlap.
    #[error("function `{name}` begins inside another one")]
    Overlap {
        /// The second of the two.
        name: String,
    },
    /// A relocation refers to a symbol that does not exist.
    #[error("relocation against symbol {0}, which does not exist")]
    NoSymbol(u32),
    /// A relocation outside its section or not at an instruction.
    #[error("relocation outside the section or inside an instruction")]
    RelocationOffset,
    /// A relocation at an instruction that takes none.
    #[error("relocation against `{symbol}` at an instruction that takes none (code {code:#x})")]
    RelocationInstruction {
        /// Name of the symbol or section.
        symbol: String,
        /// The instruction's code.
        code: u8,
    },
    /// A second relocation for the same instruction.
    #[error("a second relocation for one instruction")]
    RelocationTwice,
    /// A call to something that is no function of `.text`.
    #[error("call to `{symbol}`, which is not a function in .text")]
    CallTarget {
        /// Name of the symbol or section.
        symbol: String,
    },
    /// The address of something that is neither a map, nor data, nor a function.
    #[error("`{symbol}` in section `{section}` is neither a map, nor data, nor a function")]
    AddressTarget {
        /// Name of the symbol or section.
        symbol: String,
        /// Where the symbol is defined.
        section: String,
    },
    /// An offset in a data section that does not fit in 32 bits or lies outside the section.
    #[error("`{symbol}` plus {offset} lies outside its section of {size} bytes")]
    DataOffset {
        /// Name of the symbol or section.
        symbol: String,
        /// The offset from the section's start.
        offset: i64,
        /// The section's size in bytes.
        size: u64,
    },
    /// A type that does not exist.
    #[error("type {0} does not exist or is not what is needed here")]
    NoType(u32),
    /// BTF knows no variable of this name.
    #[error("no type is known for `{0}`")]
    NoTypeFor(String),
    /// A function or variable that is declared without `__ksym` or `__kconfig`, used, and defined nowhere.
    #[error("`{name}` is undefined: it is declared, and no part of the object defines it{place}")]
    Undefined {
        /// Its name.
        name: String,
        /// Where it is used first, as the end of the sentence; empty when that is not known.
        place: String,
    },
    /// The BTF `DATASEC` of this section is missing.
    #[error("the types have no entry for the section (DATASEC)")]
    NoDataSection,
    /// A BTF variable without an ELF symbol.
    #[error("variable `{0}` has no symbol in the section")]
    NoSymbolFor(String),
    /// A map definition in `.maps` that breaks its form.
    #[error("map `{map}`: {problem}")]
    Map {
        /// The map's variable.
        map: String,
        /// What is wrong.
        problem: MapProblem,
    },
    /// Two maps, programs or ops structures have the same name.
    #[error("two definitions of `{0}`")]
    SameName(String),
    /// A relocation in `.maps` that hits no slot of `values`.
    #[error("relocation outside the slots of any map's `values`")]
    SlotRelocation,
    /// An extern outside `.kconfig` and `.ksyms`.
    #[error("extern `{name}` stands in section `{section}`, not in .kconfig or .ksyms")]
    ExternSection {
        /// The extern.
        name: String,
        /// The section its declaration names.
        section: String,
    },
    /// A `.kconfig` extern with a type that has no meaning there.
    #[error("extern `{0}` in .kconfig has a type that holds no configuration value")]
    KconfigType(String),
    /// An ops structure that is no named `struct`.
    #[error("`{0}` is not a variable of a named struct type")]
    OpsType(String),
    /// An ops structure that reaches past its section.
    #[error("`{0}` reaches past the section")]
    OpsPastEnd(String),
    /// A relocation in an ops section that hits no ops structure.
    #[error("relocation outside any ops structure")]
    OpsRelocation,
    /// A function is assigned to something that is no function pointer.
    #[error("`{ops}`: no function pointer at offset {offset}, yet `{target}` is assigned there")]
    OpsMember {
        /// The ops structure's variable.
        ops: String,
        /// Offset in the structure, in bytes.
        offset: u32,
        /// The function.
        target: String,
    },
    /// What is assigned to a member is no struct_ops program.
    #[error(
        "`{ops}.{member}`: `{target}` is not a struct_ops program{}: its section must be struct_ops or struct_ops.s, with or without `/NAME`", found_in(.section)
    )]
    OpsTarget {
        /// The ops structure's variable.
        ops: String,
        /// The member.
        member: String,
        /// What is assigned.
        target: String,
        /// The section it stands in, if the object defines it.
        section: Option<Box<str>>,
    },
    /// A record of `.BTF.ext` names a section or instruction that does not exist.
    #[error("record of .BTF.ext for an instruction that does not exist")]
    ExtRecord,
}

/// What is wrong with a map definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapProblem {
    /// The variable is no struct.
    #[error("the definition is not a struct")]
    NotAStruct,
    /// An attribute has not the type that `__uint`, `__type`, `__ulong` or `__array` give.
    #[error("attribute `{0}` has another form than __uint, __type or __array give it")]
    Form(String),
    /// An attribute that is not known.
    #[error("unknown attribute `{0}`")]
    Unknown(String),
    /// `key_size` and the type of `key` (or the same of value) disagree.
    #[error("{attribute} is {stated}, but the type has {actual} bytes")]
    Size {
        /// `key_size` or `value_size`.
        attribute: &'static str,
        /// The number in the definition.
        stated: u32,
        /// The size of the type.
        actual: u32,
    },
    /// `type` is missing.
    #[error("no `type`")]
    NoType,
    /// `pinning` is neither 0 nor 1.
    #[error("pinning {0} is neither LIBBPF_PIN_NONE nor LIBBPF_PIN_BY_NAME")]
    Pinning(u32),
    /// `values` of a map that holds neither maps nor programs.
    #[error("`values` is for maps of maps and arrays of programs")]
    NoValues,
    /// A member behind `values`, which has no end.
    #[error("`{0}` stands behind `values`, which must be last")]
    AfterValues(String),
    /// Maps of maps of maps.
    #[error("a map of maps can hold no maps of maps")]
    DeepMaps,
    /// The definition of the maps in a map asks for a pin.
    #[error("the maps in it cannot be pinned by name")]
    PinnedInner,
    /// Initial slots of a map whose keys are no numbers of slots.
    #[error("initial `values` need keys of 4 bytes, not {0}")]
    SlotKey(u32),
    /// A slot with something else than it takes.
    #[error("`{target}` stands in `values`, and is no {wanted} of the object")]
    SlotContent {
        /// What stands there.
        target: String,
        /// What should.
        wanted: &'static str,
    },
    /// The definition's variable reaches past the section.
    #[error("the definition reaches past the section")]
    PastEnd,
}

/// What this crate does not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Feature {
    /// `SEC("maps")`: map definitions from before BTF.
    #[error("map definitions of the old form (section `maps`)")]
    LegacyMaps,
    /// A static function outside `.text`.
    #[error("static function `{0}` outside .text; make it global or take its SEC() away")]
    StaticProgram(String),
    /// `.addr_space.1`: arena data.
    #[error("variables in an arena")]
    Arena,
    /// Relocations with explicit addends.
    #[error("relocations with explicit addends (SHT_RELA)")]
    Rela,
    /// A compressed section.
    #[error("compressed section")]
    Compressed,
    /// Function in `.kconfig`.
    #[error("extern function `{0}` in .kconfig")]
    KconfigFunction(String),
}

impl Error {
    pub(crate) fn malformed(section: &str, offset: u64, problem: Problem) -> Self {
        Self::Malformed {
            section: section.to_owned(),
            offset,
            problem,
        }
    }

    pub(crate) fn unsupported(section: &str, offset: u64, feature: Feature) -> Self {
        Self::Unsupported {
            section: section.to_owned(),
            offset,
            feature,
        }
    }
}
