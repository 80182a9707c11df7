//! The TLS provider of the process: ring, which compiles in seconds.
//!
//! reqwest is built without a provider and panics where none is installed, so whoever builds an HTTP client calls
//! [`install_provider`] first.

/// Makes ring the TLS provider of this process. Later calls change nothing.
pub fn install_provider() {
    // The only error is that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
