//! The four samplers: one word a draw, no branch. `src/program/sample.ts` draws the tables; the
//! builders guarantee 1 <= bits <= 9 and cells <= 128, and the program's validation the lengths.

/// A, alias: an outcome without its offset, from all 32 bits.
#[inline(always)]
pub fn alias(columns: &[u32], bits: u32, word: u32) -> u32 {
    let column = word >> (32 - bits);
    let rest = (word << bits) >> bits;
    let entry = columns[column as usize];
    if rest < entry >> bits {
        column
    } else {
        entry & ((1 << bits) - 1)
    }
}

/// Position of a Q table's cell, and the input of its line, from the word's top 24 bits.
#[inline(always)]
pub fn quantile_cell(word: u32) -> (usize, f32) {
    let y = (((word >> 7) & 0x00ff_fffe) | 1) as i32 as f32;
    // The exponent and the six upper mantissa bits of y count the octave's 64 cells.
    let cell = (y.to_bits() >> 17).wrapping_sub(127 << 6);
    ((((word >> 31) << 11).wrapping_add(cell)) as usize, y)
}

/// Q, quantile.
#[inline(always)]
pub fn quantile(table: &[f32], word: u32) -> f32 {
    let (cell, y) = quantile_cell(word);
    table[2 * cell] + table[2 * cell + 1] * y
}

/// P, pieces: a mixture of uniform pieces and atoms, from all 32 bits.
#[inline(always)]
pub fn pieces(columns: &[u32], coefficients: &[f32], bits: u32, word: u32) -> f32 {
    let column = word >> (32 - bits);
    let rest = (word << bits) >> bits;
    let side = u32::from(rest >= columns[column as usize] >> bits);
    let at = 2 * (2 * column + side) as usize;
    coefficients[at] + coefficients[at + 1] * (rest as i32 as f32)
}

/// E, equal cells, from the word's top 24 bits.
#[inline(always)]
pub fn equal_cells(table: &[f32], cells: u32, word: u32) -> f32 {
    let t = (2 * (word >> 8) + 1) * cells;
    let at = 2 * (t >> 25) as usize;
    table[at] + table[at + 1] * ((t & 0x01ff_ffff) as i32 as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alias_splits_a_column_at_its_threshold() {
        // One bit: column 0 keeps its lower half, column 1 is all alias 0.
        let columns = [(1 << 30 << 1) | 1, 0];
        assert_eq!(alias(&columns, 1, 0), 0);
        assert_eq!(alias(&columns, 1, (1 << 30) - 1), 0);
        assert_eq!(alias(&columns, 1, 1 << 30), 1);
        assert_eq!(alias(&columns, 1, 1 << 31), 0);
    }

    #[test]
    fn quantile_cells_agree_with_counting_leading_zeros() {
        for word in (0..=u32::MAX).step_by(65_521) {
            let y = ((word >> 7) & 0x00ff_fffe) | 1;
            let z = y.leading_zeros() as i32;
            let expected = ((word >> 31) << 11) as i32 + ((30 - z) << 6) + ((y << z) >> 25) as i32;
            assert_eq!(quantile_cell(word), (expected as usize, y as f32));
        }
    }

    #[test]
    fn equal_cells_cover_their_range() {
        let table = [10.0, 0.0, 20.0, 1.0 / 33_554_432.0];
        assert_eq!(equal_cells(&table, 2, 0), 10.0);
        assert!(equal_cells(&table, 2, u32::MAX) <= 21.0);
        assert!(equal_cells(&table, 2, u32::MAX) >= 20.99);
    }
}
