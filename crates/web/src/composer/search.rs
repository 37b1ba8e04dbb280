//! `search.json`: what `composer search` and clients of the public registry's search ask.

use super::{ReadBy, answer};
use crate::{error::ApiError, organization::address};
use axum::{
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Value, json};
use stave_app::{App, FoundPackage, PackageSearch};
use url::form_urlencoded::{Serializer, parse};

/// `GET /repo/{organization}/search.json?q=&type=&tags[]=&per_page=&page=`
pub(super) async fn search(
    State(app): State<App>,
    ReadBy(reader): ReadBy,
    Path(short_name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asked = asked(&query.unwrap_or_default());
    let page = app.composer_search(&reader, &asked).await?;
    let home = app.address(&address(&short_name));
    let results: Vec<Value> = page.found.iter().filter_map(|found| result(found, &home)).collect();
    let mut body = json!({ "results": results, "total": page.total });
    if page.has_more {
        body["next"] = next(&app.address(&format!("/repo/{short_name}/search.json")), &asked).into();
    }
    Ok(answer::fresh(&headers, body.to_string().into_bytes()))
}

/// Composer up to 2.2.5 sends what was typed as it is, so nothing here is an error.
fn asked(query: &str) -> PackageSearch {
    let mut asked = PackageSearch { page: 1, ..PackageSearch::default() };
    for (key, value) in parse(query.as_bytes()) {
        match key.as_ref() {
            "q" => asked.words = value.into_owned(),
            "type" => asked.kind = value.into_owned(),
            "page" => asked.page = value.parse().unwrap_or(1),
            "per_page" => asked.per_page = value.parse().unwrap_or(0),
            "tags" => asked.tags.push(value.into_owned()),
            key if key.starts_with("tags[") => asked.tags.push(value.into_owned()),
            _ => {}
        }
    }
    asked.page = asked.page.max(1);
    asked
}

fn next(search: &str, asked: &PackageSearch) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("q", &asked.words);
    if !asked.kind.is_empty() {
        query.append_pair("type", &asked.kind);
    }
    query.extend_pairs(asked.tags.iter().map(|tag| ("tags[]", tag)));
    if asked.per_page > 0 {
        query.append_pair("per_page", &asked.per_page.to_string());
    }
    query.append_pair("page", &asked.page.saturating_add(1).to_string());
    format!("{search}?{}", query.finish())
}

/// A package as `composer search` shows it; `abandoned` is there only if it is so.
fn result(found: &FoundPackage, home: &str) -> Option<Value> {
    let package = &found.package;
    let mut shown = json!({
        "name": package.name.as_ref()?.as_str(),
        "description": package.description,
        "url": format!("{home}/packages/{}", package.id),
        "repository": found.repository.as_ref().map_or("", |repository| repository.source.as_str()),
        "downloads": found.installs,
        "favers": 0,
    });
    if let Some(abandoned) = abandoned(package.replacement()) {
        shown["abandoned"] = abandoned;
    }
    Some(shown)
}

/// `true`, or what to use instead; `None` if it is not so.
pub(super) fn abandoned(word: Option<&str>) -> Option<Value> {
    word.map(|replacement| if replacement.is_empty() { true.into() } else { replacement.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_asks_for_the_same() {
        let first = asked("q=mail+er&type=library&tags[]=a%26b&tags%5B%5D=c&per_page=2&odd=1");
        assert_eq!((first.words.as_str(), first.kind.as_str(), first.page), ("mail er", "library", 1));
        assert_eq!((first.tags.as_slice(), first.per_page), (&["a&b".to_owned(), "c".to_owned()][..], 2));
        let next = next("/s", &first);
        let second = asked(next.strip_prefix("/s?").unwrap());
        assert_eq!((second.words, second.kind, second.tags), (first.words, first.kind, first.tags));
        assert_eq!((second.page, second.per_page), (2, 2));
        assert_eq!(asked("page=0&per_page=x").page, 1);
    }
}
