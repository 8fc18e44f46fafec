//! The JSON of every verb has the shape that docs/json.md gives it: every field that stands there, none that does not.

use crate::common::{json, shipped};
use crate::ground::Ground;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use testkit::linux_or_skip;

/// The shapes of the document, by the heading above each.
struct Shapes(BTreeMap<String, Value>);

impl Shapes {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
        let text = std::fs::read_to_string(path).expect("the document");
        let mut shapes = BTreeMap::new();
        for section in text.split("\n## ").skip(1) {
            let (name, body) = section.split_once('\n').expect("a heading");
            let (_, shape) = body.split_once("```json\n").expect("a shape");
            let (shape, _) = shape.split_once("```").expect("its end");
            let shape = serde_json::from_str(shape).unwrap_or_else(|error| panic!("{name}: {error}"));
            shapes.insert(name.trim().to_owned(), shape);
        }
        Self(shapes)
    }

    fn of(&self, name: &str) -> &Value {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("docs/json.md has no shape {name}"))
    }

    /// Holds what a command printed to the envelope and its verb's shape; a failure may have nothing but its error.
    fn hold(&self, words: &[&str]) -> i32 {
        let (code, value) = json(words);
        let mut fields = value.as_object().expect("an object").clone();
        let verb = fields
            .get("verb")
            .and_then(Value::as_str)
            .unwrap_or("failure")
            .to_owned();
        let mut envelope = Map::new();
        for field in ["schema", "verb", "notes"] {
            envelope.extend(fields.remove_entry(field));
        }
        let failed_alone = fields.len() == 1 && fields.contains_key("error");
        let shape = if failed_alone { "failure" } else { &verb };
        let checked = self
            .fits(&Value::Object(envelope), self.of("envelope"))
            .and_then(|()| self.fits(&Value::Object(fields), self.of(shape)));
        if let Err(wrong) = checked {
            panic!("{words:?}: {wrong}: {value}");
        }
        if let Some(error) = value.get("error") {
            assert_eq!(error["exit"], code, "{words:?}: {value}");
        }
        code
    }

    fn fits(&self, value: &Value, shape: &Value) -> Result<(), String> {
        match (shape, value) {
            (Value::String(word), _) => self.fits_word(value, word),
            (Value::Array(of), Value::Array(values)) => values.iter().try_for_each(|value| self.fits(value, &of[0])),
            (Value::Object(wanted), Value::Object(fields)) => {
                for (name, shape) in wanted {
                    let bare = name.trim_end_matches('?');
                    match fields.get(bare) {
                        Some(value) => self.fits(value, shape).map_err(|wrong| format!("{bare}: {wrong}"))?,
                        None if bare != name => {}
                        None => return Err(format!("there is no `{bare}`")),
                    }
                }
                let is_known = |name: &String| wanted.contains_key(name) || wanted.contains_key(&format!("{name}?"));
                match fields.keys().find(|name| !is_known(name)) {
                    Some(unknown) => Err(format!("`{unknown}` is not in the document")),
                    None => Ok(()),
                }
            }
            _ => Err(format!("{value} is no {shape}")),
        }
    }

    fn fits_word(&self, value: &Value, word: &str) -> Result<(), String> {
        let fits = match word {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "number" => value.is_number(),
            "integer" => value.is_u64() || value.is_i64(),
            _ if word.starts_with('@') => {
                let mut of_each = word.split(" | ").map(|name| self.fits(value, self.of(&name[1..])));
                let first = of_each.next().expect("split gives at least one");
                return first.or_else(|wrong| of_each.find(Result::is_ok).unwrap_or(Err(wrong)));
            }
            _ if word.starts_with('=') => value.to_string().trim_matches('"') == &word[1..],
            _ => value
                .as_str()
                .is_some_and(|text| word.split(" | ").any(|one| one == text)),
        };
        if fits {
            Ok(())
        } else {
            Err(format!("{value} is no {word}"))
        }
    }
}

#[test]
fn of_every_verb_that_needs_no_rights() {
    let shapes = Shapes::read();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text.bpf.o"), "no object").unwrap();
    let mut bad = std::fs::read(shipped("reno")).unwrap();
    let program = crate::patch::section(&bad, "struct_ops/reno_cong_avoid").start;
    bad[program..program + 8].copy_from_slice(&[0x79, 0x90, 0, 0, 0, 0, 0, 0]); // r0 = *(u64 *)(r9 + 0)
    std::fs::write(path("bad.bpf.o"), bad).unwrap();
    let prints = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/prints.bpf.o").to_owned();
    for (words, code) in [
        (&["check", "reno", "cubic", "dctcp"][..], 0),
        (
            &["check", "reno", &path("text.bpf.o"), &path("bad.bpf.o"), "no_such_name"],
            7,
        ),
        (&["check", "--log", &path("bad.bpf.o")], 3),
        (&["check", "tests/data/bits/reno-6.12.clang19.bpf.o"], 0),
        (&["new", "bbr"], 2),
        (&["try", "reno", "--duration", "1s"], 0),
        (&["try", "reno", "--duration", "1s", "--swap", "500ms=cubic"], 0),
        (&["try", &path("bad.bpf.o")], 3),
        (&["try", &prints, "--trace", "--duration", "1s"], 0),
        (&["compare", "reno", "cubic", "--duration", "1s", "--flows", "2"], 0),
        (&["compare", "reno", "cubic", "--duration", "1s", "--mix"], 0),
        (&["kinds", "--kernel", "embedded"], 0),
        (&["kinds", "tcp_congestion_ops", "--kernel", "embedded"], 0),
        (&["kinds", "tcp_congestion_op", "--kernel", "embedded"], 7),
        (&["header", "--kernel", "embedded"], 0),
        (&["explain"], 0),
        (&["explain", "EINVAL"], 0),
        (&["explain", "no_such_code"], 7),
        (&["completions", "bash"], 0),
        (&["man", "load"], 0),
        (&["man", "--out", &path("man")], 0),
        (&["build", &path("none.bpf.c")], 7),
        (&["load", "reno", "--kernel", "embedded"], 4),
        (&["frobnicate"], 2),
        (&["try", "reno", "--rtt", "-1s"], 2),
    ] {
        assert_eq!(shapes.hold(words), code, "{words:?}");
    }
    let code = shapes.hold(&["doctor"]);
    assert!((0..=6).contains(&code), "{code}");
    if testkit::tool_or_skip("clang-19", "the shape of what `build` prints") {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../algorithms/reno.bpf.c");
        assert_eq!(
            shapes.hold(&["build", source.to_str().unwrap(), "-o", &path("built.bpf.o")]),
            0
        );
    }
}

#[test]
fn of_the_verbs_about_tables() {
    if !linux_or_skip("the shape of what Linux keeps") {
        return;
    }
    let shapes = Shapes::read();
    let ground = Ground::new();
    let name = ground.name.as_str();
    for (words, code) in [
        (&["load", "reno", "--as", name, "--set", "flags=non_restricted"][..], 0),
        (&["load", "reno", "--as", name], 6),
        (&["apply", "reno", "--as", name], 0),
        (&["swap", name, "cubic"], 0),
        (&["list"], 0),
        (&["ls", name], 0),
        (&["show", name], 0),
        (&["rollback", name], 0),
        (&["apply", "dctcp", "--as", name], 0),
        (&["swap", name, "reno", "--set", "ssthresh=null"], 3),
        (&["rm", name, "no_such_name"], 7),
        (&["unload", name], 7),
        (&["rollback", name, "--ignore-not-found"], 0),
        (&["apply", "reno", "--as", name], 0),
        (&["unload", name], 0),
    ] {
        assert_eq!(shapes.hold(&ground.words(words)), code, "{words:?}");
    }
    for words in [
        &["kinds"][..],
        &["kinds", "tcp_congestion_ops"],
        &["header"],
        &["check", "reno", "--kernel", "linux"],
    ] {
        assert_eq!(shapes.hold(words), 0, "{words:?}");
    }
    ground.gone();
}

#[test]
fn what_does_not_fit_is_found() {
    let shapes = Shapes::read();
    let table = serde_json::json!({"name": "x", "kind": "k", "state": "live", "map": 1, "map_name": "m", "references": 1, "pins": [], "fields": [], "programs": []});
    let fits = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut table = table.as_object().unwrap().clone();
        change(&mut table);
        shapes.fits(&Value::Object(table), shapes.of("table"))
    };
    assert_eq!(fits(&|_| ()), Ok(()));
    assert!(fits(&|table| drop(table.remove("map"))).is_err());
    assert!(fits(&|table| drop(table.insert("map".to_owned(), "1".into()))).is_err());
    assert!(fits(&|table| drop(table.insert("state".to_owned(), "alive".into()))).is_err());
    assert!(fits(&|table| drop(table.insert("colour".to_owned(), "red".into()))).is_err());
    assert!(fits(&|table| drop(table.insert("pins".to_owned(), serde_json::json!([1])))).is_err());
}
