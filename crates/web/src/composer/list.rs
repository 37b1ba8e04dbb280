//! `list.json`: the names of packages.

use super::{ReadBy, answer, search::abandoned};
use crate::error::ApiError;
use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Map, Value, json};
use stave_app::{App, FoundPackage};
use stave_domain::package::PackageName;
use url::form_urlencoded::parse;

#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    /// A pattern with `*`.
    filter: String,
    /// Only names of this vendor; Composer sends it along with a filter.
    vendor: String,
    /// Only packages of this type.
    kind: String,
    /// What is told of each besides its name.
    fields: Vec<String>,
}

/// `GET /repo/{organization}/list.json?filter=&vendor=&type=&fields[]=`
pub(super) async fn list(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asked = asked(&query.unwrap_or_default());
    let is_theirs = |name: &PackageName| asked.vendor.is_empty() || name.vendor() == asked.vendor;
    if asked.kind.is_empty() && asked.fields.is_empty() {
        let write = async {
            let mut names = app.composer_list(&reader, &asked.filter).await?;
            names.retain(is_theirs);
            Ok(names_body(names.iter().map(PackageName::as_str)))
        };
        let question = format!("list.json {:?} {:?}", asked.filter, asked.vendor);
        let text = app.composer_answer(&reader, &question, write).await?;
        return Ok(answer::text(&app, &headers, &text));
    }
    let mut found = app.composer_package_list(&reader, &asked.filter, &asked.kind).await?;
    found.retain(|it| it.package.name.as_ref().is_some_and(is_theirs));
    let names = || found.iter().filter_map(|it| it.package.name.as_ref().map(PackageName::as_str));
    if asked.fields.is_empty() {
        return Ok(answer::fresh(&headers, names_body(names())));
    }
    let packages: Map<String, Value> =
        names().zip(&found).map(|(name, it)| (name.to_owned(), fields(it, &asked.fields))).collect();
    Ok(answer::fresh(&headers, json!({ "packages": packages }).to_string().into_bytes()))
}

fn names_body<'a>(names: impl Iterator<Item = &'a str>) -> Vec<u8> {
    json!({ "packageNames": names.collect::<Vec<_>>() }).to_string().into_bytes()
}

fn asked(query: &str) -> Asked {
    let mut asked = Asked::default();
    for (key, value) in parse(query.as_bytes()) {
        match key.as_ref() {
            "filter" => asked.filter = value.into_owned(),
            "vendor" => asked.vendor = value.into_owned(),
            "type" => asked.kind = value.into_owned(),
            key if key == "fields" || key.starts_with("fields[") => asked.fields.push(value.into_owned()),
            _ => {}
        }
    }
    asked
}

/// The fields of the public registry; others are left out.
fn fields(found: &FoundPackage, asked: &[String]) -> Value {
    let value = |field: &String| match field.as_str() {
        "type" => Some(json!(found.kind)),
        "repository" => Some(json!(found.repository.as_ref().map(|repository| repository.source.as_str()))),
        "abandoned" => Some(abandoned(found.package.replacement()).unwrap_or(Value::Bool(false))),
        _ => None,
    };
    asked.iter().filter_map(|field| Some((field.clone(), value(field)?))).collect::<Map<_, _>>().into()
}
