//! Parses a Redis URL: one server, Sentinels, or seed nodes of a cluster.

use redis::{Client, RedisResult, TlsCertificates};

use crate::error::{QueueError, Result};

/// The accepted forms, for error messages.
const FORMS: &str = "redis://host:6379, redis+sentinel://host:26379,host:26379/master-name or \
                     redis+cluster://host:6379,host:6379, with rediss in place of redis for TLS";

/// The settings of servers that are discovered later. All of them share the password, the database and TLS.
pub(crate) struct ServerSettings {
    tls: bool,
    user: String,
    db: String,
    tls_ca: Option<Vec<u8>>,
}

/// A parsed URL.
pub(crate) enum Address {
    Server(Client),
    Sentinels { sentinels: Vec<Client>, master: String, servers: ServerSettings },
    Cluster { nodes: Vec<Client>, servers: ServerSettings },
}

impl ServerSettings {
    /// A client of one server. An IPv6 address may be in brackets or not.
    pub(crate) fn client(&self, host: &str, port: u16) -> RedisResult<Client> {
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let scheme = if self.tls { "rediss" } else { "redis" };
        let at = if self.user.is_empty() { "" } else { "@" };
        open(&format!("{scheme}://{}{at}{host}:{port}/{}", self.user, self.db), self.tls_ca.as_deref())
    }

    /// The database number.
    pub(crate) fn db(&self) -> i64 {
        self.db.parse().unwrap_or(0)
    }
}

impl Address {
    /// Parses a URL. `tls_ca` holds certificate authorities in PEM; they replace the system's.
    pub(crate) fn parse(url: &str, tls_ca: Option<&[u8]>) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad(FORMS))?;
        let (tls, kind) = match scheme.split_once('+').unwrap_or((scheme, "")) {
            ("redis", kind) => (false, kind),
            ("rediss", kind) => (true, kind),
            _ => return Err(bad(FORMS)),
        };
        if tls_ca.is_some() && !tls {
            return Err(bad("queue.tls_ca needs a URL that starts with rediss"));
        }
        let settings = |user: &str, db: &str| ServerSettings {
            tls,
            user: user.into(),
            db: db.into(),
            tls_ca: tls_ca.map(Into::into),
        };
        if kind.is_empty() {
            let refused = |error: redis::RedisError| bad(&format!("{}; expected {FORMS}", summary(&error)));
            return Ok(Self::Server(open(url, tls_ca).map_err(refused)?));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (servers, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = servers.rsplit_once('@').unwrap_or(("", servers));
        match kind {
            "cluster" if path.is_empty() && query.is_empty() => {
                let servers = settings(user, "");
                Ok(Self::Cluster { nodes: clients(hosts, 6379, &servers)?, servers })
            }
            "cluster" => Err(bad("a cluster has one database, so nothing may follow the hosts in its URL")),
            "sentinel" => {
                let (master, db) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() || !db.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(bad("after the Sentinels, expected …/master-name or …/master-name/0"));
                }
                // The Sentinels have a user and a password of their own.
                let sentinels = settings(&sentinels_user(query)?, "");
                Ok(Self::Sentinels {
                    sentinels: clients(hosts, 26379, &sentinels)?,
                    master: decoded(master)?,
                    servers: settings(user, db),
                })
            }
            _ => Err(bad(FORMS)),
        }
    }
}

/// Checks a URL for [`crate::Queue::redis`] without connecting.
///
/// # Errors
/// [`QueueError::BadUrl`], which names the expected form and never repeats the URL.
pub fn check_url(url: &str) -> Result<()> {
    Address::parse(url, None).map(drop)
}

/// Decodes percent-encoding, as redis-rs does for user names and passwords.
fn decoded(text: &str) -> Result<String> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| bad("percent-encoded text must be UTF-8"))
}

/// The driver's error without its detail, which may repeat a part of the URL.
fn summary(error: &redis::RedisError) -> &'static str {
    match error.kind() {
        redis::ErrorKind::InvalidClientConfig => "a part such as the port or the database can't be parsed",
        _ => "the URL can't be used",
    }
}

/// A client for each of the comma-separated hosts.
fn clients(hosts: &str, default_port: u16, servers: &ServerSettings) -> Result<Vec<Client>> {
    let client = |host: &str| {
        let (name, port) = match host.rsplit_once(':') {
            // The last colon of a bracketed IPv6 address without a port is inside the brackets.
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()?),
            _ => (host, default_port),
        };
        if name.is_empty() { None } else { servers.client(name, port).ok() }
    };
    hosts.split(',').map(|host| client(host).ok_or_else(|| bad("each host must be host or host:port"))).collect()
}

/// `user:password` from the query of a Sentinel URL.
fn sentinels_user(query: &str) -> Result<String> {
    let (mut name, mut password) = ("", None);
    for setting in query.split('&').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("sentinel_username", value)) => name = value,
            Some(("sentinel_password", value)) => password = Some(value),
            _ => return Err(bad("the query may hold only sentinel_username=… and sentinel_password=…")),
        }
    }
    match password {
        Some(password) => Ok(format!("{name}:{password}")),
        None if name.is_empty() => Ok(String::new()),
        None => Err(bad("sentinel_username needs sentinel_password")),
    }
}

fn open(url: &str, tls_ca: Option<&[u8]>) -> RedisResult<Client> {
    match tls_ca {
        None => Client::open(url),
        Some(ca) => Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert: Some(ca.to_vec()) }),
    }
}

/// The error for an invalid URL. It does not repeat the URL, which may hold a password.
fn bad(expected: &str) -> QueueError {
    QueueError::BadUrl(expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match Address::parse(url, None) {
            Err(QueueError::BadUrl(expected)) => expected,
            _ => panic!("{url} was accepted"),
        }
    }

    #[test]
    fn every_form_is_recognised() {
        assert!(matches!(Address::parse("redis://h:1/2", None), Ok(Address::Server(_))));
        let cluster = Address::parse("rediss+cluster://u:p%40@h:1,[::1]:2,[::1]", None);
        let Ok(Address::Cluster { nodes, servers }) = cluster else { panic!("no cluster") };
        let ports: Vec<_> = nodes.iter().map(|node| node.get_connection_info().addr().to_string()).collect();
        assert_eq!(ports, ["h:1", "::1:2", "::1:6379"]);
        let node = servers.client("::1", 7).unwrap();
        assert_eq!(node.get_connection_info().redis_settings().password(), Some("p@"));
        let sentinels = "redis+sentinel://u:p@h,i:7/main/3?sentinel_password=s";
        let Ok(Address::Sentinels { sentinels, master, servers }) = Address::parse(sentinels, None) else {
            panic!("none")
        };
        assert_eq!((sentinels.len(), master.as_str(), servers.db()), (2, "main", 3));
        assert_eq!(sentinels[0].get_connection_info().addr().to_string(), "h:26379");
        assert_eq!(sentinels[0].get_connection_info().redis_settings().password(), Some("s"));
    }

    #[test]
    fn percent_encoding_is_decoded_once() {
        let password = |client: &Client| client.get_connection_info().redis_settings().password().map(str::to_owned);
        let Ok(Address::Server(server)) = Address::parse("redis://u:p%2520%40@h", None) else { panic!("no server") };
        assert_eq!(password(&server).as_deref(), Some("p%20@"));
        let url = "redis+sentinel://:p%2520@h/a%20b?sentinel_password=s%2520";
        let Ok(Address::Sentinels { sentinels, master, servers }) = Address::parse(url, None) else { panic!("none") };
        assert_eq!(master, "a b");
        assert_eq!(password(&sentinels[0]).as_deref(), Some("s%20"));
        assert_eq!(password(&servers.client("h", 1).unwrap()).as_deref(), Some("p%20"));
    }

    #[test]
    fn errors_name_the_expected_form_and_hide_the_password() {
        for (url, expected) in [
            ("redis+sentinel://:secret@h:1", "master-name"),
            ("redis+sentinel://:secret@h:1/m/x", "master-name"),
            ("redis+sentinel://:secret@h/m?password=secret", "sentinel_password"),
            ("redis+cluster://:secret@h:1/0", "one database"),
            ("redis+cluster://:secret@h:port", "host:port"),
            ("redis+cluster://:secret@", "host:port"),
            ("redis+sharded://:secret@h", "redis+cluster://"),
            ("http://:secret@h", "redis+cluster://"),
            ("redis://:secret@h:port", "redis://host"),
            ("redis://:secret@h/db", "redis://host"),
        ] {
            let refusal = refusal(url);
            assert!(refusal.contains(expected) && !refusal.contains("secret"), "{url}: {refusal}");
        }
        assert!(matches!(Address::parse("redis://h", Some(b"pem")), Err(QueueError::BadUrl(_))));
    }
}
