//! `.BTF.ext`: which function starts where, which source line an instruction comes from, and which instructions
//! are to be relocated by type (CO-RE).
//!
//! Names are offsets into the string table of the object's `.BTF`. Records longer than known are read to the known
//! length, as libbpf does. Follows `include/uapi/linux/btf.h` and `tools/lib/bpf/btf.c` (Linux 6.12).

use crate::core::RelocationKind;
use crate::error::{ParseError, ParseReason};
use crate::raw;
use crate::{Btf, TypeId};

/// The contents of a `.BTF.ext` section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BtfExt {
    /// One entry a section of the object, in the order of their first appearance.
    pub sections: Vec<SectionInfo>,
}

/// What `.BTF.ext` says about one section of the object.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SectionInfo {
    /// Offset of the section's name in the string table.
    pub name_offset: u32,
    /// The section's name.
    pub name: String,
    /// Functions by ascending offset.
    pub funcs: Vec<FuncInfo>,
    /// Source lines by ascending offset.
    pub lines: Vec<LineInfo>,
    /// CO-RE relocations by ascending offset.
    pub relocations: Vec<RelocationRecord>,
}

/// Start of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FuncInfo {
    /// Offset in bytes in the section.
    pub insn_offset: u32,
    /// The `FUNC`.
    pub ty: TypeId,
}

/// Source line of the instructions from here on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineInfo {
    /// Offset in bytes in the section.
    pub insn_offset: u32,
    /// Offset of the file's name in the string table.
    pub file_offset: u32,
    /// Offset of the line's text in the string table.
    pub text_offset: u32,
    /// Line (upper 22 bits) and column (lower 10 bits).
    pub line_column: u32,
}

impl LineInfo {
    /// Line, from 1; 0 if unknown.
    pub fn line(&self) -> u32 {
        self.line_column >> 10
    }

    /// Column, from 1; 0 if unknown.
    pub fn column(&self) -> u32 {
        self.line_column & 0x3ff
    }

    /// The file's name, from the object's BTF.
    pub fn file<'a>(&self, btf: &'a Btf) -> &'a str {
        btf.str_at(self.file_offset)
    }

    /// The text of the line, from the object's BTF.
    pub fn text<'a>(&self, btf: &'a Btf) -> &'a str {
        btf.str_at(self.text_offset)
    }
}

/// A CO-RE relocation as it is stored; [`Relocation`](crate::core::Relocation) is what it means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelocationRecord {
    /// Offset in bytes of the instruction in the section.
    pub insn_offset: u32,
    /// The type it starts from.
    pub ty: TypeId,
    /// Offset of the access string (`0:1:2`) in the string table.
    pub access_offset: u32,
    /// What is asked for.
    pub kind: RelocationKind,
}

/// Bytes that one record of each table has; longer ones have fields we do not know.
const FUNC_RECORD: u32 = 8;
const LINE_RECORD: u32 = 16;
const RELOCATION_RECORD: u32 = 16;
/// A header without the CO-RE table, and one with it.
const HEADER_SHORT: u32 = 24;
const HEADER_LONG: u32 = 32;

impl BtfExt {
    /// Reads a `.BTF.ext` section; `btf` is the object's `.BTF`, which has the strings and types.
    ///
    /// # Errors
    /// [`ParseError`] with the offset in `data`.
    pub fn parse(data: &[u8], btf: &Btf) -> Result<Self, ParseError> {
        let header = raw::header_len(data, HEADER_SHORT)?;
        let mut ext = Self::default();
        let tables = Tables { data, header, btf };
        tables.read(8, "function information", FUNC_RECORD, |section, words, _| {
            section.push_func(
                &mut ext,
                FuncInfo {
                    insn_offset: words[0],
                    ty: TypeId(words[1]),
                },
            );
            Ok(())
        })?;
        tables.read(16, "line information", LINE_RECORD, |section, words, at| {
            check_string(btf, "file name", words[1], at + 4)?;
            check_string(btf, "source line", words[2], at + 8)?;
            let line = LineInfo {
                insn_offset: words[0],
                file_offset: words[1],
                text_offset: words[2],
                line_column: words[3],
            };
            section.of(&mut ext).lines.push(line);
            Ok(())
        })?;
        if header >= HEADER_LONG {
            tables.read(24, "CO-RE relocation", RELOCATION_RECORD, |section, words, at| {
                check_string(btf, "access", words[2], at + 8)?;
                let kind = RelocationKind::from_number(words[3]).ok_or(ParseError {
                    offset: at + 12,
                    reason: ParseReason::UnknownRelocation(words[3]),
                })?;
                let (insn_offset, ty, access_offset) = (words[0], TypeId(words[1]), words[2]);
                section.of(&mut ext).relocations.push(RelocationRecord {
                    insn_offset,
                    ty,
                    access_offset,
                    kind,
                });
                Ok(())
            })?;
        }
        Ok(ext)
    }

    /// What is said about a section of the object.
    pub fn section(&self, name: &str) -> Option<&SectionInfo> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The bytes of a `.BTF.ext` section.
    pub fn to_bytes(&self) -> Vec<u8> {
        let funcs = table(&self.sections, FUNC_RECORD, |section, out| {
            section
                .funcs
                .iter()
                .for_each(|func| out.extend([func.insn_offset, func.ty.0]));
        });
        let lines = table(&self.sections, LINE_RECORD, |section, out| {
            let words = |l: &LineInfo| [l.insn_offset, l.file_offset, l.text_offset, l.line_column];
            section.lines.iter().for_each(|line| out.extend(words(line)));
        });
        let relocations = table(&self.sections, RELOCATION_RECORD, |section, out| {
            let words = |r: &RelocationRecord| [r.insn_offset, r.ty.0, r.access_offset, r.kind as u32];
            section
                .relocations
                .iter()
                .for_each(|relocation| out.extend(words(relocation)));
        });
        let mut out = Vec::new();
        out.extend_from_slice(&raw::MAGIC.to_le_bytes());
        out.extend_from_slice(&[raw::VERSION, 0]);
        let mut words = vec![HEADER_LONG];
        let mut start = 0;
        for table in [&funcs, &lines, &relocations] {
            let len = table.len() as u32 * 4;
            words.extend([start, len]);
            start += len;
        }
        let words = words.iter().chain(&funcs).chain(&lines).chain(&relocations);
        out.extend(words.flat_map(|word| word.to_le_bytes()));
        out
    }
}

impl SectionInfo {
    /// The source line of the instruction at an offset in bytes: the last record at or before it.
    pub fn line_at(&self, insn_offset: u32) -> Option<&LineInfo> {
        let after = self.lines.partition_point(|line| line.insn_offset <= insn_offset);
        after.checked_sub(1).map(|at| &self.lines[at])
    }
}

/// Words of one table: record size, then for each section its name, count and records.
fn table(sections: &[SectionInfo], record: u32, records: impl Fn(&SectionInfo, &mut Vec<u32>)) -> Vec<u32> {
    let mut out = Vec::new();
    for section in sections {
        let mut words = Vec::new();
        records(section, &mut words);
        if !words.is_empty() {
            if out.is_empty() {
                out.push(record);
            }
            out.extend([section.name_offset, words.len() as u32 * 4 / record]);
            out.extend(words);
        }
    }
    out
}

fn check_string(btf: &Btf, what: &'static str, offset: u32, at: usize) -> Result<(), ParseError> {
    match btf.string(offset) {
        Some(_) => Ok(()),
        None => Err(ParseError {
            offset: at,
            reason: ParseReason::BadString { what, offset },
        }),
    }
}

/// The section that records are being read for.
struct Section<'a> {
    name_offset: u32,
    name: &'a str,
}

impl Section<'_> {
    fn of<'e>(&self, ext: &'e mut BtfExt) -> &'e mut SectionInfo {
        // Sections are few, and the last one is the usual answer.
        let at = ext
            .sections
            .iter()
            .rposition(|section| section.name == self.name)
            .unwrap_or_else(|| {
                let (name_offset, name) = (self.name_offset, self.name.to_owned());
                ext.sections.push(SectionInfo {
                    name_offset,
                    name,
                    ..SectionInfo::default()
                });
                ext.sections.len() - 1
            });
        &mut ext.sections[at]
    }

    fn push_func(&self, ext: &mut BtfExt, func: FuncInfo) {
        self.of(ext).funcs.push(func);
    }
}

struct Tables<'a> {
    data: &'a [u8],
    header: u32,
    btf: &'a Btf,
}

impl Tables<'_> {
    /// Reads the table whose offset and length are at `field` of the header; `each` gets the known words of a record.
    fn read(
        &self,
        field: usize,
        what: &'static str,
        least: u32,
        mut each: impl FnMut(&Section<'_>, &[u32], usize) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        let (table, start) = raw::section(self.data, self.header, field, what)?;
        if table.is_empty() {
            return Ok(());
        }
        let truncated = |pos: usize, need: u64| {
            let have = (table.len() - pos) as u64;
            Err(ParseError {
                offset: start + pos,
                reason: ParseReason::Truncated { what, need, have },
            })
        };
        if table.len() < 4 {
            return truncated(0, 4);
        }
        let size = raw::word_at(table, 0);
        if size < least || !size.is_multiple_of(4) {
            return Err(ParseError {
                offset: start,
                reason: ParseReason::BadRecordSize { what, size },
            });
        }
        let mut pos = 4;
        while pos < table.len() {
            if table.len() - pos < 8 {
                return truncated(pos, 8);
            }
            let (name_offset, count) = (raw::word_at(table, pos), raw::word_at(table, pos + 4));
            check_string(self.btf, "section name", name_offset, start + pos)?;
            let section = Section {
                name_offset,
                name: self.btf.str_at(name_offset),
            };
            pos += 8;
            let need = u64::from(count) * u64::from(size);
            if need > (table.len() - pos) as u64 {
                return truncated(pos, need);
            }
            for record in table[pos..pos + need as usize].chunks_exact(size as usize) {
                let mut words = [0; 4];
                for (word, bytes) in words.iter_mut().zip(record.chunks_exact(4)) {
                    *word = raw::word_at(bytes, 0);
                }
                each(&section, &words, start + pos)?;
                pos += size as usize;
            }
        }
        Ok(())
    }
}
