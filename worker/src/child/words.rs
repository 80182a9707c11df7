//! Makes what a training process logged fit to be shown to people: no control characters, no paths, not too much.

use crate::protocol::PANIC_PREFIX;

/// Longest piece of a log that is part of a message, in characters.
const QUOTED: usize = 200;
/// Most of a log that is shown with an error, in characters.
const SHOWN: usize = 2_000;

/// The last lines of a log; nothing when there is nothing to read in them.
pub(super) fn tail(log: &str) -> Option<String> {
    let lines: Vec<_> = log.lines().map(clean).filter(|line| !line.is_empty()).collect();
    let text = lines.join("\n");
    let surplus = text.chars().count().saturating_sub(SHOWN);
    let text: String = text.chars().skip(surplus).collect();
    Some(text.trim_start().to_owned()).filter(|text| !text.is_empty())
}

/// The panic's message, else the last line of the log.
pub(super) fn last(log: &str) -> Option<String> {
    let panic = log.lines().rev().find_map(|line| line.strip_prefix(PANIC_PREFIX));
    let line = panic.or_else(|| log.lines().rev().find(|line| !line.trim().is_empty()))?;
    Some(clean(line).chars().take(QUOTED).collect()).filter(|text: &String| !text.is_empty())
}

/// Whether the process told of a panic before it died.
pub(super) fn tell_of_panic(log: &str) -> bool {
    log.lines().any(|line| line.starts_with(PANIC_PREFIX))
}

/// One line: paths left out, white space single, control characters gone.
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
        assert_eq!(tail(log).unwrap(), "reading …\n[31mpanicked: index 3\nat …");
        assert_eq!(tail("\u{0}\u{0}\n \n"), None);
    }

    #[test]
    fn only_the_end_of_a_long_log_is_shown() {
        let shown = tail(&format!("{}the end", "é".repeat(3_000))).unwrap();
        assert_eq!(shown.chars().count(), SHOWN);
        assert!(shown.ends_with("the end"));
    }

    #[test]
    fn a_panic_has_the_last_word_whatever_follows_it() {
        assert_eq!(last("panicked: index 3 of 2\nat src/a.rs:1\n").unwrap(), "index 3 of 2");
        assert_eq!(last("one\ntwo /etc\n\n").unwrap(), "two …");
        assert!(tell_of_panic("one\npanicked: two\n") && !tell_of_panic("it panicked: two"));
    }
}
