//! `opswap explain`: what an error code means and what helps, or the list of all codes.

use crate::failure::Failure;
use crate::output::{Output, table};
use crate::text::Text;
use opswap::Explanation;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    codes: Vec<Explanation>,
}

pub(crate) fn run(code: Option<&str>, output: &Output) -> Result<(), Failure> {
    match code {
        None => {
            let body = Body {
                codes: opswap::explanations(),
            };
            output.result(&body, || {
                let row = |one: &Explanation| vec![one.code.to_owned(), one.title.clone()];
                table(&body.codes.iter().map(row).collect::<Vec<_>>())
            })
        }
        Some(code) => {
            let body = Body {
                codes: vec![opswap::explain(code)?],
            };
            output.result(&body, || {
                body.codes
                    .iter()
                    .map(|one| text!("{}: {}\n\n{}\n", one.code, one.title, Text::block(one.text.trim_end())))
                    .collect()
            })
        }
    }
}
