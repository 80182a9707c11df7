//! The names of bins, for people.

use chrono::{DateTime, SecondsFormat, Utc};
use trainyard_domain::field::cut;
use trainyard_ml::model::{Bins, FeatureKind, Signature};

/// Maximum number of characters of a category or a class.
pub(crate) const MAX_NAME_CHARS: usize = 64;
/// The bin of categories and classes without their own bin.
pub(crate) const OTHER: &str = "other";
/// The bin of missing values.
const MISSING: &str = "missing";

/// The names of the bins of a column: a feature by its index, or the predictions.
pub(crate) fn bin_names(signature: &Signature, column: usize, bins: &Bins) -> Vec<String> {
    let kind = signature.features.get(column).map(|feature| &feature.kind);
    let mut names = match (bins, kind) {
        (Bins::Numbers { edges }, Some(FeatureKind::Datetime { .. })) => ranges(edges, date),
        (Bins::Numbers { edges }, _) => ranges(edges, number),
        (Bins::Booleans, _) => ["false", "true"].map(str::to_owned).to_vec(),
        (Bins::Codes { top }, Some(FeatureKind::Category { categories, .. })) => {
            named(top, |code| categories.get(code).map(String::as_str))
        }
        (Bins::Codes { top }, _) => {
            let labels = signature.task.labels();
            named(top, |code| labels.get(code).copied())
        }
    };
    names.push(MISSING.to_owned());
    names
}

fn named<'a>(top: &[u32], name: impl Fn(usize) -> Option<&'a str>) -> Vec<String> {
    let names = top.iter().map(|code| cut(name(*code as usize).unwrap_or_default(), MAX_NAME_CHARS).into_owned());
    names.chain([OTHER.to_owned()]).collect()
}

fn ranges(edges: &[f64], show: fn(f64) -> String) -> Vec<String> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return vec!["any".to_owned()] };
    // The edges of a constant.
    if edges.len() == 2 && first.next_up() == *last {
        let value = show(*last);
        return vec![format!("below {value}"), value.clone(), format!("above {value}")];
    }
    let between = edges.windows(2).map(|pair| format!("{} to {}", show(pair[0]), show(pair[1])));
    let (lowest, highest) = (format!("up to {}", show(*first)), format!("above {}", show(*last)));
    std::iter::once(lowest).chain(between).chain([highest]).collect()
}

/// A number with six significant digits.
fn number(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    let is_plain = rounded == 0.0 || (1e-4..1e9).contains(&rounded.abs());
    if is_plain { rounded.to_string() } else { format!("{rounded:e}") }
}

/// A date in ISO 8601, without the time at midnight.
#[allow(clippy::cast_possible_truncation, reason = "the conversion saturates, and chrono refuses such dates")]
fn date(seconds: f64) -> String {
    let date = DateTime::<Utc>::from_timestamp(seconds.floor() as i64, 0).unwrap_or_default();
    let text = date.to_rfc3339_opts(SecondsFormat::Secs, true);
    text.strip_suffix("T00:00:00Z").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_named_by_their_edges() {
        assert_eq!(ranges(&[1.5, 2.5], number), ["up to 1.5", "1.5 to 2.5", "above 2.5"]);
        assert_eq!(ranges(&[0.1 + 0.2], number), ["up to 0.3", "above 0.3"]);
        assert_eq!(ranges(&[7.0_f64.next_down(), 7.0], number), ["below 7", "7", "above 7"]);
        assert_eq!([1_234_567.8, 1e12, -2.5e-7].map(number), ["1234570", "1e12", "-2.5e-7"]);
        assert_eq!(ranges(&[86_400.0 * 19_782.0], date), ["up to 2024-02-29", "above 2024-02-29"]);
        assert_eq!(date(3_600.5), "1970-01-01T01:00:00Z");
    }
}
