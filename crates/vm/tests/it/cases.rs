//! The cases of `tests/data`: programs as text with what they compute, for every judge that runs them.

/// A program and its result.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Bytes at r1; their number is in r2.
    pub(crate) memory: Option<Vec<u8>>,
    pub(crate) expected: Expected,
    /// Whether Linux may be asked about it.
    pub(crate) on_linux: bool,
}

pub(crate) enum Expected {
    Result { r0: u64, memory: Option<Vec<u8>> },
    Trap(String),
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = programs(include_str!("../data/programs.txt"));
    assert!(cases.len() > 120, "only {} programs", cases.len());
    cases.extend(lines(include_str!("../data/operators.txt")).flat_map(operator));
    cases.extend(lines(include_str!("../data/comparisons.txt")).flat_map(comparison));
    assert!(cases.len() > 1000, "only {} cases", cases.len());
    cases
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn programs(text: &str) -> Vec<Case> {
    let (_comment, text) = text.split_once("\n== ").expect("a case");
    text.split("\n== ").map(program).collect()
}

fn program(text: &str) -> Case {
    let (name, body) = text.split_once('\n').expect("a name and a program");
    let mut case = Case {
        name: name.to_owned(),
        text: String::new(),
        memory: None,
        expected: Expected::Trap("nothing is expected".to_owned()),
        on_linux: true,
    };
    for line in body.lines() {
        if let Some(value) = line.strip_prefix("=> ") {
            case.expected = Expected::Result {
                r0: number(value),
                memory: None,
            };
        } else if let Some(after) = line.strip_prefix("memory => ") {
            match &mut case.expected {
                Expected::Result { memory, .. } => *memory = Some(bytes(after)),
                Expected::Trap(_) => panic!("{name}: memory after a trap"),
            }
        } else if let Some(trap) = line.strip_prefix("trap => ") {
            case.expected = Expected::Trap(trap.to_owned());
            case.on_linux = false;
        } else if let Some(memory) = line.strip_prefix("memory ") {
            case.memory = Some(bytes(memory));
            case.on_linux = false;
        } else if line.starts_with("linux: no (") {
            case.on_linux = false;
        } else {
            case.text.push_str(line);
            case.text.push('\n');
        }
    }
    case
}

/// `width: a op b => result`, as register and, if `b` fits, as constant operand.
fn operator(line: &str) -> Vec<Case> {
    let (width, a, op, b, result) = columns(line);
    let r0 = number(result);
    // Linux refuses constants that make no sense: `check_alu_op` in kernel/bpf/verifier.c.
    let makes_sense = match op {
        "/=" | "%=" | "s/=" | "s%=" => number(b) != 0,
        "<<=" | ">>=" | "s>>=" => number(b) < if width == 'w' { 32 } else { 64 },
        _ => true,
    };
    let case = |form: &str, instruction: String, on_linux| Case {
        name: format!("{line} ({form})"),
        text: format!("r1 = {a} ll\nr2 = {b} ll\n{instruction}\nr0 = r1\nexit\n"),
        memory: None,
        expected: Expected::Result { r0, memory: None },
        on_linux,
    };
    let register = case("register", format!("{width}1 {op} {width}2"), true);
    let constant = constant(b).map(|b| case("constant", format!("{width}1 {op} {b}"), makes_sense));
    std::iter::once(register).chain(constant).collect()
}

/// `width: a op b => taken`, likewise.
fn comparison(line: &str) -> Vec<Case> {
    let (width, a, op, b, taken) = columns(line);
    let r0 = match taken {
        "yes" => 1,
        "no" => 0,
        _ => panic!("{line}"),
    };
    let case = |form: &str, operand: String| Case {
        name: format!("{line} ({form})"),
        text: format!("r0 = 1\nr1 = {a} ll\nr2 = {b} ll\nif {width}1 {op} {operand} goto +1\nr0 = 0\nexit\n"),
        memory: None,
        expected: Expected::Result { r0, memory: None },
        on_linux: true,
    };
    let register = case("register", format!("{width}2"));
    let constant = constant(b).map(|b| case("constant", b.to_string()));
    std::iter::once(register).chain(constant).collect()
}

fn columns(line: &str) -> (char, &str, &str, &str, &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let [width, a, op, b, "=>", result] = words[..] else {
        panic!("not a line of operators: {line}");
    };
    let width = match width {
        "64:" => 'r',
        "32:" => 'w',
        _ => panic!("{line}"),
    };
    (width, a, op, b, result)
}

/// The number as a 32-bit constant that is extended to it.
fn constant(text: &str) -> Option<i32> {
    i32::try_from(number(text) as i64).ok()
}

fn number(text: &str) -> u64 {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).expect(text);
    }
    let value: i128 = text.parse().expect(text);
    value as u64
}

fn bytes(text: &str) -> Vec<u8> {
    text.split(' ')
        .map(|byte| u8::from_str_radix(byte, 16).expect(text))
        .collect()
}
