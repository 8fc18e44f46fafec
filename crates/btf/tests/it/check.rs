//! The kernel's check, rule by rule; whether Linux says the same of these very types is a test of crate `loader`.

use btf::check::{KernelTypes, check};
use testkit::raw_btf_cases;

#[test]
fn each_rule() {
    let mut wrong = Vec::new();
    for case in raw_btf_cases(include_str!("../data/check/rules.txt")) {
        let found = check(&case.bytes, KernelTypes::default());
        let is = match &found {
            Ok(()) => ("ok", None),
            Err(refusal) => (refusal.rule.name(), refusal.place.as_ref().map(|place| place.id.0)),
        };
        if is != (case.rule.as_str(), case.id) {
            wrong.push(format!(
                "line {}: {found:?}, not {} {:?}",
                case.line, case.rule, case.id
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
