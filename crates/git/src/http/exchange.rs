//! Requests and answers in the form in which gix reads and writes them.

use super::client::{HttpClient, not_git};
use crate::GitError;
use gix::protocol::transport::client::blocking_io::http::{
    GetResponse, Http, PostBodyDataKind, PostResponse,
};
use reqwest::{
    Method, Response,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use std::{
    cell::RefCell,
    io::{self, BufReader, Cursor, Read, Write},
    rc::Rc,
};
use url::Url;

const BUFFER_BYTES: usize = 64 << 10;

/// What gix speaks through.
pub(crate) struct Connection<'a> {
    client: Rc<HttpClient<'a>>,
    /// Where the repository really is, after redirects.
    moved_to: Option<String>,
}

impl<'a> Connection<'a> {
    pub(super) fn new(client: HttpClient<'a>) -> Self {
        Self { client: Rc::new(client), moved_to: None }
    }

    fn open(&mut self, url: &str, base_url: &str, headers: &HeaderMap) -> Result<Response, GitError> {
        let client = &self.client;
        let response = client.get(url, headers)?;
        if !response.status().is_success() {
            return Err(client.status(&response));
        }
        client.check_type(&response, "application/x-git-upload-pack-advertisement")?;
        // The part that git appended must have survived, or there is no telling where the repository is.
        let tail = url.strip_prefix(base_url).unwrap_or(url);
        let ended_at = response.url().as_str();
        if ended_at != url {
            let base = ended_at.strip_suffix(tail).ok_or_else(|| not_git(&client.meter, false))?;
            self.moved_to = Some(base.to_owned());
        }
        Ok(response)
    }

    fn exchange(&self, state: State) -> Rc<Exchange<'a>> {
        Rc::new(Exchange { client: self.client.clone(), state: RefCell::new(state) })
    }
}

impl<'a> Http for Connection<'a> {
    type Headers = BufReader<Head<'a>>;
    type ResponseBody = BufReader<Body<'a>>;
    type PostBody = Upload<'a>;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let response = self
            .open(url, base_url, &header_map(headers))
            .map_err(|error| gix::Error::from_error(self.client.meter.fail(error)))?;
        let exchange = self.exchange(State::receiving(response));
        Ok(GetResponse { headers: Head::of(&exchange), body: Body::of(&exchange) })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let exchange = self.exchange(State::Collecting {
            url: url.to_owned(),
            headers: header_map(headers),
            upload: Vec::new(),
        });
        let post_body = Upload(exchange.clone());
        Ok(PostResponse { post_body, headers: Head::of(&exchange), body: Body::of(&exchange) })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.moved_to.clone()
    }
}

/// gix hands headers over as lines.
fn header_map(lines: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
    let parsed = lines.into_iter().filter_map(|line| {
        let (name, value) = line.as_ref().split_once(':')?;
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?))
    });
    parsed.collect()
}

/// One request and its answer. gix writes the body, then reads the head, then reads the body of the answer.
struct Exchange<'a> {
    client: Rc<HttpClient<'a>>,
    state: RefCell<State>,
}

enum State {
    /// The request is not sent yet. What git uploads while fetching (wants and haves) is small.
    Collecting { url: String, headers: HeaderMap, upload: Vec<u8> },
    /// The answer is coming in: its head as lines, its body piece by piece.
    Receiving { head: Cursor<Vec<u8>>, response: Box<Response>, piece: Cursor<Vec<u8>> },
    /// It failed, and the meter knows why.
    Failed,
}

impl State {
    fn receiving(response: Response) -> Self {
        let mut head = Vec::new();
        for (name, value) in response.headers() {
            head.extend_from_slice(name.as_str().as_bytes());
            head.push(b':');
            head.extend_from_slice(value.as_bytes());
            head.push(b'\n');
        }
        Self::Receiving { head: Cursor::new(head), response: Box::new(response), piece: Cursor::default() }
    }
}

impl Exchange<'_> {
    /// Sends the request if that has not happened yet.
    fn start(&self) -> io::Result<()> {
        let collected = match &mut *self.state.borrow_mut() {
            State::Collecting { url, headers, upload } => {
                (std::mem::take(url), std::mem::take(headers), std::mem::take(upload))
            }
            State::Receiving { .. } => return Ok(()),
            State::Failed => return Err(io::Error::other("the request has failed")),
        };
        let answer = self.post(collected);
        let failed = |error| self.client.meter.fail(error);
        self.state.replace(State::Failed);
        self.state.replace(State::receiving(answer.map_err(failed)?));
        Ok(())
    }

    fn post(&self, (url, headers, upload): (String, HeaderMap, Vec<u8>)) -> Result<Response, GitError> {
        let url = Url::parse(&url).map_err(|_| not_git(&self.client.meter, false))?;
        let response = self.client.send(Method::POST, url, headers, upload)?;
        if !response.status().is_success() {
            return Err(self.client.status(&response));
        }
        self.client.check_type(&response, "application/x-git-upload-pack-result")?;
        Ok(response)
    }

    /// The next piece of the body; `None` at its end.
    fn next_piece(&self, response: &mut Response) -> Result<Option<Vec<u8>>, GitError> {
        let piece = self
            .client
            .wait(async { response.chunk().await })?
            .map_err(|error| self.client.explain(&error))?;
        if let Some(piece) = &piece {
            self.client.meter.received(piece.len())?;
        }
        Ok(piece.map(Vec::from))
    }
}

/// Collects what is to be sent.
pub(crate) struct Upload<'a>(Rc<Exchange<'a>>);

impl Write for Upload<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *self.0.state.borrow_mut() {
            State::Collecting { upload, .. } => upload.write(bytes),
            _ => Err(io::Error::other("the request is sent already")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the head of the answer, line by line.
pub(crate) struct Head<'a>(Rc<Exchange<'a>>);

impl<'a> Head<'a> {
    fn of(exchange: &Rc<Exchange<'a>>) -> BufReader<Self> {
        BufReader::new(Self(exchange.clone()))
    }
}

impl Read for Head<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.start()?;
        match &mut *self.0.state.borrow_mut() {
            State::Receiving { head, .. } => head.read(buffer),
            _ => Ok(0),
        }
    }
}

/// Reads the body of the answer.
pub(crate) struct Body<'a>(Rc<Exchange<'a>>);

impl<'a> Body<'a> {
    fn of(exchange: &Rc<Exchange<'a>>) -> BufReader<Self> {
        BufReader::with_capacity(BUFFER_BYTES, Self(exchange.clone()))
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.start()?;
        let State::Receiving { response, piece, .. } = &mut *self.0.state.borrow_mut() else { return Ok(0) };
        loop {
            let read = piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.0.next_piece(response).map_err(|error| self.0.client.meter.fail(error))? {
                Some(next) => *piece = Cursor::new(next),
                None => return Ok(0),
            }
        }
    }
}
