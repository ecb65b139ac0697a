//! State on its way out of a batch and into one: slot by slot, one number per environment.

use std::ops::Range;

use crate::store::{Block, LANES, Shape, Store};

/// The parts of the state, in the order of their slots.
#[derive(Clone, Copy)]
enum Part {
    Words,
    Arrays,
    Reals,
    Statistics,
    RealArrays,
}

impl Shape {
    /// The parts of the state in their order, each with its slots and the bytes of an element.
    fn parts(&self) -> [(Part, usize, usize); 5] {
        [
            (Part::Words, self.words, 4),
            (Part::Arrays, self.arrays, 4),
            (Part::Reals, self.reals, 8),
            (Part::Statistics, self.statistics, 8),
            (Part::RealArrays, self.real_arrays, 8),
        ]
    }

    /// Slots of the state.
    pub fn slots(&self) -> usize {
        self.parts().iter().map(|(_, slots, _)| slots).sum()
    }

    /// Bytes of some slots of one environment.
    pub fn slot_bytes(&self, slots: Range<usize>) -> usize {
        self.rows(slots)
            .map(|(_, rows, bytes)| rows.len() * bytes)
            .sum()
    }

    /// The rows of each part that some slots name, with the bytes of an element.
    fn rows(&self, slots: Range<usize>) -> impl Iterator<Item = (Part, Range<usize>, usize)> {
        let mut from = 0;
        self.parts().into_iter().map(move |(part, count, bytes)| {
            let first = slots.start.clamp(from, from + count) - from;
            let end = slots.end.clamp(from, from + count) - from;
            from += count;
            (part, first..end.max(first), bytes)
        })
    }
}

impl Store {
    /// Copies slots of the state out, [slot][environment]: words, arrays of 4-byte elements, reals,
    /// statistics, then arrays of f64. `out` is of `Shape::slot_bytes` for each environment.
    pub fn export_slots(&self, slots: Range<usize>, out: &mut [u8]) {
        let n = self.num_envs;
        let mut rest = &mut out[..self.shape.slot_bytes(slots.clone()) * n];
        for (part, rows, bytes) in self.shape.rows(slots) {
            let (here, after) = rest.split_at_mut(rows.len() * bytes * n);
            rest = after;
            self.for_each_lane(|env, lane, block| {
                for (k, row) in rows.clone().enumerate() {
                    let to = &mut here[(k * n + env) * bytes..][..bytes];
                    self.shape.read(block, part, row, lane, to);
                }
            });
        }
    }

    /// Takes what `export_slots` gave.
    pub fn import_slots(&mut self, slots: Range<usize>, data: &[u8]) {
        let n = self.num_envs;
        let mut rest = &data[..self.shape.slot_bytes(slots.clone()) * n];
        for (part, rows, bytes) in self.shape.rows(slots) {
            let (here, after) = rest.split_at(rows.len() * bytes * n);
            rest = after;
            self.for_each_lane(|env, lane, block| {
                for (k, row) in rows.clone().enumerate() {
                    let from = &here[(k * n + env) * bytes..][..bytes];
                    self.shape.write(block, part, row, lane, from);
                }
            });
        }
    }

    /// Calls back for each environment, with its block and its lane there.
    fn for_each_lane(&self, mut visit: impl FnMut(usize, usize, &mut Block)) {
        for index in 0..self.num_blocks {
            // SAFETY: state moves while nothing steps the batch, and one block is alive at a time.
            let mut block = unsafe { self.block(index) };
            for lane in 0..self.live_lanes(index) {
                visit(index * LANES + lane, lane, &mut block);
            }
        }
    }
}

impl Shape {
    #[inline(always)]
    fn read(&self, block: &Block, part: Part, row: usize, lane: usize, to: &mut [u8]) {
        let real = match part {
            Part::Words => return to.copy_from_slice(&block.words[row][lane].to_le_bytes()),
            Part::Arrays => {
                let element = block.arrays[lane * self.arrays + row];
                return to.copy_from_slice(&element.to_le_bytes());
            }
            Part::Reals => block.reals[row][lane],
            Part::Statistics => block.statistics[row][lane],
            Part::RealArrays => block.real_arrays[lane * self.real_arrays + row],
        };
        to.copy_from_slice(&real.to_le_bytes());
    }

    #[inline(always)]
    fn write(&self, block: &mut Block, part: Part, row: usize, lane: usize, from: &[u8]) {
        let word = || u32::from_le_bytes(from.try_into().expect("4 bytes"));
        let real = || f64::from_le_bytes(from.try_into().expect("8 bytes"));
        match part {
            Part::Words => block.words[row][lane] = word(),
            Part::Arrays => block.arrays[lane * self.arrays + row] = word(),
            Part::Reals => block.reals[row][lane] = real(),
            Part::Statistics => block.statistics[row][lane] = real(),
            Part::RealArrays => block.real_arrays[lane * self.real_arrays + row] = real(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state with every part, each number its own.
    fn store(numbered: bool) -> Store {
        let shape = Shape {
            action_dim: 0,
            observation_dim: 0,
            mask_dim: 0,
            metric_dim: 0,
            words: 2,
            arrays: 3,
            reals: 1,
            statistics: 2,
            real_arrays: 2,
        };
        let store = Store::new(shape, LANES + 3, false);
        let mut next = 0;
        store.for_each_lane(|_, lane, block| {
            for (part, count, bytes) in shape.parts() {
                for row in 0..count {
                    next += u32::from(numbered);
                    let word = next.to_le_bytes();
                    let real = f64::from(next).to_le_bytes();
                    let from = if bytes == 4 { &word[..] } else { &real[..] };
                    shape.write(block, part, row, lane, from);
                }
            }
        });
        store
    }

    fn export(store: &Store, slots: Range<usize>) -> Vec<u8> {
        let mut bytes = vec![0; store.shape.slot_bytes(slots.clone()) * store.num_envs];
        store.export_slots(slots, &mut bytes);
        bytes
    }

    #[test]
    fn a_store_takes_no_more_bytes_than_its_shape_says() {
        let shape = Shape {
            action_dim: 2,
            observation_dim: 3,
            mask_dim: 5,
            metric_dim: 7,
            ..store(false).shape
        };
        // Of a whole block nothing is padded.
        let bytes = Store::new(shape, LANES, true).bytes();
        assert_eq!(shape.store_bytes(LANES), Some(bytes));
        let padded = Store::new(shape, LANES + 1, true).bytes();
        assert!(shape.store_bytes(LANES + 1) >= Some(padded));
        assert_eq!(shape.store_bytes(usize::MAX), None);
    }

    #[test]
    fn slots_come_in_order_and_alike_in_any_parts() {
        let store = store(true);
        let slots = store.shape.slots();
        let whole = export(&store, 0..slots);
        for cut in 0..=slots {
            let parts = [export(&store, 0..cut), export(&store, cut..slots)].concat();
            assert_eq!(parts, whole, "cut at {cut}");
        }
        let n = store.num_envs;
        let word = |slot: usize, env: usize| whole[4 * (slot * n + env)];
        assert_eq!(
            [word(0, 0), word(1, 0), word(2, 0), word(0, 1)],
            [1, 2, 3, 11]
        );
        let first_real = f64::from_le_bytes(whole[20 * n..][..8].try_into().unwrap());
        assert_eq!(first_real, 6.0);
    }

    #[test]
    fn what_was_exported_is_taken_back() {
        let from = store(true);
        let mut to = store(false);
        let slots = from.shape.slots();
        let bytes = export(&from, 0..slots);
        for slot in 0..slots {
            to.import_slots(slot..slot + 1, &export(&from, slot..slot + 1));
        }
        assert_eq!(export(&to, 0..slots), bytes);
    }
}
