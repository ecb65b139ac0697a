//! Most that any policy can return in an episode; `src/envs/provisioning/grader.ts` says why.

use crate::generated::provisioning::word;
use crate::store::Store;

use super::Provisioning;

impl Provisioning {
    /// Every step min(queue, gpus_max) jobs are served by GPUs that cost nothing else, and the
    /// episode stops when it is best.
    pub fn clairvoyant_bound(&self, seed: u64, episode: u32) -> f64 {
        let store = Store::new(self.shape, 1, false);
        // SAFETY: nobody else has this store.
        let mut block = unsafe { store.block(0) };
        block.words[word::SEED_LO][0] = seed as u32;
        block.words[word::SEED_HI][0] = (seed >> 32) as u32;
        block.words[word::EPISODE][0] = episode;
        let (mut queue, mut total, mut best) = (0.0, 0.0, f64::NEG_INFINITY);
        for _ in 0..self.limits.horizon {
            let arrived = f64::from(self.admit_arrivals(&mut block, 0));
            block.words[word::STEP][0] += 1;
            let served = if queue < self.s.gpus_max {
                queue
            } else {
                self.s.gpus_max
            };
            queue += arrived - served;
            let value = self.s.job_value * served - self.s.gpu_cost * served;
            total += f64::from((value - self.s.wait_cost * queue) as f32);
            best = if total > best { total } else { best };
        }
        best
    }
}
