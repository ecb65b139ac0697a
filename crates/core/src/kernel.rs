//! Kernels by name.

use crate::generated::common::kernel;
use crate::store::LANES;

/// A word for each lane of a block.
pub type U32s = [u32; LANES];

/// How a batch is stepped; all give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The oracle, lane by lane.
    Scalar,
    /// Blocks of lanes with what the target has without asking.
    Portable,
    Avx2,
    Avx512,
}

impl Kernel {
    /// The fastest for so many environments on this processor, or the one asked for by its number
    /// in `generated::common::kernel`; `None` where the processor does not have it.
    pub fn choose(number: u32, num_envs: usize) -> Option<Self> {
        let wanted = match number {
            kernel::AUTO => Self::detect().or_scalar(num_envs),
            kernel::SCALAR => Self::Scalar,
            kernel::PORTABLE | kernel::SIMD128 => Self::Portable,
            kernel::AVX2 => Self::Avx2,
            kernel::AVX512 => Self::Avx512,
            _ => return None,
        };
        Self::available().contains(&wanted).then_some(wanted)
    }

    /// The kernels of this processor, slowest first.
    pub fn available() -> Vec<Self> {
        let all = [Self::Scalar, Self::Portable, Self::Avx2, Self::Avx512];
        let widest = Self::detect() as usize;
        all.into_iter()
            .filter(|kernel| *kernel as usize <= widest)
            .collect()
    }

    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512cd");
            if avx2 && avx512 {
                return Self::Avx512;
            }
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// The oracle, which steps only the environments that there are, where these are so few that it
    /// beats the kernel, which steps a whole block: measured at up to 9 to 14 environments for
    /// AVX-512 and AVX2 and up to 24 to 38 for SIMD128, by family.
    fn or_scalar(self, num_envs: usize) -> Self {
        let scalar_envs_max = match self {
            Self::Scalar | Self::Portable => 24,
            Self::Avx2 | Self::Avx512 => 8,
        };
        if num_envs <= scalar_envs_max {
            Self::Scalar
        } else {
            self
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}
