//! `/v2/auth`.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Call;
use super::answer::{Answer, JSON, Stalled, message, set, typed};
use super::form_parse;
use super::members::{no_access, stalled};
use crate::memory::store::{AuthError, Patterns, Permissions, Role, User, UserChange};
use crate::memory::{Store, json};

/// A user with whole roles, as reads show it.
#[derive(Serialize)]
struct UserWithRoles {
    user: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Role>,
}

/// What a handler made of a request.
type Reply = Result<Response<Bytes>, AuthError>;

impl Store {
    /// `/v2/auth/enable`.
    pub(crate) fn handle_auth_switch(&mut self, call: &Call<'_>) -> Answer {
        if let Some(refused) = call.refused("GET,PUT,DELETE") {
            return Answer::Complete(refused);
        }
        if !call.reads() && !self.has_root_access(call.member, &call.credentials()) {
            return Answer::Complete(no_access());
        }
        // etcd asks once for the answer and once more for the change, and counts both.
        let enabled = self.auth_enabled(call.member);
        self.auth_answer(call, |store| match *call.method() {
            Method::PUT => store.enable_auth(call.member).map(|()| empty()),
            Method::DELETE => store.disable_auth(call.member).map(|()| empty()),
            _ => {
                #[derive(Serialize)]
                struct Status {
                    enabled: bool,
                }
                Ok(line(StatusCode::OK, &Status { enabled }))
            }
        })
    }

    /// `/v2/auth/users` and what is below.
    pub(crate) fn handle_users(&mut self, call: &Call<'_>, rest: &[u8]) -> Answer {
        let name = match name(rest) {
            Ok(name) => name,
            Err(refused) => return Answer::Complete(*refused),
        };
        if let Some(refused) = self.auth_refusal(call, name.is_some()) {
            return Answer::Complete(refused);
        }
        self.auth_answer(call, |store| match (name, call.method()) {
            (None, _) => store.get_users(call),
            (Some(name), &Method::PUT) => store.change_user(call, &name),
            (Some(name), &Method::DELETE) => store.delete_user(call.member, &name).map(|()| empty()),
            (Some(name), _) => store.get_user(call, &name),
        })
    }

    /// `/v2/auth/roles` and what is below.
    pub(crate) fn handle_roles(&mut self, call: &Call<'_>, rest: &[u8]) -> Answer {
        let name = match name(rest) {
            Ok(name) => name,
            Err(refused) => return Answer::Complete(*refused),
        };
        if let Some(refused) = self.auth_refusal(call, name.is_some()) {
            return Answer::Complete(refused);
        }
        self.auth_answer(call, |store| match (name, call.method()) {
            (None, _) => store.get_roles(call),
            (Some(name), &Method::PUT) => store.change_role(call, &name),
            (Some(name), &Method::DELETE) => store.delete_role(&name).map(|()| empty()),
            (Some(name), _) => store.role(call.member, &name).map(|role| line(StatusCode::OK, &role)),
        })
    }

    /// The refusals that come before any look at users: of the method, then of the rights. Reads need them, too.
    fn auth_refusal(&mut self, call: &Call<'_>, is_named: bool) -> Option<Response<Bytes>> {
        let allowed = if is_named { "GET,PUT,DELETE" } else { "GET" };
        if let Some(refused) = call.refused(allowed) {
            return Some(refused);
        }
        let may = self.has_root_access(call.member, &call.credentials());
        (!may).then(no_access)
    }

    /// Runs a handler, unless it must wait for a majority, and labels its answer.
    ///
    /// A change without a majority is stalled before its body is looked at; etcd answers a bad body at once.
    fn auth_answer(&mut self, call: &Call<'_>, run: impl FnOnce(&mut Self) -> Reply) -> Answer {
        let mut answer = if !call.reads() && !self.can_commit(call.member) {
            stalled()
        } else {
            Answer::Complete(run(self).unwrap_or_else(refusal))
        };
        if let Answer::Complete(response) | Answer::NoQuorum(Stalled { response, .. }) = &mut answer {
            set(response, "x-etcd-cluster-id", format!("{:x}", self.cluster_id()));
        }
        answer
    }

    /// All users with whole roles; `null` where there is none.
    fn get_users(&mut self, call: &Call<'_>) -> Reply {
        #[derive(Serialize)]
        struct Users {
            users: Option<Vec<UserWithRoles>>,
        }
        self.check_list_form(call)?;
        let users: Vec<UserWithRoles> = self
            .list_users(call.member)
            .into_iter()
            .map(|(user, roles)| UserWithRoles { user: user.user, roles })
            .collect();
        Ok(line(StatusCode::OK, &Users { users: Some(users).filter(|users| !users.is_empty()) }))
    }

    /// A list with a bad form fails when its names have been read, which counts as one read.
    fn check_list_form(&mut self, call: &Call<'_>) -> Result<(), AuthError> {
        form_is_good(call).inspect_err(|_| self.count_auth_read(call.member))
    }

    /// A role that does not exist fails the read of a single user, other than the list.
    fn get_user(&mut self, call: &Call<'_>, name: &str) -> Reply {
        let user = self.user(call.member, name)?;
        form_is_good(call)?;
        let names = user.roles.unwrap_or_default();
        let roles = names.iter().map(|role| self.role(call.member, role)).collect::<Result<_, _>>()?;
        Ok(line(StatusCode::OK, &UserWithRoles { user: user.user, roles }))
    }

    /// Makes or changes a user. One made with roles is answered with 200 and not 201, as in etcd.
    fn change_user(&mut self, call: &Call<'_>, name: &str) -> Reply {
        let Some(change) = user_change(call.request.body()) else { return Ok(bad_json()) };
        if change.user.user != name {
            return Ok(bad_request("User JSON name does not match the name in the URL"));
        }
        let has_roles = change.user.roles.as_ref().is_some_and(|roles| !roles.is_empty());
        let changes_roles = !change.grant.is_empty() || !change.revoke.is_empty();
        let (user, created) = match (changes_roles, has_roles) {
            (true, true) => return Ok(bad_request("User JSON contains both roles and grant/revoke")),
            (true, false) => (self.update_user(&change)?, false),
            (false, true) => (self.create_user(change.user)?, false),
            (false, false) => self.put_user(change)?,
        };
        Ok(line(if created { StatusCode::CREATED } else { StatusCode::OK }, &user))
    }

    /// All roles; `root` is always among them.
    fn get_roles(&mut self, call: &Call<'_>) -> Reply {
        #[derive(Serialize)]
        struct Roles {
            roles: Vec<Role>,
        }
        self.check_list_form(call)?;
        let roles = self.list_roles(call.member);
        Ok(line(StatusCode::OK, &Roles { roles }))
    }

    /// Makes a role (201), or changes one where something is granted or revoked (200).
    ///
    /// The answer repeats what was sent, `null` lists and an empty grant included.
    fn change_role(&mut self, call: &Call<'_>, name: &str) -> Reply {
        let Some(change) = role_change(call.request.body()) else { return Ok(bad_json()) };
        if change.role != name {
            return Ok(bad_request("Role JSON name does not match the name in the URL"));
        }
        let is_empty = |part: &Option<Permissions>| part.as_ref().is_none_or(Permissions::is_empty);
        if is_empty(&change.grant) && is_empty(&change.revoke) {
            self.create_role(change.clone())?;
            return Ok(line(StatusCode::CREATED, &change));
        }
        if !change.permissions.is_empty() {
            return Ok(bad_request("Role JSON contains both permissions and grant/revoke"));
        }
        Ok(line(StatusCode::OK, &self.update_role(&change)?))
    }
}

/// The name in a path; `None` for the list. More than one element is refused before anything else.
fn name(rest: &[u8]) -> Result<Option<String>, Box<Response<Bytes>>> {
    let rest = rest.strip_prefix(b"/").unwrap_or(rest);
    let name = rest.strip_suffix(b"/").unwrap_or(rest);
    if name.contains(&b'/') {
        return Err(Box::new(bad_request("Invalid path")));
    }
    Ok((!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned()))
}

/// Reads look at the form only to refuse a bad one, with the error that hides what is wrong.
fn form_is_good(call: &Call<'_>) -> Result<(), AuthError> {
    let internal = |_| AuthError { status: 500, message: "Internal Server Error".into() };
    form_parse::parse(call.request).map(drop).map_err(internal)
}

/// JSON with a line end.
fn line<T: Serialize>(status: StatusCode, value: &T) -> Response<Bytes> {
    typed(status, JSON, json::encode_line(value))
}

/// The answer to changes that show nothing: no body, and yet labelled as JSON.
fn empty() -> Response<Bytes> {
    typed(StatusCode::OK, JSON, Bytes::new())
}

fn bad_json() -> Response<Bytes> {
    bad_request("Invalid JSON in request body.")
}

fn bad_request(text: &str) -> Response<Bytes> {
    message(StatusCode::BAD_REQUEST, text)
}

fn refusal(error: AuthError) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    message(status, &error.message)
}

/// The fields of the first JSON value of a body; what follows it is not looked at, and `null` has no fields.
fn fields(body: &[u8]) -> Option<Map<String, Value>> {
    let first = serde_json::Deserializer::from_slice(body).into_iter::<Value>().next()?.ok()?;
    object(Some(&first))
}

/// A user in a body; `None` where a field has another sort.
fn user_change(body: &[u8]) -> Option<UserChange> {
    let fields = fields(body)?;
    let user = User {
        user: text(field(&fields, "user"))?,
        password: text(field(&fields, "password"))?,
        roles: list(field(&fields, "roles"))?,
    };
    let grant = list(field(&fields, "grant"))?.unwrap_or_default();
    let revoke = list(field(&fields, "revoke"))?.unwrap_or_default();
    Some(UserChange { user, grant, revoke })
}

/// A role in a body; `None` where a field has another sort.
fn role_change(body: &[u8]) -> Option<Role> {
    let fields = fields(body)?;
    let part = |name: &str| match field(&fields, name) {
        None | Some(Value::Null) => Some(None),
        value => permissions(value).map(Some),
    };
    Some(Role {
        role: text(field(&fields, "role"))?,
        permissions: permissions(field(&fields, "permissions"))?,
        grant: part("grant")?,
        revoke: part("revoke")?,
    })
}

fn permissions(value: Option<&Value>) -> Option<Permissions> {
    let fields = object(value)?;
    let lists = object(field(&fields, "kv"))?;
    let kv = Patterns { read: list(field(&lists, "read"))?, write: list(field(&lists, "write"))? };
    Some(Permissions { kv })
}

/// A field by its name in any case of letters, as Go finds it.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

// Absent and `null` are the empty value each; `None` is a value of another sort.

fn object(value: Option<&Value>) -> Option<Map<String, Value>> {
    match value {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(fields)) => Some(fields.clone()),
        Some(_) => None,
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
    }
}

fn list(value: Option<&Value>) -> Option<Option<Vec<String>>> {
    match value {
        None | Some(Value::Null) => Some(None),
        Some(Value::Array(items)) => {
            items.iter().map(|item| text(Some(item))).collect::<Option<_>>().map(Some)
        }
        Some(_) => None,
    }
}
