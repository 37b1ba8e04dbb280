//! Asks a fake, and holds its answers against what Bitbucket publishes about them.

use crate::client;
use jsonschema::{Draft, Validator};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What Bitbucket publishes about one of its APIs.
pub(crate) trait Description {
    /// Parameters at the end of a path that stand for any number of parts.
    const OPEN: &'static [&'static str];
    /// Whether an operation counts as asked that was refused.
    const REFUSALS_COUNT: bool;

    /// The document, with what it is known to get wrong mended.
    fn document(&self) -> &Value;

    /// What is wrong with an answer.
    fn problems(&self, asked: &Asked<'_>, answer: &Value) -> Vec<String>;
}

/// What was asked, and the status that came.
pub(crate) struct Asked<'a> {
    /// In small letters, as descriptions have it.
    pub(crate) method: &'a str,
    /// With its query.
    pub(crate) path: &'a str,
    /// The path of the operation, with its parameters.
    pub(crate) operation: &'a str,
    pub(crate) status: u16,
}

pub(crate) struct Asker<D> {
    description: D,
    /// What every path begins with.
    base: String,
    asked: BTreeSet<String>,
    problems: Vec<String>,
}

impl<D: Description> Asker<D> {
    pub(crate) fn new(base: String, description: D) -> Self {
        Self { description, base, asked: BTreeSet::new(), problems: Vec::new() }
    }

    /// Asks, checks the answer against the description and gives it; null if it is 204. Without a token if it is empty.
    pub(crate) async fn ask(
        &mut self,
        token: &str,
        request: &str,
        body: Option<Value>,
        expected: u16,
    ) -> Value {
        let text = self.send(token, request, body, expected).await;
        if expected == 204 {
            assert_eq!(text, "", "{request}");
            return Value::Null;
        }
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{request}: {error}: {text}"));
        let (method, path) = request.split_once(' ').unwrap();
        let method = method.to_lowercase();
        let operation = operation::<D>(self.description.document(), &method, path.split('?').next().unwrap());
        let asked = Asked { method: &method, path, operation: &operation, status: expected };
        let problems = self.description.problems(&asked, &answer);
        self.problems.extend(problems.into_iter().map(|problem| format!("{request}: {problem}")));
        if D::REFUSALS_COUNT || expected < 300 {
            self.asked.insert(format!("{method} {operation}"));
        }
        answer
    }

    /// The text of the answer, whose status is `expected`.
    async fn send(&self, token: &str, request: &str, body: Option<Value>, expected: u16) -> String {
        let (method, path) = request.split_once(' ').unwrap();
        let url = format!("{}{path}", self.base);
        let mut sent = client().request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        if !token.is_empty() {
            sent = sent.bearer_auth(token);
        }
        if let Some(body) = body {
            sent = sent.json(&body);
        }
        let answer = sent.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert_eq!(status, expected, "{request}: {text}");
        text
    }

    /// Every answer was as described, and everything that is described was asked.
    pub(crate) fn assert_all_as_described(&self) {
        assert_eq!(self.problems, Vec::<String>::new());
        assert_eq!(self.asked, operations(self.description.document()));
    }
}

/// The path of the operation that a path belongs to.
fn operation<D: Description>(document: &Value, method: &str, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &&String| {
        let wanted: Vec<&str> = template.split('/').collect();
        let is_open = wanted.last().is_some_and(|last| D::OPEN.contains(last));
        let is_long_enough = parts.len() == wanted.len() || (is_open && parts.len() > wanted.len());
        is_long_enough && wanted.iter().zip(&parts).all(|(want, part)| want.starts_with('{') || want == part)
    };
    let paths = document["paths"].as_object().unwrap();
    let found = paths.keys().filter(|template| paths[*template].get(method).is_some()).filter(fits);
    // `/refs/tags/{name}` is nearer than `/{...}`: the most words of its own win.
    let found = found.max_by_key(|template| template.split('/').filter(|w| !w.starts_with('{')).count());
    found.unwrap_or_else(|| panic!("{method} {path} is not described")).clone()
}

/// `method path` of everything that is described.
fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
    });
    operations.collect()
}

/// Judges by a schema of this document, which may name others of it.
pub(crate) fn validator(document: &Value, schema: &Value) -> Validator {
    let schema = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true).build(&schema).unwrap()
}

/// The schema with this name.
pub(crate) fn named(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}
