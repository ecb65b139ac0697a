//! The WebAssembly module: plain exports, so that every batch can have an instance of its own.

/// Returns the address of the version string, which is UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn version_ptr() -> *const u8 {
    infragym_core::version().as_ptr()
}

/// Returns the length of the version string in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn version_len() -> usize {
    infragym_core::version().len()
}
