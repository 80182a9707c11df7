//! Whom a request comes from, behind proxies that are trusted and others.

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
fn only_a_trusted_peer_speaks_for_others() {
    let says = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(client("198.51.100.1", &says), "198.51.100.1");
    assert_eq!(client("10.1.2.3", &says), "203.0.113.9");
    assert_eq!(client("::ffff:10.1.2.3", &says), "203.0.113.9", "an IPv4 peer on an IPv6 socket");
    assert_eq!(client("192.0.2.7", &says), "203.0.113.9");
    assert_eq!(client("192.0.2.8", &says), "192.0.2.8");
    assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
    let nobody = TrustedProxies::default();
    assert!(!nobody.contains("127.0.0.1".parse().unwrap()), "nobody is trusted unless it is set");
}

#[test]
fn the_walk_goes_from_the_right_past_trusted_hops_and_no_further() {
    let walk = |value: &str| client("10.0.0.1", &[("x-forwarded-for", value)]);
    assert_eq!(walk("1.1.1.1, 203.0.113.9, 10.9.9.9"), "203.0.113.9", "what the client wrote is left of it");
    assert_eq!(walk("10.7.7.7, 10.9.9.9"), "10.7.7.7", "all are trusted: the first of them sent it");
    assert_eq!(walk("1.1.1.1, unknown, 10.9.9.9"), "10.9.9.9", "past a hop without an address nothing is known");
    assert_eq!(walk("203.0.113.9:4711"), "203.0.113.9");
    assert_eq!(walk("[2001:db8::5]:4711"), "2001:db8::5");
    assert_eq!(walk("2001:db8::5, 2001:db8:1::1"), "2001:db8::5");
    assert_eq!(walk("::ffff:203.0.113.9"), "203.0.113.9");
    assert_eq!(walk(""), "10.0.0.1");
    assert_eq!(walk("not an address"), "10.0.0.1");
    let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9, 10.9.9.9")];
    assert_eq!(client("10.0.0.1", &lines), "203.0.113.9", "several lines are one list");
    assert_eq!(walk(&format!("1.1.1.1{}", ", 10.0.0.2".repeat(200))), "10.0.0.2", "bounded");
}

#[test]
fn forwarded_is_read_by_its_own_grammar() {
    let walk = |value: &str| client("10.0.0.1", &[("forwarded", value)]);
    assert_eq!(walk("for=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9");
    assert_eq!(walk(r#"proto=https; For="[2001:db8::5]:4711""#), "2001:db8::5");
    assert_eq!(walk(r#"for=1.1.1.1, for="203.0.113.9:80", for=10.2.2.2"#), "203.0.113.9");
    assert_eq!(walk("for=_hidden, for=10.2.2.2"), "10.2.2.2");
    assert_eq!(walk("proto=https"), "10.0.0.1");
}

#[test]
fn a_header_that_a_proxy_passed_on_can_not_overrule_the_one_it_set() {
    let both = |x: &str, forwarded: &str| client("10.0.0.1", &[("x-forwarded-for", x), ("forwarded", forwarded)]);
    assert_eq!(both("203.0.113.9", "for=203.0.113.9"), "203.0.113.9");
    assert_eq!(both("203.0.113.9", "for=1.1.1.1"), "10.0.0.1", "either may be the client's");
}

#[test]
fn limits_count_an_ipv6_network_as_one_client() {
    let limited = |text: &str| ClientAddress(text.parse().unwrap()).limited_as().to_string();
    assert_eq!(limited("2001:db8:1:2:3:4:5:6"), limited("2001:db8:1:2::1"));
    assert_ne!(limited("2001:db8:1:2::1"), limited("2001:db8:1:3::1"));
    assert_eq!(limited("203.0.113.9"), "203.0.113.9");
}

#[test]
fn what_is_no_network_is_named() {
    assert_eq!(TrustedProxies::parse(["10.0.0.0/8", "10.0.0.0/99"]).unwrap_err(), "10.0.0.0/99");
    assert_eq!(TrustedProxies::parse(["proxy.example"]).unwrap_err(), "proxy.example");
}
