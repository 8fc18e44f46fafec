//! BTF written word by word, so that it can be wrong: text in, bytes out.
//!
//! A line is a record: kind, name (`-` for none), `vlen=N` and `flag` where they matter, the third word, and after a colon the other words, of
//! which names are in quotes:
//!
//! ```text
//! == UnnamedArgument [3]
//! INT "int" 4 : 0x1000020
//! FUNC_PROTO - 0 : - 1
//! FUNC "f" vlen=1 2
//! ```
//!
//! A case begins with `==`, the name of the rule that it breaks (`ok` for none) and the id of the type that does; `#` begins a comment. Where
//! `vlen` is not given, it is what the words make of it.

use btf::Kind;

/// One case of a file.
#[derive(Debug)]
pub struct RawBtf {
    /// `ok`, or the name of the rule that is broken.
    pub rule: String,
    /// The type that breaks it.
    pub id: Option<u32>,
    /// The line of the file where the case begins.
    pub line: usize,
    /// The `.BTF` section.
    pub bytes: Vec<u8>,
}

/// Reads all cases of a file.
///
/// # Panics
/// When the text is not as the module says.
pub fn raw_btf_cases(text: &str) -> Vec<RawBtf> {
    let mut cases: Vec<(RawBtf, Parts)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix("==") {
            let mut words = head.split_whitespace();
            let case = RawBtf {
                rule: words.next().expect("a rule").to_owned(),
                id: words.next().map(|id| number(id.trim_matches(['[', ']']))),
                line: at + 1,
                bytes: Vec::new(),
            };
            cases.push((case, Parts::default()));
        } else {
            cases.last_mut().expect("a case begins with ==").1.record(line);
        }
    }
    let finish = |(case, parts): (RawBtf, Parts)| RawBtf {
        bytes: parts.bytes(),
        ..case
    };
    cases.into_iter().map(finish).collect()
}

/// Words and strings of a case.
struct Parts {
    words: Vec<u32>,
    strings: Vec<u8>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            strings: vec![0],
        }
    }
}

impl Parts {
    fn record(&mut self, line: &str) {
        let (head, rest) = line.split_once(" :").unwrap_or((line, ""));
        let mut head = tokens(head).into_iter();
        let kind = head.next().expect("a kind");
        let kind_number = match Kind::ALL.iter().find(|known| known.name() == kind) {
            Some(known) => *known as u32,
            None => number(&kind),
        };
        let name = self.word(&head.next().expect("a name"));
        let extra: Vec<u32> = tokens(rest).iter().map(|token| self.word(token)).collect();
        let entry = match kind.as_str() {
            "STRUCT" | "UNION" | "DATASEC" | "ENUM64" => 3,
            "ENUM" | "FUNC_PROTO" => 2,
            _ => usize::MAX,
        };
        let (mut entries, mut flag, mut third) = ((extra.len() / entry) as u32, 0, 0);
        for token in head {
            match token.strip_prefix("vlen=") {
                Some(count) => entries = number(count),
                None if token == "flag" => flag = 1 << 31,
                None => third = number(&token),
            }
        }
        self.words.extend([name, kind_number << 24 | entries | flag, third]);
        self.words.extend(extra);
    }

    fn word(&mut self, token: &str) -> u32 {
        match token.strip_prefix('"') {
            Some(name) => self.string(name.strip_suffix('"').expect("a closing quote")),
            None if token == "-" => 0,
            None => number(token),
        }
    }

    /// Each name gets a place of its own. `\xNN` is a byte.
    fn string(&mut self, name: &str) -> u32 {
        let at = self.strings.len() as u32;
        let mut rest = name;
        while let Some((before, after)) = rest.split_once("\\x") {
            self.strings.extend(before.bytes());
            self.strings
                .push(u8::from_str_radix(&after[..2], 16).expect("two digits"));
            rest = &after[2..];
        }
        self.strings.extend(rest.bytes());
        self.strings.push(0);
        at
    }

    fn bytes(&self) -> Vec<u8> {
        let length = self.words.len() as u32 * 4;
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        let header = [24, 0, length, length, self.strings.len() as u32];
        for word in header.iter().chain(&self.words) {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(&self.strings);
        bytes
    }
}

/// Words, where what is in quotes is one.
fn tokens(line: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => rest[1..].find('"').expect("a closing quote") + 2,
            _ => rest.find(' ').unwrap_or(rest.len()),
        };
        tokens.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    tokens
}

fn number(text: &str) -> u32 {
    let found = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse::<i64>().map(|number| number as u32),
    };
    found.unwrap_or_else(|_| panic!("`{text}` is no number"))
}
