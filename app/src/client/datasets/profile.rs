//! The profile of a dataset as text.

use serde_json::Value;

use crate::client::output::{list, pairs, plain};
use crate::client::show;

/// Bars of a histogram, from an empty bin to the fullest one.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Most frequent values that are shown.
const SHOWN_VALUES: usize = 3;

/// The table with its format, its columns and all warnings. The answer of a dry run has no version.
pub(super) fn profile(dataset: &Value) -> String {
    let name = show::text(&dataset["name"]);
    let head = pairs(&[
        ("dataset", if dataset["version"].is_null() { name } else { format!("{name} version {}", dataset["version"]) }),
        ("rows", show::text(&dataset["rows"])),
        ("size", show::bytes(&dataset["bytes"])),
        ("sha-256", show::text(&dataset["sha256"])),
        ("format", format(&dataset["format"])),
        ("missing values", show::text(&dataset["format"]["missing"])),
        (
            "duplicate rows",
            Some(&dataset["duplicate_rows"]).filter(|rows| **rows != 0).map(show::text).unwrap_or_default(),
        ),
        ("likely target", target(dataset)),
    ]);
    let mut table = list(&["column", "type", "missing", "distinct", "range or most frequent"]);
    for column in dataset["columns"].as_array().into_iter().flatten() {
        table.add_row([
            show::text(&column["name"]),
            show::text(&column["dtype"]),
            missing(column, &dataset["rows"]),
            show::text(&column["distinct"]),
            content(column),
        ]);
    }
    let warnings = dataset["warnings"].as_array().into_iter().flatten();
    let warnings: String = warnings.map(|warning| format!("\nwarning: {}", show::text(warning))).collect();
    format!("{head}\n{}{warnings}", plain(&table))
}

/// The delimiter, decimal mark, encoding and header.
fn format(format: &Value) -> String {
    if format.is_null() {
        return String::new();
    }
    let part = |field: &str| show::text(&format[field]);
    let skipped = match format["skipped_lines"].as_u64() {
        None | Some(0) => String::new(),
        Some(1) => ", 1 line before the header skipped".to_owned(),
        Some(lines) => format!(", {lines} lines before the header skipped"),
    };
    let (delimiter, decimal, encoding, header) = (part("delimiter"), part("decimal"), part("encoding"), part("header"));
    format!("{encoding}, delimiter {delimiter} decimal {decimal} header {header}{skipped}")
}

fn target(dataset: &Value) -> String {
    match dataset["suggested_target"].as_str() {
        Some(target) => format!("{target} ({})", show::text(&dataset["suggested_task"])),
        None => String::new(),
    }
}

/// The number of missing values with their share of the rows.
fn missing(column: &Value, rows: &Value) -> String {
    match (column["missing"].as_f64(), rows.as_f64()) {
        (Some(missing), Some(rows)) if missing > 0.0 && rows > 0.0 => {
            format!("{missing} ({:.1} %)", 100.0 * missing / rows)
        }
        _ => show::text(&column["missing"]),
    }
}

fn content(column: &Value) -> String {
    let (min, max) = (&column["min"], &column["max"]);
    if min.is_number() {
        return format!("{} to {}{}", show::bound(min), show::bound(max), bars(column));
    }
    if let (Some(min), Some(max)) = (min.as_str(), max.as_str()) {
        let (from, to) = match (min.strip_suffix("T00:00:00Z"), max.strip_suffix("T00:00:00Z")) {
            (Some(from), Some(to)) => (from, to),
            _ => (min, max),
        };
        return format!("{from} to {to}{}", bars(column));
    }
    let top = column["top"].as_array().into_iter().flatten().take(SHOWN_VALUES);
    let shown = top.map(|top| format!("{} ({})", show::text(&top["value"]), show::text(&top["count"])));
    shown.collect::<Vec<_>>().join(", ")
}

/// The histogram as one character per bin.
fn bars(column: &Value) -> String {
    let counts: Vec<u64> =
        column["histogram"]["counts"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let highest = BARS.len() as u64 - 1;
    let bar = |count: u64| BARS[(count.saturating_mul(highest)).div_ceil(most).min(highest) as usize];
    format!("  {}", counts.into_iter().map(bar).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_profile_shows_format_columns_and_warnings() {
        let counts = [0, 1, 4, 8, 0, 0, 0, 0, 0, 8];
        let text = profile(&json!({
            "name": "sales", "rows": 200, "bytes": 1000, "sha256": "ab", "duplicate_rows": 3,
            "format": {"delimiter": ";", "decimal": ",", "encoding": "windows-1252", "header": "present",
                       "missing": ["NA", "-"], "skipped_lines": 1},
            "suggested_target": "price", "suggested_task": "regression",
            "columns": [
                {"name": "price", "dtype": "number", "missing": 5, "distinct": 9, "min": 0.5, "max": 12,
                 "histogram": {"edges": [], "counts": counts}},
                {"name": "sold", "dtype": "datetime", "missing": 0, "distinct": 2, "min": "2024-01-01T00:00:00Z",
                 "max": "2024-02-01T00:00:00Z"},
                {"name": "city", "dtype": "category", "missing": 0, "distinct": 2, "top": [{"value": "Bonn", "count": 7}]},
            ],
            "warnings": ["'price' has numbers with a currency"],
        }));
        for part in [
            "dataset         sales\n",
            "windows-1252, delimiter ; decimal , header present, 1 line before the header skipped",
            "duplicate rows  3\n",
            "likely target   price (regression)",
            "5 (2.5 %)",
            "0.5 to 12   ▁▄█     █",
            "2024-01-01 to 2024-02-01\n",
            "Bonn (7)",
            "warning: 'price' has numbers with a currency",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
