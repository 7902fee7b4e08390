use std::collections::BTreeSet;

use super::*;
use crate::Idempotence::{Guarded, Idempotent, Once, Read};
use crate::v2::auth::{
    ChangePassword, CreateRole, CreateUser, DeleteRole, DeleteUser, DisableAuth, EnableAuth, GetAuthStatus,
    GetRole, GetUser, GrantPermissions, GrantRoles, ListRoles, ListUsers, Permissions, RevokePermissions,
    RevokeRoles,
};
use crate::v2::cluster::{GetHealth, GetMachines, GetVersion};
use crate::v2::keys::{
    CompareAndDelete, CompareAndSwap, Create, CreateDir, CreateDirInOrder, CreateInOrder, Delete, DeleteDir,
    Get, Refresh, Set, SetDir, Update, UpdateDir,
};
use crate::v2::members::{AddMember, Leader, ListMembers, RemoveMember, UpdateMember};
use crate::v2::stats::{GetLeaderStats, GetMemberStats, GetStoreStats};
use crate::v2::{Call, Compare, Request, Ttl};

fn key() -> Key {
    Key::new("/k").unwrap()
}

fn by_value() -> Compare {
    Compare::value("v").build().unwrap()
}

fn by_index() -> Compare {
    Compare::index(7).build().unwrap()
}

fn by_both() -> Compare {
    Compare::index(7).and_value("v").build().unwrap()
}

fn refresh(compare: Option<Compare>) -> Refresh {
    let mut refresh = Refresh::new(key(), Ttl::from_secs(5).unwrap());
    refresh.compare = compare;
    refresh
}

fn row(call: impl Call, class: Idempotence, on_the_callers_word: Idempotence) -> Row {
    (call.into(), class, on_the_callers_word)
}

type Row = (Operation, Idempotence, Idempotence);

/// The table of design section 5, for every call: its class, and its class once the caller has said
/// `idempotent`.
fn table() -> Vec<Row> {
    vec![
        row(Get::new(key()), Read, Read),
        row(Watch::new(key()), Read, Read),
        row(Create::new(key(), "v"), Guarded, Guarded),
        row(CreateDir::new(key()), Guarded, Guarded),
        row(CompareAndSwap::new(key(), "w", by_index()), Guarded, Guarded),
        row(CompareAndSwap::new(key(), "w", by_both()), Guarded, Guarded),
        row(CompareAndSwap::new(key(), "w", by_value()), Once, Once),
        row(CompareAndDelete::new(key(), by_index()), Guarded, Guarded),
        row(CompareAndDelete::new(key(), by_both()), Guarded, Guarded),
        row(CompareAndDelete::new(key(), by_value()), Once, Once),
        row(Set::new(key(), "v"), Once, Idempotent),
        row(Update::new(key(), "v"), Once, Idempotent),
        row(refresh(None), Once, Idempotent),
        row(refresh(Some(by_value())), Once, Idempotent),
        row(refresh(Some(by_index())), Guarded, Guarded),
        row(Delete::new(key()), Once, Idempotent),
        row(SetDir::new(key()), Once, Idempotent),
        row(UpdateDir::new(key()), Once, Idempotent),
        row(DeleteDir::new(key()), Once, Idempotent),
        row(CreateInOrder::new(key(), "v"), Once, Once),
        row(CreateDirInOrder::new(key()), Once, Once),
        row(ListMembers::new(), Read, Read),
        row(Leader::new(), Read, Read),
        row(AddMember::new(["http://a:1"]), Once, Once),
        row(UpdateMember::new("1", ["http://a:1"]), Once, Once),
        row(RemoveMember::new("1"), Guarded, Guarded),
        row(GetStoreStats::new(), Read, Read),
        row(GetMemberStats::new(), Read, Read),
        row(GetLeaderStats::new(), Read, Read),
        row(GetMachines::new(), Read, Read),
        row(GetVersion::new(), Read, Read),
        row(GetHealth::new(), Read, Read),
        row(GetAuthStatus::new(), Read, Read),
        row(ListUsers::new(), Read, Read),
        row(GetUser::new("a"), Read, Read),
        row(ListRoles::new(), Read, Read),
        row(GetRole::new("a"), Read, Read),
        row(EnableAuth::new(), Once, Once),
        row(DisableAuth::new(), Once, Once),
        row(CreateUser::new("a", "p"), Once, Once),
        row(ChangePassword::new("a", "p"), Once, Once),
        row(GrantRoles::new("a", ["r"]), Once, Once),
        row(RevokeRoles::new("a", ["r"]), Once, Once),
        row(DeleteUser::new("a"), Once, Once),
        row(CreateRole::new("a", Permissions::new()), Once, Once),
        row(GrantPermissions::new("a", Permissions::new().read("/x")), Once, Once),
        row(RevokePermissions::new("a", Permissions::new().read("/x")), Once, Once),
        row(DeleteRole::new("a"), Once, Once),
    ]
}

#[test]
fn every_call_has_the_class_that_the_design_gives_it() {
    for (operation, class, on_the_callers_word) in table() {
        assert_eq!(operation.idempotence(), class, "{operation:?}");
        let mut request = Request::new(operation.clone());
        assert_eq!(request.idempotence(), class, "{operation:?}");
        request.idempotent = true;
        assert_eq!(request.idempotence(), on_the_callers_word, "{operation:?} on the caller's word");
        // What takes the caller's word says so, and nothing else does; a refresh by index says more already.
        let heard = on_the_callers_word == Idempotent || operation.name() == "refresh";
        assert_eq!(operation.may_be_idempotent(), heard, "{operation:?}");
    }
}

#[test]
fn only_a_read_has_a_method_that_promises_to_change_nothing() {
    for (operation, class, _) in table() {
        let method = operation.encode().unwrap().method().clone();
        assert_eq!(class.is_read(), method == http::Method::GET, "{operation:?}");
    }
}

#[test]
fn every_call_has_a_name_of_its_own() {
    let names: Vec<&str> = table().iter().map(|(operation, ..)| operation.name()).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    // Rows of one call with several conditions: two more each for the comparisons and the refresh.
    assert_eq!(distinct.len(), names.len() - 6);
    assert!(distinct.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == ' ')));
}

#[test]
fn only_the_leader_and_its_statistics_are_asked_of_the_leader_alone() {
    let leader_only: Vec<&str> =
        table().iter().map(|(it, ..)| it).filter(|it| it.is_leader_only()).map(Operation::name).collect();
    assert_eq!(leader_only, ["leader", "leader stats"]);
}

#[test]
fn what_is_about_a_key_names_it_and_the_rest_names_none() {
    for (operation, ..) in table() {
        let of_keys = matches!(operation, Operation::Keys(_) | Operation::Watch(_));
        assert_eq!(operation.key().is_some(), of_keys, "{operation:?}");
        if let Operation::Keys(mut call) = operation {
            *call.key_mut() = Key::new("/elsewhere").unwrap();
            assert_eq!(call.key().as_str(), "/elsewhere");
            assert_eq!(Operation::Keys(call).encode().unwrap().uri().path(), "/v2/keys/elsewhere");
        }
    }
}

#[test]
fn an_error_that_a_layer_has_read_already_gets_the_outcome_of_the_call() {
    let body =
        br#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out"}"#;
    let api = ApiError::from_response(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), body).unwrap();
    assert_eq!(Operation::from(Get::new(key())).error(api.clone()).outcome(), Outcome::NotApplied);
    assert_eq!(Operation::from(Set::new(key(), "v")).error(api).outcome(), Outcome::Unknown);
}

#[test]
fn a_request_says_nothing_but_its_call_at_first() {
    let request = Request::from(Set::new(key(), "v"));
    assert!(!request.idempotent && request.extensions.is_empty());
    assert_eq!(request.operation.name(), "set");
}

#[test]
fn an_answer_of_another_sort_is_refused_by_name() {
    let answer = || Response::Done(());
    let errors = [
        Set::response(answer()).unwrap_err(),
        Watch::response(answer()).unwrap_err(),
        ListUsers::response(answer()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), crate::ErrorKind::UnexpectedResponse);
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(error.to_string().contains("a call without content"), "{error}");
    }
    assert!(DeleteUser::response(answer()).is_ok());
}
