//! Checks the `Host` header of requests (RFC 9110 and RFC 9112).

use axum::body::Body;
use http::header::HOST;
use http::uri::Authority;
use http::{Request, Version};

use crate::problem::{Code, Problem};

/// The problem of a request with an invalid head. [`crate::middleware`] answers such a request, so that it is logged and
/// counted.
#[derive(Debug, Clone)]
pub(crate) struct InvalidHead(pub(crate) Problem);

/// Adds [`InvalidHead`] to a request with an invalid `Host`.
pub(super) fn mark_if_invalid(request: &mut Request<Body>) {
    if let Err(why) = check_host(request) {
        let problem = Problem::new(Code::BadRequest, why);
        request.extensions_mut().insert(InvalidHead(problem));
    }
}

/// HTTP/1.1 requires exactly one valid `Host` (RFC 9112, section 3.2). In HTTP/1.0 the header is optional. In HTTP/2 it must
/// equal `:authority` (RFC 9113, section 8.3.1).
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
    // `Host` is empty where the URI has no authority (RFC 9110, section 7.2).
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
    // Brackets enclose the colons of an IPv6 address.
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
    // The fast path for host names and IPv4 addresses.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    name.iter().all(plain) || Authority::try_from(name).is_ok_and(|name| !name.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_hosts_are_accepted_and_others_refused() {
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
