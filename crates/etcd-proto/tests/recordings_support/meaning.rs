//! What a request means to etcd: the normal form in which a recorded request and ours are compared.
//!
//! | of | normal form |
//! | --- | --- |
//! | path | percent-decoded; a slash at the end dropped, but the root of the keys is `/v2/keys/` |
//! | where parameters stand | GET and DELETE: query only. PUT and POST: body if it is a form, then query |
//! | repeated names | the first counts |
//! | order, unknown names | do not count |
//! | `1 t T TRUE true True` | `true`; a flag that is false is dropped, but `prevExist=false` says something |
//! | `value` | absent is the empty value; dropped where a directory is made or a key refreshed |
//! | `ttl=` | dropped |
//! | `refresh=true` | with a condition as with `prevExist=true`; dropped on a create: not heeded |
//! | `prevExist=true` with a condition | dropped: the condition implies it |
//! | conditions on a create, a POST | dropped: not heeded |
//! | `dir` of a compare-and-swap or -delete | dropped: not heeded |
//! | `recursive` of a DELETE | implies `dir` |
//! | `quorum` with `wait` | an ordinary quorum read |
//! | JSON of users and roles | lists that are absent are empty |
//!
//! What our types do not allow ends in a [`Refused`] that says why.

use std::collections::BTreeMap;

use etcd_proto::v2::Ttl;
use serde_json::{Value, json};

use super::exchange::{Exchange, Server};
use super::go_url;

/// Why our types do not allow a recorded request.
pub(crate) type Refused = &'static str;

/// A request as etcd understands it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) parameters: BTreeMap<&'static str, String>,
    pub(crate) json: Option<Value>,
}

/// A request in parts, nothing read into it yet.
pub(crate) struct Parts {
    pub(crate) server: Server,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Parts {
    pub(crate) fn recorded(exchange: &Exchange) -> Self {
        let (path, query) = exchange.target.split_once('?').unwrap_or((&exchange.target, ""));
        Self {
            server: exchange.server,
            method: exchange.method.clone(),
            path: path.into(),
            query: query.into(),
            content_type: exchange.content_type.clone(),
            body: exchange.body.clone(),
        }
    }

    pub(crate) fn encoded(server: Server, request: &http::Request<bytes::Bytes>) -> Self {
        let content_type = request.headers().get("content-type").map(|it| it.to_str().unwrap().into());
        Self {
            server,
            method: request.method().to_string(),
            path: request.uri().path().into(),
            query: request.uri().query().unwrap_or_default().into(),
            content_type,
            body: request.body().to_vec(),
        }
    }

    /// Path, percent-decoded.
    pub(crate) fn decoded_path(&self) -> Result<String, Refused> {
        let bytes = go_url::path(&self.path).map_err(|_| "a path that cannot be decoded")?;
        String::from_utf8(bytes).map_err(|_| "a key that is no UTF-8")
    }

    /// All parameters that the server reads, the one that counts first.
    pub(crate) fn parameters(&self) -> Result<Vec<(String, Vec<u8>)>, Refused> {
        let read = |text: &[u8]| {
            go_url::form(text, self.server.splits_at_semicolons()).map_err(|_| "a form that cannot be parsed")
        };
        let mut parameters = Vec::new();
        if matches!(&*self.method, "PUT" | "POST") {
            match self.content_type.as_deref().map(|it| it.split_once(';').unwrap_or((it, ""))) {
                Some((FORM, " =")) => return Err("a form that cannot be parsed"),
                Some((FORM, _)) => parameters = read(&self.body)?,
                Some(_) | None => {}
            }
        }
        parameters.extend(read(self.query.as_bytes())?);
        Ok(parameters)
    }

    fn json(&self) -> Result<Option<Value>, Refused> {
        match self.content_type.as_deref() {
            Some("application/json") => {
                serde_json::from_slice(&self.body).map(Some).map_err(|_| "a body that is no JSON")
            }
            _ if self.body.is_empty() => Ok(None),
            _ => Err("JSON without its content type"),
        }
    }

    /// What the request means.
    pub(crate) fn meaning(&self) -> Result<Meaning, Refused> {
        let path = self.decoded_path()?;
        if let Some(key) =
            path.strip_prefix("/v2/keys").filter(|key| matches!(key.get(..1), None | Some("/")))
        {
            return self.keys_meaning(key);
        }
        let json = self.json()?.map(canonical_json);
        let path = if path == "/v2/members/" { "/v2/members".into() } else { path };
        Ok(Meaning { method: self.method.clone(), path, parameters: BTreeMap::new(), json })
    }

    fn keys_meaning(&self, key: &str) -> Result<Meaning, Refused> {
        if !matches!(&*self.method, "GET" | "PUT" | "POST" | "DELETE") {
            return Err("a method that no call of ours has");
        }
        if key.is_empty() && self.server == Server::V0 {
            return Err("/v2/keys without a slash, which 0.x does not know");
        }
        let key = key.strip_suffix('/').unwrap_or(key);
        if key.split('/').skip(1).any(|element| matches!(element, "" | "." | "..")) {
            return Err("a path that is not clean");
        }
        let mut given = BTreeMap::new();
        for (name, value) in self.parameters()? {
            if self.server == Server::V0 && name == "consistent" {
                return Err("consistent=true, which 0.x alone knows");
            }
            let Some(name) = NAMES.iter().find(|known| **known == name) else { continue };
            let value = String::from_utf8(value).map_err(|_| "a value that is no UTF-8")?;
            given.entry(*name).or_insert(value);
        }
        let parameters = heeded(&self.method, checked(given)?)?;
        let path = if key.is_empty() { "/v2/keys/".into() } else { format!("/v2/keys{key}") };
        Ok(Meaning { method: self.method.clone(), path, parameters, json: None })
    }
}

/// Checks the values as the server does on every method, and spells those alike that mean the same.
fn checked(mut given: BTreeMap<&'static str, String>) -> Result<BTreeMap<&'static str, String>, Refused> {
    for name in FLAGS {
        let Some(value) = given.get_mut(name) else { continue };
        match &**value {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => *value = "true".into(),
            "0" | "f" | "F" | "FALSE" | "false" | "False" if *name == "prevExist" => *value = "false".into(),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => drop(given.remove(name)),
            _ => return Err("a flag that is neither true nor false"),
        }
    }
    for name in ["prevIndex", "waitIndex"] {
        match given.get(name).map(|value| number(value)) {
            None => {}
            Some(None) => return Err("an index that is no number"),
            Some(Some(0)) => return Err("index 0"),
            Some(Some(_)) => {}
        }
    }
    if given.get("ttl").is_some_and(|ttl| ttl.is_empty()) {
        given.remove("ttl");
    }
    match given.get("ttl").map(|ttl| number(ttl)) {
        Some(None) => return Err("a ttl that is no number"),
        Some(Some(secs)) if secs == 0 || secs > Ttl::MAX_SECS => {
            return Err("a ttl of 0 or above 9,000,000,000 s");
        }
        _ => {}
    }
    if given.get("prevValue").is_some_and(|value| value.is_empty()) {
        return Err("an empty prevValue");
    }
    Ok(given)
}

/// Leaves what the operation heeds.
fn heeded(
    method: &str,
    mut given: BTreeMap<&'static str, String>,
) -> Result<BTreeMap<&'static str, String>, Refused> {
    let has = |given: &BTreeMap<_, _>, name| given.contains_key(name);
    let only = |mut given: BTreeMap<&'static str, String>, names: &[&str]| {
        given.retain(|name, _| names.contains(name));
        given
    };
    if method != "GET" && has(&given, "wait") {
        return Err("wait on a write");
    }
    let compares = has(&given, "prevValue") || has(&given, "prevIndex");
    match method {
        "GET" if has(&given, "wait") && !has(&given, "quorum") => {
            Ok(only(given, &["wait", "waitIndex", "recursive", "stream"]))
        }
        "GET" => Ok(only(given, &["recursive", "sorted", "quorum"])),
        "DELETE" if compares => Ok(only(given, &["prevValue", "prevIndex"])),
        "DELETE" => {
            if has(&given, "recursive") {
                given.insert("dir", "true".into());
            }
            Ok(only(given, &["dir", "recursive"]))
        }
        "POST" => {
            let value = given.entry("value").or_default().clone();
            if has(&given, "dir") {
                given.remove("value");
            } else {
                given.insert("value", value);
            }
            Ok(only(given, &["value", "dir", "ttl", "noValueOnSuccess"]))
        }
        _ => put(given, compares),
    }
}

fn put(
    mut given: BTreeMap<&'static str, String>,
    compares: bool,
) -> Result<BTreeMap<&'static str, String>, Refused> {
    let prev_exist = given.get("prevExist").cloned();
    let creates = prev_exist.as_deref() == Some("false");
    let value = given.remove("value").unwrap_or_default();
    if creates {
        given.retain(|name, _| !matches!(*name, "prevValue" | "prevIndex" | "refresh"));
    } else if given.contains_key("refresh") {
        if !value.is_empty() {
            return Err("a refresh with a value");
        }
        if !given.contains_key("ttl") {
            return Err("a refresh without ttl");
        }
        if !compares && prev_exist.is_none() {
            return Err("a refresh without prevExist, which makes the node anew");
        }
        given.insert("prevExist", "true".into());
        given.remove("dir");
    } else if compares {
        given.retain(|name, _| !matches!(*name, "prevExist" | "dir"));
    }
    let updates = prev_exist.as_deref() == Some("true") && !compares;
    if given.contains_key("dir") {
        if updates && !value.is_empty() {
            return Err("an update of a directory with a value");
        }
    } else if !given.contains_key("refresh") {
        given.insert("value", value);
    }
    given.retain(|name, _| {
        let heeded =
            ["value", "dir", "ttl", "prevValue", "prevIndex", "prevExist", "refresh", "noValueOnSuccess"];
        heeded.contains(name)
    });
    Ok(given)
}

/// Decimal digits only, as Go's `ParseUint` takes them.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Writes lists that are absent as empty ones, where etcd reads them alike.
fn canonical_json(mut json: Value) -> Value {
    let changes = ["grant", "revoke"].iter().any(|name| json.get(name).is_some());
    if json.get("role").is_some() && json.get("permissions").is_none() && !changes {
        json["permissions"] = json!({"kv": {"read": [], "write": []}});
    }
    if json.get("user").is_some()
        && let Some(fields) = json.as_object_mut()
    {
        fields.retain(|_, value| *value != json!([]));
    }
    json
}

const FORM: &str = "application/x-www-form-urlencoded";
const FLAGS: &[&str] =
    &["dir", "prevExist", "refresh", "noValueOnSuccess", "wait", "recursive", "stream", "sorted", "quorum"];
const NAMES: &[&str] = &[
    "value",
    "dir",
    "ttl",
    "prevValue",
    "prevIndex",
    "prevExist",
    "refresh",
    "noValueOnSuccess",
    "wait",
    "waitIndex",
    "recursive",
    "stream",
    "sorted",
    "quorum",
];
