//! Roles and what they may do.

use bytes::Bytes;
use http::{Method, Request};
use serde::{Deserialize, Serialize};

use super::AuthCall;
use crate::v2::Response;
use crate::v2::decode::{Answer, null_as_default};
use crate::v2::encode::{RequestBuilder, path_element};
use crate::{Error, ErrorKind, Idempotence};

/// Patterns of keys that a role may read and write.
///
/// `/x/*` stands for all keys that start with `/x/`, a pattern without `*` for that one key. A recursive call
/// needs a pattern with `*` whose text before it starts the key: `/a*`, not `/a/*`, allows a recursive read of
/// `/a`.
///
/// | pattern | `/a` | `/a/b` | `/ab` | `/a`, recursive |
/// | --- | --- | --- | --- | --- |
/// | `/a` | yes | no | no | no |
/// | `/a/*` | no | yes | no | no |
/// | `/a*` | yes | yes | yes | yes |
///
/// Patterns are texts to etcd, not paths: nothing checks them, and a `*` counts at the end only. A watch
/// needs the right to read.
///
/// # Examples
/// To hand a directory to an application, name it twice:
/// ```
/// use etcd_proto::v2::auth::Permissions;
///
/// // Lists `/app` and does all with what is in it. Neither a recursive call of `/app` itself, nor a key in
/// // order in it, which is a write to `/app`.
/// let app = Permissions::new().read("/app").read_write("/app/*");
/// assert_eq!(app.read, ["/app", "/app/*"]);
/// assert_eq!(app.write, ["/app/*"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Permissions {
    /// What may be read.
    #[serde(default, deserialize_with = "null_as_default")]
    pub read: Vec<String>,
    /// What may be written.
    #[serde(default, deserialize_with = "null_as_default")]
    pub write: Vec<String>,
}

impl Permissions {
    /// No permission.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The pattern may be read as well.
    #[must_use]
    pub fn read(mut self, pattern: impl Into<String>) -> Self {
        self.read.push(pattern.into());
        self
    }

    /// The pattern may be written as well.
    #[must_use]
    pub fn write(mut self, pattern: impl Into<String>) -> Self {
        self.write.push(pattern.into());
        self
    }

    /// The pattern may be read and written as well.
    #[must_use]
    pub fn read_write(self, pattern: impl Into<String>) -> Self {
        let pattern = pattern.into();
        self.read(pattern.clone()).write(pattern)
    }
}

/// A role and what it may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub permissions: Permissions,
}

impl Role {
    /// A role that may do what `permissions` say.
    pub fn new(name: impl Into<String>, permissions: Permissions) -> Self {
        Self { name: name.into(), permissions }
    }
}

/// Lists all roles; `root` is always among them.
///
/// `guest` is there from the moment auth is first turned on.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListRoles {}

/// Asks for one role; 404 for one that does not exist.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GetRole {
    /// The role.
    pub name: String,
}

/// Makes a role (201); 409 if there is one of that name, 403 for `root`.
///
/// Nobody has it until [`GrantRoles`](super::GrantRoles) says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreateRole {
    /// The role.
    pub name: String,
    /// What it may do.
    pub permissions: Permissions,
}

/// Lets a role do more. The answer is the role as it is then.
///
/// 409 for a pattern that it has already, and none of the others is granted then; 404 for an unknown role,
/// 403 for `root`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GrantPermissions {
    /// The role.
    pub name: String,
    /// What it may do as well.
    pub permissions: Permissions,
}

/// Lets a role do less. The answer is the role as it is then.
///
/// Patterns are compared as texts: `/a/*` cannot be revoked from a role that has `/*`. Those that the role
/// does not have are passed over; 400 if it has none of them, 404 for an unknown role, 403 for `root`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevokePermissions {
    /// The role.
    pub name: String,
    /// What it may do no longer.
    pub permissions: Permissions,
}

/// Deletes a role; 404 for an unknown one, 403 for `root`.
///
/// Users that have it may no longer do what it allowed, but keep its name: [`GetUser`](super::GetUser)
/// answers 404 for them, and a new role of that name is theirs at once. Revoke it from them first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeleteRole {
    /// The role.
    pub name: String,
}

impl ListRoles {
    /// Lists all roles.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl GetRole {
    /// Asks for role `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl CreateRole {
    /// Makes role `name` with `permissions`.
    pub fn new(name: impl Into<String>, permissions: Permissions) -> Self {
        Self { name: name.into(), permissions }
    }
}

impl GrantPermissions {
    /// Lets role `name` do what `permissions` say, too.
    pub fn new(name: impl Into<String>, permissions: Permissions) -> Self {
        Self { name: name.into(), permissions }
    }
}

impl RevokePermissions {
    /// Lets role `name` no longer do what `permissions` say.
    pub fn new(name: impl Into<String>, permissions: Permissions) -> Self {
        Self { name: name.into(), permissions }
    }
}

impl DeleteRole {
    /// Deletes role `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

// === impl AuthCall ===

impl AuthCall for ListRoles {
    const IDEMPOTENCE: Idempotence = Idempotence::Read;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::GET, PATH).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(deserialize_with = "null_as_default")]
            roles: Vec<WireRole>,
        }
        let Wire { roles } = answer.json()?;
        Ok(Response::Roles(roles.into_iter().map(Role::from).collect()))
    }
}

impl AuthCall for GetRole {
    const IDEMPOTENCE: Idempotence = Idempotence::Read;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::GET, role_path(&self.name)?).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        role(answer)
    }
}

impl AuthCall for CreateRole {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(&self.name, |body| body.permissions = Some(Kv { kv: &self.permissions }))
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        role(answer)
    }
}

impl AuthCall for GrantPermissions {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        let permissions = not_empty(&self.permissions)?;
        put(&self.name, |body| body.grant = Some(Kv { kv: permissions }))
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        role(answer)
    }
}

impl AuthCall for RevokePermissions {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        let permissions = not_empty(&self.permissions)?;
        put(&self.name, |body| body.revoke = Some(Kv { kv: permissions }))
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        role(answer)
    }
}

impl AuthCall for DeleteRole {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::DELETE, role_path(&self.name)?).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        answer.done().map(Response::Done)
    }
}

fn role_path(name: &str) -> Result<String, Error> {
    Ok(format!("{PATH}/{}", path_element("role", name)?))
}

/// To etcd a change without any permission is the creation of a role.
fn not_empty(permissions: &Permissions) -> Result<&Permissions, Error> {
    if permissions.read.is_empty() && permissions.write.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidName,
            "a change of permissions needs at least one permission",
        ));
    }
    Ok(permissions)
}

fn role(answer: &Answer<'_>) -> Result<Response, Error> {
    answer.json::<WireRole>().map(Role::from).map(Response::Role)
}

fn put<'a>(name: &'a str, fill: impl FnOnce(&mut PutRole<'a>)) -> Result<Request<Bytes>, Error> {
    let mut body = PutRole { role: name, permissions: None, grant: None, revoke: None };
    fill(&mut body);
    RequestBuilder::new(Method::PUT, role_path(name)?).json(&body)?.build()
}

#[derive(Serialize)]
struct PutRole<'a> {
    role: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Kv<&'a Permissions>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<Kv<&'a Permissions>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoke: Option<Kv<&'a Permissions>>,
}

/// Permissions stand below a `kv` of their own in etcd's JSON.
#[derive(Default, Serialize, Deserialize)]
struct Kv<P> {
    kv: P,
}

/// A role as the server writes it.
#[derive(Deserialize)]
pub(super) struct WireRole {
    role: String,
    #[serde(default)]
    permissions: Kv<Permissions>,
}

impl From<WireRole> for Role {
    fn from(wire: WireRole) -> Self {
        Self { name: wire.role, permissions: wire.permissions.kv }
    }
}

const PATH: &str = "/v2/auth/roles";
