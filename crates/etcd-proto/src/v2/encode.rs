//! From a typed operation to an HTTP request.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use percent_encoding::utf8_percent_encode;
use serde::Serialize;

use super::Compare;
use super::key::ENCODED;
use crate::{Error, ErrorKind};

/// Bytes that etcd takes of a connection's first request line in plain text, CRLF included (3.4, 3.5). One more
/// and it resets the connection without an answer.
pub(crate) const MAX_REQUEST_LINE: usize = 4096;

/// Bytes that etcd takes of a form body (3.4, 3.5).
const MAX_BODY: usize = 10 * 1024 * 1024;

/// A request in the making: method and path, then query and body.
pub(crate) struct RequestBuilder {
    method: Method,
    target: String,
    body: Body,
}

enum Body {
    None,
    Form(String),
    Json(Vec<u8>),
}

impl RequestBuilder {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, target: path.into(), body: Body::None }
    }

    /// Adds parameters to the query, where GET and DELETE are read from.
    pub(crate) fn query(mut self, form: Form) -> Self {
        if !form.0.is_empty() {
            self.target.push('?');
            self.target.push_str(&form.0);
        }
        self
    }

    /// Puts parameters into the body, where PUT and POST are read from and values have room.
    pub(crate) fn form(mut self, form: Form) -> Self {
        self.body = Body::Form(form.0);
        self
    }

    /// Puts JSON into the body.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`] for what serde cannot write as JSON.
    pub(crate) fn json(mut self, value: &impl Serialize) -> Result<Self, Error> {
        self.body = Body::Json(serde_json::to_vec(value).map_err(|source| {
            Error::new(ErrorKind::InvalidValue, "the request cannot be written as JSON").with_source(source)
        })?);
        Ok(self)
    }

    /// Checks the lengths that the server takes, and builds.
    ///
    /// # Errors
    /// [`ErrorKind::RequestTooLong`].
    pub(crate) fn build(self) -> Result<Request<Bytes>, Error> {
        let line = self.method.as_str().len() + self.target.len() + "  HTTP/1.1\r\n".len();
        if line > MAX_REQUEST_LINE {
            return Err(Error::new(
                ErrorKind::RequestTooLong,
                format!(
                    "the request line has {line} bytes, etcd takes {MAX_REQUEST_LINE}; a long prevValue of a \
                     delete can be replaced by prevIndex"
                ),
            ));
        }
        let (content_type, body) = match self.body {
            Body::None => (None, Bytes::new()),
            Body::Form(form) => (Some("application/x-www-form-urlencoded"), Bytes::from(form)),
            Body::Json(json) => (Some("application/json"), Bytes::from(json)),
        };
        if body.len() > MAX_BODY {
            return Err(Error::new(
                ErrorKind::RequestTooLong,
                format!("the encoded value has {} bytes, etcd takes {MAX_BODY}", body.len()),
            ));
        }
        let mut request =
            Request::builder().method(self.method).uri(self.target).body(body).map_err(|source| {
                Error::new(ErrorKind::InvalidName, "the request's path is no URI").with_source(source)
            })?;
        if let Some(content_type) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Ok(request)
    }
}

/// `name=value` pairs, percent-encoded and joined by `&`. Etcd built with Go 1.17 or later refuses a bare `;`,
/// and reads `+` as a space.
#[derive(Default)]
pub(crate) struct Form(String);

impl Form {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn pair(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, ENCODED));
        self
    }

    pub(crate) fn pair_if(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.pair(name, &value.to_string()),
            None => self,
        }
    }

    /// The condition of a compare-and-swap or -delete.
    pub(crate) fn compare(self, compare: Option<&Compare>) -> Self {
        let Some(compare) = compare else { return self };
        self.pair_if("prevValue", compare.prev_value()).pair_if("prevIndex", compare.prev_index())
    }

    /// `name=true`, or nothing: an absent flag is false to etcd.
    pub(crate) fn flag(self, name: &str, set: bool) -> Self {
        if set { self.pair(name, "true") } else { self }
    }
}

/// A path element that is neither empty nor a dot element and has no slash in it, percent-encoded.
///
/// # Errors
/// [`ErrorKind::InvalidName`], naming what the name is of.
pub(crate) fn path_element(what: &str, name: &str) -> Result<String, Error> {
    if matches!(name, "" | "." | "..") || name.contains('/') {
        return Err(Error::new(
            ErrorKind::InvalidName,
            format!("{what} {name:?} is empty, a dot element or has a slash in it"),
        ));
    }
    Ok(utf8_percent_encode(name, ENCODED).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_separates_by_ampersand_and_encodes_the_rest() {
        let form = Form::new().pair("value", "a+b&c;d%e f").flag("dir", false).flag("refresh", true);
        assert_eq!(form.0, "value=a%2Bb%26c%3Bd%25e%20f&refresh=true");
    }

    #[test]
    fn a_request_that_the_server_would_cut_off_is_refused() {
        let query = |n: usize| Form::new().pair("prevValue", &"v".repeat(n));
        let room = MAX_REQUEST_LINE - "DELETE /v2/keys/a?prevValue= HTTP/1.1\r\n".len();
        let build = |n| RequestBuilder::new(Method::DELETE, "/v2/keys/a").query(query(n)).build();
        assert!(build(room).is_ok());
        assert_eq!(build(room + 1).unwrap_err().kind(), ErrorKind::RequestTooLong);
    }

    #[test]
    fn a_body_may_have_ten_mebibytes() {
        let build = |n: usize| {
            let form = Form::new().pair("value", &"v".repeat(n));
            RequestBuilder::new(Method::PUT, "/v2/keys/a").form(form).build()
        };
        assert!(build(MAX_BODY - "value=".len()).is_ok());
        assert_eq!(build(MAX_BODY).unwrap_err().kind(), ErrorKind::RequestTooLong);
    }

    #[test]
    fn names_stay_one_element() {
        assert_eq!(path_element("user", "a b").unwrap(), "a%20b");
        for name in ["", ".", "..", "a/b"] {
            assert_eq!(path_element("user", name).unwrap_err().kind(), ErrorKind::InvalidName);
        }
    }
}
