//! Threads of a batch. One thread is the caller's own; without the `threads` feature there is no
//! other.

/// A batch's threads.
pub struct Pool {
    #[cfg(feature = "threads")]
    number: usize,
    #[cfg(feature = "threads")]
    threads: Option<rayon::ThreadPool>,
}

impl Pool {
    /// `threads` threads; 0 and 1 mean the caller's own.
    #[cfg(feature = "threads")]
    pub fn new(threads: usize) -> Self {
        let build = || {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .ok()
        };
        Self {
            number: threads,
            threads: if threads > 1 { build() } else { None },
        }
    }

    /// Other threads for those that a forked process no longer has. The old pool is left where it
    /// is: to end it would be to wait for them.
    #[cfg(feature = "threads")]
    pub fn renew(&mut self) {
        let fresh = Self::new(self.number);
        std::mem::forget(std::mem::replace(self, fresh));
    }

    #[cfg(not(feature = "threads"))]
    pub fn new(_threads: usize) -> Self {
        Self {}
    }

    #[cfg(not(feature = "threads"))]
    pub fn renew(&mut self) {}

    /// Calls `work` once for every index below `count`, and waits.
    pub fn for_each(&self, count: usize, work: impl Fn(usize) + Sync) {
        #[cfg(feature = "threads")]
        if let Some(threads) = &self.threads {
            use rayon::prelude::*;
            // A few pieces per thread: enough to balance, few enough to cost nothing.
            let least = count.div_ceil(4 * threads.current_num_threads());
            threads.install(|| {
                (0..count)
                    .into_par_iter()
                    .with_min_len(least)
                    .for_each(&work);
            });
            return;
        }
        (0..count).for_each(work);
    }
}
