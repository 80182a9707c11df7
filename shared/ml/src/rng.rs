//! The random number generator: xoshiro256++ (Blackman and Vigna, 2019), seeded by SplitMix64.
//!
//! An own implementation, because a model must be reproducible byte for byte with every version of the dependencies;
//! `rand` does not guarantee this for its default generator. Not cryptographically secure.

/// A stream of random numbers that depends only on its seed.
#[derive(Debug, Clone)]
pub struct Rng([u64; 4]);

/// The independent streams of one seed.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// The choice of the held-out rows.
    Split,
    /// The tree with this index.
    Tree(u64),
    /// The cross-validation folds of a support vector classifier.
    Folds(u64),
    /// The permutation of the feature with this index.
    Permutation(u64),
    /// The folds of the orders of categories.
    CategoryFolds,
    /// The rows of a regression that the metrics list.
    ListedRows,
    /// The choice of the validation rows among the training rows.
    Validation,
    /// The permutation of the rows with this index, for ordered target statistics.
    Order(u64),
    /// The folds of a search over algorithms.
    SearchFolds,
    /// The parameters of the candidate with this index in a search over algorithms.
    Candidate(u64),
    /// The bootstrap sample with this index, on which an ensemble is selected.
    Bag(u64),
}

impl Rng {
    /// Creates the stream of `seed` for one purpose.
    pub fn new(seed: u64, stream: Stream) -> Self {
        let (purpose, index) = match stream {
            Stream::Split => (1, 0),
            Stream::Tree(index) => (2, index),
            Stream::Folds(index) => (3, index),
            Stream::Permutation(index) => (4, index),
            Stream::CategoryFolds => (5, 0),
            Stream::ListedRows => (6, 0),
            Stream::Validation => (7, 0),
            Stream::Order(index) => (8, index),
            Stream::SearchFolds => (9, 0),
            Stream::Candidate(index) => (10, index),
            Stream::Bag(index) => (11, index),
        };
        let mut mixer = SplitMix64(seed);
        let mut mixer = SplitMix64(mixer.next() ^ purpose);
        let mut mixer = SplitMix64(mixer.next() ^ index);
        Self([mixer.next(), mixer.next(), mixer.next(), mixer.next()])
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number from 0 (inclusive) to 1 (exclusive), uniformly distributed.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from `0..n`; `n` must not be 0. The bias of multiply-and-shift is at most n / 2^32.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// Shuffles the items (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u32 + 1) as usize);
        }
    }
}

/// Steele, Lea and Flood (2014): spreads a seed over the state.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
}

/// A bijection that spreads a number over all bits.
pub(crate) fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_uniform_and_within_bounds() {
        let mut rng = Rng::new(1, Stream::Split);
        let mut counts = [0u32; 10];
        for _ in 0..100_000 {
            counts[rng.below(10) as usize] += 1;
        }
        // Ten thousand each, within five standard deviations.
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn streams_are_independent_and_reproducible() {
        let draw = |seed, stream| Rng::new(seed, stream).bits();
        assert_eq!(draw(1, Stream::Tree(0)), draw(1, Stream::Tree(0)));
        let all = [
            draw(1, Stream::Tree(0)),
            draw(1, Stream::Tree(1)),
            draw(2, Stream::Tree(0)),
            draw(1, Stream::Split),
            draw(1, Stream::Folds(0)),
            draw(1, Stream::Permutation(0)),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Rng::new(7, Stream::Split).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
