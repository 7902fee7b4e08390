//! What can hold a password shows none in Debug, whatever it is asked for.

use std::env;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use etcd_client::v2::{Client, Password, Request, Response};
use etcd_tests::canary::{Canary, Needles};
use etcd_tests::{Peer, printed};
use etcd_transport::{AuthorizationLayer, Credentials, Endpoints, Transport};
use tower::util::MapRequestLayer;
use tower_layer::Layer as _;

/// All forms of Debug of something.
fn shown(it: &impl Debug) -> String {
    format!("{it:?} {it:#?} {it:x?}")
}

#[track_caller]
fn assert_clean(canary: &Canary, text: &str) {
    let found = text.lines().find_map(|line| Needles::of(canary).found_in(line));
    assert_eq!(found, None, "the password is in {:?}", text.replace(canary.password(), "***"));
}

#[test]
fn clients_and_their_builders_show_no_password() {
    let canary = Canary::draw();
    let builder =
        Client::builder().endpoints("127.0.0.1:1").credentials("ann", canary.password()).trace_bodies(true);
    assert_clean(&canary, &shown(&builder));
    let client = builder.build().unwrap();
    assert_clean(&canary, &shown(&client));
    assert_clean(&canary, &shown(&client.namespace("/a").unwrap()));
    assert_clean(&canary, &shown(&client.get("/a")));
}

#[test]
fn transports_their_builders_and_layers_show_no_password() {
    let canary = Canary::draw();
    let credentials = Credentials::new("ann", canary.password()).unwrap();
    assert_clean(&canary, &shown(&credentials));
    let layer = AuthorizationLayer::basic(&credentials);
    assert_clean(&canary, &shown(&layer));
    assert_clean(&canary, &shown(&layer.layer(())));
    let builder = Transport::builder(Endpoints::parse("127.0.0.1:1").unwrap());
    let builder = builder.credentials("ann", canary.password());
    assert_clean(&canary, &shown(&builder));
    assert_clean(&canary, &shown(&builder.build().unwrap()));
}

#[test]
fn passwords_and_requests_that_make_users_show_none() {
    let canary = Canary::draw();
    assert_clean(&canary, &shown(&Password::from(canary.password())));
    let client = Client::connect("127.0.0.1:1").unwrap();
    let auth = client.auth();
    assert_clean(&canary, &shown(&auth.users().create("ann", canary.password()).roles(["r"])));
    assert_clean(&canary, &shown(&auth.users().change_password("ann", canary.password())));
}

#[tokio::test]
async fn a_request_at_the_operation_seam_shows_no_password() {
    let canary = Canary::draw();
    let (sender, mut seen) = tokio::sync::mpsc::channel::<String>(4);
    let service = tower::service_fn(move |request: Request| {
        let sent = sender.try_send(shown(&request) + &shown(&request.operation));
        async move { sent.map(|()| Response::Done(())) }
    });
    let users = Client::from_service(service).auth().users().clone();
    let error = users.create("ann", canary.password()).await.unwrap_err();
    assert_clean(&canary, &(seen.recv().await.unwrap() + &printed(&error)));
    users.change_password("ann", canary.password()).await.unwrap_err();
    let text = seen.recv().await.unwrap();
    assert!(text.contains("ann") && text.contains("***"), "{text}");
    assert_clean(&canary, &text);
}

#[test]
fn endpoints_with_a_password_are_refused_without_showing_it() {
    let canary = Canary::draw();
    let start = &canary.password()[..20];
    for list in [
        format!("http://ann:{start}@a:1"),
        format!("ann:{start}@a"),
        format!("a:1,https://ann:{start}@b"),
        format!("http://{start}@a/x?y"),
        format!("http://ann:{}@a:1", canary.password()),
        format!("http://ann:{start},more@a:1"),
        format!("a:1 http://ann:x;{start} more@a:1"),
    ] {
        let builder = Client::builder().endpoints(list.as_str());
        assert_clean(&canary, &shown(&builder));
        assert_clean(&canary, &printed(&builder.build().unwrap_err()));
        assert_clean(&canary, &printed(&Endpoints::parse(&list).unwrap_err()));
    }
}

#[test]
fn panics_over_errors_of_settings_show_no_password() {
    let canary = Canary::draw();
    let colon =
        Client::builder().endpoints("127.0.0.1:1").credentials(format!("ann:{}", canary.password()), "x");
    let far = Client::builder().endpoints("10.0.0.1:1").credentials("ann", canary.password());
    for builder in [colon, far] {
        assert_clean(&canary, &shown(&builder));
        let built = AssertUnwindSafe(builder.build().map(drop));
        let panic = catch_unwind(move || { built }.0.unwrap()).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("`Result::unwrap()`"), "{text}");
        assert_clean(&canary, text);
    }
}

#[tokio::test]
async fn a_layer_at_the_endpoint_sees_requests_without_the_header() {
    let canary = Canary::draw();
    let peer = Peer::with_body("200 OK", "application/json", r#"{"etcdserver":"3.4.23"}"#).await;
    let (sender, mut seen) = tokio::sync::mpsc::channel::<String>(4);
    let note = MapRequestLayer::new(move |request: http::Request<etcd_transport::ReqBody>| {
        // A closed channel fails below, where nothing is received.
        let _ = sender.try_send(shown(&request) + &shown(request.headers()));
        request
    });
    let builder = Client::builder().endpoints(peer.endpoint()).credentials("ann", canary.password());
    let client = builder.endpoint_layer(note).build().unwrap();
    client.version().await.unwrap();
    let pair = STANDARD.encode(format!("ann:{}", canary.password())).to_lowercase();
    assert!(peer.heads()[0].contains(&format!("authorization: basic {pair}")));
    assert_clean(&canary, &seen.recv().await.unwrap());
}

#[test]
fn clients_of_the_environment_show_no_password() {
    let canary = Canary::draw();
    let whole = format!("ann:{}", canary.password());
    let at = format!("http://{whole}@a:1");
    for (variables, good) in [
        (vec![("ETCDCTL_USER", whole.as_str())], true),
        (vec![("ETCDCTL_USER", "ann"), ("ETCDCTL_PASSWORD", canary.password())], true),
        (vec![("ETCDCTL_USER", whole.as_str()), ("ETCDCTL_PASSWORD", "x")], false),
        (vec![("ETCDCTL_USER", canary.password().split(':').next().unwrap())], false),
        (vec![("ETCDCTL_PASSWORD", canary.password())], false),
        (vec![("ETCDCTL_ENDPOINTS", at.as_str())], false),
        (vec![("ETCDCTL_USER", whole.as_str()), ("ETCDCTL_ENDPOINTS", "10.0.0.1")], false),
        (vec![("ETCDCTL_USER", whole.as_str()), ("ETCDCTL_DIAL_TIMEOUT", "soon")], false),
    ] {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "client_of_the_environment", "--nocapture"]);
        let output = child.env_clear().envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success() && text.contains("ClientBuilder") == good, "{}", variables[0].0);
        assert!(text.contains(if good { "built" } else { "refused" }), "{}", variables[0].0);
        assert_clean(&canary, &text);
    }
}

/// The child of the test above, which has an environment of its own; run with the others it prints unseen.
#[test]
fn client_of_the_environment() {
    match etcd_client::v2::ClientBuilder::from_env() {
        Err(error) => println!("refused: {}", printed(&error)),
        Ok(builder) => match builder.clone().build() {
            Ok(client) => println!("built: {} {}", shown(&builder), shown(&client)),
            Err(error) => println!("refused: {}", printed(&error)),
        },
    }
}
