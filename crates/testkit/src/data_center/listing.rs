//! Lists: `start`, `limit`, and a next page that begins where the items that passed the filter ended.

use super::{error::ApiError, state::Fake};
use axum::{
    Json,
    extract::FromRequestParts,
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc};
use url::form_urlencoded;

const DEFAULT_LIMIT: usize = 25;
const GREATEST_LIMIT: usize = 1000;

/// The parameters of a request, and how its client wants a list.
pub(crate) struct Listing {
    parameters: Vec<(String, String)>,
    greatest_limit: usize,
}

impl FromRequestParts<Arc<Fake>> for Listing {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, fake: &Arc<Fake>) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let greatest_limit = fake.state().switches.page_limit_at_most.unwrap_or(GREATEST_LIMIT);
        Ok(Self { parameters, greatest_limit })
    }
}

impl Listing {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// One page; `show` gives `None` for an item that the filter hides, and that is counted all the same. Only the items
    /// of the page, and the one behind it, are shown.
    pub(crate) fn answer<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        show: impl FnMut(T) -> Option<Value>,
    ) -> Result<Response, ApiError> {
        self.page(items, show, "values")
    }

    /// As `answer`, under another key than `values`.
    pub(crate) fn page<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        mut show: impl FnMut(T) -> Option<Value>,
        key: &str,
    ) -> Result<Response, ApiError> {
        let start = self.number("start", 0)?;
        let limit = self.number("limit", DEFAULT_LIMIT)?.min(self.greatest_limit);
        if limit == 0 {
            return Err(ApiError::invalid("limit", "The limit must be greater than zero."));
        }
        let items = items.into_iter().enumerate().skip(start);
        let mut shown = items.filter_map(|(at, item)| Some((at, show(item)?)));
        let values: Vec<(usize, Value)> = shown.by_ref().take(limit).collect();
        let last = values.last().map(|(at, _)| at + 1);
        let next = shown.next().and(last);
        let values: Vec<Value> = values.into_iter().map(|(_, value)| value).collect();
        let mut body = json!({
            "size": values.len(),
            "limit": limit,
            "isLastPage": next.is_none(),
            key: values,
            "start": start,
        });
        if let Some(next) = next {
            body["nextPageStart"] = json!(next);
        }
        Ok(Json(body).into_response())
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, ApiError> {
        let Some(text) = self.parameter(name) else { return Ok(default) };
        text.parse().map_err(|_| ApiError::invalid(name, &format!("'{text}' is not a number.")))
    }
}
