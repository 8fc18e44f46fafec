//! Helpers: native functions that programs call by number. A [`Helper`] is data for the verifier and a [`Native`] function; `base` is the table of
//! those that every program gets, `raw` has their native functions and what families need to write their own.

mod base;
mod format;
#[expect(
    unsafe_code,
    reason = "native functions get numbers from programs and make pointers of them"
)]
mod raw;

pub use raw::{KTIME_GET_COARSE_NS, Native, Storage, bytes, status};

pub(crate) use base::Helpers;

use bpf::MapType;
use verifier::{CallContract, CallFlags, RetKind};

/// A helper.
#[derive(Debug)]
pub struct Helper {
    /// Its number (`enum bpf_func_id`).
    pub id: u32,
    /// What the verifier checks at a call.
    pub contract: CallContract,
    /// Only for programs with a GPL compatible licence.
    pub gpl_only: bool,
    /// The types of maps that it works on.
    pub maps: &'static [MapType],
    /// Whether it changes the elements of the map in its arguments: not for maps that programs may only read.
    pub writes_map: bool,
    /// What is called; `None` when this kernel only knows that Linux has it: calling it is `Unsupported`.
    pub native: Option<Native>,
}

impl Helper {
    /// A helper that works on no map, for programs of any licence.
    pub fn new(id: u32, contract: CallContract, native: Native) -> Self {
        Self {
            id,
            contract,
            gpl_only: false,
            maps: &[],
            writes_map: false,
            native: Some(native),
        }
    }

    /// The same for programs with a GPL compatible licence only.
    pub fn gpl_only(self) -> Self {
        Self { gpl_only: true, ..self }
    }

    /// The same, working on maps of these types.
    pub fn on_maps(self, maps: &'static [MapType]) -> Self {
        Self { maps, ..self }
    }

    /// The same, changing elements.
    pub fn writing(self) -> Self {
        Self {
            writes_map: true,
            ..self
        }
    }

    /// A helper that Linux has and this kernel has not: `what` is the reason that users read.
    pub fn unsupported(id: u32, name: &'static str, what: &'static str) -> Self {
        let mut contract = CallContract::new(name, &[], RetKind::Scalar);
        contract.flags = CallFlags {
            unsupported: Some(what),
            ..CallFlags::default()
        };
        Self {
            id,
            contract,
            gpl_only: false,
            maps: ANY_MAP,
            writes_map: false,
            native: None,
        }
    }
}

/// For helpers that are not there anyway.
const ANY_MAP: &[MapType] = MapType::NAMED;
