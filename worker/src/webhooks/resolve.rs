//! Resolves host names and checks every address. The client connects to the checked addresses, so DNS rebinding has no
//! effect.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use trainyard_domain::webhook::is_public;

pub(super) struct Resolver {
    pub(super) allow_private_addresses: bool,
}

/// The error for a private address. Its message omits the address, which would reveal the network to the submitter.
#[derive(Debug, thiserror::Error)]
#[error("the host resolves to an address of a private network")]
struct Private(IpAddr);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.allow_private_addresses;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private address is enough, because the client may try any of them.
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
    async fn a_name_is_accepted_by_its_addresses() {
        let resolve = |allow| Resolver { allow_private_addresses: allow }.resolve("localhost".parse().unwrap());
        let refused = resolve(false).await.err().expect("refused").to_string();
        assert!(refused.contains("private network") && !refused.contains("127"), "{refused}");
        let found: Vec<_> = resolve(true).await.unwrap().collect();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }
}
