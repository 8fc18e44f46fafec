//! A name that is declared, used and defined nowhere: a forgotten macro, or a file that was not linked. Where it is used first is what its author needs to
//! know.

use crate::btf_section::Types;
use crate::elf_reader::Elf;
use crate::error::{Error, Problem};
use crate::functions;

/// Adds the first use to an error about an undefined name; other errors stay as they are.
pub(crate) fn located(elf: &Elf<'_>, types: Option<&Types>, error: Error) -> Error {
    let Error::Malformed {
        problem: Problem::Undefined { name, .. },
        ..
    } = &error
    else {
        return error;
    };
    let code = elf.sections.iter().filter(|section| section.executable);
    let mut uses = code.flat_map(|section| {
        elf.relocations(section.index)
            .iter()
            .map(move |rel| (section, rel.offset, rel.symbol))
    });
    let Some((section, offset, _)) = uses.find(|(_, _, symbol)| elf.symbols[*symbol].name == name) else {
        return error;
    };
    let functions = functions::collect(elf).unwrap_or_default();
    let function =
        functions::containing(&functions, section.index, offset).and_then(|index| functions.get(index.0 as usize));
    let place = match (function, types.and_then(|types| types.line(section.name, offset))) {
        (Some(function), Some(line)) => format!(", used in `{}` ({line})", function.name),
        (Some(function), None) => format!(", used in `{}`", function.name),
        (None, _) => String::new(),
    };
    Error::malformed(
        section.name,
        offset,
        Problem::Undefined {
            name: name.clone(),
            place,
        },
    )
}
