//! The catalogue as Markdown, one table per area.

use std::fmt::Write;

use crate::catalogue::{ALL, Kind, MetricSpec};

/// Returns the text of `docs/metrics.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Metrics\n\nGenerated from `shared/telemetry/src/catalogue.rs` by `make generate`; do not edit.\n\
        Every role answers `GET /metrics` in the Prometheus text format, with the metrics that the role records.\n",
    );
    let mut area = "";
    for spec in ALL {
        if area_of(spec) != area {
            area = area_of(spec);
            let _ = write!(text, "\n## {area}\n\n| name | kind | labels | meaning |\n|---|---|---|---|\n");
        }
        let labels: Vec<_> = spec.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(text, "| `{}` | {} | {} | {} |", spec.name, kind(spec.kind), labels.join(", "), spec.help);
    }
    text
}

fn area_of(spec: &MetricSpec) -> &'static str {
    let mut words = spec.name.split('_');
    words.find(|word| *word != "trainyard").unwrap_or_default()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_one_row_and_every_area_one_table() {
        let text = markdown();
        for spec in ALL {
            assert_eq!(text.matches(&format!("| `{}` |", spec.name)).count(), 1, "{}", spec.name);
        }
        assert_eq!(text.matches("## http\n").count(), 1);
    }
}
