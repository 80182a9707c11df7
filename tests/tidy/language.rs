//! Words that names and comments must not use. They are metaphors for things that have a standard term.

use super::{git_files, read, root};

/// Where a word is banned.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// In names only; the word is fine as a verb in a sentence.
    Names,
    /// In names, comments and documents.
    Everywhere,
}
use Scope::{Everywhere, Names};

/// The forms of a word, the term to use, the scope, and the allowed contexts: names (`*` stands for any ending), and phrases
/// of a comment.
type Banned = (&'static str, &'static str, Scope, &'static [&'static str]);

const BANNED: &[Banned] = &[
    // serde, syn and tracing name the methods of a visitor so; a tree walk visits nodes.
    (
        "visit visits visited",
        "batch, batched call",
        Everywhere,
        &["visit*", "Visit*", "visits the occupied bins", "count_visits", "VISITS"],
    ),
    ("crowd crowds", "batch", Everywhere, &[]),
    ("glance glances", "read transaction", Everywhere, &[]),
    ("sight sights", "JobSnapshot, job_lookup", Everywhere, &[]),
    ("hub hubs", "JobWatcher", Everywhere, &["artifact hub"]),
    // The character, and the method of chardetng.
    ("feed feeds", "event stream", Everywhere, &["line feed", "feed*"]),
    ("tell tells told telling", "report, record, notify, log", Everywhere, &[]),
    ("hear hears heard hearing", "receive", Everywhere, &[]),
    // The Unicode character.
    ("marks", "enqueued set", Names, &["byte_order_marks*"]),
    ("desk desks", "handoff channel", Everywhere, &[]),
    // The held-out part of a dataset, as in scikit-learn.
    ("held", "active runs", Names, &["held_out*", "*held_out*", "HeldOut*"]),
    ("book books", "load plan", Everywhere, &[]),
    ("misses", "not-found cache", Names, &["*_misses_*"]),
    ("turn turns", "round robin, slot", Names, &[]),
    // The setting has had this name since the first release.
    (
        "patience patient",
        "timeout, time limit",
        Everywhere,
        &["storage_patience*", "STORAGE_PATIENCE*", "storage patience s"],
    ),
    ("footing", "dependencies, backends", Everywhere, &[]),
    ("hope hopes hoped", "backoff", Everywhere, &[]),
    // The setting has had this name since the first release.
    ("settle settles settled settling", "finish, batch delay", Everywhere, &["settle_ms", "SETTLE_MS"]),
    ("linger lingers", "shutdown delay", Everywhere, &[]),
    // The setting of SQLite.
    ("journal journals", "log", Everywhere, &["journal_mode", "SqliteJournalMode"]),
    ("yard yards", "runtime", Everywhere, &[]),
    ("intake", "dataset upload", Everywhere, &[]),
    ("offer offers offered", "enqueue, dispatch", Names, &[]),
    // Text that is split into words, and 32-bit words.
    ("words", "log excerpt, stderr tail", Names, &["words", "WORDS", "*_words_*", "*_WORDS", "words_of_error"]),
    (
        "look looks looked looking",
        "read, check, poll",
        Everywhere,
        &[
            "look_up*",
            "LookedUp",
            "looks_like*",
            "*_looked_up_*",
            "look up",
            "looks up",
            "looked up",
            "looks like",
            "look like",
        ],
    ),
    ("door doors", "authentication, entry point", Everywhere, &[]),
    ("data set", "dataset", Everywhere, &[]),
];

/// A part of a file that people read.
enum Piece {
    Name(String),
    Prose(String),
}

/// The names and comments of a Rust or JavaScript file, each with its line. String literals are skipped.
fn pieces_of_code(text: &str) -> Vec<(usize, Piece)> {
    let (mut pieces, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = string_literal(rest) {
            length
        } else if first.is_alphabetic() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (piece, after) = rest.split_at(length);
        if piece.starts_with("//") || piece.starts_with("/*") {
            pieces.push((line, Piece::Prose(piece.to_owned())));
        } else if (first.is_alphabetic() || first == '_') && !piece.contains('"') {
            pieces.push((line, Piece::Name(piece.to_owned())));
        }
        line += piece.matches('\n').count();
        rest = after;
    }
    pieces
}

/// The length of the string or character literal at the start of `text`.
fn string_literal(text: &str) -> Option<usize> {
    let body = text.trim_start_matches(['b', 'c']);
    let raw = body.strip_prefix('r').filter(|raw| raw.starts_with(['"', '#']));
    if let Some(raw) = raw.filter(|_| text.len() - body.len() < 2) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let quoted = raw[hashes..].strip_prefix('"')?;
        let end = quoted.find(&format!("\"{}", "#".repeat(hashes)))?;
        return Some(text.len() - quoted.len() + end + 1 + hashes);
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        let (after, _) = quoted.char_indices().nth(1)?;
        let end = if quoted.starts_with('\\') { quoted.get(2..)?.find('\'')? + 2 } else { after };
        return (quoted[end..].starts_with('\'') && end < 16).then_some(end + 2);
    }
    let quoted = text.strip_prefix('b').unwrap_or(text).strip_prefix('"')?;
    let mut escaped = false;
    let end = quoted.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(text.len() - quoted.len() + end + 1)
}

/// The comments of a file whose comments begin with `start`.
fn comments(text: &str, start: &str) -> Vec<(usize, Piece)> {
    let numbered = text.lines().enumerate();
    let comments = numbered.filter_map(|(at, line)| {
        let from =
            if line.trim_start().starts_with(start) { line.find(start) } else { line.find(&format!(" {start} ")) };
        from.map(|from| (at + 1, Piece::Prose(line[from..].to_owned())))
    });
    comments.collect()
}

/// The prose of a Markdown file, without code.
fn prose(text: &str) -> Vec<(usize, Piece)> {
    let mut fenced = false;
    let numbered = text.lines().enumerate().filter(|(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence && !line.starts_with("    ")
    });
    numbered.map(|(at, line)| (at + 1, Piece::Prose(line.to_owned()))).collect()
}

/// The words of a name: `renew_lease` and `RenewLease` have two.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_alphabetic() || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if c.is_alphabetic() {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase();
    }
    words
}

/// Whether a name is an allowed context.
fn matches(name: &str, pattern: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}

/// A comment in lower case with single spaces, without code in backticks.
fn plain(comment: &str) -> String {
    let without_code: Vec<_> = comment.split('`').step_by(2).collect();
    let letters = without_code.join(" x ").to_lowercase().replace(|c: char| !c.is_alphabetic(), " ");
    format!(" {} ", letters.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The term to use for a banned word in this piece, with the word.
fn banned_in(piece: &Piece, (forms, instead, scope, except): &Banned) -> Option<String> {
    let forms: Vec<_> = if *forms == "data set" { vec!["data set", "data sets"] } else { forms.split(' ').collect() };
    let found = match piece {
        Piece::Name(name) => {
            let allowed = except.iter().any(|pattern| matches(name, pattern));
            let words = format!(" {} ", words_of(name).join(" "));
            forms.iter().find(|form| !allowed && words.contains(&format!(" {form} ")))
        }
        Piece::Prose(_) if *scope == Names => None,
        Piece::Prose(comment) => {
            let mut text = plain(comment);
            for phrase in *except {
                text = text.replace(&format!(" {phrase} "), "  ");
            }
            forms.iter().find(|form| text.contains(&format!(" {form} ")))
        }
    };
    found.map(|form| format!("`{form}` (say: {instead})"))
}

/// The violations in a file: path, line, word and text.
fn violations(path: &str, text: &str) -> Vec<String> {
    let mut pieces = match path.rsplit('.').next().unwrap() {
        "rs" | "js" | "mjs" => pieces_of_code(text),
        "md" => prose(text),
        "sql" => comments(text, "--"),
        _ => comments(text, "#"),
    };
    pieces.push((0, Piece::Name(path.to_owned())));
    let mut violations = Vec::new();
    for (line, piece) in &pieces {
        for word in BANNED {
            if let Some(found) = banned_in(piece, word) {
                let (Piece::Name(shown) | Piece::Prose(shown)) = piece;
                violations.push(format!("{path}:{line}: {found}: {}", shown.trim()));
            }
        }
    }
    violations
}

#[test]
fn names_and_comments_use_standard_terms() {
    let mut found = Vec::new();
    for ending in [".rs", ".js", ".mjs", ".md", ".sql", ".toml", ".sh", ".yaml", ".yml", ".mk", "Makefile"] {
        for path in git_files(ending) {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            // This file has the list of words, reports are generated, and applied migrations can't change.
            let exempt = ["tests/tidy/language.rs", "docs/reports/", "migrations/"];
            if !exempt.iter().any(|exempt| name.starts_with(exempt)) {
                found.extend(violations(&name, &read(&path)));
            }
        }
    }
    assert!(found.is_empty(), "{} banned words; CONTRIBUTING.md has the rules:\n{}", found.len(), found.join("\n"));
}

#[test]
fn banned_words_are_found_in_names_and_comments_but_not_in_allowed_contexts() {
    let code =
        "// The desk of jobs\nfn tell_worker(job_desk: Desk) { \"// desk\"; r#\"desk \" desk\"#; '\"'; line_feed() }\n";
    let lines: Vec<_> =
        violations("a.rs", code).iter().map(|found| found.split(' ').take(2).collect::<String>()).collect();
    assert_eq!(lines, ["a.rs:1:`desk`", "a.rs:2:`tell`", "a.rs:2:`desk`", "a.rs:2:`desk`", "a.rs:2:`feed`"]);
    assert_eq!(violations("src/desk.rs", "").len(), 1, "file names count");
    let allowed =
        "/// A line feed, `desk` as code; takes its turn. It looks up\nfn visit_map(held_out: HeldOut, look_up: X) {}";
    assert_eq!(violations("a.rs", allowed), Vec::<String>::new());
    assert_eq!(violations("a.md", "text\n```\na desk\n```\n    a desk\na data set").len(), 1);
    assert_eq!(violations("a.sh", "desk=1 # a desk\n").len(), 1);
    assert_eq!(violations("a.sql", "-- a hub\nSELECT hub").len(), 1);
}
