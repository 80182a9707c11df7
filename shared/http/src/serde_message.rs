//! Turns serde's error messages into field errors for readers who do not know Rust.
//!
//! serde has no structured errors, so this module parses the messages. Unknown messages are passed on unchanged.

use serde_path_to_error::Path;
use trainyard_domain::FieldError;

/// The field name of an error that concerns the whole body or query.
pub(crate) const BODY: &str = "body";

/// The field error for serde's `message` at `path`.
pub(crate) fn field_error(path: &Path, message: &str) -> FieldError {
    let path = match path.to_string().as_str() {
        "." => String::new(),
        path => path.to_owned(),
    };
    match NameError::parse(message) {
        Some(NameError::Unknown { name, known }) => FieldError::new(ending_in(&path, name), unknown_field(known)),
        Some(NameError::Missing(name)) => FieldError::new(below(&path, name), "is required"),
        Some(NameError::Duplicate(name)) => FieldError::new(ending_in(&path, name), TWICE),
        None => {
            let field = if path.is_empty() { BODY.to_owned() } else { path };
            FieldError::new(field, expectation(without_position(message)))
        }
    }
}

pub(crate) const TWICE: &str = "is given twice";

pub(crate) enum NameError<'m> {
    Unknown { name: &'m str, known: &'m str },
    Missing(&'m str),
    Duplicate(&'m str),
}

impl<'m> NameError<'m> {
    pub(crate) fn parse(message: &'m str) -> Option<Self> {
        let message = without_position(message);
        if let Some((name, known)) = named(message, "unknown field ") {
            return Some(Self::Unknown { name, known });
        }
        if let Some((name, _)) = named(message, "missing field ") {
            return Some(Self::Missing(name));
        }
        named(message, "duplicate field ").map(|(name, _)| Self::Duplicate(name))
    }
}

/// Removes the line and column that serde_json appends: the field's path is reported instead.
fn without_position(message: &str) -> &str {
    match message.rfind(" at line ") {
        Some(at) if message[at..].contains(" column ") => &message[..at],
        _ => message,
    }
}

/// Splits ``{start}`name`rest`` into `name` and `rest`.
fn named<'a>(message: &'a str, start: &str) -> Option<(&'a str, &'a str)> {
    let rest = message.strip_prefix(start)?.strip_prefix('`')?;
    // A name may contain a backquote; serde's own text after the name does not.
    let end = rest.find("`, ").or_else(|| rest.rfind('`'))?;
    Some((&rest[..end], &rest[end + 1..]))
}

fn unknown_field(known: &str) -> String {
    match backquoted(known).as_slice() {
        [] => "is not a known field; there are none here".to_owned(),
        names => format!("is not a known field; known are {}", names.join(", ")),
    }
}

fn backquoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn ending_in(path: &str, name: &str) -> String {
    let ends = path == name || path.strip_suffix(name).is_some_and(|parent| parent.ends_with('.'));
    if ends { path.to_owned() } else { below(path, name) }
}

fn expectation(message: &str) -> String {
    if let Some((_, known)) = named(message, "unknown variant ") {
        return format!("must be one of {}", backquoted(known).join(", "));
    }
    if message.starts_with("UUID parsing failed") {
        return "must be a UUID".into();
    }
    // Messages of chrono's parser.
    if message.starts_with("input ") || message == "premature end of input" || message.starts_with("trailing input") {
        return TIME.into();
    }
    match message {
        // serde_json's messages for a wrong type in place of an enum, and for a number such as 1e999.
        "expected value" => return "must be text".into(),
        "number out of range" => return "is too large a number".into(),
        _ => {}
    }
    let wrong_type = message.starts_with("invalid type: ");
    let refused = wrong_type || message.starts_with("invalid value: ") || message.starts_with("invalid length ");
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if refused => plain(expected, wrong_type),
        // A message of one of our own types.
        _ => message.to_owned(),
    }
}

const TIME: &str = "must be an RFC 3339 time, such as 2026-01-31T12:00:00Z";

fn plain(expected: &str, wrong_type: bool) -> String {
    let whole = |min: String, max: String| match wrong_type {
        true => "must be a whole number".to_owned(),
        false => format!("must be a whole number from {min} to {max}"),
    };
    macro_rules! range {
        ($int:ty) => {
            whole(<$int>::MIN.to_string(), <$int>::MAX.to_string())
        };
    }
    let plain = match expected {
        "u8" => return range!(u8),
        "u16" => return range!(u16),
        "u32" => return range!(u32),
        "u64" | "usize" => return range!(u64),
        "i8" => return range!(i8),
        "i16" => return range!(i16),
        "i32" => return range!(i32),
        "i64" | "isize" => return range!(i64),
        "f32" | "f64" => "must be a number",
        "a string" | "a borrowed string" | "string or map" | "a character" => "must be text",
        "a boolean" => "must be true or false",
        "a sequence" => "must be a list",
        "a map" => "must be an object",
        "unit" => "must be null",
        text if text.contains("RFC 3339") => TIME,
        text if text.contains("UUID") => "must be a UUID",
        text if text.starts_with("struct ") => "must be an object",
        text if text.starts_with("enum ") || text.contains("variant") => "must be text",
        text if text.starts_with("tuple ") || text.starts_with("an array") => "must be a list",
        text => return format!("must be {text}"),
    };
    plain.to_owned()
}
