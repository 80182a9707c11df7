//! Validation of webhook URLs. The addresses that a host name resolves to are checked at each attempt.

use std::net::IpAddr;

use url::{Host, Url};

use super::is_public;

/// Maximum length of a URL, in bytes.
pub const MAX_URL_LENGTH: usize = 2_048;

/// The server's rules for webhook URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// Whether a signing secret is configured. Without a secret webhooks are refused.
    pub enabled: bool,
    /// Whether private addresses and plain HTTP are allowed.
    pub allow_private_addresses: bool,
}

impl Rules {
    /// Validates a webhook URL; the error is a message for the client.
    pub fn check(self, url: &str) -> Result<(), String> {
        if !self.enabled {
            return Err("must be null: webhooks are disabled until an administrator sets webhooks.secret".into());
        }
        if url.len() > MAX_URL_LENGTH {
            return Err(format!("must have at most {MAX_URL_LENGTH} bytes"));
        }
        let parsed = Url::parse(url).map_err(|error| format!("must be an absolute URL ({error})"))?;
        match parsed.scheme() {
            "https" => {}
            "http" if self.allow_private_addresses => {}
            "http" => return Err("must begin with https://: plain HTTP is not allowed".into()),
            _ => return Err("must begin with https://".into()),
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err("must not contain a user name or a password".into());
        }
        let public = match parsed.host() {
            None => return Err("must name a host".into()),
            Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
            Some(Host::Domain(name)) => !is_local(name),
        };
        if public || self.allow_private_addresses {
            return Ok(());
        }
        Err("must not point to a private network (an administrator can set webhooks.allow_private_addresses)".into())
    }
}

/// Host and port of a valid URL. Deliveries to the same receiver share their limits.
pub fn receiver(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return String::new() };
    format!("{}:{}", parsed.host_str().unwrap_or_default(), parsed.port_or_known_default().unwrap_or_default())
}

/// A URL without its query, fragment and credentials, which often contain secrets.
pub fn masked(url: &str) -> String {
    const MASK: &str = "***";
    let Ok(mut parsed) = Url::parse(url) else { return MASK.to_owned() };
    let has_credentials = !parsed.username().is_empty() || parsed.password().is_some();
    if !has_credentials && parsed.query().is_none() && parsed.fragment().is_none() {
        return url.to_owned();
    }
    let query = parsed.query().map_or("", |_| "?***");
    parsed.set_query(None);
    parsed.set_fragment(None);
    if has_credentials && (parsed.set_password(None).is_err() || parsed.set_username(MASK).is_err()) {
        return MASK.to_owned();
    }
    format!("{parsed}{query}")
}

/// Host names of this machine (RFC 6761).
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Rules = Rules { enabled: true, allow_private_addresses: false };
    const LAX: Rules = Rules { enabled: true, allow_private_addresses: true };

    #[test]
    fn public_https_addresses_are_accepted() {
        for url in
            ["https://example.com", "https://example.com:8443/a?b=c#d", "https://1.1.1.1/x", "https://bücher.example/"]
        {
            assert_eq!(STRICT.check(url), Ok(()), "{url}");
        }
        assert_eq!(LAX.check("http://127.0.0.1:8000/hook"), Ok(()));
    }

    #[test]
    fn private_addresses_are_refused_in_every_notation() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "10.0.0.1",
            "169.254.169.254",
            "0",
            "192.168.0.1",
            "[fe80::1]",
            "[fd00::1]",
            "１２７.0.0.1",
        ] {
            let url = format!("https://{host}/");
            let refused = STRICT.check(&url).unwrap_err();
            assert!(refused.contains("private network"), "{url}: {refused}");
            assert_eq!(LAX.check(&url), Ok(()), "{url}");
        }
    }

    #[test]
    fn a_receiver_is_a_host_and_a_port() {
        assert_eq!(receiver("https://Example.com/a?job=1"), receiver("https://example.com:443/b"));
        assert_ne!(receiver("https://example.com"), receiver("https://example.com:8443"));
        assert_eq!(receiver("https://[2606:4700::1]/"), "[2606:4700::1]:443");
    }

    #[test]
    fn secrets_in_urls_are_masked() {
        for (url, shown) in [
            ("https://example.com", "https://example.com"),
            ("https://example.com/hooks/a", "https://example.com/hooks/a"),
            ("https://example.com/a?token=s3cret&b", "https://example.com/a?***"),
            ("https://example.com/a#s3cret", "https://example.com/a"),
            ("https://ada:s3cret@example.com/a?s3cret#s3cret", "https://***@example.com/a?***"),
            ("https://s3cret@example.com/", "https://***@example.com/"),
            ("s3cret", "***"),
        ] {
            assert_eq!(masked(url), shown, "{url}");
        }
    }

    #[test]
    fn invalid_urls_are_refused_with_the_reason() {
        let long = format!("https://example.com/{}", "x".repeat(MAX_URL_LENGTH));
        for (url, why) in [
            ("", "absolute URL"),
            ("example.com/hook", "absolute URL"),
            ("/hook", "absolute URL"),
            ("https://", "absolute URL"),
            ("http://example.com", "plain HTTP"),
            ("ftp://example.com", "https://"),
            ("file:///etc/passwd", "https://"),
            ("https://user@example.com", "user name"),
            ("https://:secret@example.com", "user name"),
            (&long, "at most 2048"),
        ] {
            let refused = STRICT.check(url).unwrap_err();
            assert!(refused.contains(why), "{url}: {refused}");
        }
        let off = Rules::default().check("https://example.com").unwrap_err();
        assert!(off.contains("webhooks.secret"), "{off}");
    }
}
