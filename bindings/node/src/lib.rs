//! The Node.js addon: converts and forwards to the core.

use napi_derive::napi;

/// Returns the version of the core.
#[napi]
pub fn version() -> &'static str {
    infragym_core::version()
}
