//! The configuration reference, generated from `default.toml`.

use std::fmt::Write as _;

use super::environment::{CONVENTIONAL, name_of};

/// A Markdown table per section: key, default, environment variables, meaning.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Configuration reference\n\nGenerated from `app/src/default.toml` by `make generate`; do not edit.\n\n\
         Settings are read from the built-in defaults, then from the file of `--config`, then from the environment. A value can \
         also be read from a file: append `_FILE` to the name of the environment variable and set it to the path.\n",
    );
    let mut comment = String::new();
    let mut section = String::new();
    for line in super::DEFAULT.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push_str(text);
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            let _ = write!(out, "\n## {section}\n\n{}\n\n", comment.trim());
            out.push_str("| key | default | environment | meaning |\n|---|---|---|---|\n");
            comment.clear();
        } else if let Some((key, default)) = line.split_once('=') {
            let key = format!("{section}.{}", key.trim());
            let mut names = format!("`{}`", name_of(&key));
            for (conventional, _) in CONVENTIONAL.iter().filter(|(_, known)| *known == key) {
                let _ = write!(names, ", `{conventional}`");
            }
            let bounds = super::bounds::of(&key);
            let bounds = bounds.map(|(least, greatest)| format!(" From {least} to {greatest}.")).unwrap_or_default();
            let _ = writeln!(out, "| `{key}` | `{}` | {names} | {}{bounds} |", default.trim(), comment.trim());
            comment.clear();
        } else {
            comment.clear();
        }
    }
    out
}
