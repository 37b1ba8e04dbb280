//! Partial answers (`fields=`): `-links` removes, `+values.user.email` adds, a bare list keeps nothing else.

use serde_json::{Map, Value};

/// The part of an object that was asked for. `hidden` fields are only in it if one asks with `+`.
pub(crate) fn selected(mut object: Value, fields: &str, hidden: &[&str]) -> Value {
    let fields: Vec<&str> = fields.split(',').map(str::trim).filter(|field| !field.is_empty()).collect();
    let is_added = |field: &str| fields.iter().any(|wanted| wanted.strip_prefix('+') == Some(field));
    for field in hidden.iter().filter(|field| !is_added(field)) {
        remove(&mut object, field);
    }
    let kept: Vec<&str> = fields.iter().filter(|field| !field.starts_with(['+', '-'])).copied().collect();
    if !kept.is_empty() {
        let added = fields.iter().filter_map(|field| field.strip_prefix('+'));
        let wanted: Vec<&str> = kept.iter().copied().chain(added).collect();
        object = keep(&object, &wanted);
    }
    for field in fields.iter().filter_map(|field| field.strip_prefix('-')) {
        remove(&mut object, field);
    }
    object
}

fn keep(value: &Value, wanted: &[&str]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| keep(item, wanted)).collect(),
        Value::Object(object) => {
            let mut kept = Map::new();
            for (name, inner) in object {
                let below: Vec<&str> = wanted.iter().filter_map(|path| rest_of(path, name)).collect();
                if below.contains(&"") {
                    kept.insert(name.clone(), inner.clone());
                } else if !below.is_empty() {
                    kept.insert(name.clone(), keep(inner, &below));
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

/// What is left of a path below this name; empty at its end.
fn rest_of<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    (first == "*" || first == name).then_some(rest)
}

fn remove(value: &mut Value, path: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, path)),
        Value::Object(object) => match path.split_once('.') {
            None => {
                object.remove(path);
            }
            Some((first, rest)) => {
                if let Some(inner) = object.get_mut(first) {
                    remove(inner, rest);
                }
            }
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_cut_to_what_was_asked_for() {
        let page = || json!({"next": "n", "values": [{"name": "a", "links": {"self": 1}, "user": {"email": "e", "id": 1}}]});
        let rows = [
            ("", json!({"next": "n", "values": [{"name": "a", "links": {"self": 1}, "user": {"id": 1}}]})),
            ("values.name,next", json!({"next": "n", "values": [{"name": "a"}]})),
            ("-values.links,-next", json!({"values": [{"name": "a", "user": {"id": 1}}]})),
            (
                "+values.user.email,-values.links",
                json!({"next": "n", "values": [{"name": "a", "user": {"email": "e", "id": 1}}]}),
            ),
            ("*", json!({"next": "n", "values": [{"name": "a", "links": {"self": 1}, "user": {"id": 1}}]})),
        ];
        for (fields, expected) in rows {
            assert_eq!(selected(page(), fields, &["values.user.email"]), expected, "{fields}");
        }
    }
}
