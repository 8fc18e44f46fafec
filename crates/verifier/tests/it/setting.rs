//! How much is generated: numbers in the environment make a run longer or another one.

/// The number in a variable of the environment, or else `default`.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
