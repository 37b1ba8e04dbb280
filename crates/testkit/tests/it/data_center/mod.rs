//! Stories of Bitbucket Data Center.

mod credential;
mod identity;
mod oauth1;
mod oauth2;
mod openapi;
mod pages;
mod repository;
mod signer;
mod trouble;
mod webhook;

use crate::read;
use serde_json::Value;
use stave_testkit::{DataCenterOptions, FakeDataCenter, Version};
use std::collections::HashMap;
use url::{Url, form_urlencoded};

/// One of this version, below a context path.
async fn start(version: Version) -> FakeDataCenter {
    FakeDataCenter::start_with(DataCenterOptions::new(version).context_path("/bitbucket")).await
}

/// Status and JSON of an answer of the API; null if it is none. Without a token if it is empty.
async fn api(server: &FakeDataCenter, token: &str, path: &str) -> (u16, Value) {
    let request = crate::client().get(format!("{}/rest/api/1.0{path}", server.base_url()));
    read(if token.is_empty() { request } else { request.bearer_auth(token) }).await
}

fn parameters(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

fn form(text: &str) -> HashMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is missing: {value}"))
}

fn values<'a>(page: &'a Value, key: &str) -> Vec<&'a str> {
    page["values"].as_array().unwrap().iter().map(|value| value[key].as_str().unwrap()).collect()
}
