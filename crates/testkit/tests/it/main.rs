//! The fake tells the stories that Stave has to understand.

#![expect(
    clippy::unwrap_used,
    reason = "clippy excepts the functions marked as tests, and not their helpers"
)]

mod composer;
mod composer_repository;
mod consumer;
mod credential;
mod data_center;
mod description;
mod fault;
mod git;
mod large;
mod limit;
mod oauth;
mod openapi;
mod receiver;
mod script;
mod webhook;
mod workspace;

use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde_json::Value;
use stave_testkit::FakeBitbucket;

/// Where nobody listens; a browser would be sent there.
const CALLBACK: &str = "http://127.0.0.1:1/oauth/callback/bitbucket";

/// A client that follows no redirect.
fn client() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

/// Status and JSON of an answer of the API; null if it is none.
async fn api(bitbucket: &FakeBitbucket, token: &str, path: &str) -> (u16, Value) {
    read(client().get(format!("{}/2.0{path}", bitbucket.base_url())).bearer_auth(token)).await
}

async fn read(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}
