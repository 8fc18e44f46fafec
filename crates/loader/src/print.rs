//! A plan as text: what loading would do, in its order.

use crate::maps::{Initial, MapPlan};
use crate::plan::Plan;
use crate::programs::{ProgramKind, ProgramPlan};
use crate::struct_ops::{Fate, OpsPlan};
use std::fmt;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(btf) = &self.btf {
            writeln!(f, "types    {} types", btf.end_id() - 1)?;
        }
        for map in &self.maps {
            writeln!(f, "map      {map}")?;
        }
        for program in &self.programs {
            writeln!(f, "program  {program}")?;
        }
        for skipped in &self.skipped {
            writeln!(f, "skip     {}: {}", skipped.name, skipped.reason)?;
        }
        for ops in &self.ops {
            write!(f, "ops      {ops}")?;
        }
        for name in &self.ops_left_out {
            writeln!(f, "skip     {name}: not asked for")?;
        }
        Ok(())
    }
}

impl fmt::Display for MapPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}, key {} bytes, value {} bytes, {} entries",
            self.kernel_name, self.map_type, self.key_size, self.value_size, self.max_entries
        )?;
        match &self.initial {
            Initial::None => {}
            Initial::Bytes { freeze: false, .. } => write!(f, ", initial value")?,
            Initial::Bytes { freeze: true, .. } => write!(f, ", initial value, then frozen")?,
            Initial::Kconfig => write!(f, ", configuration values, then frozen")?,
        }
        if let Some(inner) = &self.inner {
            write!(f, ", holds maps like {inner}")?;
        }
        for slot in &self.slots {
            write!(f, ", [{}] = {}", slot.index, slot.name)?;
        }
        match &self.pin {
            Some(pin) => write!(f, ", shared at {}", pin.shown.display()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ProgramPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {} instructions", self.name, self.kind, self.insns.len())?;
        if self.parts.len() > 1 {
            write!(f, " with {} sub-programs", self.parts.len() - 1)?;
        }
        if self.poisoned > 0 {
            write!(
                f,
                ", {} must not be reached: the kernel lacks what they need",
                self.poisoned
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for ProgramKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StructOps {
                kind,
                member,
                sleepable,
                ..
            } => write!(f, "{kind}.{member}{}", if *sleepable { " (sleepable)" } else { "" }),
            Self::SocketFilter => f.write_str("socket filter"),
            Self::Syscall => f.write_str("syscall"),
            Self::Other(other) => write!(f, "{}", other.section.prog_type),
        }
    }
}

impl fmt::Display for OpsPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.link { "by link" } else { "without link" };
        writeln!(f, "{} of {}, {how}", self.name, self.kind)?;
        for member in &self.members {
            let name = &member.name;
            match member.fate {
                Fate::Program { name: ref program, .. } => writeln!(f, "    .{name} = {program}")?,

                Fate::Data { .. } => match (self.data(name), self.text(name)) {
                    (Some(bytes), _) if bytes.iter().all(|byte| *byte == 0) => {}
                    (Some(bytes), _) if bytes.len() <= 8 => {
                        let value = bytes
                            .iter()
                            .rev()
                            .fold(0u64, |value, byte| value << 8 | u64::from(*byte));
                        writeln!(f, "    .{name} = {value:#x}")?;
                    }
                    (Some(_), Some(text)) => writeln!(f, "    .{name} = {text:?}")?,
                    (Some(_) | None, _) => {}
                },
                Fate::Null => {}
                Fate::Absent => writeln!(f, "    .{name}: not in the kernel, and zero here")?,
            }
        }
        Ok(())
    }
}
