//! From a recorded request to a typed operation.

use etcd_proto::v2::auth::{
    ChangePassword, CreateRole, CreateUser, DeleteRole, DeleteUser, DisableAuth, EnableAuth, GetAuthStatus,
    GetRole, GetUser, GrantPermissions, GrantRoles, ListRoles, ListUsers, Permissions, RevokePermissions,
    RevokeRoles,
};
use etcd_proto::v2::cluster::{GetHealth, GetMachines, GetVersion};
use etcd_proto::v2::keys::{
    CompareAndDelete, CompareAndSwap, Create, CreateDir, CreateDirInOrder, CreateInOrder, Delete, DeleteDir,
    Get, Refresh, Set, SetDir, Update, UpdateDir, Watch,
};
use etcd_proto::v2::members::{AddMember, Leader, ListMembers, RemoveMember, UpdateMember};
use etcd_proto::v2::stats::{GetLeaderStats, GetMemberStats, GetStoreStats};
use etcd_proto::v2::{Compare, Key, Operation, Ttl};
use serde_json::Value;

use super::meaning::{Meaning, Refused};

/// The typed calls that mean the same as the request; more than one where etcd does not tell them apart.
pub(crate) fn operations(meaning: &Meaning) -> Result<Vec<Operation>, Refused> {
    if meaning.path.starts_with("/v2/keys/") {
        let key = &meaning.path["/v2/keys".len()..];
        let key = Key::new(key).map_err(|_| "a key that is refused")?;
        return Ok(vec![keys(meaning, key)]);
    }
    let elements: Vec<&str> = meaning.path.split('/').skip(1).collect();
    let json = meaning.json.as_ref().unwrap_or(&Value::Null);
    match (&*meaning.method, &*elements) {
        ("GET", ["v2", "machines"]) => Ok(vec![GetMachines::new().into()]),
        ("GET", ["version"]) => Ok(vec![GetVersion::new().into()]),
        ("GET", ["health"]) => Ok(vec![GetHealth::new().into()]),
        ("GET", ["v2", "stats", "store"]) => Ok(vec![GetStoreStats::new().into()]),
        ("GET", ["v2", "stats", "self"]) => Ok(vec![GetMemberStats::new().into()]),
        ("GET", ["v2", "stats", "leader"]) => Ok(vec![GetLeaderStats::new().into()]),
        (_, ["v2", "members", ..]) => members(&meaning.method, &elements[2..], json).map(|it| vec![it]),
        ("GET", ["v2", "auth", "enable"]) => Ok(vec![GetAuthStatus::new().into()]),
        ("PUT", ["v2", "auth", "enable"]) => Ok(vec![EnableAuth::new().into()]),
        ("DELETE", ["v2", "auth", "enable"]) => Ok(vec![DisableAuth::new().into()]),
        (_, ["v2", "auth", "users", ..]) => users(&meaning.method, &elements[3..], json),
        (_, ["v2", "auth", "roles", ..]) => roles(&meaning.method, &elements[3..], json).map(|it| vec![it]),
        _ => Err(FOREIGN),
    }
}

/// The call whose answers come closest, for a request that our types do not allow.
pub(crate) fn nearest(method: &str, path: &str) -> Operation {
    let elements: Vec<&str> = path.split('/').skip(1).collect();
    match (method, &*elements) {
        ("PUT", ["v2", "keys", ..]) => Set::new(Key::root(), "").into(),
        ("POST", ["v2", "keys", ..]) => CreateInOrder::new(Key::root(), "").into(),
        ("DELETE", ["v2", "keys", ..]) => Delete::new(Key::root()).into(),
        ("POST", ["v2", "members"]) => AddMember::new(["http://a:1"]).into(),
        ("PUT", ["v2", "members", ..]) => UpdateMember::new("1", ["http://a:1"]).into(),
        ("DELETE", ["v2", "members", ..]) => RemoveMember::new("1").into(),
        (_, ["v2", "members", ..]) => Leader::new().into(),
        (_, ["v2", "stats", ..]) => GetStoreStats::new().into(),
        (_, ["v2", "machines", ..]) => GetMachines::new().into(),
        ("PUT", ["v2", "auth", "users", ..]) => CreateUser::new("a", "p").into(),
        ("PUT", ["v2", "auth", "roles", ..]) => CreateRole::new("a", Permissions::new()).into(),
        (_, ["v2", "auth", ..]) => GetUser::new("a").into(),
        (_, ["v2", ..]) => Get::new(Key::root()).into(),
        (_, ["health"]) => GetHealth::new().into(),
        _ => GetVersion::new().into(),
    }
}

/// A request to a path, or with a method, that no call of ours has.
pub(crate) const FOREIGN: Refused = "a path or method that no call of ours has";

fn keys(meaning: &Meaning, key: Key) -> Operation {
    let text = |name| meaning.parameters.get(name).cloned();
    let number = |name| text(name).map(|text| text.parse::<u64>().unwrap());
    let flag = |name| meaning.parameters.get(name).is_some_and(|value| value == "true");
    let value = text("value").unwrap_or_default();
    let ttl = number("ttl").map(|secs| Ttl::from_secs(secs).unwrap());
    let compare = match (text("prevValue"), number("prevIndex")) {
        (None, None) => None,
        (Some(value), None) => Some(Compare::value(value)),
        (None, Some(index)) => Some(Compare::index(index)),
        (Some(value), Some(index)) => Some(Compare::value(value).and_index(index)),
    };
    let compare = compare.map(|builder| builder.build().unwrap());

    /// Fills the fields that all writes with these names have alike.
    macro_rules! filled {
        ($call:expr) => {{
            let mut call = $call;
            call.ttl = ttl;
            call.no_value_on_success = flag("noValueOnSuccess");
            call.into()
        }};
    }
    match (&*meaning.method, flag("dir"), text("prevExist").as_deref(), compare) {
        ("GET", ..) if flag("wait") => {
            let mut call = Watch::new(key);
            call.recursive = flag("recursive");
            call.stream = flag("stream");
            call.wait_index = number("waitIndex").map(|index| index.try_into().unwrap());
            call.into()
        }
        ("GET", ..) => {
            let mut call = Get::new(key);
            (call.recursive, call.sorted, call.quorum) = (flag("recursive"), flag("sorted"), flag("quorum"));
            call.into()
        }
        ("DELETE", _, _, Some(compare)) => CompareAndDelete::new(key, compare).into(),
        ("DELETE", true, _, None) => {
            let mut call = DeleteDir::new(key);
            call.recursive = flag("recursive");
            call.into()
        }
        ("DELETE", false, _, None) => Delete::new(key).into(),
        ("POST", true, ..) => filled!(CreateDirInOrder::new(key)),
        ("POST", false, ..) => filled!(CreateInOrder::new(key, value)),
        (_, _, _, compare) if flag("refresh") => {
            let mut call = Refresh::new(key, ttl.unwrap());
            call.compare = compare;
            call.no_value_on_success = flag("noValueOnSuccess");
            call.into()
        }
        (_, _, _, Some(compare)) => filled!(CompareAndSwap::new(key, value, compare)),
        (_, true, Some("false"), None) => filled!(CreateDir::new(key)),
        (_, true, Some(_), None) => filled!(UpdateDir::new(key)),
        (_, true, None, None) => filled!(SetDir::new(key)),
        (_, false, Some("false"), None) => filled!(Create::new(key, value)),
        (_, false, Some(_), None) => filled!(Update::new(key, value)),
        (_, false, None, None) => filled!(Set::new(key, value)),
    }
}

fn members(method: &str, rest: &[&str], json: &Value) -> Result<Operation, Refused> {
    let urls = || match strings(&json["peerURLs"]) {
        urls if urls.is_empty() => Err("a member without peer URLs"),
        urls => Ok(urls),
    };
    match (method, rest) {
        ("GET", []) => Ok(ListMembers::new().into()),
        ("GET", ["leader"]) => Ok(Leader::new().into()),
        ("POST", []) => Ok(AddMember::new(urls()?).into()),
        ("PUT", [id]) => Ok(UpdateMember::new(*id, urls()?).into()),
        ("DELETE", [id]) => Ok(RemoveMember::new(*id).into()),
        _ => Err(FOREIGN),
    }
}

fn users(method: &str, rest: &[&str], json: &Value) -> Result<Vec<Operation>, Refused> {
    let [name] = rest else {
        return match (method, rest) {
            ("GET", []) => Ok(vec![ListUsers::new().into()]),
            _ => Err(FOREIGN),
        };
    };
    let [roles, grant, revoke] = ["roles", "grant", "revoke"].map(|field| strings(&json[field]));
    match (method, json["password"].as_str()) {
        ("GET", _) => Ok(vec![GetUser::new(*name).into()]),
        ("DELETE", _) => Ok(vec![DeleteUser::new(*name).into()]),
        ("PUT", _) if json["user"].as_str() != Some(name) => Err("a name in the body that is not the path's"),
        ("PUT", Some(password)) if roles.is_empty() => {
            Ok(vec![CreateUser::new(*name, password).into(), ChangePassword::new(*name, password).into()])
        }
        ("PUT", Some(password)) => {
            let mut call = CreateUser::new(*name, password);
            call.roles = roles;
            Ok(vec![call.into()])
        }
        ("PUT", None) => match (&*roles, &*grant, &*revoke) {
            ([], [_, ..], []) => Ok(vec![GrantRoles::new(*name, grant).into()]),
            ([], [], [_, ..]) => Ok(vec![RevokeRoles::new(*name, revoke).into()]),
            ([], [], []) => Err("a user without a password"),
            _ => Err("several changes of a user at once"),
        },
        _ => Err(FOREIGN),
    }
}

fn roles(method: &str, rest: &[&str], json: &Value) -> Result<Operation, Refused> {
    let [name] = rest else {
        return match (method, rest) {
            ("GET", []) => Ok(ListRoles::new().into()),
            _ => Err(FOREIGN),
        };
    };
    let permissions = |field: &str| {
        let [read, write] = ["read", "write"].map(|kind| strings(&json[field]["kv"][kind]));
        let readable = read.into_iter().fold(Permissions::new(), Permissions::read);
        write.into_iter().fold(readable, Permissions::write)
    };
    match method {
        "GET" => Ok(GetRole::new(*name).into()),
        "DELETE" => Ok(DeleteRole::new(*name).into()),
        "PUT" if json["role"].as_str() != Some(name) => Err("a name in the body that is not the path's"),
        "PUT" if json.get("grant").is_some() => Ok(GrantPermissions::new(*name, permissions("grant")).into()),
        "PUT" if json.get("revoke").is_some() => {
            Ok(RevokePermissions::new(*name, permissions("revoke")).into())
        }
        "PUT" => Ok(CreateRole::new(*name, permissions("permissions")).into()),
        _ => Err(FOREIGN),
    }
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().unwrap().into()).collect()
}
