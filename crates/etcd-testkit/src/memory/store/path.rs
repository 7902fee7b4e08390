//! Canonical paths of keys: `/`, or elements each behind a slash, as bytes.
//!
//! Bytes, since a key is the decoded path of a URL and need not be UTF-8. A `%2F` in it is a slash like any other.
//! Elements that are empty, `.` or `..` do not occur: Go's mux redirects a request with such a path before the
//! store sees it.

use bytes::Bytes;

/// The elements of a canonical path, each with the offset at which it ends; none for the root.
pub(crate) fn elements(path: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    let mut end = 0;
    path.split(|byte| *byte == b'/').filter_map(move |element| {
        end += element.len() + 1;
        (!element.is_empty()).then_some((element, end - 1))
    })
}

/// The canonical form of a path with whatever slashes; the root for one without elements.
pub(crate) fn canonical(path: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(path.len() + 1);
    for element in path.split(|byte| *byte == b'/').filter(|element| !element.is_empty()) {
        out.push(b'/');
        out.extend_from_slice(element);
    }
    if out.is_empty() {
        out.push(b'/');
    }
    out.into()
}

/// The part of `path` up to `end`; the whole of it where `end` lies behind.
pub(crate) fn prefix(path: &Bytes, end: usize) -> Bytes {
    path.slice(..end.min(path.len()))
}

/// Directory and last element; `None` for the root.
pub(crate) fn split_last(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|byte| *byte == b'/')?;
    let (parent, name) = path.split_at(slash);
    let name = name.strip_prefix(b"/").unwrap_or(name);
    (!name.is_empty()).then_some((parent, name))
}

/// The path of `name` in `directory`.
pub(crate) fn join(directory: &[u8], name: &[u8]) -> Bytes {
    let directory = if directory == b"/" { b"" } else { directory };
    [directory, b"/", name].concat().into()
}

/// What follows `ancestor` in `path`, with its slash; empty for the same path, `None` if not at or below it. By
/// elements: `/ab` is not below `/a`.
pub(crate) fn relative<'a>(path: &'a [u8], ancestor: &[u8]) -> Option<&'a [u8]> {
    if ancestor == b"/" {
        return Some(if path == b"/" { b"" } else { path });
    }
    let rest = path.strip_prefix(ancestor)?;
    (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
}

/// Whether an element of `rest`, which starts with a slash, begins with an underscore: then it is hidden from
/// listings and recursive watches above, though not from whoever names it.
pub(crate) fn has_hidden_element(rest: &[u8]) -> bool {
    rest.windows(2).any(|pair| pair == b"/_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_know_where_they_end() {
        let path = Bytes::from("/a/bc");
        let all: Vec<_> = elements(&path).map(|(name, end)| (name, prefix(&path, end))).collect();
        assert_eq!(all, [(&b"a"[..], "/a".into()), (&b"bc"[..], "/a/bc".into())]);
        assert_eq!(elements(b"/").count(), 0);
    }

    #[test]
    fn ancestry_compares_elements() {
        assert_eq!(relative(b"/a/b", b"/a"), Some(&b"/b"[..]));
        assert_eq!(relative(b"/a", b"/a"), Some(&b""[..]));
        assert_eq!(relative(b"/ab", b"/a"), None);
        assert_eq!(relative(b"/ab", b"/"), Some(&b"/ab"[..]));
        assert_eq!(split_last(b"/a/b"), Some((&b"/a"[..], &b"b"[..])));
        assert_eq!(split_last(b"/a"), Some((&b""[..], &b"a"[..])));
        assert_eq!(split_last(b"/"), None);
        assert_eq!(join(b"/", b"a"), "/a");
    }
}
