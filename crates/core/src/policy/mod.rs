//! Policies that the core plays without a call: random ones, and those given by parameters.

mod parameters;
mod random;

pub use parameters::Parameters;
pub use random::ActionSampler;
