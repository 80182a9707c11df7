//! Excerpts of a training process's log for users: short, without control characters and paths.

use crate::protocol::PANIC_PREFIX;

/// Longest excerpt in an error message, in characters.
const MAX_MESSAGE: usize = 200;
/// Longest excerpt beside an error, in characters.
const MAX_EXCERPT: usize = 2_000;

/// The last lines of a log; `None` if they are empty.
pub(super) fn excerpt(log: &str) -> Option<String> {
    let lines: Vec<_> = log.lines().map(clean).filter(|line| !line.is_empty()).collect();
    let text = lines.join("\n");
    let surplus = text.chars().count().saturating_sub(MAX_EXCERPT);
    let text: String = text.chars().skip(surplus).collect();
    Some(text.trim_start().to_owned()).filter(|text| !text.is_empty())
}

/// The message of the last panic, otherwise the last line of the log.
pub(super) fn last_message(log: &str) -> Option<String> {
    let panic = log.lines().rev().find_map(|line| line.strip_prefix(PANIC_PREFIX));
    let line = panic.or_else(|| log.lines().rev().find(|line| !line.trim().is_empty()))?;
    Some(clean(line).chars().take(MAX_MESSAGE).collect()).filter(|text: &String| !text.is_empty())
}

/// Whether the log contains a panic.
pub(super) fn contains_panic(log: &str) -> bool {
    log.lines().any(|line| line.starts_with(PANIC_PREFIX))
}

/// Replaces paths, collapses white space, and removes control characters.
fn clean(line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().map(|word| if word.contains('/') { "…" } else { word }).collect();
    words.join(" ").chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_shown_without_paths_and_control_characters() {
        let log = "reading /var/lib/work/x.csv\n\n\u{1b}[31mpanicked:\tindex 3\u{0}\nat src/a.rs:1\n";
        assert_eq!(excerpt(log).unwrap(), "reading …\n[31mpanicked: index 3\nat …");
        assert_eq!(excerpt("\u{0}\u{0}\n \n"), None);
    }

    #[test]
    fn only_the_end_of_a_long_log_is_shown() {
        let shown = excerpt(&format!("{}the end", "é".repeat(3_000))).unwrap();
        assert_eq!(shown.chars().count(), MAX_EXCERPT);
        assert!(shown.ends_with("the end"));
    }

    #[test]
    fn the_message_of_a_panic_comes_before_the_last_line() {
        assert_eq!(last_message("panicked: index 3 of 2\nat src/a.rs:1\n").unwrap(), "index 3 of 2");
        assert_eq!(last_message("one\ntwo /etc\n\n").unwrap(), "two …");
        assert!(contains_panic("one\npanicked: two\n") && !contains_panic("it panicked: two"));
    }
}
