//! The floating-point control register, set to its default while the core computes: another
//! library of the process may have left flush-to-zero or another rounding on. Miri has no
//! register and no inline assembly, so it runs without.

/// Restores the register when dropped.
pub struct FloatEnv {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    saved: u32,
}

impl FloatEnv {
    /// Round to nearest, denormals kept, exceptions masked.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    pub fn default_rounding() -> Self {
        static DEFAULT: u32 = 0x1f80;
        let mut saved = 0u32;
        // SAFETY: stores and loads MXCSR through valid addresses; the default has no reserved bit.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut saved, options(nostack));
            if saved & 0xffc0 != DEFAULT {
                std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const DEFAULT, options(nostack));
            }
        }
        Self { saved }
    }

    /// Other targets: WebAssembly has no such register, and the core's supported ARM hosts leave
    /// FPCR at its default.
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    pub fn default_rounding() -> Self {
        Self {}
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
impl Drop for FloatEnv {
    fn drop(&mut self) {
        // SAFETY: loads the value that was stored.
        unsafe {
            std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const self.saved, options(nostack));
        }
    }
}
