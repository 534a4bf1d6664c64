//! The numbers that Go's `math/rand` gives for a seed: column tags are drawn from them (Go `src/math/rand/rng.go`).
//!
//! The generator is an additive lagged Fibonacci one: y(t) = y(t-607) + y(t-273), modulo 2^64. What a seed gives is mixed
//! with the state that the generator has 7.8e12 steps after a start with seed 1. Go carries those 607 numbers as a table; here
//! they are computed once: a step is a multiplication by x modulo x^607 - x^334 - 1, so that many steps are a power. Were a
//! single bit of it wrong, every tag would be; the test has numbers that Go itself printed.

use std::sync::OnceLock;

/// Words of state.
const LENGTH: usize = 607;
/// How far back the second term lies.
const TAP: usize = 273;
/// Steps before the mixed-in state is taken.
const WARM_UP: u64 = 7_800_000_000_000;
/// The modulus of the small generator that fills the state, a prime.
const MODULUS: i64 = (1 << 31) - 1;

/// A generator.
#[derive(Debug)]
pub(super) struct GoRandom {
    // In order of age: the oldest is next to go.
    state: Vec<u64>,
    at: usize,
}

impl GoRandom {
    /// What `rand.New(rand.NewSource(seed))` is.
    pub(super) fn new(seed: i64) -> Self {
        let mut words = filled(seed, 20);
        for (word, cooked) in words.iter_mut().zip(cooked()) {
            *word ^= cooked;
        }
        Self { state: by_age(&words), at: 0 }
    }

    fn next(&mut self) -> u64 {
        let word = |i: usize| self.state.get(i.checked_rem(LENGTH).unwrap_or(0)).copied().unwrap_or_default();
        let sum = word(self.at).wrapping_add(word(self.at.wrapping_add(LENGTH - TAP)));
        if let Some(oldest) = self.state.get_mut(self.at) {
            *oldest = sum;
        }
        self.at = self.at.wrapping_add(1).checked_rem(LENGTH).unwrap_or(0);
        sum
    }

    /// What `Int63n` gives for a bound that is a power of two.
    pub(super) fn below_power(&mut self, bound: u64) -> u64 {
        self.next() & (u64::MAX >> 1) & bound.wrapping_sub(1)
    }
}

// The numbers that a seed fills the state with, each made of three draws.
fn filled(seed: i64, shift: u32) -> Vec<u64> {
    let mut x = seed.checked_rem_euclid(MODULUS).unwrap_or(0);
    if x == 0 {
        x = 89_482_311;
    }
    let mut draw = || {
        x = x.wrapping_mul(48_271).checked_rem_euclid(MODULUS).unwrap_or(0);
        x.cast_unsigned()
    };
    for _ in 0..20 {
        draw();
    }
    (0..LENGTH)
        .map(|_| draw().wrapping_shl(shift.wrapping_mul(2)) ^ draw().wrapping_shl(shift) ^ draw())
        .collect()
}

// The state as the recurrence sees it: Go walks its array downwards and begins at place 334.
fn by_age(words: &[u64]) -> Vec<u64> {
    let (low, high) = words.split_at(LENGTH - TAP);
    low.iter().rev().chain(high.iter().rev()).copied().collect()
}

fn cooked() -> &'static [u64] {
    static COOKED: OnceLock<Vec<u64>> = OnceLock::new();
    COOKED.get_or_init(|| {
        let mut sequence = by_age(&filled(1, 10));
        for i in 0..LENGTH {
            let next = at(&sequence, i).wrapping_add(at(&sequence, i.wrapping_add(LENGTH - TAP)));
            sequence.push(next);
        }
        let power = power_of_x(WARM_UP);
        let after = |k: usize| {
            let terms =
                power.iter().enumerate().map(|(j, c)| c.wrapping_mul(at(&sequence, j.wrapping_add(k))));
            terms.fold(0, u64::wrapping_add)
        };
        let aged: Vec<u64> = (0..LENGTH).map(after).collect();
        // Back into Go's places: how far its walk had come after so many steps.
        let turned = usize::try_from(WARM_UP.checked_rem(LENGTH as u64).unwrap_or(0)).unwrap_or(0);
        let place = |i: usize| {
            let behind = (LENGTH - TAP).wrapping_add(LENGTH).wrapping_sub(1).wrapping_sub(i);
            let age = behind.wrapping_add(LENGTH).wrapping_sub(turned);
            at(&aged, age.checked_rem(LENGTH).unwrap_or(0))
        };
        (0..LENGTH).map(place).collect()
    })
}

fn at(words: &[u64], i: usize) -> u64 {
    words.get(i).copied().unwrap_or_default()
}

// x to this power, modulo x^607 - x^334 - 1 and 2^64, lowest coefficient first.
fn power_of_x(exponent: u64) -> Vec<u64> {
    let mut power = vec![0u64; LENGTH];
    if let Some(one) = power.first_mut() {
        *one = 1;
    }
    for bit in (0..u64::BITS.wrapping_sub(exponent.leading_zeros())).rev() {
        let mut product = vec![0u64; LENGTH * 2];
        for (i, a) in power.iter().enumerate() {
            for (place, b) in product.iter_mut().skip(i).zip(&power) {
                *place = place.wrapping_add(a.wrapping_mul(*b));
            }
        }
        if exponent.wrapping_shr(bit) & 1 == 1 {
            product.rotate_right(1);
        }
        for high in (LENGTH..LENGTH * 2).rev() {
            let factor = at(&product, high);
            for low in [high.wrapping_sub(LENGTH), high.wrapping_sub(TAP)] {
                if let Some(place) = product.get_mut(low) {
                    *place = place.wrapping_add(factor);
                }
            }
        }
        product.truncate(LENGTH);
        power = product;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_go_gives() {
        // Printed by Go 1.26: rand.New(rand.NewSource(seed)).Int63n(1 << 62), three times, then after 1000 more.
        let cases: [(i64, [u64; 4]); 6] = [
            (
                0,
                [
                    4_106_209_714_314_777_601,
                    2_259_404_117_704_393_152,
                    1_438_442_655_375_607_923,
                    1_438_755_200_481_711_475,
                ],
            ),
            (
                1,
                [
                    965_320_773_520_391_506,
                    4_062_979_204_654_765_647,
                    1_517_798_593_238_757_917,
                    3_940_008_962_762_074_858,
                ],
            ),
            (
                -1,
                [
                    3_644_962_268_338_389_676,
                    550_171_362_161_912_239,
                    3_094_056_749_125_766_625,
                    665_895_826_118_546_702,
                ],
            ),
            (
                42,
                [
                    3_440_579_354_231_278_675,
                    608_747_136_543_856_411,
                    960_096_319_674_490_856,
                    2_095_735_756_338_358_789,
                ],
            ),
            (
                i64::MAX,
                [
                    965_320_773_520_391_506,
                    4_062_979_204_654_765_647,
                    1_517_798_593_238_757_917,
                    3_940_008_962_762_074_858,
                ],
            ),
            (
                i64::MIN,
                [
                    3_069_759_626_904_698_319,
                    2_165_472_022_232_813_199,
                    4_136_320_014_806_820_008,
                    95_943_331_029_916_862,
                ],
            ),
        ];
        for (seed, wanted) in cases {
            let mut random = GoRandom::new(seed);
            let mut found: Vec<u64> = (0..3).map(|_| random.below_power(1 << 62)).collect();
            for _ in 0..1000 {
                random.next();
            }
            found.push(random.below_power(1 << 62));
            assert_eq!(found, wanted, "{seed}");
        }
    }
}
