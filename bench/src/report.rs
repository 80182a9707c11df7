//! The report as Markdown.

use std::fmt::Write;

use crate::stats::{median, range, show};

/// A part of the benchmark.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// The method and the definition of the numbers.
    pub(crate) how: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) goals: Vec<Goal>,
}

/// A measured value of a contender, per round.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) contender: String,
    pub(crate) what: &'static str,
    pub(crate) rounds: Vec<f64>,
}

/// A goal and whether it was met.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

impl Goal {
    /// `measured` must be at least `least`.
    pub(crate) fn at_least(what: impl Into<String>, measured: f64, least: f64) -> Self {
        Self { what: what.into(), measured: show(measured), met: measured >= least }
    }

    /// `measured` must be at most `most`.
    pub(crate) fn at_most(what: impl Into<String>, measured: f64, most: f64) -> Self {
        Self { what: what.into(), measured: show(measured), met: measured <= most }
    }
}

impl Section {
    /// Adds the value of a round.
    pub(crate) fn add(&mut self, contender: &str, what: &'static str, value: f64) {
        eprintln!("  {}: {contender}: {what} {}", self.title, show(value));
        match self.rows.iter_mut().find(|row| row.contender == contender && row.what == what) {
            Some(row) => row.rounds.push(value),
            None => self.rows.push(Row { contender: contender.to_owned(), what, rounds: vec![value] }),
        }
    }

    /// The median of a row, if it was measured.
    pub(crate) fn median(&self, contender: &str, what: &str) -> Option<f64> {
        self.row(contender, what).map(|row| median(&row.rounds))
    }

    /// The median over the rounds of `ours / theirs`, if both were measured.
    pub(crate) fn ratio(&self, ours: &str, theirs: &str, what: &str) -> Option<f64> {
        let (ours, theirs) = (self.row(ours, what)?, self.row(theirs, what)?);
        let ratios: Vec<_> = ours.rounds.iter().zip(&theirs.rounds).map(|(ours, theirs)| ours / theirs).collect();
        Some(median(&ratios))
    }

    /// The median over the rounds of `ours - theirs`, if both were measured.
    pub(crate) fn difference(&self, ours: &str, theirs: &str, what: &str) -> Option<f64> {
        let (ours, theirs) = (self.row(ours, what)?, self.row(theirs, what)?);
        let differences: Vec<_> = ours.rounds.iter().zip(&theirs.rounds).map(|(ours, theirs)| ours - theirs).collect();
        Some(median(&differences))
    }

    fn row(&self, contender: &str, what: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.contender == contender && row.what == what)
    }

    fn markdown(&self) -> String {
        let mut text = format!("\n## {}\n\n{}\n\n", self.title, self.how);
        text.push_str(
            "| contender | measured | median | range | rounds | Trainyard's ÷ this |\n|---|---|---:|---:|---:|---:|\n",
        );
        for row in &self.rows {
            let (low, high) = range(&row.rounds);
            let ratio = self.ratio(TRAINYARD, &row.contender, row.what).filter(|_| row.contender != TRAINYARD);
            let ratio = ratio.map_or_else(|| "–".to_owned(), show);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} to {} | {} | {ratio} |",
                row.contender,
                row.what,
                show(median(&row.rounds)),
                show(low),
                show(high),
                row.rounds.len(),
            );
        }
        if !self.goals.is_empty() {
            text.push_str("\n| goal | measured | |\n|---|---:|---|\n");
        }
        for goal in &self.goals {
            let verdict = if goal.met { "met" } else { "**NOT met**" };
            let _ = writeln!(text, "| {} | {} | {verdict} |", goal.what, goal.measured);
        }
        text
    }
}

/// The name of our row in every section.
pub(crate) const TRAINYARD: &str = "Trainyard";

/// The whole report.
pub(crate) fn markdown(title: &str, facts: &[String], sections: &[Section], failures: &[String]) -> String {
    let mut text = format!("# {title}\n\n");
    for fact in facts {
        let _ = writeln!(text, "- {fact}");
    }
    for failure in failures {
        let _ = writeln!(text, "- **Not measured**: {failure}");
    }
    text.extend(sections.iter().map(Section::markdown));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_was_missed_is_said_to_be() {
        let mut section = Section { title: "Submissions", ..Section::default() };
        for (ours, theirs) in [(100.0, 50.0), (300.0, 100.0), (90.0, 10.0)] {
            section.add(TRAINYARD, "202s/s", ours);
            section.add("Other", "202s/s", theirs);
        }
        assert_eq!(section.difference(TRAINYARD, "Other", "202s/s"), Some(80.0));
        section.goals.push(Goal::at_least("twice Other", 3.0, 2.0));
        section.goals.push(Goal::at_most("under a second", 3.0, 1.0));
        let text = markdown("Measured", &["two cores".into()], &[section], &["polls: no disk".into()]);
        assert!(text.contains("| Other | 202s/s | 50.00 | 10.00 to 100 | 3 | 3.00 |"), "{text}");
        assert!(text.contains("| twice Other | 3.00 | met |"), "{text}");
        assert!(text.contains("| under a second | 3.00 | **NOT met** |"), "{text}");
        assert!(text.contains("- **Not measured**: polls: no disk"), "{text}");
    }
}
