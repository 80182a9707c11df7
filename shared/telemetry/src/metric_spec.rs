//! The definition of a metric.

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that only increases.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Observations, counted in buckets.
    Histogram,
}

/// The definition of a metric.
#[derive(Debug, Clone, Copy)]
pub struct MetricSpec {
    /// The name in Prometheus.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The label names.
    pub labels: &'static [&'static str],
    /// All values of each label, if they are known in advance. The counters then exist from the start with the value 0.
    pub values: &'static [&'static [&'static str]],
    /// The help text, in one sentence.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets, in the unit of the metric; empty for other types.
    pub buckets: &'static [f64],
}

/// A metric that only increases.
pub(crate) const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> MetricSpec {
    MetricSpec { name, kind: Kind::Counter, labels, values: &[], help, buckets: &[] }
}

/// A metric that goes up and down.
pub(crate) const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> MetricSpec {
    MetricSpec { name, kind: Kind::Gauge, labels, values: &[], help, buckets: &[] }
}

/// A metric whose observations are counted in buckets.
pub(crate) const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    buckets: &'static [f64],
    help: &'static str,
) -> MetricSpec {
    MetricSpec { name, kind: Kind::Histogram, labels, values: &[], help, buckets }
}

impl MetricSpec {
    /// The same metric with all values of its labels.
    pub(crate) const fn with(self, values: &'static [&'static [&'static str]]) -> Self {
        Self { values, ..self }
    }
}
