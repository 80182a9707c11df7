//! Requests that no handler should see, by RFC 9110 and RFC 9112.

use axum::body::Body;
use http::header::HOST;
use http::uri::Authority;
use http::{Request, Version};

use crate::problem::{Code, Problem};

/// Marks a request that is to be refused; [`crate::middleware`] answers it, so that it is logged and counted as others.
#[derive(Debug, Clone)]
pub(crate) struct Refused(pub(crate) Problem);

/// Marks `request` where its head is not valid.
pub(super) fn mark_if_refused(request: &mut Request<Body>) {
    if let Err(why) = check_host(request) {
        let problem = Problem::new(Code::BadRequest, why);
        request.extensions_mut().insert(Refused(problem));
    }
}

/// HTTP/1.1 demands exactly one valid `Host` (RFC 9112, section 3.2). HTTP/1.0 may go without, and HTTP/2 has
/// `:authority` in its place, which a `Host` must not contradict (RFC 9113, section 8.3.1).
fn check_host(request: &Request<Body>) -> Result<(), &'static str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err("the request has more than one Host header; send exactly one");
    }
    let Some(host) = first else {
        let required = request.version() == Version::HTTP_11;
        return if required { Err("the request has no Host header; send exactly one") } else { Ok(()) };
    };
    let host = host.as_bytes();
    // A URI without an authority may have an empty one (RFC 9110, section 7.2).
    if !host.is_empty() && !is_authority(host) {
        return Err("the Host header is not a host with an optional port");
    }
    let authority = request.uri().authority().filter(|_| request.version() == Version::HTTP_2);
    match authority {
        Some(authority) if !authority.as_str().as_bytes().eq_ignore_ascii_case(host) => {
            Err("the Host header and :authority name different hosts")
        }
        _ => Ok(()),
    }
}

fn is_authority(host: &[u8]) -> bool {
    // The colons of an IPv6 address stand in brackets.
    let name_ends = match host.iter().position(|byte| *byte == b']') {
        Some(bracket) => Some(bracket + 1),
        None => host.iter().position(|byte| *byte == b':'),
    };
    let (name, port) = host.split_at(name_ends.unwrap_or(host.len()));
    let port_is_valid = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if name.is_empty() || !port_is_valid {
        return false;
    }
    // Plain names and IPv4 addresses are by far the most.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    name.iter().all(plain) || Authority::try_from(name).is_ok_and(|name| !name.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_other_text() {
        for host in
            ["a", "a.example:8080", "127.0.0.1:1", "[::1]:8080", "xn--mnchen-3ya.de", "a_b", "a.example:", "[::1]"]
        {
            assert!(is_authority(host.as_bytes()), "{host}");
        }
        for host in ["a b", "a/b", "user@a", "a:b", ":80", "[::1", "[::1]x", "[a@b]", "http://a"] {
            assert!(!is_authority(host.as_bytes()), "{host}");
        }
    }
}
