//! The recordings as they stand on disk: two formats, one type.

use std::fmt;
use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// The server that a recording comes from, as far as its rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// 0.3.0, 0.4.6 and 0.4.9.
    V0,
    /// 2.3.8.
    V2,
    /// 3.4.23 and 3.5.30.
    V3,
}

impl Server {
    /// Whether `;` separates the parameters of a form, as in Go before 1.17, and is not an error.
    pub(crate) fn splits_at_semicolons(self) -> bool {
        match self {
            Self::V0 | Self::V2 => true,
            Self::V3 => false,
        }
    }
}

/// One request and what came back.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) server: Server,
    /// File below `tests/recordings` and place in it.
    pub(crate) file: String,
    number: usize,
    pub(crate) method: String,
    /// Path and query, exactly as sent.
    pub(crate) target: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    /// `None` where not even headers came.
    pub(crate) answer: Option<Answer>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The recorder's own reading of the body, where it kept one: one value, or those of a stream.
    pub(crate) json: Option<Vec<Value>>,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.id(), self.method, self.target)
    }
}

impl Exchange {
    /// File and place in it.
    pub(crate) fn id(&self) -> String {
        format!("{}#{}", self.file, self.number)
    }
}

impl Answer {
    /// The body as one JSON value; `None` where it is something else.
    pub(crate) fn value(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as a row of JSON values, read by serde's own splitter.
    pub(crate) fn values(&self) -> Vec<Value> {
        serde_json::Deserializer::from_slice(&self.body).into_iter().map(Result::unwrap).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Every recorded exchange, in the order of file names.
pub(crate) fn all() -> Vec<Exchange> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    FOLDERS.iter().flat_map(|(folder, server)| folder_exchanges(&root, folder, *server)).collect()
}

fn folder_exchanges(root: &Path, folder: &str, server: Server) -> Vec<Exchange> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|path| {
            let file = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
            let exchanges: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            exchanges
                .iter()
                .enumerate()
                .map(|(number, exchange)| read(server, file.clone(), number, exchange))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn read(server: Server, file: String, number: usize, exchange: &Value) -> Exchange {
    let request = &exchange["request"];
    let text = |name: &str| request[name].as_str().unwrap().to_owned();
    let mut content_type = request["headers"]["Content-Type"].as_str().map(Into::into);
    let body = match (request.get("form").and_then(Value::as_object), request.get("body")) {
        (Some(form), _) => {
            content_type = Some("application/x-www-form-urlencoded".into());
            let pairs: Vec<String> = form
                .iter()
                .map(|(name, value)| format!("{name}={}", escape(value.as_str().unwrap())))
                .collect();
            pairs.join("&").into_bytes()
        }
        // One file shows bytes that are no UTF-8 as Latin-1.
        (None, Some(Value::String(body))) => body.chars().map(|c| u8::try_from(c).unwrap()).collect(),
        (None, _) => Vec::new(),
    };
    Exchange {
        server,
        file,
        number,
        method: text("method"),
        target: text("path"),
        content_type,
        body,
        answer: exchange["response"].as_object().map(|_| read_answer(&exchange["response"])),
    }
}

fn read_answer(answer: &Value) -> Answer {
    let headers = answer["headers"].as_object().unwrap().iter().map(|(name, value)| {
        let name: HeaderName = name.to_lowercase().parse().unwrap();
        (name, HeaderValue::from_str(value.as_str().unwrap()).unwrap())
    });
    let one = answer.get("json").map(|value| vec![value.clone()]);
    let many = answer.get("jsonl").map(|values| values.as_array().unwrap().clone());
    Answer {
        status: StatusCode::from_u16(answer["status"].as_u64().unwrap().try_into().unwrap()).unwrap(),
        headers: headers.collect(),
        body: answer["body"].as_str().unwrap().as_bytes().to_vec(),
        json: one.or(many),
    }
}

/// As the recorder sent the fields of a form.
fn escape(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

const FOLDERS: &[(&str, Server)] = &[
    ("v0.4/v0.3.0", Server::V0),
    ("v0.4/v0.4.6", Server::V0),
    ("v0.4/v0.4.9", Server::V0),
    ("v0.4/v2.3.8", Server::V2),
    ("v2", Server::V3),
];
