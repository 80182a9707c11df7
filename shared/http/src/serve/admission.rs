//! Admission control: counts open connections, and refuses connections over a limit.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use trainyard_telemetry::catalogue::HTTP_CONNECTIONS_DROPPED_TOTAL;

use super::limits::{Exempt, ServeLimits};

pub(super) struct Admission {
    max: usize,
    max_per_address: usize,
    exempt: Exempt,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The permit of one connection, released by its drop.
pub(super) struct ConnectionPermit {
    admission: Arc<Admission>,
    /// `None` where the address is exempt.
    address: Option<IpAddr>,
}

impl Admission {
    pub(super) fn new(limits: &ServeLimits) -> Self {
        Self {
            max: limits.max_connections,
            max_per_address: limits.max_connections_per_address,
            exempt: limits.exempt.clone(),
            open: Mutex::default(),
        }
    }

    /// Admits a connection from `peer`, unless it would exceed a limit.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<ConnectionPermit> {
        let address = Some(peer.to_canonical()).filter(|address| !self.exempt.contains(*address)).map(network);
        let admission = self.clone();
        match self.count(address) {
            Ok(()) => Some(ConnectionPermit { admission, address }),
            Err(reason) => {
                dropped(reason);
                let (limit, key) = match reason {
                    "total_limit" => (self.max, "server.max_connections"),
                    _ => (self.max_per_address, "server.max_connections_per_address"),
                };
                log_at_most_once_a_second(|| {
                    tracing::warn!(%peer, limit, key, "refused a connection: the limit on open connections is reached");
                });
                None
            }
        }
    }

    fn count(&self, address: Option<IpAddr>) -> Result<(), &'static str> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.max {
            return Err("total_limit");
        }
        if let Some(address) = address {
            let from_address = open.by_address.entry(address).or_default();
            if *from_address >= self.max_per_address {
                return Err("address_limit");
            }
            *from_address += 1;
        }
        open.total += 1;
        Ok(())
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.admission.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        if let Some(address) = self.address
            && let Some(from_address) = open.by_address.get_mut(&address)
        {
            *from_address -= 1;
            if *from_address == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// The address that the limit counts: an IPv6 host usually owns a whole /64 network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

pub(super) fn dropped(reason: &'static str) {
    metrics::counter!(HTTP_CONNECTIONS_DROPPED_TOTAL, "reason" => reason).increment(1);
}

/// Runs `log` unless this function logged within the last second: a flood of connections must not flood the log.
pub(super) fn log_at_most_once_a_second(log: impl FnOnce()) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    static NEXT_MS: AtomicU64 = AtomicU64::new(0);
    let now = START.elapsed().as_millis() as u64;
    let next = NEXT_MS.load(Ordering::Relaxed);
    if now >= next && NEXT_MS.compare_exchange(next, now + 1_000, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        log();
    }
}

#[cfg(test)]
mod tests {
    use trainyard_testkit::default_settings;

    use super::*;
    use crate::ServerConfig;

    fn admission(exempt: Exempt) -> Arc<Admission> {
        let limits = ServeLimits {
            max_connections: 4,
            max_connections_per_address: 2,
            exempt,
            ..default_settings::<ServerConfig>("server").connections()
        };
        Arc::new(Admission::new(&limits))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_at_its_limit_does_not_block_others_and_is_admitted_again_later() {
        let admission = admission(Exempt::default());
        let mut one = vec![admission.admit(ip("10.0.0.1")).unwrap(), admission.admit(ip("::ffff:10.0.0.1")).unwrap()];
        assert!(admission.admit(ip("10.0.0.1")).is_none(), "the mapped IPv6 address is the same address");
        assert!(admission.admit(ip("10.0.0.2")).is_some());
        one.pop();
        assert!(admission.admit(ip("10.0.0.1")).is_some());
        drop(one);
        assert!(admission.open.lock().unwrap().by_address.is_empty(), "an address without connections has no entry");
    }

    #[test]
    fn one_ipv6_network_counts_as_one_address() {
        let admission = admission(Exempt::default());
        let _open = [admission.admit(ip("2001:db8::1")), admission.admit(ip("2001:db8::2"))].map(Option::unwrap);
        assert!(admission.admit(ip("2001:db8::3")).is_none());
        assert!(admission.admit(ip("2001:db8:0:1::3")).is_some());
    }

    #[test]
    fn only_the_total_limits_an_exempt_address() {
        let admission = admission(Exempt::when(|address| address == ip("10.0.0.1")));
        let open: Vec<_> = (0..5).map_while(|_| admission.admit(ip("10.0.0.1"))).collect();
        assert_eq!(open.len(), 4);
    }
}
