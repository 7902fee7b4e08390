//! Users, roles and permissions.

mod roles;
mod users;

pub use roles::Roles;
pub use users::Users;

use etcd_proto::v2::auth;

use super::{Call, Client};

/// The auth calls of a client, see [`Client::auth`].
#[derive(Clone, Debug)]
pub struct Auth(Client);

impl Client {
    /// Users, roles and permissions (etcd 2.1 and later).
    ///
    /// Once auth is on, all but the question whether it is need a user with the role `root`; without, the error
    /// is [`ErrorKind::Unauthorized`](crate::ErrorKind::Unauthorized).
    ///
    /// # Examples
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// use etcd_client::v2::Permissions;
    ///
    /// let auth = client.auth();
    /// auth.roles().create("app", Permissions::new().read("/app").read_write("/app/*")).await?;
    /// auth.users().create("alice", "a password").roles(["app"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    /// [`proto::auth`](crate::v2::proto::auth) shows the whole way to a cluster that is closed to strangers.
    #[must_use]
    pub fn auth(&self) -> Auth {
        Auth(self.clone())
    }
}

impl Auth {
    /// Asks whether auth is on; open to all.
    ///
    /// # Errors
    /// As for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn status(&self) -> Call<auth::GetAuthStatus> {
        Call::new(&self.0, auth::GetAuthStatus::new())
    }

    /// Turns auth on. There must be a user `root`. Without credentials all stays allowed that the role `guest`
    /// may do, which is everything at first.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) (409) without a user `root`, or if it is on already.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn enable(&self) -> Call<auth::EnableAuth> {
        Call::new(&self.0, auth::EnableAuth::new())
    }

    /// Turns auth off.
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) (409) if it is off already.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn disable(&self) -> Call<auth::DisableAuth> {
        Call::new(&self.0, auth::DisableAuth::new())
    }

    /// Users.
    #[must_use]
    pub fn users(&self) -> Users {
        Users(self.0.clone())
    }

    /// Roles.
    #[must_use]
    pub fn roles(&self) -> Roles {
        Roles(self.0.clone())
    }
}
