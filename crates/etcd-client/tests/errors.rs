//! Errors: how they print, and how ours is found below those of others.

#![cfg(feature = "v2")]

mod double;

use std::error::Error as _;
use std::fmt;
use std::future::{Future, IntoFuture};

use double::{operation_double, refusal};
use etcd_client::v2::{Client, Request, Response};
use etcd_client::{BoxError, Error, Outcome};

/// The whole chain, as a reporter prints it.
fn report(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[test]
fn an_error_is_one_pointer_wide() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[tokio::test]
async fn an_error_prints_the_call_the_key_and_the_kind_and_nothing_twice() {
    let (client, _) = operation_double(|operation| Err(refusal(operation, 404, 100, "/foo")));
    let error = client.get("/foo").await.unwrap_err();
    assert_eq!(report(&error), "get /foo: key not found: etcd error 100: m (/foo)");
    let (client, _) =
        operation_double(|operation| Err(refusal(operation, 500, 300, "etcdserver: request timed out")));
    assert_eq!(
        report(&client.set("/foo", "canary").await.unwrap_err()),
        "set /foo: the cluster did not agree in time (the write may have happened): etcd error 300: m \
         (etcdserver: request timed out)"
    );
}

#[tokio::test]
async fn stored_values_are_in_no_error() {
    let (client, _) = operation_double(|operation| Err(refusal(operation, 412, 101, "[canary != canary2]")));
    let error = client
        .compare_and_swap("/a", "canary3", etcd_client::v2::Compare::value("canary"))
        .await
        .unwrap_err();
    assert_eq!(error.api().unwrap().cause.as_deref(), Some("[canary != canary2]"));
    assert!(!format!("{} {error:?}", report(&error)).contains("canary"));
}

/// An error of a user's layer around another one.
#[derive(Debug)]
struct Wrapped(BoxError);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrapped by a layer")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

#[tokio::test]
async fn ours_is_found_below_the_errors_of_layers() {
    let (client, _) = operation_double(|operation| {
        Err(Wrapped(Box::new(Wrapped(refusal(operation, 412, 105, "/a")))).into())
    });
    let error = client.create("/a", "1").await.unwrap_err();
    assert!(error.is_key_exists() && error.outcome().is_not_applied());
    assert_eq!(report(&error).matches("wrapped by a layer").count(), 2);
    let (client, _) =
        operation_double(|operation| Err(std::io::Error::other(refusal(operation, 412, 105, "/a")).into()));
    assert!(client.create("/a", "1").await.unwrap_err().is_key_exists());
}

#[tokio::test]
async fn a_client_on_a_client_hands_its_errors_through() {
    let (inner, _) = operation_double(|operation| Err(refusal(operation, 412, 105, "/a")));
    let outer = tower::service_fn(move |_: Request| {
        let inner = inner.clone();
        async move {
            inner.create("/inner", "1").await?;
            Ok::<Response, Error>(Response::Done(()))
        }
    });
    let error = Client::from_service(outer).create("/a", "1").await.unwrap_err();
    assert!(error.is_key_exists());
}

#[tokio::test]
async fn an_error_that_is_not_ours_leaves_the_outcome_of_a_write_unknown() {
    let (client, _) = operation_double(|_| Err("no such thing".into()));
    let error = client.set("/a", "1").await.unwrap_err();
    assert!(error.is_layer());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(client.get("/a").await.unwrap_err().outcome().is_not_applied());
}

#[tokio::test]
async fn an_answer_of_another_sort_is_an_error() {
    let (client, _) = operation_double(|_| Ok(Response::Done(())));
    let error = client.set("/a", "1").await.unwrap_err();
    assert!(error.is_unexpected_response() && error.outcome().is_unknown());
    assert!(client.get("/a").await.unwrap_err().outcome().is_not_applied());
}

#[test]
fn settings_that_cannot_be_used_are_named_and_secrets_are_not_shown() {
    let report = |client: Result<Client, Error>| report(&client.unwrap_err());
    assert!(report(Client::connect(" ,; ")).contains("no servers"));
    assert!(report(Client::connect("good:1,bad:port")).contains("bad:port"));
    if cfg!(feature = "_tls") {
        assert!(report(Client::connect("https://a:1 http://b:2")).contains("http://b:2"));
    } else {
        assert!(report(Client::connect("https://a:1")).contains("https://a:1"));
        assert!(Client::connect("https://a:1").unwrap_err().is_tls_unavailable());
    }
    let canary = report(Client::connect("http://user:canary@a:1"));
    assert!(!canary.contains("canary"), "{canary}");
    let builder = Client::builder().endpoints(["10.0.0.1"]).credentials("root", "canary");
    assert!(!format!("{builder:?}").contains("canary"));
    assert!(!format!("{:?}", Client::builder().endpoints("http://u:canary@h")).contains("canary"));
    assert!(
        Client::connect(["10.0.0.1", "10.0.0.2"]).is_ok() && Client::connect(vec!["a".to_owned()]).is_ok()
    );
    assert!(builder.clone().build().unwrap_err().is_insecure_auth());
    assert!(builder.allow_plaintext_auth(true).build().is_ok());
    assert!(Client::builder().build().unwrap_err().is_invalid_config());
}

#[test]
fn a_call_outside_a_runtime_is_an_error_and_no_panic() {
    let client = Client::connect("http://127.0.0.1:1").unwrap();
    let mut call = std::pin::pin!(client.get("/a").into_future());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = call.as_mut().poll(&mut context) else { panic!("it waits") };
    assert!(error.is_no_runtime() && error.outcome().is_not_applied(), "{error:?}");
}
