//! What an error code means and what helps: the verifier's codes, and those of the rules that an ops structure must keep.

use crate::Error;
use serde::Serialize;
use verifier::Code;

/// One code's page.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// `SO1001`: stable, so that it can be searched for.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: String,
    /// Why the rule exists and what helps.
    pub text: String,
}

/// The page of one code, in capital letters or not.
///
/// # Errors
/// [`Error::NoSuchCode`].
pub fn explain(code: &str) -> Result<Explanation, Error> {
    let wanted = code.trim().to_ascii_uppercase();
    let found = explanations().into_iter().find(|one| one.code == wanted);
    found.ok_or_else(|| Error::NoSuchCode { code: code.to_owned() })
}

/// Every page, by code.
pub fn explanations() -> Vec<Explanation> {
    let page = |code: &Code| Explanation {
        code: code.as_str(),
        title: code.title().to_owned(),
        text: code.explanation().to_owned(),
    };
    let beside = bpf::codes::PAGES.iter().map(|page| Explanation {
        code: page.code,
        title: page.title.to_owned(),
        text: page.text.to_owned(),
    });
    let mut all: Vec<Explanation> = Code::all().iter().map(page).chain(beside).collect();
    all.sort_by_key(|one| one.code);
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_has_a_page_and_is_found() {
        let all = super::explanations();
        assert!(all.len() > 20);
        for one in &all {
            assert!(
                one.code.starts_with("SO") && !one.title.is_empty() && one.text.len() > 20,
                "{one:?}"
            );
            assert_eq!(super::explain(&one.code.to_lowercase()).unwrap().title, one.title);
        }
    }
}
