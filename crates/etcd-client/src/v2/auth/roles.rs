//! Roles and what they may do.

use etcd_proto::v2::auth::{self, Permissions};

use crate::v2::{Call, Client};

/// The calls about roles, see [`Auth::roles`](super::Auth::roles).
#[derive(Clone, Debug)]
pub struct Roles(pub(super) Client);

impl Roles {
    /// Lists all roles; `root` is always among them.
    ///
    /// # Errors
    /// As for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn list(&self) -> Call<auth::ListRoles> {
        Call::new(&self.0, auth::ListRoles::new())
    }

    /// Asks for one role.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) (404) if there is none of that name.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn get(&self, name: impl Into<String>) -> Call<auth::GetRole> {
        Call::new(&self.0, auth::GetRole::new(name))
    }

    /// Makes a role.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api): 409 if it exists, 403 for `root`.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn create(&self, name: impl Into<String>, permissions: Permissions) -> Call<auth::CreateRole> {
        Call::new(&self.0, auth::CreateRole::new(name, permissions))
    }

    /// Lets a role do more.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName) without any permission;
    /// [`ErrorKind::Api`](crate::ErrorKind::Api): 409 for what it may do already, 404 for an unknown role, 403
    /// for `root`.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn grant(&self, name: impl Into<String>, permissions: Permissions) -> Call<auth::GrantPermissions> {
        Call::new(&self.0, auth::GrantPermissions::new(name, permissions))
    }

    /// Lets a role do less. What it may not do anyway is passed over, unless that is all.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName) without any permission;
    /// [`ErrorKind::Api`](crate::ErrorKind::Api): 400 if it may do none of that, 404 for an unknown role, 403 for
    /// `root`.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn revoke(&self, name: impl Into<String>, permissions: Permissions) -> Call<auth::RevokePermissions> {
        Call::new(&self.0, auth::RevokePermissions::new(name, permissions))
    }

    /// Deletes a role. Users that have it may no longer do what it allowed, but keep its name, and
    /// [`Users::get`](super::Users::get) answers 404 for them: revoke it from them first.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api): 404 for an unknown role, 403 for `root`.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn delete(&self, name: impl Into<String>) -> Call<auth::DeleteRole> {
        Call::new(&self.0, auth::DeleteRole::new(name))
    }
}
