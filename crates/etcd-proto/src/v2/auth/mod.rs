//! Users, roles and permissions (etcd 2.1 to 3.5).
//!
//! There are no sessions and no tokens: each request carries a name and a password (basic auth), and the
//! server runs bcrypt on each, 150 to 700 ms on a busy machine of two cores. Limits of time must leave room
//! for that.
//!
//! # Setting it up
//! The user `root` comes first: without it etcd does not turn auth on (409). The role `guest` is closed last,
//! since turning auth on makes it where there is none.
//! ```
//! use etcd_proto::v2::Operation;
//! use etcd_proto::v2::auth::{CreateRole, CreateUser, EnableAuth, Permissions, RevokePermissions};
//!
//! let mut alice = CreateUser::new("alice", "a password");
//! alice.roles = vec!["app".into()];
//! let steps: [Operation; 5] = [
//!     // The name makes it the administrator: etcd gives it the role `root` unasked.
//!     CreateUser::new("root", "another password").into(),
//!     CreateRole::new("app", Permissions::new().read_write("/app/*")).into(),
//!     alice.into(),
//!     EnableAuth::new().into(),
//!     // From here on with root's password. Until this is done everybody may still read and write all.
//!     RevokePermissions::new("guest", Permissions::new().read_write("/*")).into(),
//! ];
//! for step in &steps {
//!     assert!(step.encode()?.uri().path().starts_with("/v2/auth/"));
//! }
//! # Ok::<(), etcd_proto::Error>(())
//! ```
//!
//! # Who may do what
//! A request without credentials has the role `guest`. One with a wrong password is refused and does not fall
//! back to it. The user `root` may do everything. `/version`, `/health`, statistics, machines and the list of
//! members stay open to all.
//!
//! # Errors
//! Keys calls are refused with error 110, all others with status 401 and a message;
//! [`ApiError::is_unauthorized`](super::ApiError::is_unauthorized) knows both. A wrong password, an unknown
//! user and a missing permission look the same, and no other member will answer otherwise. Of the auth calls'
//! other refusals only the status tells: 400 bad form, 403 about `root`, 404 unknown, 409 conflict. A 500
//! means that the members did not agree, up to 14 s later, and the change may have been made.

mod password;
mod role;
mod switch;
mod user;

use bytes::Bytes;
use http::Request;

pub use password::Password;
pub use role::{
    CreateRole, DeleteRole, GetRole, GrantPermissions, ListRoles, Permissions, RevokePermissions, Role,
};
pub use switch::{AuthStatus, DisableAuth, EnableAuth, GetAuthStatus};
pub use user::{
    ChangePassword, CreateUser, DeleteUser, GetUser, GrantRoles, ListUsers, RevokeRoles, User, UserChange,
    UserRole,
};

use super::Response;
use super::call::calls;
use super::decode::Answer;
use crate::{Error, Idempotence};

/// Any call about users, roles and whether auth is on.
///
/// All but the question whether auth is on need a user with the role `root` once it is.
#[derive(Clone, Debug)]
pub enum AuthOperation {
    /// Whether auth is on.
    GetAuthStatus(GetAuthStatus),
    /// Turns auth on.
    EnableAuth(EnableAuth),
    /// Turns auth off.
    DisableAuth(DisableAuth),
    /// All users.
    ListUsers(ListUsers),
    /// One user.
    GetUser(GetUser),
    /// A new user.
    CreateUser(CreateUser),
    /// Another password for a user.
    ChangePassword(ChangePassword),
    /// More roles for a user.
    GrantRoles(GrantRoles),
    /// Fewer roles for a user.
    RevokeRoles(RevokeRoles),
    /// One user less.
    DeleteUser(DeleteUser),
    /// All roles.
    ListRoles(ListRoles),
    /// One role.
    GetRole(GetRole),
    /// A new role.
    CreateRole(CreateRole),
    /// More permissions for a role.
    GrantPermissions(GrantPermissions),
    /// Fewer permissions for a role.
    RevokePermissions(RevokePermissions),
    /// One role less.
    DeleteRole(DeleteRole),
}

/// What every auth call says of itself.
trait AuthCall {
    const IDEMPOTENCE: Idempotence;

    fn encode(&self) -> Result<Request<Bytes>, Error>;

    fn decode(answer: &Answer<'_>) -> Result<Response, Error>;
}

/// Runs `$body` with `$call` bound to the call inside, whatever it is.
macro_rules! for_each_call {
    ($operation:expr, $call:ident => $body:expr) => {
        match $operation {
            AuthOperation::GetAuthStatus($call) => $body,
            AuthOperation::EnableAuth($call) => $body,
            AuthOperation::DisableAuth($call) => $body,
            AuthOperation::ListUsers($call) => $body,
            AuthOperation::GetUser($call) => $body,
            AuthOperation::CreateUser($call) => $body,
            AuthOperation::ChangePassword($call) => $body,
            AuthOperation::GrantRoles($call) => $body,
            AuthOperation::RevokeRoles($call) => $body,
            AuthOperation::DeleteUser($call) => $body,
            AuthOperation::ListRoles($call) => $body,
            AuthOperation::GetRole($call) => $body,
            AuthOperation::CreateRole($call) => $body,
            AuthOperation::GrantPermissions($call) => $body,
            AuthOperation::RevokePermissions($call) => $body,
            AuthOperation::DeleteRole($call) => $body,
        }
    };
}

impl AuthOperation {
    pub(super) fn idempotence(&self) -> Idempotence {
        fn idempotence<C: AuthCall>(_: &C) -> Idempotence {
            C::IDEMPOTENCE
        }
        for_each_call!(self, call => idempotence(call))
    }

    pub(super) fn encode(&self) -> Result<Request<Bytes>, Error> {
        for_each_call!(self, call => call.encode())
    }

    pub(super) fn decode(&self, answer: &Answer<'_>) -> Result<Response, Error> {
        fn decode<C: AuthCall>(_: &C, answer: &Answer<'_>) -> Result<Response, Error> {
            C::decode(answer)
        }
        for_each_call!(self, call => decode(call, answer))
    }
}

calls!(Auth(AuthOperation):
    GetAuthStatus, "auth status" -> AuthStatus(AuthStatus),
    EnableAuth, "auth enable" -> Done(()),
    DisableAuth, "auth disable" -> Done(()),
    ListUsers, "user list" -> Users(Vec<User>),
    GetUser, "user get" -> User(User),
    CreateUser, "user create" -> UserChange(UserChange),
    ChangePassword, "user change password" -> UserChange(UserChange),
    GrantRoles, "user grant" -> UserChange(UserChange),
    RevokeRoles, "user revoke" -> UserChange(UserChange),
    DeleteUser, "user delete" -> Done(()),
    ListRoles, "role list" -> Roles(Vec<Role>),
    GetRole, "role get" -> Role(Role),
    CreateRole, "role create" -> Role(Role),
    GrantPermissions, "role grant" -> Role(Role),
    RevokePermissions, "role revoke" -> Role(Role),
    DeleteRole, "role delete" -> Done(()),
);

#[cfg(test)]
mod tests;
