//! Programs that stand in an object beside its ops structures: attached by links of their own when a load is asked to, and pinned beside the first of the
//! structures, so that `unload` ends both.
//!
//! A swap exchanges the table and leaves them alone: they go on with the object that was loaded, until its algorithm is unloaded.

use super::folders::Folder;
use super::pins::PinName;
use super::{Host, HostError};
use bpf::{Fd, Link, LinkTarget, ObjectRef};
use loader::sections::Place;
use serde::Serialize;
use std::path::Path;

/// Where the programs of a section are to be attached: `cgroup/setsockopt=/sys/fs/cgroup/x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// The section's name, without `?`.
    pub section: String,
    /// A cgroup's path, an interface, or `auto` for what the section names itself.
    pub target: String,
}

impl std::str::FromStr for Attach {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((section, target)) if !section.is_empty() && !target.is_empty() => Ok(Self {
                section: section.trim_start_matches('?').to_owned(),
                target: target.to_owned(),
            }),
            _ => Err(format!(
                "`{text}` is not SECTION=TARGET, as in cgroup/setsockopt=/sys/fs/cgroup/x or tp_btf/tcp_probe=auto"
            )),
        }
    }
}

/// A program that was attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attached {
    /// The program.
    pub program: String,
    /// Its section.
    pub section: String,
    /// What it is attached to, as it was asked for.
    pub target: String,
    /// The link.
    #[serde(rename = "link")]
    pub link_id: u32,
}

/// Links that are made and not pinned yet: they end with this value.
pub(super) type Made = Vec<(Attached, Fd<Link>)>;

impl Host {
    /// Attaches every program of the sections that were asked for.
    pub(super) fn attach(&self, loaded: &loader::Loaded, asked: &[Attach]) -> Result<Made, HostError> {
        let mut made = Made::new();
        for one in asked {
            let named = |program: &&loader::LoadedProgram| program.section.trim_start_matches('?') == one.section;
            let programs: Vec<_> = loaded.programs().iter().filter(named).collect();
            if programs.is_empty() {
                return Err(HostError::NothingToAttach {
                    section: one.section.clone(),
                });
            }
            for program in programs {
                let link = self.attach_one(program, one)?;
                let info = self.bpf.link_info(&link);
                let link_id = info.map_err(HostError::system("read the facts of a link"))?.id;
                let attached = Attached {
                    program: program.name.clone(),
                    section: one.section.clone(),
                    target: one.target.clone(),
                    link_id,
                };
                made.push((attached, link));
            }
        }
        Ok(made)
    }

    fn attach_one(&self, program: &loader::LoadedProgram, asked: &Attach) -> Result<Fd<Link>, HostError> {
        let wrong = |takes| HostError::WrongTarget {
            section: asked.section.clone(),
            target: asked.target.clone(),
            takes,
        };
        let Some(other) = &program.other else {
            return Err(HostError::NothingToAttach {
                section: asked.section.clone(),
            });
        };
        let auto = asked.target == "auto";
        let target = match &other.section.place {
            Place::Cgroup if auto => return Err(wrong("the path of a cgroup")),
            Place::Cgroup => LinkTarget::Cgroup(Path::new(&asked.target)),
            Place::Interface if auto => return Err(wrong("the name of a network interface")),
            Place::Interface => LinkTarget::Interface(&asked.target),
            Place::Typed { .. } if auto => LinkTarget::Kernel,
            Place::RawTracepoint(name) if auto => LinkTarget::RawTracepoint(name),
            Place::Tracepoint(category, event) if auto => LinkTarget::Tracepoint { category, event },
            Place::Kprobe { function, at_return } if auto => LinkTarget::Kprobe {
                function,
                at_return: *at_return,
            },
            Place::Typed { .. } | Place::RawTracepoint(_) | Place::Tracepoint(..) | Place::Kprobe { .. } => {
                return Err(wrong("`auto`: the section names it"));
            }
            Place::Nothing => return Err(wrong("nothing that this loader attaches to")),
        };
        let link = self
            .bpf
            .link_create(&program.program, other.section.attach_type, &target);
        link.map_err(|errno| HostError::NotAttached {
            program: program.name.clone(),
            section: asked.section.clone(),
            target: asked.target.clone(),
            errno,
        })
    }

    /// Pins the links in the folder of an algorithm; the pins as the user knows them.
    pub(super) fn keep_attached(&self, made: &Made, folder: &Folder) -> Result<Vec<std::path::PathBuf>, HostError> {
        let mut pins = Vec::new();
        for (number, (_, link)) in (1..).zip(made) {
            let name = PinName::Attached(number).to_string();
            let pinned = self.bpf.obj_pin(&folder.at(&name), ObjectRef::Link(link));
            pinned.map_err(HostError::system("pin the link of a program"))?;
            pins.push(folder.shown(&name));
        }
        Ok(pins)
    }
}
