//! What to do about types that the kernel refuses.
//!
//! Sources rarely break these rules, compilers do: each line says which one makes such types, and what helps.

use super::rule::{Refusal, Rule};

/// One sentence for the author of the object, if there is something better than another compiler to say.
pub fn advice(refusal: &Refusal) -> Option<&'static str> {
    match refusal.rule {
        Rule::UnnamedArgument => Some("give every argument of a function with a body a name"),
        _ => None,
    }
}
