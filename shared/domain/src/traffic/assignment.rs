//! Assigns requests to versions by weighted rendezvous hashing, the logarithmic method of Schindelhauer and Schomaker
//! ("Weighted Distributed Hash Tables", 2005).
//!
//! Each version has a score for each request, and the request belongs to the version with the lowest score. The score of a
//! version depends on its own weight only. So if one weight grows, requests move to this version and between no others.

/// The draw of a request with a key. The same key of the same model has the same draw in every process.
pub fn draw_of_key(model: &str, key: &[u8]) -> u64 {
    // FNV-1a. The byte between both is in no name.
    let bytes = model.as_bytes().iter().chain(&[0xff]).chain(key);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    mix(hash)
}

/// The `n`th draw of a sequence of random numbers (SplitMix64). `seed` distinguishes processes.
pub fn random_draw(seed: u64, n: u64) -> u64 {
    mix(n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seed))
}

/// A draw as a number between 0 and 1, without both ends.
pub fn uniform(draw: u64) -> f64 {
    ((draw >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The version that a draw selects, as its index in `weights`, which has versions with their positive weights. `None`
/// without versions.
///
/// Over all draws each version gets its share of the sum of the weights.
pub fn assign(draw: u64, weights: impl IntoIterator<Item = (i64, u32)>) -> Option<usize> {
    let scores = weights.into_iter().map(|(version, weight)| score(draw, version, weight)).enumerate();
    scores.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(i, _)| i)
}

/// An exponential variate with the rate `weight`: of several, each is the lowest with the probability of its share.
fn score(draw: u64, version: i64, weight: u32) -> f64 {
    -uniform(mix(draw ^ mix(version.cast_unsigned()))).ln() / f64::from(weight)
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014), a bijection.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: usize = 100_000;

    /// The version of each of many keys.
    fn assigned(weights: &[(i64, u32)]) -> Vec<i64> {
        let version = |n: usize| {
            let draw = draw_of_key("titanic-rf", format!("customer-{n}").as_bytes());
            weights[assign(draw, weights.iter().copied()).unwrap()].0
        };
        (0..KEYS).map(version).collect()
    }

    fn share(versions: &[i64], version: i64) -> f64 {
        versions.iter().filter(|found| **found == version).count() as f64 / versions.len() as f64
    }

    #[test]
    fn shares_are_within_one_percent_of_the_weights() {
        let cases: [&[(i64, u32)]; 5] = [
            &[(1, 1)],
            &[(3, 90), (4, 10)],
            &[(3, 1), (4, 1), (5, 1)],
            &[(1, 999), (2, 1)],
            &[(7, 500_000), (8, 300_000), (9, 200_000)],
        ];
        for weights in cases {
            let sum: u32 = weights.iter().map(|(_, weight)| weight).sum();
            let keyed = assigned(weights);
            let random = |n| weights[assign(random_draw(7, n), weights.iter().copied()).unwrap()].0;
            let random: Vec<i64> = (0..KEYS as u64).map(random).collect();
            for (version, weight) in weights {
                let expected = f64::from(*weight) / f64::from(sum);
                for found in [share(&keyed, *version), share(&random, *version)] {
                    assert!((found - expected).abs() < 0.01, "{weights:?}: version {version} has {found}");
                }
            }
        }
    }

    #[test]
    fn a_growing_weight_takes_requests_and_moves_no_others() {
        let before = assigned(&[(3, 50), (4, 30), (5, 20)]);
        let after = assigned(&[(3, 50), (4, 30), (5, 40)]);
        let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        assert!(
            moved.iter().all(|(_, after)| **after == 5),
            "requests move to the version with the larger weight only"
        );
        let expected = 40.0 / 120.0 - 20.0 / 100.0;
        let found = moved.len() as f64 / KEYS as f64;
        assert!(
            (found - expected).abs() < 0.01,
            "{found} of the requests move, {expected} is the least possible share"
        );
    }

    #[test]
    fn a_removed_version_moves_only_its_own_requests() {
        let before = assigned(&[(3, 50), (4, 30), (5, 20)]);
        let after = assigned(&[(3, 50), (4, 30)]);
        assert!(before.iter().zip(&after).all(|(before, after)| before == after || *before == 5));
    }

    #[test]
    fn the_factor_of_the_weights_does_not_matter() {
        assert_eq!(assigned(&[(3, 9), (4, 1)]), assigned(&[(3, 9_000), (4, 1_000)]));
    }

    #[test]
    fn models_assign_the_same_key_independently() {
        let weights = [(1, 1), (2, 1)];
        let same = (0..KEYS).filter(|n| {
            let key = n.to_string();
            let of = |model: &str| assign(draw_of_key(model, key.as_bytes()), weights);
            of("one") == of("other")
        });
        let share = same.count() as f64 / KEYS as f64;
        assert!((share - 0.5).abs() < 0.01, "{share} of the keys have the same version in both models");
    }

    #[test]
    fn a_key_has_the_same_version_in_every_release() {
        assert_eq!(draw_of_key("titanic-rf", b"customer-1"), 0x39c0_0cb0_e389_b52d);
        assert_eq!(draw_of_key("m", b""), 0xf6cf_60f6_3157_e3b8);
        let first = [3, 3, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3];
        assert_eq!(assigned(&[(3, 90), (4, 10)])[..20], first);
        assert_eq!(assign(0, []), None);
    }
}
