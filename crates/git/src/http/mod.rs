//! git's smart HTTP protocol, below gix: one request at a time, over our own client.
//!
//! gix brings an HTTP client too. Ours exists because each status, redirect and address deserves its own sentence,
//! because redirects must be checked one by one, and because a wait must end when the caller cancels. No proxy is ever
//! used, whatever the environment says: it would reach addresses that Stave refuses.
//! (git: Documentation/gitprotocol-http.) `client` sends a request; `exchange` is the form in which gix wants it.

mod client;
mod exchange;

use crate::{GitError, Remote, meter::Meter};
use client::HttpClient;
use exchange::Connection;
use gix::protocol::transport::{Protocol, client::blocking_io::http::Transport};
use std::rc::Rc;

/// A transport for gix over HTTP.
pub(crate) fn transport<'a>(
    remote: &Remote<'_>,
    meter: Rc<Meter<'a>>,
) -> Result<Transport<Connection<'a>>, GitError> {
    let url = gix::url::parse(remote.url.as_str()).map_err(|_| client::not_git(&meter, false))?;
    let connection = Connection::new(HttpClient::new(remote, meter)?);
    Ok(Transport::new_http(connection, url, Protocol::V2, false))
}
