//! AVX2 and AVX-512. The operations may run only inside a function compiled with the instruction
//! set on, which only a kernel that has asked the processor enters: that is why each is sound.

macro_rules! one_register {
    ($name:ident, $($operator:ident $method:ident $instruction:ident;)*) => {
        $(impl $operator for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(unsafe { $instruction(self.0, other.0) })
            }
        })*
    };
}

macro_rules! two_registers {
    ($name:ident, $($operator:ident $method:ident $instruction:ident;)*) => {
        $(impl $operator for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                unsafe { Self($instruction(self.0, other.0), $instruction(self.1, other.1)) }
            }
        })*
    };
}

mod avx2;
mod avx512;
mod ymm;
mod zmm;
mod zmm_rows;

pub use avx2::Avx2;
pub use avx512::Avx512;
