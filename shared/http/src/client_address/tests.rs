//! The client address behind trusted and untrusted proxies.

use super::*;

fn client(peer: &str, headers: &[(&str, &str)]) -> String {
    let proxies = TrustedProxies::parse(["10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"]).unwrap();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    proxies.client(peer.parse().unwrap(), &map).to_string()
}

#[test]
fn only_headers_of_a_trusted_peer_count() {
    let headers = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(client("198.51.100.1", &headers), "198.51.100.1");
    assert_eq!(client("10.1.2.3", &headers), "203.0.113.9");
    assert_eq!(client("::ffff:10.1.2.3", &headers), "203.0.113.9", "an IPv4 peer on an IPv6 socket");
    assert_eq!(client("192.0.2.7", &headers), "203.0.113.9");
    assert_eq!(client("192.0.2.8", &headers), "192.0.2.8");
    assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
    let nobody = TrustedProxies::default();
    assert!(!nobody.contains("127.0.0.1".parse().unwrap()), "no proxy is trusted by default");
}

#[test]
fn hops_are_read_from_the_right_up_to_the_first_untrusted_one() {
    let client_of = |value: &str| client("10.0.0.1", &[("x-forwarded-for", value)]);
    assert_eq!(client_of("1.1.1.1, 203.0.113.9, 10.9.9.9"), "203.0.113.9", "the client wrote the hops further left");
    assert_eq!(client_of("10.7.7.7, 10.9.9.9"), "10.7.7.7", "all hops are trusted: the leftmost is the client");
    assert_eq!(client_of("1.1.1.1, unknown, 10.9.9.9"), "10.9.9.9", "reading stops at a hop without an address");
    assert_eq!(client_of("203.0.113.9:4711"), "203.0.113.9");
    assert_eq!(client_of("[2001:db8::5]:4711"), "2001:db8::5");
    assert_eq!(client_of("2001:db8::5, 2001:db8:1::1"), "2001:db8::5");
    assert_eq!(client_of("::ffff:203.0.113.9"), "203.0.113.9");
    assert_eq!(client_of(""), "10.0.0.1");
    assert_eq!(client_of("not an address"), "10.0.0.1");
    let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9, 10.9.9.9")];
    assert_eq!(client("10.0.0.1", &lines), "203.0.113.9", "several header lines are one list");
    assert_eq!(client_of(&format!("1.1.1.1{}", ", 10.0.0.2".repeat(200))), "10.0.0.2", "bounded");
}

#[test]
fn forwarded_is_parsed() {
    let client_of = |value: &str| client("10.0.0.1", &[("forwarded", value)]);
    assert_eq!(client_of("for=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9");
    assert_eq!(client_of(r#"proto=https; For="[2001:db8::5]:4711""#), "2001:db8::5");
    assert_eq!(client_of(r#"for=1.1.1.1, for="203.0.113.9:80", for=10.2.2.2"#), "203.0.113.9");
    assert_eq!(client_of("for=_hidden, for=10.2.2.2"), "10.2.2.2");
    assert_eq!(client_of("proto=https"), "10.0.0.1");
}

#[test]
fn neither_of_two_headers_that_disagree_counts() {
    let both = |x: &str, forwarded: &str| client("10.0.0.1", &[("x-forwarded-for", x), ("forwarded", forwarded)]);
    assert_eq!(both("203.0.113.9", "for=203.0.113.9"), "203.0.113.9");
    assert_eq!(both("203.0.113.9", "for=1.1.1.1"), "10.0.0.1", "the client may have sent either header");
}

#[test]
fn an_ipv6_network_has_one_limit_key() {
    let key = |text: &str| ClientAddress(text.parse().unwrap()).limit_key().to_string();
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::1"));
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_eq!(key("203.0.113.9"), "203.0.113.9");
}

#[test]
fn the_first_invalid_entry_is_returned() {
    assert_eq!(TrustedProxies::parse(["10.0.0.0/8", "10.0.0.0/99"]).unwrap_err(), "10.0.0.0/99");
    assert_eq!(TrustedProxies::parse(["proxy.example"]).unwrap_err(), "proxy.example");
}
