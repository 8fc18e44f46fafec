//! The object as text: one table for people and for snapshots.

use crate::{
    Binding, Extern, ExternKind, Function, Map, MapSource, Object, OpsStructure, Pinning, Role, SectionKind,
    SlotContent, Target,
};
use std::fmt;

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "license {:?}", self.license.as_deref().unwrap_or(""))?;
        if let Some(version) = self.version {
            writeln!(f, "version {version:#x}")?;
        }
        for function in &self.functions {
            self.function_lines(f, function)?;
        }
        for map in &self.maps {
            self.map_line(f, map)?;
        }
        for item in &self.externs {
            extern_line(f, item)?;
        }
        for ops in &self.ops {
            self.ops_lines(f, ops)?;
        }
        Ok(())
    }
}

impl Object {
    fn function_lines(&self, f: &mut fmt::Formatter<'_>, function: &Function) -> fmt::Result {
        let role = match &function.role {
            Role::Subprogram => "subprogram".to_owned(),
            Role::Program { kind, autoload } => {
                format!(
                    "{} program{}",
                    kind_name(kind),
                    if *autoload {
                        ""
                    } else {
                        " (not loaded unless asked for)"
                    }
                )
            }
        };
        let binding = match function.binding {
            Binding::Local => " static",
            Binding::Global => "",
            Binding::Weak => " weak",
        };
        let hidden = if function.hidden { " hidden" } else { "" };
        writeln!(
            f,
            "{role} {}{binding}{hidden} in {}+{:#x}: {} slots, {} lines{}",
            function.name,
            function.section,
            function.section_offset,
            function.insns.len(),
            function.lines.len(),
            if function.type_id.is_some() { "" } else { ", no type" },
        )?;
        for relocation in &function.relocations {
            writeln!(f, "    {:>4}: {}", relocation.slot, self.target_text(relocation.target))?;
        }
        for record in &function.core {
            let (ty, access) = match &self.btf {
                Some(btf) => (
                    btf.name_of(record.record.ty),
                    btf.string(record.record.access_offset).unwrap_or("?"),
                ),
                None => ("?", "?"),
            };
            writeln!(f, "    {:>4}: {:?} of {ty} {access}", record.slot, record.record.kind)?;
        }
        Ok(())
    }

    fn target_text(&self, target: Target) -> String {
        let map_name = |index| self.map(index).map_or("?", |map| map.name.as_str());
        let function_name = |index| self.function(index).map_or("?", |function| function.name.as_str());
        let extern_name =
            |index: crate::ExternIndex| self.externs.get(index.0 as usize).map_or("?", |e| e.name.as_str());
        match target {
            Target::Map(index) => format!("map {}", map_name(index)),
            Target::Data { map, offset } => format!("data {}+{offset:#x}", map_name(map)),
            Target::ExternAddress(index) => format!("extern {}", extern_name(index)),
            Target::ExternCall(index) => format!("call of extern {}", extern_name(index)),
            Target::Call(index) => format!("call of {}", function_name(index)),
            Target::FunctionAddress(index) => format!("address of {}", function_name(index)),
        }
    }

    fn map_line(&self, f: &mut fmt::Formatter<'_>, map: &Map) -> fmt::Result {
        let Map {
            name,
            map_type,
            key_size,
            value_size,
            max_entries,
            flags,
            ..
        } = map;
        write!(
            f,
            "map {name}: type {map_type}, key {key_size}, value {value_size}, entries {max_entries}, flags {flags:#x}"
        )?;
        match &map.source {
            MapSource::Definition => {}
            MapSource::Data(data) if data.bytes.is_empty() => write!(f, ", zeros")?,
            MapSource::Data(data) => write!(f, ", {} initial bytes", data.bytes.len())?,
            MapSource::Kconfig => write!(f, ", configuration values")?,
        }
        let ty = |id| self.btf.as_ref().map_or("?", |btf| btf.name_of(id)).to_owned();
        if let Some(key) = map.key_type {
            write!(f, ", key type `{}`", ty(key))?;
        }
        if let Some(value) = map.value_type {
            write!(f, ", value type `{}`", ty(value))?;
        }
        if map.pinning == Pinning::ByName {
            write!(f, ", pinned by name")?;
        }
        writeln!(f)?;
        if let Some(inner) = &map.inner {
            write!(f, "    of ")?;
            self.map_line(f, inner)?;
        }
        for slot in &map.slots {
            let holds = match slot.holds {
                SlotContent::Map(index) => self.map(index).map(|map| map.name.as_str()),
                SlotContent::Program(index) => self.function(index).map(|function| function.name.as_str()),
            };
            writeln!(f, "    [{}] = {}", slot.index, holds.unwrap_or("?"))?;
        }
        Ok(())
    }

    fn ops_lines(&self, f: &mut fmt::Formatter<'_>, ops: &OpsStructure) -> fmt::Result {
        writeln!(
            f,
            "ops {} of {} in {}+{:#x}: {} bytes{}{}",
            ops.name,
            ops.type_name,
            ops.section,
            ops.section_offset,
            ops.bytes.len(),
            if ops.link { ", by link" } else { "" },
            if ops.autocreate {
                ""
            } else {
                ", not created unless asked for"
            },
        )?;
        for assigned in &ops.programs {
            let program = self
                .function(assigned.program)
                .map_or("?", |function| function.name.as_str());
            writeln!(f, "    .{} = {program}", assigned.name)?;
        }
        Ok(())
    }
}

fn extern_line(f: &mut fmt::Formatter<'_>, item: &Extern) -> fmt::Result {
    let weak = if item.weak { "weak " } else { "" };
    match &item.kind {
        ExternKind::Kconfig { offset, size, value } => {
            writeln!(f, "{weak}kconfig {} at {offset}, {size} bytes, {value:?}", item.name)
        }
        ExternKind::Variable { ty } => writeln!(f, "{weak}kernel variable {} of type {ty}", item.name),
        ExternKind::Function { .. } => writeln!(f, "{weak}kernel function {}", item.name),
    }
}

fn kind_name(kind: &SectionKind) -> &str {
    match kind {
        SectionKind::StructOps { sleepable: false } => "struct_ops",
        SectionKind::StructOps { sleepable: true } => "sleepable struct_ops",
        SectionKind::SocketFilter => "socket filter",
        SectionKind::Syscall => "syscall",
        SectionKind::Other(name) => name,
    }
}
