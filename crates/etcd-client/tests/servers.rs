//! The list of servers of a client: who has one, and what it takes.

#![cfg(feature = "v2")]

mod double;

use double::answer;
use etcd_client::v2::Client;
use etcd_client::{BoxError, DropReason, ErrorKind, LeaderFirst};
use etcd_transport::{DynService, Endpoints, ReqBody, Transport};
use tower::service_fn;
use tower_layer::layer_fn;

const TWO: &str = r#"{"members":[
    {"id":"1","name":"one","peerURLs":[],"clientURLs":["http://a:2379"]},
    {"id":"2","name":"two","peerURLs":[],"clientURLs":["http://b:2379","http://0.0.0.0:2379"]}]}"#;
const LEADER: &str = r#"{"id":"2","name":"two","peerURLs":[],"clientURLs":["http://b:2379"]}"#;
const VERSION: &str = r#"{"etcdserver":"3.5.21","etcdcluster":"3.5.0"}"#;

/// A client of server `a`, which knows a member `b` that leads; a call of the version answers who was asked.
fn client_of_a() -> etcd_client::v2::ClientBuilder {
    let servers = layer_fn(|_: DynService| {
        service_fn(|request: http::Request<ReqBody>| {
            let mut answer = match request.uri().path() {
                "/v2/members" => answer(200, TWO),
                "/v2/members/leader" => answer(200, LEADER),
                _ => answer(200, VERSION),
            };
            answer.headers_mut().insert("x-etcd-cluster-id", http::HeaderValue::from_static("c1"));
            async { Ok::<_, BoxError>(answer) }
        })
    });
    Client::builder().endpoints("a").endpoint_layer(servers)
}

fn hosts(client: &Client) -> Vec<String> {
    client.endpoints().unwrap().iter().map(|endpoint| endpoint.host().to_owned()).collect()
}

#[tokio::test]
async fn clones_and_namespaces_share_the_list_that_sync_has_filled() {
    let client = client_of_a().build().unwrap();
    let (clone, below) = (client.clone(), client.namespace("/below").unwrap());
    let report = below.sync().await.unwrap();
    assert_eq!(report.added().iter().map(|it| it.host()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(report.leader().unwrap().host(), "b");
    assert_eq!(report.dropped().iter().map(|it| it.reason()).collect::<Vec<_>>(), [DropReason::Unspecified]);
    for client in [&client, &clone, &below] {
        assert_eq!(hosts(client), ["a", "b"]);
    }
    clone.set_endpoints("c d").unwrap();
    assert_eq!(hosts(&below), ["c", "d"]);
}

#[tokio::test]
async fn the_cluster_id_is_known_from_answers_until_it_is_forgotten() {
    let client = client_of_a().build().unwrap();
    assert_eq!(client.cluster_id(), None);
    client.version().await.unwrap();
    assert_eq!(client.cluster_id().as_deref(), Some("c1"));
    client.forget_cluster_id();
    assert_eq!(client.cluster_id(), None);
}

#[tokio::test]
async fn a_strategy_of_the_builder_chooses_the_member() {
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&asked);
    let seen = tower::util::MapRequestLayer::new(move |request: http::Request<ReqBody>| {
        log.lock().unwrap().push(request.uri().to_string());
        request
    });
    let servers = layer_fn(|_: DynService| {
        service_fn(|request: http::Request<ReqBody>| {
            let members = request.uri().path() == "/v2/members";
            let leader = request.uri().path() == "/v2/members/leader";
            async move {
                Ok::<_, BoxError>(answer(
                    200,
                    if members {
                        TWO
                    } else if leader {
                        LEADER
                    } else {
                        VERSION
                    },
                ))
            }
        })
    });
    let builder = Client::builder().endpoints("a").strategy(LeaderFirst);
    let client = builder.endpoint_layer(seen).endpoint_layer(servers).build().unwrap();
    client.sync().await.unwrap();
    asked.lock().unwrap().clear();
    client.version().await.unwrap();
    assert_eq!(*asked.lock().unwrap(), ["http://b:2379/version"]);
}

#[tokio::test]
async fn a_call_that_wants_the_leader_first_says_so_and_others_do_not() {
    let (client, asked) = double::http_double([answer(200, VERSION), answer(200, VERSION)]);
    client.version().leader_first(true).await.unwrap();
    client.version().await.unwrap();
    let first: Vec<_> = asked.lock().unwrap().iter().map(|asked| asked.context.leader_first).collect();
    assert_eq!(first, [true, false]);
}

#[tokio::test]
async fn a_request_line_longer_than_the_builder_says_is_not_sent() {
    let client = client_of_a().request_line_limit(64).build().unwrap();
    client.version().await.unwrap();
    let error = client.get("/a".repeat(40)).await.unwrap_err();
    assert!(error.is_request_too_long(), "{error:?}");
}

#[tokio::test]
async fn a_client_of_a_service_has_no_list_and_says_so() {
    let service = service_fn(|_: http::Request<ReqBody>| async { Ok::<_, BoxError>(answer(200, TWO)) });
    let client = Client::from_transport(service);
    assert!(client.endpoints().is_none() && client.cluster_id().is_none());
    client.reset_health();
    client.forget_cluster_id();
    for error in [client.sync().await.map(drop).unwrap_err(), client.set_endpoints("a").unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(format!("{error:?}").contains("no list of servers"), "{error:?}");
    }
}

#[test]
fn a_built_transport_brings_its_list() {
    let transport = Transport::builder(Endpoints::parse("a b").unwrap()).build().unwrap();
    let client = Client::from_transport(transport);
    client.set_endpoints("b c").unwrap();
    assert_eq!(hosts(&client), ["b", "c"]);
}

#[tokio::test]
async fn a_sync_that_is_refused_says_why_and_changes_nothing() {
    let refuses = layer_fn(|_: DynService| {
        service_fn(|_: http::Request<ReqBody>| async {
            Ok::<_, BoxError>(answer(401, r#"{"message":"Insufficient credentials"}"#))
        })
    });
    let client = Client::builder().endpoints("a").endpoint_layer(refuses).build().unwrap();
    let error = client.sync().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error:?}");
    assert_eq!(hosts(&client), ["a"]);
}

#[cfg(feature = "tls")]
#[test]
fn a_server_in_plain_text_is_refused_where_all_have_tls() {
    let client = Client::connect("https://a").unwrap();
    let error = client.set_endpoints("http://b").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{error:?}");
    assert_eq!(hosts(&client), ["a"]);
}
