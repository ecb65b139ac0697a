//! InfraGym's core: steps compiled programs, knows nothing of its bindings.

/// The version of the core, which every binding reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns the version of the core.
pub fn version() -> &'static str {
    VERSION
}

#[cfg(test)]
mod tests {
    #[test]
    fn version_has_three_numbers() {
        let numbers: Result<Vec<u32>, _> = super::version().split('.').map(str::parse).collect();
        assert_eq!(numbers.map(|parts| parts.len()), Ok(3));
    }
}
