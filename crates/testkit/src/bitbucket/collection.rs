//! Lists: filter, order, page, and only the fields that were asked for.

use super::{
    error::ApiError,
    fields,
    filter::{self, Filter},
    state::Fake,
};
use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri},
    http::{Uri, request::Parts},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{cmp::Reverse, sync::Arc};
use url::form_urlencoded;

/// The greatest `pagelen` that Bitbucket takes.
const LONGEST_PAGE: usize = 100;

/// How a client wants a list.
pub(crate) struct Listing {
    uri: Uri,
    parameters: Vec<(String, String)>,
    default_pagelen: usize,
    /// What is asked for beyond this, is not given.
    longest_page: usize,
    hidden: &'static [&'static str],
}

impl FromRequestParts<Arc<Fake>> for Listing {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, fake: &Arc<Fake>) -> Result<Self, Self::Rejection> {
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, fake).await?;
        let query = uri.query().unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let longest_page = fake.state().switches.page_length_at_most.unwrap_or(LONGEST_PAGE);
        Ok(Self { uri, parameters, default_pagelen: 10, longest_page, hidden: &[] })
    }
}

impl Listing {
    /// The page length if the client names none.
    pub(crate) fn with_default_pagelen(self, default_pagelen: usize) -> Self {
        Self { default_pagelen, ..self }
    }

    /// Fields that one can filter by, and sees only if one asks for them with `+`.
    pub(crate) fn with_hidden(self, hidden: &'static [&'static str]) -> Self {
        Self { hidden, ..self }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The query, if there is one.
    pub(crate) fn filter(&self) -> Result<Option<Filter>, ApiError> {
        self.parameter("q")
            .map(|query| {
                Filter::parse(query).ok_or_else(|| ApiError::bad_request(format!("Invalid query: {query}")))
            })
            .transpose()
    }

    /// One page of these values.
    pub(crate) fn answer(&self, fake: &Fake, values: Vec<Value>) -> Result<Response, ApiError> {
        let chosen = self.chosen(values, Value::clone)?;
        self.page(fake, &chosen, Value::clone)
    }

    /// One page of these values, without `size` and `page`: for lists that Bitbucket does not count.
    pub(crate) fn answer_uncounted(&self, fake: &Fake, values: Vec<Value>) -> Result<Response, ApiError> {
        let chosen = self.chosen(values, Value::clone)?;
        self.cut(fake, &chosen, Value::clone, false)
    }

    /// One object, cut to the fields that were asked for.
    pub(crate) fn object(&self, object: Value) -> Response {
        Json(fields::selected(object, self.parameter("fields").unwrap_or_default(), &[])).into_response()
    }

    /// What was asked for, apart from the page and the fields: two requests with the same answer want the same rows.
    pub(crate) fn choice(&self) -> String {
        let chosen = self
            .parameters
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "page" | "pagelen" | "fields"));
        format!("{} {:?}", self.uri.path(), chosen.collect::<Vec<_>>())
    }

    /// The rows that the query accepts, in the order that is asked for. A row is written only if one of them is.
    pub(crate) fn chosen<T>(
        &self,
        mut rows: Vec<T>,
        write: impl Fn(&T) -> Value,
    ) -> Result<Vec<T>, ApiError> {
        if let Some(filter) = self.filter()? {
            rows.retain(|row| filter.accepts(&write(row)));
        }
        let Some(sort) = self.parameter("sort") else { return Ok(rows) };
        let (field, is_descending) = sort.strip_prefix('-').map_or((sort, false), |field| (field, true));
        let key = |row: &T| natural(&filter::at(&write(row), field).to_string());
        if is_descending {
            rows.sort_by_cached_key(|row| Reverse(key(row)));
        } else {
            rows.sort_by_cached_key(key);
        }
        Ok(rows)
    }

    /// One page of rows that were chosen; only its own are written.
    pub(crate) fn page<T>(
        &self,
        fake: &Fake,
        rows: &[T],
        write: impl Fn(&T) -> Value,
    ) -> Result<Response, ApiError> {
        self.cut(fake, rows, write, true)
    }

    fn cut<T>(
        &self,
        fake: &Fake,
        rows: &[T],
        write: impl Fn(&T) -> Value,
        counted: bool,
    ) -> Result<Response, ApiError> {
        let pagelen = self.pagelen()?;
        let number = self.page_number()?;
        let page: Vec<Value> = rows.iter().skip((number - 1) * pagelen).take(pagelen).map(write).collect();
        let mut answer = json!({"pagelen": pagelen, "values": page});
        if counted {
            answer["size"] = json!(rows.len());
            answer["page"] = json!(number);
        }
        if number * pagelen < rows.len() {
            answer["next"] = json!(self.next(fake, number + 1));
        }
        let fields = self.parameter("fields").unwrap_or_default();
        Ok(Json(fields::selected(answer, fields, self.hidden)).into_response())
    }

    fn pagelen(&self) -> Result<usize, ApiError> {
        let Some(text) = self.parameter("pagelen") else {
            return Ok(self.default_pagelen.min(self.longest_page));
        };
        let pagelen = text.parse().ok().filter(|pagelen| (1..=LONGEST_PAGE).contains(pagelen));
        let pagelen: usize = pagelen.ok_or_else(|| ApiError::bad_request("Invalid pagelen"))?;
        Ok(pagelen.min(self.longest_page))
    }

    /// Pages are counted from 1; `next` names them by an opaque text.
    fn page_number(&self) -> Result<usize, ApiError> {
        let Some(text) = self.parameter("page") else { return Ok(1) };
        let decoded =
            BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let opaque = decoded.as_deref().and_then(|text| text.strip_prefix("page:"));
        let number = opaque.unwrap_or(text).parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| ApiError::bad_request("Invalid page"))
    }

    fn next(&self, fake: &Fake, number: usize) -> String {
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(format!("page:{number}"));
        let kept = self.parameters.iter().filter(|(name, _)| name != "page");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("page", &cursor)
            .finish();
        fake.site(&format!("{}?{query}", self.uri.path()))
    }
}

/// What a text is sorted by if numbers in it count as numbers: `1.9` stands before `1.10`.
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut chunks: Vec<(u64, String)> = Vec::new();
    let mut was_digit = None;
    for character in text.chars() {
        let is_digit = character.is_ascii_digit();
        if was_digit != Some(is_digit) {
            chunks.push((0, String::new()));
        }
        was_digit = Some(is_digit);
        if let Some(last) = chunks.last_mut() {
            last.1.push(character);
        }
    }
    for (number, text) in &mut chunks {
        if let Ok(value) = text.parse() {
            *number = value;
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_sort_as_numbers() {
        let mut names = ["1.10", "1.9", "1.9-rc1", "10.0", "2.0"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["1.9", "1.9-rc1", "1.10", "2.0", "10.0"]);
    }
}
