//! Whether auth is on.

use bytes::Bytes;
use http::{Method, Request};
use serde::{Deserialize, Serialize};

use super::AuthCall;
use crate::v2::Response;
use crate::v2::decode::Answer;
use crate::v2::encode::RequestBuilder;
use crate::{Error, Idempotence};

/// Asks whether auth is on; open to all.
///
/// Before etcd 2.1 there is no such call: [`ErrorKind::V2NotEnabled`](crate::ErrorKind::V2NotEnabled).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GetAuthStatus {}

/// Turns auth on. There must be a user `root`; a role `guest` that may do everything is made if there is none.
///
/// | status | message |
/// | --- | --- |
/// | 200 | none, the body is empty |
/// | 409 | `auth: already enabled`, or `auth: No root user available, please create one` |
///
/// After an unknown outcome ask [`GetAuthStatus`], or repeat it: "already enabled" is then as good as 200.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EnableAuth {}

/// Turns auth off; 409 if it is off already. Users and roles stay for the next time.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DisableAuth {}

impl GetAuthStatus {
    /// Asks whether auth is on.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl EnableAuth {
    /// Turns auth on.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl DisableAuth {
    /// Turns auth off.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

/// Whether auth is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuthStatus {
    /// Whether it is.
    pub enabled: bool,
}

impl AuthStatus {
    /// An answer of a server, for services that stand in for one.
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        Self { enabled }
    }
}

// === impl AuthCall ===

impl AuthCall for GetAuthStatus {
    const IDEMPOTENCE: Idempotence = Idempotence::Read;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::GET, PATH).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        answer.json().map(Response::AuthStatus)
    }
}

impl AuthCall for EnableAuth {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::PUT, PATH).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        answer.done().map(Response::Done)
    }
}

impl AuthCall for DisableAuth {
    const IDEMPOTENCE: Idempotence = Idempotence::Once;

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::DELETE, PATH).build()
    }

    fn decode(answer: &Answer<'_>) -> Result<Response, Error> {
        answer.done().map(Response::Done)
    }
}

const PATH: &str = "/v2/auth/enable";
