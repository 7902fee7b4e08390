//! Users.

use etcd_proto::v2::auth::{self, Password};

use crate::v2::{Call, Client};

/// The calls about users, see [`Auth::users`](super::Auth::users).
#[derive(Clone, Debug)]
pub struct Users(pub(super) Client);

impl Users {
    /// Lists all users.
    ///
    /// # Errors
    /// As for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn list(&self) -> Call<auth::ListUsers> {
        Call::new(&self.0, auth::ListUsers::new())
    }

    /// Asks for one user, with what its roles may do.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) (404) if there is none of that name.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn get(&self, name: impl Into<String>) -> Call<auth::GetUser> {
        Call::new(&self.0, auth::GetUser::new(name))
    }

    /// Makes a user. **Without [`roles`](Call::roles) etcd takes it for a change of the password** if the user
    /// exists; the answer's `created` tells.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName) for an empty password or a name with a slash;
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) (409) if the user exists and roles are given.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn create(&self, name: impl Into<String>, password: impl Into<Password>) -> Call<auth::CreateUser> {
        Call::new(&self.0, auth::CreateUser::new(name, password))
    }

    /// Gives a user another password. A user that does not exist is made.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName) for an empty password or a name with a slash.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn change_password(
        &self,
        name: impl Into<String>,
        password: impl Into<Password>,
    ) -> Call<auth::ChangePassword> {
        Call::new(&self.0, auth::ChangePassword::new(name, password))
    }

    /// Gives a user more roles.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api): 409 for a role that it has already, 404 for an unknown user.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn grant(
        &self,
        name: impl Into<String>,
        roles: impl IntoIterator<Item = impl Into<String>>,
    ) -> Call<auth::GrantRoles> {
        Call::new(&self.0, auth::GrantRoles::new(name, roles))
    }

    /// Takes roles from a user.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api): 409 for a role that it has not, 404 for an unknown user.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn revoke(
        &self,
        name: impl Into<String>,
        roles: impl IntoIterator<Item = impl Into<String>>,
    ) -> Call<auth::RevokeRoles> {
        Call::new(&self.0, auth::RevokeRoles::new(name, roles))
    }

    /// Deletes a user; `root` only while auth is off.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api): 404 for an unknown user, 403 for `root` while auth is on.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn delete(&self, name: impl Into<String>) -> Call<auth::DeleteUser> {
        Call::new(&self.0, auth::DeleteUser::new(name))
    }
}

impl Call<auth::CreateUser> {
    /// Gives the new user these roles, and refuses a user that exists.
    pub fn roles(self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.with(|create| create.roles = roles.into_iter().map(Into::into).collect())
    }
}
