//! What can be taken for a list of members.

/// One or several members: a text such as `"10.0.0.1, 10.0.0.2:2379"`, or a list of such texts.
///
/// Each text holds URLs or `host[:port]`, separated by commas, semicolons or white space; the port is 2379 by
/// default.
pub trait EndpointList {
    /// All of them in one text.
    fn into_list(self) -> String;
}

impl EndpointList for &str {
    fn into_list(self) -> String {
        self.to_owned()
    }
}

impl EndpointList for String {
    fn into_list(self) -> String {
        self
    }
}

impl EndpointList for &String {
    fn into_list(self) -> String {
        self.clone()
    }
}

impl<S: AsRef<str>> EndpointList for &[S] {
    fn into_list(self) -> String {
        self.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(",")
    }
}

impl<S: AsRef<str>, const N: usize> EndpointList for [S; N] {
    fn into_list(self) -> String {
        self.as_slice().into_list()
    }
}

impl<S: AsRef<str>> EndpointList for Vec<S> {
    fn into_list(self) -> String {
        self.as_slice().into_list()
    }
}

impl<S: AsRef<str>> EndpointList for &Vec<S> {
    fn into_list(self) -> String {
        self.as_slice().into_list()
    }
}
