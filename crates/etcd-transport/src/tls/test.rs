use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::{Endpoints, ErrorKind, Transport};

/// A certificate that is its own authority, and its key.
fn pem() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["a".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn refused(settings: TlsConfig) -> String {
    let endpoints = Endpoints::parse("https://a").unwrap();
    let error = Transport::builder(endpoints).tls(settings).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTls, "{error:?}");
    let text = format!("{error} {error:?}");
    assert!(!text.contains("PRIVATE KEY"), "{text}");
    text
}

#[test]
fn what_cannot_be_used_is_named_when_the_transport_is_built() {
    let ((ca, _), (certificate, key), (_, other_key)) = (pem(), pem(), pem());
    let trusting = || TlsConfig::new().ca_pem(&ca);
    for (settings, named) in [
        (TlsConfig::new().ca_file("/no/such.pem"), "CA `/no/such.pem` cannot be read"),
        (TlsConfig::new().ca_pem("x"), "CA holds no certificate"),
        (TlsConfig::new().ca_pem(&key), "CA holds no certificate"),
        (trusting().client_cert_pem(&certificate, "x"), "client key holds no private key"),
        (trusting().client_cert_pem("x", &key), "client certificate holds no certificate"),
        (trusting().client_cert_pem(&certificate, &other_key), "cannot be used together"),
        (trusting().server_name("a b"), "`a b`"),
    ] {
        let text = refused(settings);
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn settings_of_tls_beside_plain_text_are_refused() {
    let builder = Transport::builder(Endpoints::parse("a").unwrap()).tls(TlsConfig::new().ca_pem(pem().0));
    let error = builder.build().unwrap_err();
    assert!(error.is_invalid_tls() && error.to_string().contains("`http://a:2379` is not https"), "{error}");
}

#[test]
fn no_key_and_no_certificate_is_printed() {
    let (certificate, key) = pem();
    let settings = TlsConfig::new().ca_pem(&certificate).client_cert_pem(&certificate, &key);
    let source = TlsSource::new(settings.clone()).unwrap();
    let inside = key.lines().nth(1).unwrap();
    // A derived Debug would print the bytes as numbers.
    let numbers = format!("{:?}", &key.as_bytes()[..8]).trim_matches(['[', ']']).to_owned();
    let text = format!("{settings:?} {source:?}");
    assert!(!text.contains("BEGIN") && !text.contains(inside) && !text.contains(&numbers), "{text}");
}

#[test]
fn a_password_needs_no_leave_over_tls() {
    let builder =
        |list: &str| Transport::builder(Endpoints::parse(list).unwrap()).credentials("root", "secret");
    let tls = TlsConfig::new().ca_pem(pem().0);
    assert!(builder("https://10.0.0.7").tls(tls).build().is_ok());
    assert!(builder("http://10.0.0.7").build().unwrap_err().is_insecure_auth());
}

/// A CA in a file.
struct File {
    _directory: TempDir,
    path: PathBuf,
    source: TlsSource,
}

fn file() -> File {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    fs::write(&path, pem().0).unwrap();
    let source = TlsSource::new(TlsConfig::new().ca_file(&path)).unwrap();
    File { _directory: directory, path, source }
}

/// Makes sure that the file is not taken for the one before: their times may be the same.
fn replace(path: &PathBuf, content: &str) {
    fs::write(path, content).unwrap();
    let later = std::time::SystemTime::now() + Duration::from_secs(7);
    fs::File::options().append(true).open(path).unwrap().set_modified(later).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_read_again_after_a_second() {
    let File { path, source, _directory } = file();
    let old = source.current().await;
    replace(&path, &pem().0);
    assert!(Arc::ptr_eq(&source.current().await, &old), "not looked at within a second");
    tokio::time::advance(Duration::from_secs(1)).await;
    let new = source.current().await;
    assert!(!Arc::ptr_eq(&new, &old));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(Arc::ptr_eq(&source.current().await, &new), "the same file makes nothing new");
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_keeps_the_old_settings_until_it_is_mended() {
    let File { path, source, _directory } = file();
    let old = source.current().await;
    for content in [Some("broken"), None] {
        match content {
            Some(content) => replace(&path, content),
            None => fs::remove_file(&path).unwrap(),
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(Arc::ptr_eq(&source.current().await, &old));
    }
    replace(&path, &pem().0);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!Arc::ptr_eq(&source.current().await, &old));
}

#[test]
fn a_server_is_named_by_its_host_unless_another_name_is_set() {
    let settings = TlsConfig::new().ca_pem(pem().0);
    let source = TlsSource::new(settings.clone()).unwrap();
    for (uri, wanted) in [("https://A.example:1/", "a.example"), ("https://[::1]:1/", "::1")] {
        let name = source.name_for(&uri.to_ascii_lowercase().parse().unwrap()).unwrap();
        assert_eq!(name.to_str(), wanted);
    }
    let source = TlsSource::new(settings.server_name("etcd.example")).unwrap();
    assert_eq!(source.name_for(&"https://10.0.0.1/".parse().unwrap()).unwrap().to_str(), "etcd.example");
}
