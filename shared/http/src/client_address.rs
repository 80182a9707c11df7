//! The address of a client: the peer of the socket, or the address that a trusted proxy states.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::problem::Problem;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Most hops of a forwarding header that are read.
const MAX_HOPS: usize = 32;

/// The networks of the proxies whose forwarding headers are trusted. Clones share the list.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Parses CIDRs such as `10.0.0.0/8`, and single addresses.
    ///
    /// # Errors
    /// The first entry that is neither a CIDR nor an address.
    pub fn parse<'t>(entries: impl IntoIterator<Item = &'t str>) -> Result<Self, String> {
        let network = |entry: &'t str| {
            let entry = entry.trim();
            entry.parse::<IpNet>().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)).map_err(|_| entry.to_owned())
        };
        entries.into_iter().map(network).collect::<Result<Vec<_>, _>>().map(|networks| Self(networks.into()))
    }

    /// Whether `address` is a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Adds the client's address to every request of `router`.
    pub fn layer(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), attach))
    }

    /// The client behind `peer`.
    ///
    /// Only headers of a trusted peer count. Each proxy appends at the right, so hops are read from the right up to the
    /// first untrusted one: the client can write everything further left. A proxy may set one header and pass the client's
    /// other header on. So neither header counts where both are present and disagree.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.to_canonical();
        if !self.contains(peer) {
            return ClientAddress(peer);
        }
        let x_forwarded_for =
            headers.contains_key(X_FORWARDED_FOR).then(|| self.first_untrusted(peer, &x_forwarded_for(headers)));
        let forwarded =
            headers.contains_key(header::FORWARDED).then(|| self.first_untrusted(peer, &forwarded(headers)));
        ClientAddress(match (x_forwarded_for, forwarded) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => peer,
        })
    }

    /// The first untrusted hop, or the last trusted one before a hop without an address. `hops` go from right to left.
    fn first_untrusted(&self, peer: IpAddr, hops: &[Option<IpAddr>]) -> IpAddr {
        let mut client = peer;
        for hop in hops {
            let Some(address) = hop else { break };
            client = *address;
            if !self.contains(client) {
                break;
            }
        }
        client
    }
}

/// The address of the client that sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The IP address.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// The key of limits: an IPv4 address, or the /64 network of an IPv6 address, since one client owns a whole network.
    pub fn limit_key(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }

    fn of(extensions: &Extensions) -> Option<Self> {
        let peer =
            || extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| Self(peer.ip().to_canonical()));
        extensions.get::<Self>().copied().or_else(peer)
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.extensions)
            .ok_or_else(|| Problem::internal("the request has no ConnectInfo with its peer's address"))
    }
}

async fn attach(State(proxies): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let client = proxies.client(peer.ip(), request.headers());
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

/// The hops of `X-Forwarded-For` from right to left; `None` for a hop without an address.
fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    hops(headers, &X_FORWARDED_FOR, address)
}

/// The hops of `Forwarded` (RFC 7239) from right to left; `None` for a hop without an address.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    hops(headers, &header::FORWARDED, |element| {
        let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
        address(value.trim().trim_matches('"'))
    })
}

fn hops(headers: &HeaderMap, name: &HeaderName, read: impl Fn(&str) -> Option<IpAddr>) -> Vec<Option<IpAddr>> {
    let values = headers.get_all(name).iter().collect::<Vec<_>>();
    let elements = values.into_iter().rev().flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    elements.take(MAX_HOPS).map(|element| read(element.trim())).collect()
}

/// Parses an address with or without a port, and IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = IpAddr::from_str(bare).or_else(|_| SocketAddr::from_str(text).map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;
