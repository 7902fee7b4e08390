//! Users and the roles that they have.

use bytes::Bytes;
use http::{Method, Request};
use serde::{Deserialize, Serialize};

use super::role::WireRole;
use super::{AuthCall, Password, Permissions, Role};
use crate::v2::Response;
use crate::v2::decode::{Answer, null_as_default};
use crate::v2::encode::{RequestBuilder, path_element};
use crate::{Error, ErrorKind, Idempotence};

/// A user and the roles that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its roles.
    pub roles: Vec<UserRole>,
}

/// A role of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserRole {
    /// The role's name.
    pub name: String,
    /// What it may do; `None` in answers to changes, which name roles only. Ask [`GetUser`] for the rest.
    pub permissions: Option<Permissions>,
}

/// The answer to a change of a user.
///
/// # Examples
/// Only the status tells a new user from an old one with a new password:
/// ```
/// use etcd_proto::v2::auth::CreateUser;
/// use etcd_proto::v2::{Call, Operation};
/// use http::{HeaderMap, StatusCode};
///
/// let create = Operation::from(CreateUser::new("alice", "pw"));
/// let body = br#"{"user":"alice","roles":null}"#;
/// let made = CreateUser::response(create.decode(StatusCode::CREATED, &HeaderMap::new(), body)?)?;
/// assert!(made.created);
/// let changed = CreateUser::response(create.decode(StatusCode::OK, &HeaderMap::new(), body)?)?;
/// assert!(!changed.created, "there was an alice, and she has another password now");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserChange {
    /// The user afterwards.
    pub user: User,
    /// Whether the server says that the user is new (status 201); it never says so for one made with roles.
    pub created: bool,
}

impl User {
    /// A user with these roles.
    pub fn new(name: impl Into<String>, roles: Vec<UserRole>) -> Self {
        Self { name: name.into(), roles }
    }
}

impl UserRole {
    /// A role by its name, and what it may do where that is told.
    pub fn new(name: impl Into<String>, permissions: Option<Permissions>) -> Self {
        Self { name: name.into(), permissions }
    }
}

impl UserChange {
    /// An answer of a server, for services that stand in for one.
    #[must_use]
    pub fn new(user: User, created: bool) -> Self {
        Self { user, created }
    }
}

/// Lists all users. Roles that no longer exist are left out of what it says of each.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListUsers {}

/// Asks for one user, with what its roles may do; 404 for an unknown one.
///
/// Also 404 where the user has a role that was deleted; then the message names the role.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GetUser {
    /// The user.
    pub name: String,
}

/// Makes a user.
///
/// With roles an existing user is refused (409). **Without roles etcd takes it for a change of the password** of
/// an existing user; [`UserChange::created`] tells which it was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreateUser {
    /// The user.
    pub name: String,
    /// Its password; not empty.
    pub password: Password,
    /// Its roles. etcd does not look whether they exist.
    pub roles: Vec<String>,
}

/// Gives a user another password. A user that does not exist is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChangePassword {
    /// The user.
    pub name: String,
    /// Its new password; not empty.
    pub password: Password,
}

/// Gives a user more roles; 409 for one that it has already, 404 for an unknown user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GrantRoles {
    /// The user.
    pub name: String,
    /// Its new roles; at least one.
    pub roles: Vec<String>,
}

/// Takes roles from a user; 409 for one that it has not, 404 for an unknown user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevokeRoles {
    /// The user.
    pub name: String,
    /// The roles that it loses; at least one.
    pub roles: Vec<String>,
}

/// Deletes a user; 404 for an unknown one, 403 for `root` while auth is on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeleteUser {
    /// The user.
    pub name: String,
}

impl ListUsers {
    /// Lists all users.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl GetUser {
    /// Asks for user `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl CreateUser {
    /// Makes user `name` without roles.
    pub fn new(name: impl Into<String>, password: impl Into<Password>) -> Self {
        Self { name: name.into(), password: password.into(), roles: Vec::new() }
    }
}

impl ChangePassword {
    /// Gives user `name` the password `password`.
    pub fn new(name: impl Into<String>, password: impl Into<Password>) -> Self {
        Self { name: name.into(), password: password.into() }
    }
}

impl GrantRoles {
    /// Gives user `name` the `roles` as well.
    pub fn new(name: impl Into<String>, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), roles: roles.into_iter().map(Into::into).collect() }
    }
}

impl RevokeRoles {
    /// Takes the `roles` from user `name`.
    pub fn new(name: impl Into<String>, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), roles: roles.into_iter().map(Into::into).collect() }
    }
}

impl DeleteUser {
    /// Deletes user `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

// === impl AuthCall ===

impl AuthCall for ListUsers {
    const IDEMPOTENCE: Idempotence = Idempotence::Read;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::GET, PATH).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(deserialize_with = "null_as_default")]
            users: Vec<WireUser>,
        }
        let Wire { users } = answer.json()?;
        Ok(Response::Users(users.into_iter().map(User::from).collect()))
    }
}

impl AuthCall for GetUser {
    const IDEMPOTENCE: Idempotence = Idempotence::Read;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::GET, user_path(&self.name)?).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        answer.json::<WireUser>().map(User::from).map(Response::User)
    }
}

impl AuthCall for CreateUser {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(PutUser {
            password: Some(not_empty(&self.password)?),
            roles: &self.roles,
            ..PutUser::new(&self.name)
        })
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        change(answer)
    }
}

impl AuthCall for ChangePassword {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(PutUser { password: Some(not_empty(&self.password)?), ..PutUser::new(&self.name) })
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        change(answer)
    }
}

impl AuthCall for GrantRoles {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(PutUser { grant: some(&self.roles)?, ..PutUser::new(&self.name) })
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        change(answer)
    }
}

impl AuthCall for RevokeRoles {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(PutUser { revoke: some(&self.roles)?, ..PutUser::new(&self.name) })
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        change(answer)
    }
}

impl AuthCall for DeleteUser {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::DELETE, user_path(&self.name)?).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        answer.done().map(Response::Done)
    }
}

fn user_path(name: &str) -> Result<String, Error> {
    Ok(format!("{PATH}/{}", path_element("user", name)?))
}

fn put(body: PutUser<'_>) -> Result<Request<Bytes>, Error> {
    RequestBuilder::new(Method::PUT, user_path(body.user)?).json(&body)?.build()
}

fn change(answer: &Answer<'_>) -> Result<Response, Error> {
    let user = answer.json::<WireUser>()?.into();
    Ok(Response::UserChange(UserChange { user, created: answer.status == http::StatusCode::CREATED }))
}

/// etcd takes an empty list for "no such change", and answers a change of nothing with a new password's success.
fn some(roles: &[String]) -> Result<&[String], Error> {
    if roles.is_empty() {
        return Err(Error::new(ErrorKind::InvalidName, "a change of roles needs at least one role"));
    }
    Ok(roles)
}

fn not_empty(password: &Password) -> Result<&Password, Error> {
    if password.expose().is_empty() {
        return Err(Error::new(ErrorKind::InvalidName, "a password must not be empty"));
    }
    Ok(password)
}

#[derive(Serialize)]
struct PutUser<'a> {
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a Password>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    roles: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    grant: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    revoke: &'a [String],
}

impl<'a> PutUser<'a> {
    fn new(user: &'a str) -> Self {
        Self { user, password: None, roles: &[], grant: &[], revoke: &[] }
    }
}

/// A user as the server writes it: with whole roles when read, with their names when changed.
#[derive(Deserialize)]
struct WireUser {
    user: String,
    #[serde(default, deserialize_with = "null_as_default")]
    roles: Vec<WireUserRole>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireUserRole {
    Name(String),
    Role(WireRole),
}

impl From<WireUser> for User {
    fn from(wire: WireUser) -> Self {
        Self { name: wire.user, roles: wire.roles.into_iter().map(UserRole::from).collect() }
    }
}

impl From<WireUserRole> for UserRole {
    fn from(wire: WireUserRole) -> Self {
        match wire {
            WireUserRole::Name(name) => Self { name, permissions: None },
            WireUserRole::Role(role) => {
                let Role { name, permissions } = role.into();
                Self { name, permissions: Some(permissions) }
            }
        }
    }
}

const PATH: &str = "/v2/auth/users";
