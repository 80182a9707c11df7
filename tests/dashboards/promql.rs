//! A partial PromQL parser: finds the selectors of a query and removes its conditions.

/// Keywords, which are metrics only before a parenthesis.
const KEYWORDS: [&str; 7] = ["and", "or", "unless", "offset", "bool", "inf", "nan"];
/// Keywords before a list of labels.
const LABELLED: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// A series selector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// The metric name.
    pub name: String,
    /// The matchers with braces; empty if there are none.
    pub matchers: String,
}

/// Every selector of a query.
pub fn selectors(query: &str) -> Vec<Selector> {
    let (mut found, mut rest) = (Vec::<Selector>::new(), query);
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at(token_length(rest));
        let next = after.trim_start();
        rest = after;
        if first == '{' {
            found.last_mut().unwrap().matchers = token.to_owned();
        } else if LABELLED.contains(&token) {
            rest = if next.starts_with('(') { next.split_once(')').unwrap().1 } else { after };
        } else if (first.is_ascii_alphabetic() || first == '_') && !KEYWORDS.contains(&token) {
            let aggregates = ["by ", "by(", "without ", "without("].iter().any(|word| next.starts_with(word));
            if !next.starts_with('(') && !aggregates {
                found.push(Selector { name: token.to_owned(), matchers: String::new() });
            }
        }
    }
    found
}

/// The same query with `bool` comparisons, which return 0 or 1 instead of dropping series, and without `offset`, since
/// the test's Prometheus is minutes old.
pub fn unconditional(query: &str) -> String {
    let (mut text, mut rest) = (String::new(), query);
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at(token_length(rest));
        rest = after;
        if token == "offset" {
            let next = after.trim_start();
            rest = &next[token_length(next)..];
            continue;
        }
        text.push_str(token);
        if matches!(first, '<' | '>' | '=' | '!') {
            text.push_str(" bool");
        }
    }
    text
}

/// A word, a number with its unit, an operator, or a group in braces, brackets or quotes; otherwise one character.
fn token_length(text: &str) -> usize {
    let first = text.chars().next().unwrap();
    let while_in = |allowed: &dyn Fn(char) -> bool| text.find(|c| !allowed(c)).unwrap_or(text.len());
    match first {
        '{' => closing(text, '}'),
        '[' => closing(text, ']'),
        '"' => 1 + closing(&text[1..], '"'),
        '<' | '>' | '=' | '!' => while_in(&|c| matches!(c, '<' | '>' | '=' | '!')),
        c if c.is_ascii_digit() => while_in(&|c| c.is_ascii_alphanumeric() || c == '.'),
        c if c.is_ascii_alphabetic() || c == '_' => while_in(&|c| c.is_ascii_alphanumeric() || c == '_' || c == ':'),
        c => c.len_utf8(),
    }
}

/// The text up to and including `end`, ignoring quoted text.
fn closing(text: &str, end: char) -> usize {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        if c == end && !quoted {
            return at + 1;
        }
        quoted ^= c == '"';
    }
    panic!("no {end} in {text}");
}

#[test]
fn only_selectors_are_found() {
    let query = r#"histogram_quantile(0.99, sum by (le) (rate(a_bucket{x="y}",z=~".*"}[5m]))) and on (job) b offset 10m
        or sum(c) by (job) * on (job) group_left (role) d{} > 1e3"#;
    let found: Vec<_> = selectors(query).into_iter().map(|selector| selector.name + &selector.matchers).collect();
    assert_eq!(found, [r#"a_bucket{x="y}",z=~".*"}"#, "b", "c", "d{}"]);
}

#[test]
fn comparisons_get_bool_and_offsets_are_removed() {
    let query = r#"a{b!="c",d=~"e"} >= 2 and on () f offset 10m == 0"#;
    assert_eq!(unconditional(query), r#"a{b!="c",d=~"e"} >= bool 2 and on () f  == bool 0"#);
}
