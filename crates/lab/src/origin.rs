//! [`Origin`]: where a result came from, so that a run can be repeated. No date and no machine: the same inputs give the same bytes.

use crate::report;
use crate::run::{Source, SourceKind};
use crate::scenario::Scenario;
use crate::sha256::sha256;
use serde::Serialize;

/// What made a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The words of the command, or whatever the application calls it.
    pub command: Vec<String>,
    /// Version of the program.
    pub version: String,
    /// The scenario in a sentence.
    pub scenario: String,
    /// The algorithms.
    pub objects: Vec<OriginObject>,
}

/// An algorithm that took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OriginObject {
    /// As results name it.
    pub cc: String,
    /// SHA-256 of its object, in hexadecimal; absent for an algorithm that is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Origin {
    /// The origin of runs of `sources`, each named once.
    pub fn new<'a>(
        command: Vec<String>,
        version: &str,
        scenario: &Scenario,
        sources: impl IntoIterator<Item = &'a Source>,
    ) -> Self {
        let object = |source: &Source| OriginObject {
            cc: source.label.clone(),
            sha256: match &source.kind {
                SourceKind::Object { bytes, .. } => Some(sha256(bytes)),
                SourceKind::NativeReno | SourceKind::Table(_) => None,
            },
        };
        let mut objects: Vec<OriginObject> = Vec::new();
        for object in sources.into_iter().map(object) {
            if !objects.contains(&object) {
                objects.push(object);
            }
        }
        Self {
            command,
            version: version.to_owned(),
            scenario: report::summary(scenario),
            objects,
        }
    }

    /// The command as a shell takes it.
    pub fn command_line(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,%+@".contains(c);
        let quoted = |word: &String| match word.as_str() {
            "" => "''".to_owned(),
            word if word.chars().all(plain) => word.to_owned(),
            word => format!("'{}'", word.replace('\'', "'\\''")),
        };
        let words: Vec<String> = self.command.iter().map(quoted).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_typed_again() {
        let origin = Origin {
            command: ["opswap", "try", "my cc.o", "it's", "", "10s=./a.o"]
                .map(str::to_owned)
                .into(),
            ..Origin::default()
        };
        assert_eq!(origin.command_line(), r"opswap try 'my cc.o' 'it'\''s' '' 10s=./a.o");
    }

    #[test]
    fn each_object_is_named_once_with_its_digest() {
        let source = |label: &str, kind| Source {
            label: label.to_owned(),
            kind,
        };
        let object = SourceKind::Object {
            bytes: b"abc".as_slice().into(),
            ops: None,
        };
        let sources = [
            source("a", object.clone()),
            source("native", SourceKind::NativeReno),
            source("a", object),
        ];
        let origin = Origin::new(Vec::new(), "1.0", &Scenario::default(), &sources);
        let digests: Vec<Option<&str>> = origin.objects.iter().map(|object| object.sha256.as_deref()).collect();
        assert_eq!(digests.len(), 2);
        assert!(digests[0].is_some_and(|digest| digest.starts_with("ba7816bf")) && digests[1].is_none());
    }
}
