//! Reading forms by the rules of Go's `Request.ParseForm`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};

use super::escape::{self, Plus};
use super::form::Form;
use super::media_type;

/// The parameters of a request; `Err` is Go's text of why they cannot be read.
///
/// The body counts for `PUT`, `POST` and `PATCH` with the content type of forms, and before the query; else it is
/// not looked at. A form of more than 10 MiB is refused.
pub(crate) fn parse(request: &Request<Bytes>) -> Result<Form, String> {
    let mut form = Form::default();
    let body = match *request.method() {
        Method::PUT | Method::POST | Method::PATCH => parse_body(request, &mut form),
        _ => Ok(()),
    };
    let query = parse_pairs(request.uri().query().unwrap_or_default().as_bytes(), &mut form);
    body.and(query).map(|()| form)
}

/// Whether a query asks for a watch; what cannot be read of it does not count.
pub(crate) fn waits(query: Option<&str>) -> bool {
    let mut form = Form::default();
    // The server refuses such a query; until then the other pairs say what is meant.
    let _ = parse_pairs(query.unwrap_or_default().as_bytes(), &mut form);
    form.flag("wait") == Ok(true)
}

fn parse_body(request: &Request<Bytes>, form: &mut Form) -> Result<(), String> {
    let Some(header) = request.headers().get(CONTENT_TYPE).filter(|header| !header.is_empty()) else {
        return Ok(());
    };
    let (media_type, problem) = match media_type::parse(header.as_bytes()) {
        Ok(media_type) => (Some(media_type), Ok(())),
        Err(bad) => (bad.media_type, Err(bad.message.to_owned())),
    };
    if media_type.as_deref() != Some("application/x-www-form-urlencoded") {
        return problem;
    }
    if request.body().len() > MAX_BODY {
        return Err("http: POST too large".into());
    }
    // The trouble with the type was there first.
    problem.and(parse_pairs(request.body(), form))
}

/// Reads `name=value` pairs. All good pairs are kept; the error is the first bad escape, but for a semicolon,
/// which wins over it.
fn parse_pairs(text: &[u8], form: &mut Form) -> Result<(), String> {
    let mut outcome = Ok(());
    for piece in text.split(|byte| *byte == b'&') {
        if piece.contains(&b';') {
            outcome = Err("invalid semicolon separator in query".to_owned());
            continue;
        }
        if piece.is_empty() {
            continue;
        }
        let mut parts = piece.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let name = escape::unescape(name, Plus::IsBlank);
        match name.and_then(|name| Ok((name, escape::unescape(value, Plus::IsBlank)?))) {
            Ok((name, value)) => form.add(name, value),
            Err(bad) if outcome.is_ok() => {
                outcome = Err(format!("invalid URL escape {}", escape::quote(&bad.0)));
            }
            Err(_) => {}
        }
    }
    outcome
}

/// Go's own limit of forms.
const MAX_BODY: usize = 10 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, target: &str, content_type: &str, body: impl Into<Bytes>) -> Request<Bytes> {
        let builder = Request::builder().method(method).uri(target).header(CONTENT_TYPE, content_type);
        builder.body(body.into()).unwrap()
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn the_body_wins_over_the_query_and_the_first_of_a_name_over_the_second() {
        let form = parse(&request(Method::PUT, "/?a=q&b=q&b=r", FORM, "a=x+y&a=z&c")).unwrap();
        assert_eq!((form.text("a"), form.text("b")), (&b"x y"[..], &b"q"[..]));
        assert_eq!((form.get("c"), form.get("d")), (Some(&b""[..]), None));
    }

    #[test]
    fn a_body_counts_only_as_the_form_of_a_write() {
        for (method, content_type) in
            [(Method::DELETE, FORM), (Method::GET, FORM), (Method::PUT, "text/plain"), (Method::PUT, "")]
        {
            let form = parse(&request(method, "/", content_type, "a=%zz;")).unwrap();
            assert_eq!(form.get("a"), None);
        }
    }

    #[test]
    fn a_semicolon_wins_over_a_bad_escape_and_the_body_over_the_query() {
        let error =
            |target: &str, body: &'static str| parse(&request(Method::PUT, target, FORM, body)).unwrap_err();
        assert_eq!(error("/", "a=%zz&b=%yy"), "invalid URL escape \"%zz\"");
        assert_eq!(error("/", "a=%zz&b;c"), "invalid semicolon separator in query");
        assert_eq!(error("/?a;b", "a=%zz"), "invalid URL escape \"%zz\"");
    }

    #[test]
    fn a_form_of_more_than_ten_mebibytes_is_refused() {
        let body = |len: usize| Bytes::from(vec![b'a'; len]);
        assert!(parse(&request(Method::PUT, "/", FORM, body(MAX_BODY))).is_ok());
        let error = parse(&request(Method::PUT, "/", FORM, body(MAX_BODY + 1))).unwrap_err();
        assert_eq!(error, "http: POST too large");
    }
}
