//! Servers that come later have the scheme of the first ones, or are refused by name.

#![cfg(feature = "_tls")]

use etcd_transport::{ConnectError, Endpoints, ReqBody, RespBody, Transport};

fn list(text: &str) -> Endpoints {
    text.parse().unwrap()
}

#[test]
fn a_server_with_tls_is_refused_where_tls_was_not_set_up() {
    let transport = Transport::builder(list("http://a")).build().unwrap();
    let error = transport.set_endpoints(&list("https://b")).unwrap_err();
    assert!(error.is_invalid_tls(), "{error:?}");
    assert_eq!(error.endpoint().unwrap().to_string(), "https://b:2379");
    assert!(error.to_string().contains("`https://b:2379`"), "{error}");
    assert_eq!(transport.endpoints().unwrap().first().host(), "a");
}

#[test]
fn over_a_connection_of_ones_own_tls_is_its_business() {
    let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
        Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
    });
    let transport = Transport::builder(list("http://a")).build_with(connection).unwrap();
    transport.set_endpoints(&list("https://b")).unwrap();
}

#[test]
fn redirects_may_not_be_allowed_to_leave_tls() {
    let error = Transport::builder(list("https://a")).allow_redirect_to("http://b").build().unwrap_err();
    assert!(error.is_insecure_endpoint(), "{error:?}");
    assert_eq!(error.endpoint().unwrap().to_string(), "http://b:2379");
    assert!(Transport::builder(list("https://a")).allow_redirect_to("https://b").build().is_ok());
}

#[test]
fn redirects_may_not_be_allowed_to_a_server_with_tls_where_it_is_not_set_up() {
    let error = Transport::builder(list("http://a")).allow_redirect_to("https://b").build().unwrap_err();
    assert!(error.is_invalid_tls() && error.to_string().contains("`https://b:2379`"), "{error:?}");
    assert!(Transport::builder(list("http://a")).allow_redirect_to("http://b").build().is_ok());
}
