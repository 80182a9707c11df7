//! The deadline of a call: the header `grpc-timeout`.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

use crate::problem::{Code, Problem};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const MAX_DIGITS: usize = 8;

/// The time that the client allows for the call: at most eight digits, and a unit.
///
/// # Errors
/// 400 for another value.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let Some(value) = headers.get(GRPC_TIMEOUT) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(parse);
    let invalid = || {
        let detail = "the header grpc-timeout must be a number of at most 8 digits and a unit (H, M, S, m, u or n), such as 100m";
        Problem::new(Code::BadRequest, detail)
    };
    parsed.map(Some).ok_or_else(invalid)
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=MAX_DIGITS).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("2H", Duration::from_secs(7_200)),
            ("3M", Duration::from_secs(180)),
            ("99999999S", Duration::from_secs(99_999_999)),
            ("100m", Duration::from_millis(100)),
            ("20u", Duration::from_micros(20)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in ["", "S", "1", "1s", "123456789S", "-1S", "+1S", "1.5S", "1 S", "1é"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let headers = HeaderMap::from_iter([(GRPC_TIMEOUT, http::HeaderValue::from_static("soon"))]);
        assert_eq!(of(&headers).unwrap_err().code(), Code::BadRequest);
        assert_eq!(of(&HeaderMap::new()).unwrap(), None);
    }
}
