//! What of an answer can differ from one run to the next, taken out.

use serde_json::Value;

/// A body with its volatile parts replaced. Indexes and cluster ids are not volatile here: the replay starts its
/// store where the recording started.
pub(crate) fn body(scenario: &str, path: &str, body: &str) -> String {
    let is_json = body.starts_with('{');
    if path.starts_with("/v2/stats") && is_json {
        return shape(&serde_json::from_str(body).unwrap()).to_string();
    }
    if path.starts_with("/metrics") {
        // The recording was cut after the first metric.
        return body.lines().take(3).collect::<Vec<_>>().join("\n");
    }
    let body = replace_expirations(body);
    if path.starts_with("/version") && is_json {
        return replace_patch(&body);
    }
    if path.starts_with("/v2/machines") || scenario.starts_with("members") || path.starts_with("/v2/members")
    {
        return members(&body);
    }
    if path.contains("sorted=true") { body } else { sort_listing(&body) }
}

/// A time becomes `T`: its text is fixed-width but for the fraction.
fn replace_expirations(body: &str) -> String {
    let mut parts = body.split("\"expiration\":\"");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (time, rest) = part.split_once('"').unwrap();
        assert!(time.len() >= 20 && time.ends_with('Z') && time.get(10..11) == Some("T"), "{time}");
        out.push_str("\"expiration\":\"T\"");
        out.push_str(rest);
    }
    out
}

/// Patch numbers differ between the recorded servers and the profiles.
fn replace_patch(body: &str) -> String {
    let mut version: Value = serde_json::from_str(body).unwrap();
    let server = version["etcdserver"].as_str().unwrap();
    version["etcdserver"] = Value::String(server.rsplit_once('.').unwrap().0.to_owned());
    version.to_string()
}

/// Ids, names and ports become letters, and the order of members, which is that of ids, the alphabet's.
fn members(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else {
        return replace_ports(&replace_ids(body));
    };
    if let Some(members) = value.get_mut("members").and_then(Value::as_array_mut) {
        members.iter_mut().for_each(blank_name);
        members.sort_by_key(|member| replace_ports(&replace_ids(&member.to_string())));
    } else {
        blank_name(&mut value);
    }
    let end = if body.ends_with('\n') { "\n" } else { "" };
    replace_ports(&replace_ids(&value.to_string())) + end
}

fn blank_name(member: &mut Value) {
    if let Some(name) = member.get_mut("name").filter(|name| name.as_str() != Some("")) {
        *name = Value::String("NAME".into());
    }
}

fn replace_ids(text: &str) -> String {
    replace_runs(text, |run| run.len() >= 14 && run.bytes().all(|byte| byte.is_ascii_hexdigit()), "ID")
}

fn replace_ports(text: &str) -> String {
    replace_runs(text, |run| run.len() == 5 && run.bytes().all(|byte| byte.is_ascii_digit()), "PORT")
}

fn replace_runs(text: &str, is_volatile: impl Fn(&str) -> bool, with: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_alphanumeric() {
            run.push(character);
            continue;
        }
        out.push_str(if is_volatile(&run) { with } else { &run });
        run.clear();
        out.push(character);
    }
    out.trim_end_matches('\0').to_owned()
}

/// The order of an unsorted listing is random on real servers.
fn sort_listing(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    if value["node"]["nodes"].is_null() {
        return body.to_owned();
    }
    sort_nodes(&mut value["node"]);
    value.to_string()
}

fn sort_nodes(node: &mut Value) {
    let Some(nodes) = node.get_mut("nodes").and_then(Value::as_array_mut) else { return };
    nodes.iter_mut().for_each(sort_nodes);
    nodes.sort_by_key(|node| node["key"].as_str().unwrap().to_owned());
}

/// Names of fields and sorts of values.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect())
        }
        Value::Number(_) => "number".into(),
        Value::String(text) if text.starts_with("State") => text.as_str().into(),
        Value::String(_) => "text".into(),
        other => other.clone(),
    }
}
