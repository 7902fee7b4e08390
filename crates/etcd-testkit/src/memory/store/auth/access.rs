//! Who may do what.
//!
//! Each look at users and roles counts as reads of keys at the member, as in etcd; so the order of the looks shows in
//! `/v2/stats/store`.

use super::{Credentials, GUEST, ROOT};
use crate::memory::store::Store;

impl Store {
    /// Whether a request may change members, users or roles: with auth on, a user with the role `root`. Versions,
    /// health, statistics and the list of members stay open to all.
    pub(crate) fn has_root_access(&mut self, member: usize, credentials: &Credentials) -> bool {
        if !self.auth_enabled(member) {
            return true;
        }
        let Some(roles) = self.login(member, credentials) else { return false };
        roles.iter().any(|role| role == ROOT)
    }

    /// Whether a request may read or write a key. `key` is the raw decoded path: `/a/` is not `/a` here.
    ///
    /// Guests are judged by the plain rule even where the call is recursive (3.4, 3.5).
    pub(crate) fn has_key_access(
        &mut self,
        member: usize,
        credentials: &Credentials,
        key: &[u8],
        write: bool,
        recursive: bool,
    ) -> bool {
        if !self.auth_enabled(member) {
            return true;
        }
        if *credentials == Credentials::None {
            return self.role(member, GUEST).is_ok_and(|role| role.allows(key, write));
        }
        let Some(roles) = self.login(member, credentials) else { return false };
        roles.iter().any(|name| {
            self.role(member, name).is_ok_and(|role| {
                if recursive { role.allows_recursive(key, write) } else { role.allows(key, write) }
            })
        })
    }

    /// The roles of the user, if the password is right.
    fn login(&mut self, member: usize, credentials: &Credentials) -> Option<Vec<String>> {
        let Credentials::Basic { user, password } = credentials else { return None };
        let user = self.user(member, user).ok()?;
        (user.password == *password).then(|| user.roles.unwrap_or_default())
    }
}
