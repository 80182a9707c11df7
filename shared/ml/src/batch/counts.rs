//! What a prediction counts, and the metrics of its job.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trainyard_domain::shown;

/// Most warnings of a job.
const MAX_WARNINGS: usize = 100;

/// Cells and rows that were not predicted as they are. Features without any are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Cells without a value, by feature.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, u64>,
    /// Cells that are no value of the feature. They count as missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreadable: BTreeMap<String, Unreadable>,
    /// Cells with a category that the model does not know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unseen: BTreeMap<String, u64>,
    /// Rows whose features are too far outside the range of the training data for a prediction.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_without_prediction: u64,
}

/// The cells of a feature that are no value of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Number of cells.
    pub cells: u64,
    /// The text of the first one.
    pub first: String,
    /// The row of the first one, from 1.
    pub row: u64,
}

impl Counts {
    /// Adds the counts of later rows.
    pub fn add(&mut self, later: &Self) {
        add(&mut self.missing, &later.missing);
        add(&mut self.unseen, &later.unseen);
        for (name, found) in &later.unreadable {
            match self.unreadable.get_mut(name) {
                Some(known) => known.cells += found.cells,
                None => drop(self.unreadable.insert(name.clone(), found.clone())),
            }
        }
        self.rows_without_prediction += later.rows_without_prediction;
    }

    /// A sentence for each count.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, Unreadable { cells, first, row }) in &self.unreadable {
            let name = shown(name);
            warnings.push(format!(
                "'{name}' has {cells} values that can't be read, the first is '{first}' in row {row}; they count as missing"
            ));
        }
        for (name, cells) in &self.unseen {
            let name = shown(name);
            warnings.push(format!("'{name}' has {cells} values of categories that were rare or absent in training"));
        }
        for (name, cells) in &self.missing {
            warnings.push(format!("'{}' is missing in {cells} rows; imputed as in training", shown(name)));
        }
        if self.rows_without_prediction > 0 {
            warnings.push(format!(
                "{} rows have no prediction: their features are too far outside the range of the training data",
                self.rows_without_prediction
            ));
        }
        warnings
    }
}

/// The metrics of a prediction job. `warnings` are those that concern every row.
pub fn metrics(rows: u64, bytes: u64, sha256: &str, warnings: Vec<String>, counts: &Counts) -> Value {
    let mut warnings = warnings;
    warnings.extend(counts.warnings());
    if warnings.len() > MAX_WARNINGS {
        let more = warnings.len() - MAX_WARNINGS;
        warnings.truncate(MAX_WARNINGS);
        warnings.push(format!("{more} more warnings are left out; the counts by column are complete"));
    }
    let unreadable: BTreeMap<_, _> = counts.unreadable.iter().map(|(name, found)| (name, found.cells)).collect();
    json!({
        "rows": rows,
        "bytes": bytes,
        "sha256": sha256,
        "rows_without_prediction": counts.rows_without_prediction,
        "warnings": warnings,
        "missing_values": counts.missing,
        "unreadable_values": unreadable,
        "unseen_categories": counts.unseen,
    })
}

fn add(counts: &mut BTreeMap<String, u64>, later: &BTreeMap<String, u64>) {
    for (name, cells) in later {
        *counts.entry(name.clone()).or_default() += cells;
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(row: u64) -> Counts {
        Counts {
            missing: [("age".to_owned(), 2)].into(),
            unreadable: [("fare".to_owned(), Unreadable { cells: 3, first: format!("x{row}"), row })].into(),
            unseen: [("city".to_owned(), 1)].into(),
            rows_without_prediction: 1,
        }
    }

    #[test]
    fn counts_add_up_and_keep_the_first_text() {
        let mut sum = counts(5);
        sum.add(&counts(9));
        sum.add(&Counts::default());
        assert_eq!((sum.missing["age"], sum.unseen["city"], sum.rows_without_prediction), (4, 2, 2));
        assert_eq!(sum.unreadable["fare"], Unreadable { cells: 6, first: "x5".into(), row: 5 });
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), sum);
        assert_eq!(serde_json::to_string(&Counts::default()).unwrap(), "{}");
    }

    #[test]
    fn metrics_name_every_count() {
        let metrics = metrics(10, 99, "ab", vec!["the dataset has no column 'sex'".into()], &counts(5));
        assert_eq!(metrics["rows"], 10);
        assert_eq!(metrics["unreadable_values"], json!({"fare": 3}));
        assert_eq!(metrics["missing_values"], json!({"age": 2}));
        assert_eq!(metrics["warnings"].as_array().unwrap().len(), 5);
        let many = Counts { missing: (0..300).map(|i| (format!("c{i}"), 1)).collect(), ..Counts::default() };
        let metrics = super::metrics(10, 99, "ab", vec![], &many);
        let warnings = metrics["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 101);
        assert_eq!(warnings[100], "200 more warnings are left out; the counts by column are complete");
        assert_eq!(metrics["missing_values"].as_object().unwrap().len(), 300);
    }
}
