//! Waiting until members answer as healthy ones.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::error::{Error, ErrorKind, Result};
use super::http::Request;
use super::member::Member;

/// How to tell that a member is ready.
#[derive(Clone)]
pub(super) struct Probe {
    /// Whether the v2 API must answer.
    pub(super) v2: bool,
    /// The value of the Authorization header, for servers that refuse guests.
    pub(super) authorization: Option<String>,
}

/// Waits until each of `members` is ready; fails early if one of them ends.
pub(super) async fn wait(members: &[&Member], deadline: Instant) -> Result<()> {
    let mut waiting = members.to_vec();
    loop {
        let mut reason = String::new();
        let mut still = Vec::new();
        for &member in &waiting {
            let answer = timeout_at(deadline, member.probe().check(member)).await;
            let answer = answer.unwrap_or_else(|_| Err("it does not answer".to_owned()));
            // A member that could not get its port ends, and whoever holds the port may have answered for it.
            member.assert_running()?;
            if let Err(why) = answer {
                reason = why;
                still.push(member);
            }
        }
        waiting = still;
        let Some(member) = waiting.first() else { return Ok(()) };
        if Instant::now() >= deadline {
            let text = format!("{} did not get ready in time: {reason}{}", member.name(), member.log_tail());
            return Err(Error::new(ErrorKind::NotReady, text));
        }
        sleep(PAUSE).await;
    }
}

impl Probe {
    async fn check(&self, member: &Member) -> Result<(), String> {
        self.ask(member, ("GET", "/health", ""), "\"health\":\"true\"").await?;
        // An answer must come from this member, not from a stranger who took its port in between: names are
        // unique. Without the v2 API the members' list of v3 has them.
        let name = format!("\"name\":\"{}\"", member.name());
        if !self.v2 {
            return self.ask(member, ("POST", "/v3/cluster/member/list", "{}"), &name).await;
        }
        self.ask(member, ("GET", "/v2/stats/self", ""), &name).await?;
        self.ask(member, ("GET", "/v2/keys", ""), "").await
    }

    async fn ask(
        &self,
        member: &Member,
        (method, path, body): (&str, &str, &str),
        text: &str,
    ) -> Result<(), String> {
        let authorization = self.authorization.as_deref();
        let request = Request { authority: member.authority(), method, path, authorization, body };
        match request.send().await {
            Ok(answer) if answer.status == 200 && answer.body.contains(text) => Ok(()),
            Ok(answer) => Err(format!("{path} was answered {}: {}", answer.status, answer.body.trim())),
            Err(error) => Err(format!("{path}: {error}")),
        }
    }
}

impl std::fmt::Debug for Probe {
    /// Without the credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authorization = self.authorization.as_ref().map(|_| "***");
        f.debug_struct("Probe").field("v2", &self.v2).field("authorization", &authorization).finish()
    }
}

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(50);
