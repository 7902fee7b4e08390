//! rustls's configuration, made of the user's settings.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::config::TlsConfig;

/// Reads all files and makes the configuration.
///
/// # Errors
/// A sentence that says what cannot be used and names the file.
pub(super) fn build(settings: &TlsConfig) -> Result<Arc<ClientConfig>, String> {
    #[cfg(feature = "tls-rustls-0_23")]
    if let Some(prepared) = &settings.prepared {
        let mut config = ClientConfig::clone(prepared);
        if config.alpn_protocols.is_empty() {
            config.alpn_protocols = alpn();
        }
        return Ok(Arc::new(config));
    }
    let provider = Arc::new(provider().ok_or("no cryptography is built in (feature `tls-ring`)")?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("no version of TLS can be spoken: {error}"))?
        .with_root_certificates(roots(settings)?);
    let mut config = match &settings.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(certificate.certificates("client certificate")?, key.key()?)
            .map_err(|error| format!("client certificate and key cannot be used together: {error}"))?,
    };
    config.alpn_protocols = alpn();
    Ok(Arc::new(config))
}

/// The best first. etcd answers a client without `h2` by no protocol at all, which means HTTP/1.1 too.
fn alpn() -> Vec<Vec<u8>> {
    vec![b"h2".to_vec(), b"http/1.1".to_vec()]
}

/// aws-lc where it is built in, since somebody has asked for it; else ring.
fn provider() -> Option<CryptoProvider> {
    #[cfg(feature = "tls-aws-lc")]
    return Some(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(all(feature = "tls-ring", not(feature = "tls-aws-lc")))]
    return Some(tokio_rustls::rustls::crypto::ring::default_provider());
    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
    None
}

fn roots(settings: &TlsConfig) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for source in &settings.ca {
        for certificate in source.certificates("CA")? {
            roots.add(certificate).map_err(|error| format!("CA certificate cannot be used: {error}"))?;
        }
    }
    if !settings.ca.is_empty() {
        return Ok(roots);
    }
    // Of the system's roots those that cannot be read are left out: they differ from machine to machine.
    #[cfg(feature = "tls-native-roots")]
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    #[cfg(feature = "tls-webpki-roots")]
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if roots.is_empty() {
        return Err("no CA is given, and no roots are built in or on this machine".to_owned());
    }
    Ok(roots)
}
