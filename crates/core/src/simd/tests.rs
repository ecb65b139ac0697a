//! Every instruction set is held to plain Rust.

use std::array::from_fn;

use super::*;

/// A number for each lane, and those of lanes that a group lacks.
type Lanes<T> = [T; GROUP_MAX];

fn numbers<I: Isa>(group: I::F32) -> Vec<f32> {
    let mut out = [0.0; GROUP_MAX];
    group.store(&mut out);
    out[..I::GROUP].to_vec()
}

fn words<I: Isa>(group: I::U32) -> Vec<u32> {
    let mut out = [0; GROUP_MAX];
    group.store(&mut out);
    out[..I::GROUP].to_vec()
}

/// The lanes that a group has.
fn own<I: Isa, T: Copy>(lanes: Lanes<T>) -> Vec<T> {
    lanes[..I::GROUP].to_vec()
}

#[inline(always)]
fn check<I: Isa>() {
    check_comparisons::<I>();
    check_integers::<I>();
    check_moves::<I>();
    check_pairs::<I>();
    check_rows::<I>();
    check_draws::<I>();
}

#[inline(always)]
fn check_comparisons<I: Isa>() {
    let some = [1.0, -0.0, 0.0, f32::NAN, 2.0, f32::NAN, -1.5, 7.0];
    let others = [2.0, 0.0, -0.0, 1.0, f32::NAN, f32::NAN, -2.5, 7.0];
    let x: Lanes<f32> = from_fn(|i| if i < 8 { some[i] } else { others[15 - i] });
    let y: Lanes<f32> = from_fn(|i| if i < 8 { others[i] } else { some[i - 8] });
    let (a, b) = (I::F32::load(&x), I::F32::load(&y));
    let bits = |group: I::F32| words::<I>(I::bits(group));
    let expected = |choose: fn(f32, f32) -> f32| -> Vec<u32> {
        own::<I, _>(from_fn(|i| choose(x[i], y[i]).to_bits()))
    };
    assert_eq!(bits(a.above(b)), expected(|x, y| if x > y { x } else { y }));
    assert_eq!(bits(a.below(b)), expected(|x, y| if x < y { x } else { y }));
    let (yes, no) = (I::F32::splat(3.0), I::F32::splat(4.0));
    let chosen = expected(|x, y| if x > y { 3.0 } else { 4.0 });
    assert_eq!(bits(a.if_above(b, yes, no)), chosen);
    let wide = I::narrow(I::widen(a).if_above(I::widen(b), I::widen(yes), I::widen(no)));
    assert_eq!(bits(wide), chosen);
    let ranks: Vec<u32> = x.map(|x| {
        [-1.5, 0.0, 2.0]
            .map(|edge| u32::from(x >= edge))
            .iter()
            .sum()
    })[..I::GROUP]
        .to_vec();
    assert_eq!(words::<I>(I::rank(a, &[-1.5, 0.0, 2.0])), ranks);
    let edges: [f32; 16] = from_fn(|i| i as f32);
    let reached = own::<I, _>(from_fn(|i| 1 + i as u32));
    assert_eq!(words::<I>(I::rank(I::F32::load(&edges), &edges)), reached);
    for lane in 0..I::GROUP {
        let one: Lanes<f32> = from_fn(|i| if i == lane { 1.0 } else { -0.0 });
        let (one, none) = (I::F32::load(&one), I::F32::splat(0.0));
        assert!(one.any_above(none) && !none.any_above(one));
        assert!(
            I::widen(one).any_above(I::widen(none)) && !I::widen(none).any_above(I::widen(one))
        );
    }
}

#[inline(always)]
fn check_integers<I: Isa>() {
    let some = [
        0,
        1,
        u32::MAX,
        1 << 31,
        7,
        5,
        -3_i32 as u32,
        i32::MAX as u32,
    ];
    let x: Lanes<u32> = from_fn(|i| some[i % 8]);
    let y: Lanes<u32> = from_fn(|i| some[(3 * i + i / 8) % 8]);
    let (a, b) = (I::U32::load(&x), I::U32::load(&y));
    let expected = |choose: fn(i32, i32) -> i32| -> Vec<u32> {
        own::<I, _>(from_fn(|i| choose(x[i] as i32, y[i] as i32) as u32))
    };
    assert_eq!(words::<I>(a.above(b)), expected(i32::max));
    assert_eq!(words::<I>(a.below(b)), expected(i32::min));
    let (low, high) = (I::U32::splat(-3_i32 as u32), I::U32::splat(5));
    assert_eq!(
        words::<I>(a.clip(low, high)),
        expected(|x, _| x.clamp(-3, 5))
    );
    let least = own::<I, _>(from_fn(|i| x[i].min(y[i])));
    assert_eq!(words::<I>(a.least(b)), least);
    let floats = own::<I, _>(x.map(|word| word as i32 as f32));
    assert_eq!(numbers::<I>(I::float(a)), floats);
    assert_eq!(numbers::<I>(I::narrow(I::real(a))), floats);
}

#[inline(always)]
fn check_moves<I: Isa>() {
    let table: [u32; 20] = from_fn(|i| 10 * i as u32);
    let at = [0, 1, 19, 20, u32::MAX, 9, 4, 3, 2, 18, 21, 7, 8, 5, 6, 10];
    let gathered = own::<I, _>(at.map(|at| 10 * at.min(19)));
    assert_eq!(words::<I>(I::gather(&table, I::U32::load(&at))), gathered);
    let reals = table.map(|word| word as f32);
    let found = numbers::<I>(I::gather_f32(&reals, I::U32::load(&at)));
    assert_eq!(
        found,
        gathered.iter().map(|&word| word as f32).collect::<Vec<_>>()
    );
    let small: [f32; 16] = from_fn(|i| 3.0 * i as f32);
    let places: Lanes<u32> = from_fn(|i| (7 * i as u32 + 3) % 16);
    let found = numbers::<I>(I::lookup(&small, I::U32::load(&places)));
    assert_eq!(found, own::<I, _>(places.map(|place| 3.0 * place as f32)));
    let octets = [0, 1, 255, 254, 127, 128, 0, 7, 9, 200, 3, 4, 5, 6, 255, 1];
    let mut bytes = [0; GROUP_MAX];
    I::store_bytes(I::U32::load(&octets), &mut bytes);
    assert_eq!(own::<I, _>(bytes.map(u32::from)), own::<I, _>(octets));
}

#[inline(always)]
fn check_pairs<I: Isa>() {
    let rows: [[f32; ROW]; GROUP_MAX] = from_fn(|i| from_fn(|j| (ROW * i + j) as f32));
    let columns =
        I::columns_of_pairs(|[first, second]| I::Pair::load_each([&rows[first], &rows[second]]));
    for (j, column) in columns.into_iter().enumerate() {
        assert_eq!(numbers::<I>(column), own::<I, _>(rows.map(|row| row[j])));
    }
    let both: [f32; 2 * ROW] = from_fn(|i| i as f32);
    let [firsts, seconds] = I::Pair::load(&both).regroup(I::Pair::splat_each([20.0, 30.0]));
    let lanes = I::columns_of_pairs(|_| firsts + I::Pair::splat(100.0));
    assert_eq!(
        numbers::<I>(lanes[5])[..8],
        [105.0, 105.0, 105.0, 105.0, 120.0, 120.0, 120.0, 120.0]
    );
    let lanes = I::columns_of_pairs(|_| seconds);
    assert_eq!(
        numbers::<I>(lanes[5])[..8],
        [13.0, 13.0, 13.0, 13.0, 30.0, 30.0, 30.0, 30.0]
    );
}

#[inline(always)]
fn check_rows<I: Isa>() {
    check_rows_of::<I, 1>();
    check_rows_of::<I, 4>();
    check_rows_of::<I, 5>();
    check_rows_of::<I, 6>();
    check_rows_of::<I, 8>();
    check_rows_of::<I, 14>();
    check_rows_of::<I, 20>();
    check_rows_of::<I, 33>();
    let rows: [[u32; 5]; GROUP_MAX] = from_fn(|i| from_fn(|j| ((5 * i + j) as f32).to_bits()));
    for (j, column) in I::columns(&rows).into_iter().enumerate() {
        let expected = own::<I, _>(from_fn(|i| (5 * i + j) as f32));
        assert_eq!(numbers::<I>(column), expected);
    }
}

/// Rows are stored, and nothing beyond the last of them.
#[inline(always)]
fn check_rows_of<I: Isa, const WIDTH: usize>() {
    let columns: [I::F32; WIDTH] =
        from_fn(|j| I::F32::load(&from_fn::<_, GROUP_MAX, _>(|i| (WIDTH * i + j) as f32)));
    let mut out = vec![-1.0; WIDTH * GROUP_MAX + 16];
    let (rows, beyond) = out.split_at_mut(WIDTH * I::GROUP);
    I::store_rows(&columns, rows);
    assert!(
        rows.iter().enumerate().all(|(i, &x)| x == i as f32),
        "{WIDTH}: {rows:?}"
    );
    assert!(beyond.iter().all(|&x| x == -1.0), "{WIDTH}: {beyond:?}");
}

#[inline(always)]
fn check_draws<I: Isa>() {
    let table: Box<[[f32; 2]; CELLS]> = Box::new(from_fn(|i| [i as f32, 0.5 * i as f32]));
    let drawn: Lanes<u32> = from_fn(|i| (i as u32).wrapping_mul(0x2545_F491));
    let found = numbers::<I>(quantile::<I>(&table, I::U32::load(&drawn)));
    let flat = table.as_flattened();
    let expected = drawn.map(|word| crate::sampling::quantile(flat, word));
    assert_eq!(found, own::<I, _>(expected));
    let episodes: Lanes<u32> = from_fn(|i| u32::MAX - i as u32);
    let counter = [I::U32::load(&drawn), I::U32::load(&episodes)];
    let key = [I::U32::load(&episodes), I::U32::load(&drawn)];
    let philox = I::philox(counter, [2, 5], key).map(|group| words::<I>(group));
    for lane in 0..I::GROUP {
        let counter = [drawn[lane], episodes[lane], 2, 5];
        let expected = crate::rng::philox(counter, [episodes[lane], drawn[lane]]);
        assert_eq!(philox.each_ref().map(|words| words[lane]), expected);
    }
}

#[test]
fn portable_operations_are_right() {
    check::<portable::Portable>();
}

#[cfg(target_arch = "x86_64")]
#[test]
fn avx2_operations_are_right() {
    #[target_feature(enable = "avx2")]
    fn inside() {
        check::<Avx2>();
    }
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has it.
        unsafe { inside() };
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn avx512_operations_are_right() {
    #[target_feature(enable = "avx2,avx512f,avx512vl,avx512dq,avx512bw,avx512cd")]
    fn inside() {
        check::<Avx512>();
    }
    if is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl") {
        // SAFETY: the processor has it.
        unsafe { inside() };
    }
}
