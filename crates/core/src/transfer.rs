//! State on its way out of a batch and into one: slot by slot, one number per environment.

use crate::store::{LANES, Store};

/// The parts of the state, in the order of their slots.
#[derive(Clone, Copy)]
enum Part {
    Words,
    Arrays,
    Reals,
    Statistics,
}

impl Store {
    /// Where a slot lies: in which part of the state, and which row of it.
    fn slot(&self, slot: usize) -> (Part, usize) {
        let shape = &self.shape;
        let arrays_from = shape.words;
        let reals_from = arrays_from + shape.arrays;
        let statistics_from = reals_from + shape.reals;
        if slot < arrays_from {
            (Part::Words, slot)
        } else if slot < reals_from {
            (Part::Arrays, slot - arrays_from)
        } else if slot < statistics_from {
            (Part::Reals, slot - reals_from)
        } else {
            (Part::Statistics, slot - statistics_from)
        }
    }

    /// Copies state slot `slot` (words, arrays, reals, then statistics) to `out`, one element of 4
    /// or 8 bytes per environment.
    pub fn export_slot(&self, slot: usize, out: &mut [u8]) {
        let (part, row) = self.slot(slot);
        let width = self.shape.arrays;
        for index in 0..self.num_blocks {
            // SAFETY: nothing else runs on this batch, and one block is alive at a time.
            let block = unsafe { self.block(index) };
            for lane in 0..self.live_lanes(index) {
                let at = index * LANES + lane;
                let word = &mut out[4 * at..];
                match part {
                    Part::Words => word[..4].copy_from_slice(&block.words[row][lane].to_le_bytes()),
                    Part::Arrays => {
                        word[..4].copy_from_slice(&block.arrays[lane * width + row].to_le_bytes());
                    }
                    Part::Reals => {
                        out[8 * at..][..8].copy_from_slice(&block.reals[row][lane].to_le_bytes())
                    }
                    Part::Statistics => out[8 * at..][..8]
                        .copy_from_slice(&block.statistics[row][lane].to_le_bytes()),
                }
            }
        }
    }

    /// Takes what `export_slot` gave.
    pub fn import_slot(&mut self, slot: usize, data: &[u8]) {
        let (part, row) = self.slot(slot);
        let width = self.shape.arrays;
        let word = |at: usize| u32::from_le_bytes(data[4 * at..][..4].try_into().unwrap());
        let real = |at: usize| f64::from_le_bytes(data[8 * at..][..8].try_into().unwrap());
        for index in 0..self.num_blocks {
            // SAFETY: the batch is borrowed exclusively, and one block is alive at a time.
            let block = unsafe { self.block(index) };
            for lane in 0..self.live_lanes(index) {
                let at = index * LANES + lane;
                match part {
                    Part::Words => block.words[row][lane] = word(at),
                    Part::Arrays => block.arrays[lane * width + row] = word(at),
                    Part::Reals => block.reals[row][lane] = real(at),
                    Part::Statistics => block.statistics[row][lane] = real(at),
                }
            }
        }
    }
}
