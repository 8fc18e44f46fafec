//! tcp-ca
