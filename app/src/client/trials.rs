//! The trials of the algorithm `auto`: a row per trial while the search runs, and the chosen models in the end.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment};
use serde_json::Value;

use crate::client::output::bordered;
use crate::client::show;

/// A row of the table of trials, for the log line of a trial: `trial 3: svm, 1047 rows, 5 folds, log_loss 0.45, 0.31 s, best
/// 0.44, c 2.1`. The row of the first trial comes after the names of the columns. `None` for another log line.
pub(crate) fn row(message: &str) -> Option<String> {
    let (trial, rest) = message.strip_prefix("trial ")?.split_once(": ")?;
    let (algorithm, rest) = rest.split_once(", ")?;
    let (rows, rest) = rest.split_once(" rows, ")?;
    let (folds, rest) = rest.split_once(" folds, ")?;
    let start = format!("{trial:>5}  {algorithm:<19}  {rows:>9}  {folds:>5}");
    if rest.starts_with("skipped: ") {
        return Some(with_header(trial, "score", format!("{start}  {rest}")));
    }
    let mut columns = rest.splitn(4, ", ");
    let (name, score) = columns.next()?.split_once(' ')?;
    let (seconds, best, params) = (columns.next()?, columns.next()?.strip_prefix("best ")?, columns.next()?);
    let line = format!("{start}  {score:>10}  {seconds:>10}  {best:>10}  {params}");
    Some(with_header(trial, name, line))
}

fn with_header(trial: &str, score: &str, line: String) -> String {
    if trial != "1" {
        return line;
    }
    let names = ["trial", "algorithm", "rows", "folds", "took", "best"].map(str::to_uppercase);
    let [trial, algorithm, rows, folds, took, best] = &names;
    let score = score.to_uppercase();
    let start = format!("{trial:>5}  {algorithm:<19}  {rows:>9}  {folds:>5}");
    format!("{start}  {score:>10}  {took:>10}  {best:>10}  PARAMETERS\n{line}")
}

/// The result of the search and the chosen models, from the metrics of a job; `None` without a search.
pub(crate) fn summary(metrics: &Value) -> Option<String> {
    let (search, trials) = (&metrics["search"], metrics["trials"].as_array()?);
    let seconds = |key: &str| search[key].as_f64().map(show::seconds).unwrap_or_default();
    let number = |value: &Value| value.as_f64().map_or_else(|| "–".to_owned(), |number| format!("{number:.5}"));
    let mut text = format!(
        "Search: {} trials in {} of {}\n",
        show::text(&search["trials"]),
        seconds("used_s"),
        seconds("budget_s")
    );
    if !search["score"].is_null() {
        let (name, best) = (show::text(&search["metric"]), &search["best_single"]);
        let _ = writeln!(
            text,
            "validation {name} {}; best single model {} ({})",
            number(&search["score"]),
            number(&best["score"]),
            show::text(&best["algorithm"])
        );
    }
    if !search["last_quarter_gain"].is_null() {
        let _ = writeln!(text, "the last quarter of the time gained {}", number(&search["last_quarter_gain"]));
    }
    let mut table = bordered(&["trial", "algorithm", "weight", "score", "parameters"]);
    for trial in trials.iter().filter(|trial| trial["weight"].as_f64() > Some(0.0)) {
        let weight = format!("{:.1} %", trial["weight"].as_f64().unwrap_or(0.0) * 100.0);
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([
            right(show::text(&trial["trial"])),
            Cell::new(show::text(&trial["algorithm"])),
            right(weight),
            right(number(&trial["score"])),
            Cell::new(params(&trial["params"])),
        ]);
    }
    if !table.is_empty() {
        let _ = writeln!(text, "{table}");
    }
    Some(text)
}

fn params(params: &Value) -> String {
    let params = params.as_object().into_iter().flatten();
    let params: Vec<String> = params.map(|(name, value)| format!("{name}={}", value_text(value))).collect();
    if params.is_empty() { "defaults".to_owned() } else { params.join(" ") }
}

/// A value as in `--param`.
fn value_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_log_lines_of_trials_are_rows_of_a_table() {
        let of = |text: &str| row(text).unwrap_or_else(|| panic!("{text}"));
        let first = of("trial 1: ridge, 350 rows, 5 folds, rmse 54.321, 0.02 s, best 54.321, defaults");
        let lines: Vec<&str> = first.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("TRIAL  ALGORITHM") && lines[0].contains("RMSE"), "{first}");
        let third = of("trial 3: svm, 1047 rows, 5 folds, log_loss 0.45120, 0.31 s, best 0.44300, c 2.1 gamma 0.12");
        assert_eq!(lines[0].find("PARAMETERS"), third.find("c 2.1"), "{first}\n{third}");
        assert_eq!(lines[0].find("ALGORITHM"), third.find("svm"));
        let skipped =
            of("trial 4: svm, 1047 rows, 5 folds, skipped: it needs about 3.0 s, and 1.0 s of the budget are \
                          left for it, defaults");
        assert!(skipped.ends_with("left for it, defaults") && skipped.contains("  skipped: it needs"), "{skipped}");
        for other in ["read 1309 rows", "trial", "trial 3", "trial 3: svm", "chosen: 100.0 % svm (trial 3)"] {
            assert_eq!(row(other), None, "{other}");
        }
    }

    #[test]
    fn the_summary_names_the_members() {
        let trial = |trial: u64, weight: f64| json!({"trial": trial, "algorithm": "svm", "params": {"c": 2.1}, "score": 0.45, "seconds": 0.3, "weight": weight});
        let search = json!({"budget_s": 60.0, "used_s": 58.2, "trials": 2, "metric": "log_loss", "score": 0.44,
            "best_single": {"trial": 7, "algorithm": "svm", "score": 0.45}, "last_quarter_gain": 0.001});
        let text = summary(&json!({"search": search, "trials": [trial(7, 1.0), trial(8, 0.0)]})).unwrap();
        for part in
            ["2 trials in 58.2 s of 1 min 0 s", "validation log_loss 0.44000", "gained 0.00100", "100.0 %", "c=2.1"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains(" 8 "), "{text}");
        assert_eq!(summary(&json!({"accuracy": 0.8})), None);
    }
}
