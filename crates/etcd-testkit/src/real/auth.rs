//! Switching v2 authentication on.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::{Instant, sleep, timeout_at};

use super::error::{Error, ErrorKind, Result};
use super::http::{Answer, Request};
use super::member::Member;

/// What to do about authentication once the members answer.
#[derive(Clone)]
pub(super) struct Auth {
    root_password: String,
    guest: Guest,
}

/// What a request without credentials may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// All, as etcd has it by default: enabling makes a role `guest` that may read and write every key.
    AsEtcdMakesIt,
    /// Nothing: the role is deleted.
    Removed,
}

impl Auth {
    pub(super) fn new(root_password: String, guest: Guest) -> Self {
        Self { root_password, guest }
    }

    /// The value of root's Authorization header.
    pub(super) fn authorization(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("root:{}", self.root_password)))
    }

    /// Creates the user root, enables authentication, and waits until every member knows of it.
    pub(super) async fn enable(&self, members: &[Member], deadline: Instant) -> Result<()> {
        let Some(first) = members.first() else { return Ok(()) };
        let user = serde_json::json!({ "user": "root", "password": self.root_password }).to_string();
        // 409: a repeated request, the earlier of which took effect without an answer.
        self.ask(first, ("PUT", "/v2/auth/users/root", &user), deadline, |it| {
            matches!(it.status, 200 | 201 | 409)
        })
        .await?;
        self.ask(first, ("PUT", "/v2/auth/enable", ""), deadline, |it| matches!(it.status, 200 | 409))
            .await?;
        if self.guest == Guest::Removed {
            self.ask(first, ("DELETE", "/v2/auth/roles/guest", ""), deadline, |it| {
                matches!(it.status, 200 | 404)
            })
            .await?;
        }
        for member in members {
            self.ask(member, ("GET", "/v2/auth/enable", ""), deadline, |it| it.body.contains("true")).await?;
            if self.guest == Guest::Removed {
                self.ask(member, ("GET", "/v2/auth/roles/guest", ""), deadline, |it| it.status == 404)
                    .await?;
            }
        }
        Ok(())
    }

    async fn ask(
        &self,
        member: &Member,
        (method, path, body): (&str, &str, &str),
        deadline: Instant,
        accepted: impl Fn(&Answer) -> bool,
    ) -> Result<()> {
        let authorization = self.authorization();
        let request = Request {
            authority: member.authority(),
            method,
            path,
            authorization: Some(authorization.as_str()),
            body,
        };
        loop {
            let answer = timeout_at(deadline, request.send()).await;
            let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            if answer.as_ref().is_ok_and(&accepted) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let error = |what: String| Error::new(ErrorKind::Auth, format!("{method} {path} {what}"));
                return Err(match answer {
                    Ok(answer) => error(format!("was answered {}: {}", answer.status, answer.body.trim())),
                    Err(source) => error("failed".to_owned()).with_source(source),
                });
            }
            sleep(PAUSE).await;
        }
    }
}

impl std::fmt::Debug for Auth {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("root_password", &"***").field("guest", &self.guest).finish()
    }
}

/// Between two tries; right after an election etcd refuses changes for moments.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_printed() {
        let auth = Auth::new("canary".to_owned(), Guest::Removed);
        assert!(!format!("{auth:?}").contains("canary"));
        assert_eq!(auth.authorization(), "Basic cm9vdDpjYW5hcnk=");
    }
}
