//! Stable codes of rejections, each with a title and a page of explanation.
//!
//! A code never changes its meaning and is never used again; the hundreds are the [`Category`]. One macro
//! makes the enum and all its tables, so that no code can be without its text.

use crate::reason::Category;

macro_rules! codes {
    ($($name:ident $number:literal $category:ident $title:literal $page:literal;)*) => {
        /// Stable code of a rejection: `SO1202`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $title] $name,)* }

        const ALL: &[Code] = &[$(Code::$name),*];

        impl Code {
            /// As it is printed.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!("SO", $number),)* }
            }

            /// What kind of rule it is.
            pub fn category(self) -> Category {
                match self { $(Self::$name => Category::$category,)* }
            }

            /// The rule in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means and what to do, in plain text.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$name => $page,)* }
            }
        }
    };
}

impl Code {
    /// All codes in order of their numbers.
    ///
    /// ```
    /// for code in verifier::Code::all() {
    ///     println!("{}: {}", code.as_str(), code.title());
    /// }
    /// ```
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// The code that is printed like this.
    pub fn parse(text: &str) -> Option<Self> {
        ALL.iter()
            .copied()
            .find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

codes! {
    Undecodable 1001 Structure
        "a slot is not an instruction"
        "The bytes of this slot have an opcode, register number or reserved field that no instruction of BPF has. Compilers do not make such programs: look at what changed the bytes, or rebuild the object with a compiler that targets -mcpu=v4 or lower.";
    EmptyProgram 1002 Structure
        "the program has no instructions"
        "A program needs at least `exit`.";
    TooLong 1003 Structure
        "the program is too long"
        "A program may have at most a million slots, as on Linux. Split it into several programs.";
    JumpOutOfRange 1004 Structure
        "a jump leaves its function"
        "A jump must land on an instruction of the function that it is in. To go to another function, call it.";
    JumpIntoImmediate 1005 Structure
        "a jump lands inside a 64-bit constant"
        "`rN = imm64 ll` takes two slots; the second is not an instruction of its own and nothing may go there.";
    FallsThrough 1006 Structure
        "execution can run past the end of a function"
        "The last instruction of every function must be `exit` or an unconditional jump. A C function that the compiler knows never to return can end without one.";
    Unreachable 1007 Structure
        "an instruction can never be reached"
        "Nothing leads to this instruction. The kernel refuses dead code because it would hide from every other check; remove it.";
    CallOutOfRange 1008 Structure
        "a call leaves the program"
        "A call must name a slot inside the program.";
    TooManySubprogs 1009 Structure
        "too many functions"
        "A program may have at most 256 functions.";
    BadFuncInfo 1010 Structure
        "function information does not fit the program"
        "`.BTF.ext` must name one BTF function for each function of the program, in order, the first at slot 0, and each with a prototype in the program's BTF.";
    Recursion 1011 Structure
        "a function calls itself"
        "The stack a call needs must be known beforehand, so no function may be active twice. Use a loop with a bound.";
    CallsTooDeep 1012 Structure
        "too many functions active at once"
        "At most 8 functions, the program's entry included, may be active at once. Make small functions `__always_inline`.";
    StackTooDeep 1013 Structure
        "the functions of a call path need too much stack"
        "All functions on a call path together may use 512 bytes of stack, each rounded up to 32. Move large local variables into a map or into icsk_ca_priv.";
    InsnNotAllowed 1014 Structure
        "this kind of program may not use this instruction"
        "Some instructions only exist for some program types: packet loads (`skb[…]`) for socket filters and classifiers, for example.";
    ShiftTooWide 1015 Structure
        "a shift is as wide as the register"
        "A constant shift must be less than 32 or 64. For a shift count in a register the count is taken modulo the width and this rule does not apply.";
    DivisionByZero 1016 Structure
        "division by the constant zero"
        "A division by a register that is zero gives 0 and is allowed; a division by the constant 0 is a mistake.";
    UninitRegister 1101 Register
        "a register is read before it is written"
        "At the start only R1 (the context) and R10 (the stack) hold something. A call clears R1 to R5, and R0 too when the function returns nothing. A C variable that is not set on every path gives this.";
    FramePointerWrite 1102 Register
        "R10 is written"
        "R10 is the frame pointer and read-only. Copy it to another register to compute an address.";
    PointerArithmetic 1103 Register
        "a pointer is used in arithmetic it does not have"
        "To a pointer a number may be added or subtracted. No other operation keeps track of what it points to.";
    PointerArithmetic32 1104 Register
        "32-bit arithmetic on a pointer"
        "Adding with 32 bits cuts the address. Use 64-bit variables for offsets (`long`, not `int`) so that the compiler adds with 64 bits.";
    NullablePointerArithmetic 1105 Register
        "arithmetic on a pointer that may be null"
        "Null plus an offset would pass a later test against null. Test the pointer first, then add.";
    FixedPointerArithmetic 1106 Register
        "arithmetic on a pointer that cannot move"
        "A map (as opposed to a value of it) has no inside that a program may see.";
    TwoPointers 1107 Register
        "arithmetic of two pointers"
        "Only the difference of two pointers makes sense, and its value is unknown.";
    OffsetTooLarge 1109 Register
        "an offset is or may be too large"
        "The number that is added to the pointer has no useful bound. Test it against a constant (`if (i < N)`) or mask it (`i &= N - 1`) before it is used.";
    NotAPointer 1201 Memory
        "memory access through something that is not a pointer"
        "The register holds a number, or a pointer whose target has no readable inside (a map). Numbers never become pointers again: an address that was stored in a map or cast to an integer type of another size is a number. A small number, 0 to 4095, is null and an offset into a structure: the pointer was null on this path.";
    NullableAccess 1202 Memory
        "memory access through a pointer that may be null"
        "The call or argument that gave this pointer may give null. Test it (`if (!p) return 0;`) before the first use. Tests of a *copy* count too.";
    StackOutOfBounds 1203 Memory
        "access outside the stack frame"
        "A function has the 512 bytes below R10. Look for an array that is indexed past its end.";
    StackUnbounded 1204 Memory
        "access to the stack at an offset without a bound"
        "An index into a local array must have a constant upper and lower bound on this path.";
    CorruptedPointer 1206 Memory
        "access across a pointer saved on the stack"
        "A pointer on the stack must be read and overwritten as a whole.";
    MapValueOutOfBounds 1207 Memory
        "access outside a map value"
        "The offset, which may depend on data, can reach outside the value. Bound the index on both sides: use an unsigned type or test `>= 0` too.";
    MapSpecialField 1208 Memory
        "access to a special field of a map value"
        "Locks, timers and kernel pointers in map values are only for the functions that work on them.";
    MapNotReadable 1209 Memory
        "the map may not be read by programs"
        "The map was created with BPF_F_WRONLY_PROG.";
    MapNotWritable 1210 Memory
        "the map may not be written by programs"
        "The map was created with BPF_F_RDONLY_PROG; constants (`const volatile` variables) live in such a map.";
    MemOutOfBounds 1211 Memory
        "access outside memory of known size"
        "The memory was given with a size; the offset can reach outside.";
    Misaligned 1213 Memory
        "access is not aligned to its size"
        "An access of n bytes must be at a multiple of n from the start of the stack or structure. Packed structures and casts give this.";
    VariableOffset 1214 Memory
        "an offset must be constant here"
        "Only map values, memory of known size and the stack can be indexed with a value that is not a constant. The members of a kernel structure cannot, icsk_ca_priv included (104 bytes), however well the index is bounded: use a map or an array on the stack, or choose with `if` or `switch` between constant offsets.";
    OffsetNotZero 1215 Memory
        "a moved pointer where its start is wanted"
        "The call needs the pointer as it was given, not one into the middle.";
    CtxOutOfBounds 1216 Memory
        "access outside the program's arguments"
        "The program's arguments are 8 bytes each; a pointer argument must be read whole. Did the function declare more arguments than the operation has?";
    CtxReadOnly 1217 Memory
        "write to the program's context"
        "The arguments are copies; they cannot be written.";
    StructOutOfBounds 1218 Memory
        "access outside a kernel structure"
        "The offset is past the end of the structure. If the structure's layout on this kernel is different, use CO-RE (`__attribute__((preserve_access_index))`).";
    StructBadAccess 1219 Memory
        "access that does not fit a member of a kernel structure"
        "A pointer member must be read whole, and no access may begin in one member and end in another.";
    StructReadOnly 1220 Memory
        "write to a kernel structure that is read-only"
        "Only some members of some structures may be written by this kind of program. For TCP congestion control: some of struct tcp_sock.";
    StructFieldReadOnly 1221 Memory
        "write to a member that is read-only"
        "For TCP congestion control the writable members of struct tcp_sock are snd_cwnd, snd_cwnd_cnt, snd_cwnd_stamp, snd_ssthresh, app_limited, ecn_flags, sk_pacing_rate, sk_pacing_status, icsk_ack.pending and icsk_ca_priv.";
    StructFieldEnd 1222 Memory
        "write beyond the end of a member"
        "The write begins in a writable member and ends behind it. For icsk_ca_priv: the algorithm's state must fit into ICSK_CA_PRIV_SIZE (104 bytes).";
    UntrustedWrite 1223 Memory
        "write through a pointer that was loaded from a structure"
        "Such a pointer may be stale; it can be read (a bad address reads as 0) but not written.";
    AtomicNotAllowed 1224 Memory
        "atomic operation on memory that has none"
        "Atomic operations work on the stack, on map values, on memory of known size and on the members of a kernel structure that the program may write.";
    PointerStored 1225 Memory
        "a pointer is stored where only data may be"
        "Storing an address here would show it to others or let it come back as something else.";
    MixedPointers 1226 Memory
        "one instruction reaches different kinds of memory"
        "On one path this instruction accesses one kind of memory and on another path another kind, and the two need different machine code. Give each its own access.";
    UnknownHelper 1301 Call
        "this helper cannot be called here"
        "The helper does not exist in this kernel, or not for this kind of program. In `release` of a TCP congestion control, setsockopt and getsockopt are not allowed.";
    UnknownKfunc 1302 Call
        "this kernel function cannot be called here"
        "The function does not exist in this kernel, or not for this kind of program.";
    UnknownMap 1303 Call
        "there is no such map"
        "The instruction names a map by a file descriptor or index that is no map.";
    ArgKind 1304 Call
        "an argument is of the wrong kind"
        "The register holds another kind of value than the function takes.";
    ArgStruct 1305 Call
        "an argument points to the wrong structure"
        "The function takes a pointer to another structure. A structure that *begins* with the wanted one is fine.";
    ArgUntrusted 1306 Call
        "a pointer argument is not trusted"
        "The function takes only pointers that certainly are valid: arguments of the operation, or what an acquiring function gave; not pointers loaded from structures.";
    ArgNullable 1307 Call
        "a pointer argument may be null"
        "Test the pointer first.";
    ArgSize 1308 Call
        "a size argument has no fitting bound"
        "The size must be at least 0 (or 1) and have a constant upper bound that fits the memory. Use an unsigned type and test it first.";
    ArgNotConstant 1309 Call
        "an argument must be a constant"
        "The value must be known when the program is loaded.";
    HelperMap 1310 Call
        "the helper does not work on this kind of map"
        "Each map type has its own set of helpers.";
    NoDirectValue 1311 Call
        "the address of this map's value cannot be taken"
        "Only arrays with one element (global variables) allow it, and only inside the value.";
    GlobalArg 1312 Call
        "an argument does not fit the global function's prototype"
        "A function that is not static is verified by its prototype alone, so each call must give what the prototype says. Make it static to have it verified with its callers.";
    GlobalResult 1313 Call
        "a global function does not return a number"
        "A function that is not static is verified by its prototype alone, and what it returns must be a number: `int`, `__u64` or another integer. Return 0, or make the function static (`static __noinline` to have it called all the same).";
    LeakedReference 1401 Reference
        "a reference is not given back"
        "What an acquiring function gave must be given back on every path.";
    NotReferenced 1402 Reference
        "a reference is given back that is not held"
        "The releasing function takes only what an acquiring function gave, once.";
    ReturnRange 1501 Return
        "the return value is out of range"
        "The operation's caller expects a value of a certain range.";
    ReturnKind 1502 Return
        "the return value is not a number"
        "R0 must hold a number when the program ends.";
    ReturnsStack 1503 Return
        "a function returns an address of its own stack"
        "Its stack is gone when it has returned.";
    InfiniteLoop 1601 Complexity
        "a loop never ends"
        "The loop can come back to the same instruction with the registers and the stack as they were, so that the verifier would go round for ever. \
         What the loop changes in a map, in icsk_ca_priv or in a socket does not count: the verifier does not follow values in memory of the kernel. \
         Count the rounds in a local variable and end the loop when it reaches a constant (`for (i = 0; i < 100; i++)`), whatever else ends it.";
    TooComplex 1602 Complexity
        "the program is too complex to verify"
        "More than a million instructions had to be looked at on all paths together. Give loops small constant bounds, and tell the verifier facts early so that paths become alike.";
    TooManyBranches 1603 Complexity
        "too many branches at once"
        "More than 8192 branches waited to be looked at.";
}
