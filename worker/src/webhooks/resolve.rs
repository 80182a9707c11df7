//! Names to addresses, every one of them checked. The connection is made to the addresses given back here, so a name
//! that resolves otherwise a moment later (DNS rebinding) changes nothing.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use trainyard_domain::webhook::is_public;

pub(super) struct Resolver {
    pub(super) allow_private_addresses: bool,
}

/// Why a name was not let through. The address is for the log: an answer to the submitter that told it would map the
/// network for them.
#[derive(Debug, thiserror::Error)]
#[error("the host resolves to an address of a private network")]
struct Private(IpAddr);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.allow_private_addresses;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private address is enough: which of them would be tried is not ours to tell.
            if let Some(private) = found.iter().map(SocketAddr::ip).find(|ip| !allow && !is_public(*ip)) {
                tracing::warn!(host = name.as_str(), address = %private, "a webhook's host resolves to a private address");
                return Err(Private(private).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_let_through_by_what_it_resolves_to() {
        let resolve = |allow| Resolver { allow_private_addresses: allow }.resolve("localhost".parse().unwrap());
        let refused = resolve(false).await.err().expect("refused").to_string();
        assert!(refused.contains("private network") && !refused.contains("127"), "{refused}");
        let found: Vec<_> = resolve(true).await.unwrap().collect();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }
}
