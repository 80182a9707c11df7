//! The TLS provider of the process: ring, which compiles in seconds.
//!
//! reqwest is built without a provider and panics if none is installed. Call [`install_provider`] before creating an HTTP
//! client.

/// Installs ring as the TLS provider of this process. Later calls have no effect.
pub fn install_provider() {
    // The only error: a provider has already been installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
