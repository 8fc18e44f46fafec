//! The value of an ops map as lookups show it: reference count, state, and the table with program ids in place of functions.
//! `struct bpf_struct_ops_common_value` and `enum bpf_struct_ops_state` of `include/linux/bpf.h`, Linux 6.18.

use std::fmt;

/// `enum bpf_struct_ops_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpsState {
    /// No value was given yet.
    Init,
    /// Registered without a link.
    InUse,
    /// Unregistered, but somebody still uses it.
    ToBeFree,
    /// Validated; a link may register it.
    Ready,
    /// A number without a name here.
    Unknown(u32),
}

impl From<u32> for OpsState {
    fn from(number: u32) -> Self {
        match number {
            0 => Self::Init,
            1 => Self::InUse,
            2 => Self::ToBeFree,
            3 => Self::Ready,
            other => Self::Unknown(other),
        }
    }
}

impl From<OpsState> for u32 {
    fn from(state: OpsState) -> Self {
        match state {
            OpsState::Init => 0,
            OpsState::InUse => 1,
            OpsState::ToBeFree => 2,
            OpsState::Ready => 3,
            OpsState::Unknown(other) => other,
        }
    }
}

impl fmt::Display for OpsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Init => f.write_str("INIT"),
            Self::InUse => f.write_str("INUSE"),
            Self::ToBeFree => f.write_str("TOBEFREE"),
            Self::Ready => f.write_str("READY"),
            Self::Unknown(other) => write!(f, "state {other}"),
        }
    }
}

/// A looked-up value of an ops map, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructOpsValue {
    /// How many hold the table: a registration, a link, each socket or namespace that uses it.
    pub refcnt: u32,
    /// Where the table is in its life.
    pub state: OpsState,
    /// The ops structure itself; function slots hold program ids (64 bits, low word).
    pub data: Vec<u8>,
}

impl StructOpsValue {
    /// Takes a value apart. `data_offset` is that of the member `data` of `bpf_struct_ops_<kind>` in the kernel's BTF (64 on x86-64).
    /// `None` when the bytes are too short.
    ///
    /// ```
    /// let mut bytes = vec![0; 64 + 8];
    /// (bytes[0], bytes[4], bytes[64]) = (2, 3, 77);
    /// let value = bpf::StructOpsValue::parse(&bytes, 64).unwrap();
    /// assert_eq!((value.refcnt, value.state, value.data.len()), (2, bpf::OpsState::Ready, 8));
    /// ```
    pub fn parse(bytes: &[u8], data_offset: usize) -> Option<Self> {
        Some(Self {
            refcnt: u32::from_le_bytes(*bytes.first_chunk()?),
            state: u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?).into(),
            data: bytes.get(data_offset.max(8)..)?.to_vec(),
        })
    }
}
