//! The recorded exchanges, as they stand in `etcd-proto`'s tests (its README tells the format).

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;

/// A recorded scenario.
pub(crate) struct Scenario {
    /// Name of the file without `.json`.
    pub(crate) name: String,
    pub(crate) exchanges: Vec<Exchange>,
}

/// A request and what a real server answered.
pub(crate) struct Exchange {
    request: Value,
    response: Value,
}

impl Scenario {
    /// Every scenario, in the order of names.
    pub(crate) fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etcd-proto/tests/recordings/v2");
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        files.iter().map(|file| Self::load(file)).collect()
    }

    pub(crate) fn named(name: &str) -> Self {
        Self::all().into_iter().find(|scenario| scenario.name == name).unwrap()
    }

    fn load(file: &Path) -> Self {
        let exchanges: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let exchanges = exchanges
            .into_iter()
            .map(|mut exchange| Exchange {
                request: exchange["request"].take(),
                response: exchange["response"].take(),
            })
            .collect();
        Self { name: file.file_stem().unwrap().to_str().unwrap().to_owned(), exchanges }
    }
}

impl Exchange {
    /// For a watch in the background: the exchange before which it was opened.
    pub(crate) fn opened_before(&self) -> Option<usize> {
        let place = self.request.get("opened_before_exchange")?.as_u64().unwrap();
        Some(usize::try_from(place).unwrap())
    }

    /// Whether the body of a watch in the background had ended.
    pub(crate) fn body_ended(&self) -> bool {
        self.request["body_ended"].as_bool().unwrap()
    }

    pub(crate) fn method(&self) -> Method {
        self.request["method"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn path(&self) -> &str {
        self.request["path"].as_str().unwrap()
    }

    pub(crate) fn status(&self) -> u16 {
        self.response["status"].as_u64().unwrap().try_into().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response["headers"].get(name)?.as_str()
    }

    pub(crate) fn body(&self) -> &str {
        self.response["body"].as_str().unwrap()
    }

    /// The request as it was sent, with ids and URLs of members replaced.
    pub(crate) fn request(&self, translate: impl Fn(&str) -> String) -> Request<Bytes> {
        let mut builder = Request::builder().method(self.method()).uri(translate(self.path()));
        for (name, value) in self.request["headers"].as_object().into_iter().flatten() {
            builder = builder.header(name.as_str(), value.as_str().unwrap());
        }
        let body = match (self.request["form"].as_object(), self.request["body"].as_str()) {
            (Some(form), _) => {
                builder = builder.header("content-type", "application/x-www-form-urlencoded");
                let pair =
                    |(name, value): (&String, &Value)| format!("{name}={}", escape(value.as_str().unwrap()));
                form.iter().map(pair).collect::<Vec<_>>().join("&").into()
            }
            // Bytes that are no UTF-8 are shown as Latin-1.
            (None, Some(body)) => {
                translate(body).chars().map(|character| u8::try_from(character).unwrap()).collect()
            }
            (None, None) => Bytes::new(),
        };
        builder.body(body).unwrap()
    }
}

fn escape(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
