//! `#[derive(BtfType)]`.
