//! What commands find objects by: descriptors, ids, pins.

mod fds;
mod ids;
mod pins;

pub(crate) use fds::{Fds, Object};
pub(crate) use ids::Ids;
pub(crate) use pins::Pins;
