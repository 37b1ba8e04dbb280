//! The one HTTP client: time-outs, a size limit, no redirects, addresses checked after resolution.

use crate::{
    BoxError, UpstreamError,
    answer::{Answer, authority},
    asker::{Call, Key},
    gate::{Gate, Reach},
    obstacle::Obstacle,
};
use reqwest::{Certificate, Method, RequestBuilder, Response, header};
use stave_domain::{Secret, integration::ApiTimeout, outbound::Outbound};
use std::{sync::Arc, time::Duration};
use url::Url;

/// The largest answer that is read, decompressed.
const BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024;
/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(6);
const JSON: &str = "application/json";
const PAGE: &str = "text/html, */*;q=0.5";
const USER_AGENT: &str = concat!("Stave/", env!("CARGO_PKG_VERSION"));

/// The client through which every request to somebody else's API goes; cheap to clone.
///
/// It follows no redirect, so no secret can be carried to another host. It connects only to addresses that
/// [`Outbound`] permits, and over plain HTTP only to those that the operator named. It uses no proxy: behind
/// one, addresses could not be checked. It trusts the authorities that the machine trusts.
#[derive(Debug, Clone)]
pub struct HttpClient {
    encrypted: Line,
    plain: Line,
    /// No request takes longer, whatever is asked for.
    most: Option<Duration>,
}

/// A client and the gate that its connections pass.
#[derive(Debug, Clone)]
struct Line {
    gate: Gate,
    client: reqwest::Client,
}

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
#[error(
    "Stave cannot make HTTPS connections: the certificate authorities that this machine trusts could not be read. Install them \
     (on Debian and Alpine the package ca-certificates) and start Stave again."
)]
pub struct ClientError(#[source] BoxError);

/// With what a request proves who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Authorization<'a> {
    /// Nothing.
    Nobody,
    /// An access token (RFC 6750, section 2.1).
    Bearer(&'a Secret),
    /// A client's id and secret (RFC 6749, section 2.3.1).
    Basic(&'a str, &'a Secret),
    /// A whole header: a signature (RFC 5849, section 3.5.1).
    Signature(&'a Secret),
}

impl HttpClient {
    /// A client that reaches what `outbound` permits.
    pub fn new(outbound: Outbound) -> Result<Self, ClientError> {
        Self::trusting(outbound, [])
    }

    /// Trusts these authorities too.
    fn trusting(
        outbound: Outbound,
        authorities: impl IntoIterator<Item = Certificate>,
    ) -> Result<Self, ClientError> {
        let outbound = Arc::new(outbound);
        let encrypted = Gate { outbound: outbound.clone(), reach: Reach::Permitted };
        let plain = Gate { outbound, reach: Reach::Neighbours };
        Ok(Self {
            encrypted: Line::new(
                encrypted,
                reqwest::Client::builder().https_only(true).tls_certs_merge(authorities),
            )?,
            plain: Line::new(plain, reqwest::Client::builder().tls_certs_only([]))?,
            most: None,
        })
    }

    /// The same client for somebody who does not want to wait: no request through it takes longer than this.
    #[must_use]
    pub fn at_most(&self, limit: Duration) -> Self {
        Self { most: Some(self.most.map_or(limit, |most| most.min(limit))), ..self.clone() }
    }

    pub(crate) async fn get(
        &self,
        url: &Url,
        by: Authorization<'_>,
        timeout: ApiTimeout,
    ) -> Result<Answer, UpstreamError> {
        self.send(url, timeout, |client| accepting(JSON, by.sign(client.request(Method::GET, url.clone()))))
            .await
    }

    /// A request with or without a body; both are JSON.
    pub(crate) async fn call(
        &self,
        call: &Call,
        by: Authorization<'_>,
        timeout: ApiTimeout,
    ) -> Result<Answer, UpstreamError> {
        let build = |client: &reqwest::Client| {
            let request = accepting(JSON, by.sign(client.request(call.method.clone(), call.url.clone())));
            match &call.body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        self.send(&call.url, timeout, build).await
    }

    /// A page for people, as a browser would ask for it.
    pub(crate) async fn get_page(&self, url: &Url, timeout: ApiTimeout) -> Result<Answer, UpstreamError> {
        self.send(url, timeout, |client| accepting(PAGE, client.request(Method::GET, url.clone()))).await
    }

    /// At most so many bytes of a page, asked for with these headers; what follows is not read.
    pub(crate) async fn get_beginning(
        &self,
        url: &Url,
        headers: &[(&str, &str)],
        most_bytes: usize,
    ) -> Result<Answer, UpstreamError> {
        let build = |client: &reqwest::Client| {
            let request = accepting(PAGE, client.request(Method::GET, url.clone()));
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        };
        let mut response = self.ask(url, ApiTimeout(None), build).await?;
        let answer = Answer::new(url, response.status(), response.headers().clone());
        match body_read(&mut response, most_bytes).await {
            Ok(Body { read: body, .. }) => Ok(Answer { body, ..answer }),
            Err(error) => Err(broken(url, error)),
        }
    }

    /// A POST without a body.
    pub(crate) async fn post(
        &self,
        url: &Url,
        by: Authorization<'_>,
        timeout: ApiTimeout,
    ) -> Result<Answer, UpstreamError> {
        let build = |client: &reqwest::Client| {
            let request = client.request(Method::POST, url.clone()).header(header::CONTENT_LENGTH, 0);
            accepting("*/*", by.sign(request))
        };
        self.send(url, timeout, build).await
    }

    pub(crate) async fn post_form(
        &self,
        url: &Url,
        by: Authorization<'_>,
        form: &[(&str, &str)],
        timeout: ApiTimeout,
    ) -> Result<Answer, UpstreamError> {
        let build = |client: &reqwest::Client| {
            accepting(JSON, by.sign(client.request(Method::POST, url.clone())).form(form))
        };
        self.send(url, timeout, build).await
    }

    async fn send(
        &self,
        url: &Url,
        timeout: ApiTimeout,
        build: impl FnOnce(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer, UpstreamError> {
        let mut response = self.ask(url, timeout, build).await?;
        let answer = Answer::new(url, response.status(), response.headers().clone());
        match body_read(&mut response, BODY_LIMIT_BYTES).await {
            Ok(Body { read: body, is_whole: true }) => Ok(Answer { body, ..answer }),
            Ok(_) => Err(UpstreamError::unreachable(url, Obstacle::TooLarge, None)),
            Err(error) => Err(broken(url, error)),
        }
    }

    /// Sends a request through its gate; the body of the answer has not come yet.
    pub(crate) async fn ask(
        &self,
        url: &Url,
        timeout: ApiTimeout,
        build: impl FnOnce(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response, UpstreamError> {
        let line = if url.scheme() == "https" { &self.encrypted } else { &self.plain };
        line.gate
            .check_literal(url)
            .map_err(|refusal| UpstreamError::unreachable(url, refusal.into(), None))?;
        let mut request = build(&line.client);
        if let Some(limit) = [timeout.duration(), self.most].into_iter().flatten().min() {
            request = request.timeout(limit);
        }
        let response = request.send().await.map_err(|error| broken(url, error))?;
        let (host, status) = (authority(url), response.status().as_u16());
        tracing::debug!(%host, path = url.path(), status, "upstream answered");
        Ok(response)
    }
}

fn accepting(what: &'static str, request: RequestBuilder) -> RequestBuilder {
    request.header(header::ACCEPT, what)
}

/// Why no answer came.
pub(crate) fn broken(url: &Url, error: reqwest::Error) -> UpstreamError {
    let error = error.without_url();
    UpstreamError::unreachable(url, Obstacle::behind(&error), Some(error.into()))
}

impl Line {
    fn new(gate: Gate, builder: reqwest::ClientBuilder) -> Result<Self, ClientError> {
        let client = builder
            .no_proxy()
            .dns_resolver(gate.clone())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_LIMIT)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| ClientError(error.into()))?;
        Ok(Self { gate, client })
    }
}

impl<'a> Authorization<'a> {
    /// A key that nothing is signed for.
    pub(crate) fn of(key: &'a Key) -> Self {
        match key {
            Key::Grant(token) | Key::Token(token) => Self::Bearer(token),
            Key::Basic { username, password } => Self::Basic(username, password),
        }
    }

    /// The HTTP library marks both headers as sensitive, so that they are not printed.
    fn sign(self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Nobody => request,
            Self::Bearer(token) => request.bearer_auth(token.expose()),
            Self::Basic(id, secret) => request.basic_auth(id, Some(secret.expose())),
            Self::Signature(signature) => {
                let mut value = header::HeaderValue::try_from(signature.expose())
                    .expect("all that is signed is encoded, so it is ASCII");
                value.set_sensitive(true);
                request.header(header::AUTHORIZATION, value)
            }
        }
    }
}

/// What was read of a body.
pub(crate) struct Body {
    pub(crate) read: Vec<u8>,
    /// Whether there was no more.
    pub(crate) is_whole: bool,
}

/// The body, decompressed, up to so many bytes.
pub(crate) async fn body_read(response: &mut Response, limit: usize) -> Result<Body, reqwest::Error> {
    let mut read = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = limit - read.len();
        read.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok(Body { read, is_whole: false });
        }
    }
    Ok(Body { read, is_whole: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::obstacle::CertificateProblem;
    use rcgen::{BasicConstraints, CertificateParams, Issuer, KeyPair, date_time_ymd};
    use std::net::{IpAddr, Ipv4Addr};
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig,
            pki_types::{CertificateDer, PrivateKeyDer},
        },
    };

    /// An authority that no machine trusts.
    struct Authority {
        certificate: Certificate,
        issuer: Issuer<'static, KeyPair>,
    }

    impl Authority {
        fn new() -> Self {
            let mut params = CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            let certificate = Certificate::from_der(params.self_signed(&key).unwrap().der()).unwrap();
            Self { certificate, issuer: Issuer::new(params, key) }
        }
    }

    fn params_for(name: &str) -> CertificateParams {
        CertificateParams::new([name.to_owned()]).unwrap()
    }

    /// An HTTPS server on loopback that answers every request with 204; the URL that leads to it.
    async fn serve(certificate: CertificateDer<'static>, key: &KeyPair) -> Url {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    _ = stream.read(&mut [0; 4096]).await;
                    _ = stream.write_all(b"HTTP/1.1 204 x\r\nconnection: close\r\n\r\n").await;
                    _ = stream.shutdown().await;
                }
            }
        });
        url
    }

    /// What a client that trusts `authority` makes of a server with a certificate of these parameters.
    async fn seen(
        authority: Option<&Authority>,
        signer: Option<&Authority>,
        params: CertificateParams,
    ) -> Result<u16, Obstacle> {
        let key = KeyPair::generate().unwrap();
        let certificate = match signer {
            Some(signer) => params.signed_by(&key, &signer.issuer).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        let url = serve(certificate.der().clone(), &key).await;
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST).into()].to_vec();
        let roots = authority.map(|authority| authority.certificate.clone());
        let http = HttpClient::trusting(Outbound::allowing(loopback), roots).unwrap();
        match http.get(&url, Authorization::Nobody, ApiTimeout(Some(20))).await {
            Ok(answer) => Ok(answer.status.as_u16()),
            Err(UpstreamError::Unreachable { obstacle, .. }) => Err(obstacle),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn certificates_are_checked_and_what_is_wrong_is_told() {
        let problem = |problem| Err(Obstacle::Certificate(problem));
        let authority = Authority::new();
        let known = Some(&authority);
        assert_eq!(seen(known, known, params_for("localhost")).await, Ok(204));
        assert_eq!(
            seen(None, known, params_for("localhost")).await,
            problem(CertificateProblem::UnknownAuthority)
        );
        assert_eq!(
            seen(known, None, params_for("localhost")).await,
            problem(CertificateProblem::UnknownAuthority)
        );
        assert_eq!(
            seen(known, known, params_for("example.com")).await,
            problem(CertificateProblem::WrongName)
        );

        let mut old = params_for("localhost");
        (old.not_before, old.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        assert_eq!(seen(known, known, old).await, problem(CertificateProblem::Expired));

        let mut early = params_for("localhost");
        (early.not_before, early.not_after) = (date_time_ymd(4000, 1, 1), date_time_ymd(4001, 1, 1));
        assert_eq!(seen(known, known, early).await, problem(CertificateProblem::NotValidYet));

        let mut self_made = params_for("localhost");
        self_made.is_ca = rcgen::IsCa::Ca(BasicConstraints::Unconstrained);
        let Err(Obstacle::Certificate(CertificateProblem::Unusable(_))) = seen(known, None, self_made).await
        else {
            panic!("an authority's own certificate is not a server's");
        };
    }
}
