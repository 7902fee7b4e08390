//! Targets for what users write: the server must read what was meant.

use etcd_proto::ErrorKind;
use etcd_proto::v2::auth::{ChangePassword, CreateUser, GrantPermissions, GrantRoles, Permissions};
use etcd_proto::v2::keys::{CompareAndDelete, CompareAndSwap, Get, Set};
use etcd_proto::v2::members::UpdateMember;
use etcd_proto::v2::{Compare, Key, Operation};

use super::answer::check_error;
use super::go_url;

/// A key that is taken is read by the server as it was meant.
pub fn key(data: &[u8]) {
    let Ok(path) = std::str::from_utf8(data) else { return };
    match Key::new(path) {
        Ok(key) => {
            let request = Operation::from(Get::new(key.clone())).encode().unwrap();
            assert!(request.uri().path().len() <= 4096);
            let read = String::from_utf8(go_url::path(request.uri().path()).unwrap()).unwrap();
            assert_eq!(read.strip_prefix("/v2/keys"), Some(key.as_str()));
            assert_eq!(Key::new(key.as_str()).unwrap(), key);
            if let Some(parent) = key.parent() {
                assert_eq!(parent.join(key.name()).unwrap(), key);
            }
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            check_error(&error);
        }
    }
}

/// Values and conditions are read by the server as they were meant.
pub fn form(data: &[u8]) {
    let (value, prev) = data.split_at(data.len() / 2);
    let (value, prev) = (String::from_utf8_lossy(value), String::from_utf8_lossy(prev));
    let key = || Key::new("/k").unwrap();
    let request = Operation::from(Set::new(key(), &*value)).encode().unwrap();
    assert_eq!(read_form(request.body()), [("value".into(), value.to_string())]);
    let Ok(compare) = Compare::value(&*prev).build() else { return };
    let request = Operation::from(CompareAndSwap::new(key(), &*value, compare.clone())).encode().unwrap();
    let wanted = [("value".into(), value.into_owned()), ("prevValue".into(), prev.to_string())];
    assert_eq!(read_form(request.body()), wanted);
    match Operation::from(CompareAndDelete::new(key(), compare)).encode() {
        Ok(request) => {
            assert_eq!(read_form(request.uri().query().unwrap().as_bytes()), wanted[1..]);
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::RequestTooLong),
    }
}

/// Names of users, roles and members stay one element of the path, and come whole in the JSON.
pub fn names(data: &[u8]) {
    let Ok(name) = std::str::from_utf8(data) else { return };
    let permissions = Permissions::new().read_write(name);
    let operations: [Operation; 5] = [
        CreateUser::new(name, "p").into(),
        ChangePassword::new(name, "p").into(),
        GrantRoles::new(name, [name]).into(),
        GrantPermissions::new(name, permissions).into(),
        UpdateMember::new(name, [name]).into(),
    ];
    for operation in operations {
        let request = match operation.encode() {
            Ok(request) => request,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::InvalidName | ErrorKind::RequestTooLong));
                check_error(&error);
                continue;
            }
        };
        let last = request.uri().path().rsplit('/').next().unwrap();
        assert_eq!(go_url::path(last).unwrap(), data);
        let json: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        for field in ["user", "role"] {
            assert!(json.get(field).is_none_or(|field| field == name));
        }
    }
}

fn read_form(text: &[u8]) -> Vec<(String, String)> {
    let pairs = go_url::form(text, false).unwrap();
    pairs.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect()
}
