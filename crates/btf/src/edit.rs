//! [`Editor`]: changes single fields of existing BTF and keeps all ids and string offsets.
//!
//! For the fix-ups that a loader makes before the kernel sees an object's types (`btf_fixup_datasec`,
//! `bpf_object__collect_externs`, `bpf_object__sanitize_and_load_btf` of libbpf, Linux 6.12): records such as
//! `.BTF.ext` stay valid, which a new [`Builder`](crate::Builder) would not promise.

use crate::error::ParseError;
use crate::raw::Info;
use crate::types::SecVar;
use crate::{Btf, Kind, Linkage, TypeId};

/// A copy of a BTF's own types in which fields can be changed. Changes to an id of another kind than the method
/// says do nothing and answer `false`.
pub struct Editor {
    base: Option<Btf>,
    first: u32,
    strings_from: u32,
    words: Vec<u32>,
    starts: Vec<u32>,
    strings: String,
}

impl Btf {
    /// Begins a change that keeps all ids and string offsets.
    pub fn edit(&self) -> Editor {
        let (words, starts, strings) = self.own_parts();
        Editor {
            base: self.base().cloned(),
            first: self.end_id() - (starts.len() as u32 - 1),
            strings_from: self.strings_end() - strings.len() as u32,
            words: words.to_vec(),
            starts: starts.to_vec(),
            strings: strings.to_owned(),
        }
    }
}

impl Editor {
    /// Gives a `DATASEC` a size and the places of its variables; their number must not change.
    pub fn set_data_section(&mut self, id: TypeId, size: u32, vars: &[SecVar]) -> bool {
        let Some(record) = self
            .record(id, Kind::DataSec)
            .filter(|record| record.len() == 3 + vars.len() * 3)
        else {
            return false;
        };
        record[2] = size;
        for (words, var) in record[3..].chunks_exact_mut(3).zip(vars) {
            words.copy_from_slice(&[var.ty.0, var.offset, var.size]);
        }
        true
    }

    /// Gives a `VAR` a type and a linkage.
    pub fn set_var(&mut self, id: TypeId, ty: TypeId, linkage: Linkage) -> bool {
        let Some(record) = self.record(id, Kind::Var) else {
            return false;
        };
        record[2] = ty.0;
        record[3] = linkage.number();
        true
    }

    /// Gives a `FUNC` a linkage.
    pub fn set_func_linkage(&mut self, id: TypeId, linkage: Linkage) -> bool {
        let Some(record) = self.record(id, Kind::Func) else {
            return false;
        };
        record[1] = Info::new(Kind::Func, linkage.number(), false).0;
        true
    }

    /// Names the parameters of a `FUNC_PROTO` that have none; all get the name of the type `like`.
    pub fn name_params(&mut self, id: TypeId, like: TypeId) -> bool {
        let Some(name) = self.start(like).map(|start| self.words[start]) else {
            return false;
        };
        let Some(record) = self.record(id, Kind::FuncProto) else {
            return false;
        };
        for param in record[3..]
            .chunks_exact_mut(2)
            .filter(|param| param[0] == 0 && param[1] != 0)
        {
            param[0] = name;
        }
        true
    }

    /// Replaces a type's name by a new string.
    pub fn rename(&mut self, id: TypeId, name: &str) -> bool {
        let Some(start) = self.start(id) else { return false };
        self.words[start] = self.add_string(name);
        true
    }

    /// Adds a `VAR` behind all other types.
    pub fn add_var(&mut self, name: &str, ty: TypeId, linkage: Linkage) -> TypeId {
        let name = self.add_string(name);
        let info = Info::new(Kind::Var, 0, false).0;
        self.add(&[name, info, ty.0, linkage.number()])
    }

    /// Adds an unsigned `INT` of this many bytes behind all other types.
    pub fn add_int(&mut self, name: &str, size: u32) -> TypeId {
        let name = self.add_string(name);
        let info = Info::new(Kind::Int, 0, false).0;
        self.add(&[name, info, size, size * 8])
    }

    /// The changed types.
    ///
    /// # Errors
    /// A change that refers to a type that does not exist.
    pub fn finish(self) -> Result<Btf, ParseError> {
        Btf::from_parts(self.words, self.strings, self.base, 0)
    }

    fn add(&mut self, record: &[u32]) -> TypeId {
        let id = TypeId(self.first + self.starts.len() as u32 - 1);
        self.words.extend_from_slice(record);
        self.starts.push(self.words.len() as u32);
        id
    }

    fn add_string(&mut self, text: &str) -> u32 {
        let at = self.strings_from + self.strings.len() as u32;
        // A NUL would end the string early: what follows it is cut off.
        self.strings.push_str(text.split('\0').next().unwrap_or(""));
        self.strings.push('\0');
        at
    }

    fn start(&self, id: TypeId) -> Option<usize> {
        let at = id.0.checked_sub(self.first)? as usize;
        self.starts.get(at + 1)?;
        Some(self.starts[at] as usize)
    }

    fn record(&mut self, id: TypeId, kind: Kind) -> Option<&mut [u32]> {
        let start = self.start(id)?;
        let end = self.starts[(id.0 - self.first) as usize + 1] as usize;
        let record = self.words.get_mut(start..end)?;
        (Info(record[1]).kind() == Some(kind)).then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Def, Encoding};

    #[test]
    fn changes_keep_ids_and_are_written() {
        let mut b = Builder::new();
        let int = b.int("int", 4, Encoding::SIGNED);
        let long = b.int("long", 8, Encoding::SIGNED);
        let btf = b.build().unwrap();

        let mut edit = btf.edit();
        let var = edit.add_var("dummy", int, Linkage::Global);
        assert!(edit.set_var(var, long, Linkage::Static));
        assert!(!edit.set_var(int, long, Linkage::Static), "an INT is no VAR");
        assert!(edit.rename(long, "longer"));
        let changed = edit.finish().unwrap();

        assert_eq!(changed.find("int", Kind::Int), Some(int));
        assert_eq!(changed.name_of(long), "longer");
        let expected = matches!(
            changed.type_by_id(var).map(|ty| ty.def),
            Some(Def::Var { ty, linkage: Linkage::Static }) if ty == long
        );
        assert!(expected);
        let again = Btf::parse(&changed.to_bytes()).unwrap();
        assert_eq!(again.find("dummy", Kind::Var), Some(var));
    }

    #[test]
    fn a_change_to_a_missing_type_is_refused() {
        let mut b = Builder::new();
        b.int("int", 4, Encoding::SIGNED);
        let mut edit = b.build().unwrap().edit();
        edit.add_var("dummy", TypeId(99), Linkage::Global);
        assert!(edit.finish().is_err());
    }
}
