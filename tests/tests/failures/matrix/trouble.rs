//! What a row has happen.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use etcd_client::v2::Client;
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{Change, Fault, InProcess, Rule};
use etcd_tests::Wire;
use etcd_transport::{Endpoints, ReqBody, RespBody, Transport};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};
use tower::ServiceExt as _;

/// What happens to the requests of one call, or to the cluster meanwhile.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// The member in use has this fault.
    InUse(Fault),
    /// All members have it.
    Everywhere(Fault),
    /// The member in use has the first for one request and the second ever after.
    First(Fault, Fault),
    /// Just before the first copy is answered.
    Before(Change),
    /// The member in use dies when it gets the request.
    Dies,
    /// The member in use sends it to another one.
    ToAnother,
    /// Something at the member in use answers so.
    Page(Page),
}

/// An answer that no etcd gives, or in another way.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) status: Option<u16>,
    pub(super) content_type: Option<&'static str>,
    pub(super) location: Option<&'static str>,
    pub(super) body: Option<Bytes>,
    /// Whether etcd had the request, and gave the rest of the answer.
    pub(super) is_behind_etcd: bool,
}

/// What the connections do besides passing requests on.
#[derive(Clone, Debug, Default)]
pub(super) struct Tamper(Arc<Mutex<Option<Plan>>>);

#[derive(Clone, Debug)]
struct Plan {
    authority: String,
    method: Method,
    page: Page,
}

impl Trouble {
    /// Has it happen at this member, the one in use, to requests with this method and path.
    pub(super) fn begin(
        self,
        etcd: &InProcess,
        tamper: &Tamper,
        in_use: usize,
        (method, path): (Method, String),
    ) {
        let faults = etcd.faults();
        let rule = |fault| Rule::new(fault).method(method.clone()).path_prefix(path.clone());
        match self {
            Self::InUse(fault) => faults.add(rule(fault).member(in_use)),
            Self::Everywhere(fault) => faults.add(rule(fault)),
            Self::First(first, then) => {
                faults.add(rule(first).member(in_use).nth(1));
                faults.add(rule(then).member(in_use));
            }
            Self::Before(change) => faults.add(rule(Fault::Change(change)).nth(1)),
            Self::Dies => {
                faults.add(rule(Fault::Change(Change::Kill(in_use))).member(in_use).nth(1));
            }
            Self::ToAnother => {
                let another = &etcd.endpoints()[(in_use + 1) % 3];
                faults.add(rule(Fault::Redirect(format!("{another}{path}"))).member(in_use));
            }
            Self::Page(page) => {
                let endpoint = etcd.endpoints()[in_use].clone();
                let authority = endpoint.trim_start_matches("http://").to_owned();
                *tamper.0.lock().unwrap() = Some(Plan { authority, method, page });
            }
        }
    }
}

impl Tamper {
    /// A client of all members over connections that tamper.
    pub(super) fn client(&self, etcd: &InProcess) -> Client {
        let (tamper, wire) = (self.clone(), Wire::new(etcd));
        let connection = tower::service_fn(move |request: Request<ReqBody>| {
            let (plan, wire) = (tamper.plan(&request), wire.clone());
            async move {
                match plan {
                    Some(Page { is_behind_etcd: false, .. }) | None => {}
                    Some(page) => {
                        let answer = wire.oneshot(request).await?;
                        return Ok(page.over(answer.map(RespBody::wrap)));
                    }
                }
                match plan {
                    Some(page) => Ok(page.over(Response::default())),
                    None => wire.oneshot(request).await.map(|answer| answer.map(RespBody::wrap)),
                }
            }
        });
        let endpoints = Endpoints::parse(&etcd.endpoints().join(",")).unwrap();
        let transport = Transport::builder(endpoints).build_with::<_, RespBody, _, _, _>(connection);
        Client::from_transport(transport.unwrap())
    }

    pub(super) fn clear(&self) {
        *self.0.lock().unwrap() = None;
    }

    fn plan(&self, request: &Request<ReqBody>) -> Option<Page> {
        let plan = self.0.lock().unwrap().clone()?;
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        let is_meant = authority == Some(&*plan.authority) && *request.method() == plan.method;
        is_meant.then_some(plan.page)
    }
}

impl Page {
    /// Of something between, in place of etcd.
    pub(super) fn instead(status: u16, content_type: &'static str, body: &'static str) -> Self {
        let body = Some(Bytes::from_static(body.as_bytes()));
        Self {
            status: Some(status),
            content_type: Some(content_type),
            location: None,
            body,
            is_behind_etcd: false,
        }
    }

    /// A redirect, from something between.
    pub(super) fn redirect(status: u16) -> Self {
        let page = Self::instead(status, "text/plain", "");
        Self { location: Some("http://elsewhere.example/v2/keys/k"), ..page }
    }

    /// Etcd's answer with another body.
    pub(super) fn body(body: impl Into<Bytes>) -> Self {
        let body = Some(body.into());
        Self { status: None, content_type: None, location: None, body, is_behind_etcd: true }
    }

    /// Etcd's answer under another media type.
    pub(super) fn content_type(content_type: &'static str) -> Self {
        let content_type = Some(content_type);
        Self { status: None, content_type, location: None, body: None, is_behind_etcd: true }
    }

    /// Of something between that has passed the request on and lost patience.
    pub(super) fn behind(status: u16, content_type: &'static str, body: &'static str) -> Self {
        Self { is_behind_etcd: true, ..Self::instead(status, content_type, body) }
    }

    fn over(self, mut answer: Response<RespBody>) -> Response<RespBody> {
        if let Some(status) = self.status {
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            // What stands between knows nothing of etcd's headers.
            answer.headers_mut().clear();
        }
        for (name, value) in [(CONTENT_TYPE, self.content_type), (LOCATION, self.location)] {
            if let Some(value) = value {
                answer.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        match self.body {
            Some(body) => answer.map(|_| RespBody::from(body)),
            None => answer,
        }
    }
}
