//! Adding, changing and removing members.

use etcd_client::v2::{Client, Member};
use etcd_client::{Error, Outcome};
use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, each_server, eventually, patient};

/// Peer URLs of members that are never started: the discard port and the one behind it.
const NEVER: &str = "http://127.0.0.1:9";
const NEVER_EITHER: &str = "http://127.0.0.1:10";

#[tokio::test]
async fn a_member_is_added_changed_and_removed() {
    each_server(Needs::members(3), async |server| {
        let client = patient(server.endpoints()).build().unwrap();
        let first = client.members().list().await.unwrap().remove(0);
        refusals_before_anything_is_changed(&client, &first).await;
        let added = add(&client).await;
        assert_eq!((added.name.as_str(), added.client_urls.len()), ("", 0));
        assert_eq!(added.peer_urls, [NEVER]);
        assert_eq!(client.members().by_id().await.unwrap()[&added.id], added);

        client.members().update(&added.id, [NEVER_EITHER]).await.unwrap();
        assert_eq!(client.members().by_id().await.unwrap()[&added.id].peer_urls, [NEVER_EITHER]);
        let taken = client.members().update(&added.id, first.peer_urls).await.unwrap_err();
        assert_refused(&taken, 409, "membership: peerURL exists");

        client.members().remove(&added.id).await.unwrap();
        assert_eq!(client.members().list().await.unwrap().len(), 3);
        let again = client.members().remove(&added.id).await.unwrap_err();
        assert_refused(&again, 410, "Member permanently removed");
    })
    .await;
}

async fn refusals_before_anything_is_changed(client: &Client, first: &Member) {
    let members = client.members();
    assert_refused(&members.update("dead", [NEVER]).await.unwrap_err(), 404, "No such member: dead");
    assert_refused(&members.remove("dead").await.unwrap_err(), 404, "No such member: dead");
    assert_refused(&members.remove("no hex").await.unwrap_err(), 404, "No such member: no hex");
    assert_refused(&members.add(["no url"]).await.unwrap_err(), 400, "");
    let taken = eventually("a cluster that takes changes", async || {
        let taken = members.add(&first.peer_urls).await.unwrap_err();
        (!taken.is_cluster_unavailable()).then_some(taken)
    })
    .await;
    assert_refused(&taken, 409, "membership: peerURL exists");
    for unsent in [
        members.add([""; 0]).await.unwrap_err(),
        members.remove("").await.unwrap_err(),
        members.update("a/b", [NEVER]).await.unwrap_err(),
    ] {
        assert!(unsent.is_invalid_name() && unsent.outcome().is_not_applied(), "{unsent:?}");
    }
    assert_eq!(members.list().await.unwrap().len(), 3);
}

/// etcd refuses changes with a status that proves nothing until all members have been connected for 5 s.
async fn add(client: &Client) -> Member {
    eventually("an addition", async || match client.members().add([NEVER]).await {
        Ok(added) => Some(added),
        Err(error) => {
            assert!(error.is_cluster_unavailable(), "{error:?}");
            assert_eq!(error.outcome(), Outcome::Unknown);
            // As the documentation of the call says: look before trying again.
            let list = client.members().list().await.unwrap();
            list.into_iter().find(|member| member.peer_urls == [NEVER])
        }
    })
    .await
}

fn assert_refused(error: &Error, status: u16, message: &str) {
    assert!(error.is_api(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(error.http_status().unwrap().as_u16(), status);
    let api = error.api().unwrap();
    assert!(api.code.is_none() && api.message.starts_with(message), "{api:?}");
}
