//! The learner's arithmetic, of which `src/train/learner/reference` is the specification: a
//! perceptron over a chunk of 64 rows, forward and backward, and Adam. Each is compiled once for
//! every instruction set; none of them can change a bit.

mod adam;
mod mlp;

pub use adam::{Adam, adam, norm};
pub use mlp::{Activation, Mlp};

/// Compiles a function for the kernels of `infragym_core::Kernel` and calls the one asked for.
macro_rules! dispatch {
    ($kernel:expr, $work:ident($($name:ident: $type:ty),*) $(-> $result:ty)?) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512cd")]
            fn avx512($($name: $type),*) $(-> $result)? { $work($($name),*) }
            #[target_feature(enable = "avx2")]
            fn avx2($($name: $type),*) $(-> $result)? { $work($($name),*) }
            match $kernel {
                // SAFETY: `Kernel::choose` gives these only where the processor has them.
                infragym_core::Kernel::Avx512 => unsafe { avx512($($name),*) },
                // SAFETY: as above.
                infragym_core::Kernel::Avx2 => unsafe { avx2($($name),*) },
                _ => $work($($name),*),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = $kernel;
            $work($($name),*)
        }
    }};
}
pub(crate) use dispatch;
