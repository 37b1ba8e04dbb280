//! What Composer reads, as HTTP: compressed or not, 304, HEAD, HTTP/1.1 and HTTP/2 without TLS.

use crate::support::TestStave;
use reqwest::{
    Client, Method, Response, StatusCode, Version,
    header::{
        ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderName, IF_MODIFIED_SINCE,
        IF_NONE_MATCH, LAST_MODIFIED,
    },
};

/// A client that decompresses nothing by itself.
struct Reader {
    client: Client,
    repository: String,
    token: String,
}

impl Reader {
    async fn ask(&self, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Response {
        let url = format!("{}{path}", self.repository);
        let request = self.client.request(method, url).basic_auth("ada", Some(&self.token));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str, headers: &[(HeaderName, &str)]) -> Response {
        self.ask(Method::GET, path, headers).await
    }
}

fn header(answer: &Response, name: &HeaderName) -> String {
    answer.headers().get(name).map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

/// A Stave with `acme/lib` 1.0.0, its reader, and the path of the zip.
async fn with_lib() -> (TestStave, Reader, String) {
    let (stave, ada) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("lib");
    repository.tag("1.0.0", r#"{"name": "acme/lib"}"#);
    stave.import(&ada, &repository.clone_url(), "auto").await.shows("acme/lib");
    let token = stave.token(&ada).await;
    let client = Client::builder().no_gzip().build().unwrap();
    let reader = Reader { client, repository: format!("{}/repo/acme/", stave.url), token };
    let body = reader.get("p2/acme/lib.json", &[]).await.text().await.unwrap();
    let p2: serde_json::Value = serde_json::from_str(&body).unwrap();
    let zip = p2["packages"]["acme/lib"][0]["dist"]["url"].as_str().unwrap();
    let zip = zip.split_once("/repo/acme/").unwrap().1.to_owned();
    (stave, reader, zip)
}

#[tokio::test]
async fn who_has_the_bytes_is_not_sent_them_again() {
    let (_stave, reader, zip) = with_lib().await;
    for path in ["packages.json", "list.json", "p2/acme/lib.json", "p2/acme/lib~dev.json", &zip] {
        let first = reader.get(path, &[]).await;
        assert_eq!(first.status(), StatusCode::OK, "{path}");
        let (etag, date) = (header(&first, &ETAG), header(&first, &LAST_MODIFIED));
        let length = header(&first, &CONTENT_LENGTH);
        let body = first.bytes().await.unwrap();
        assert_eq!(length, body.len().to_string(), "{path}");

        let known = reader.get(path, &[(IF_NONE_MATCH, &etag)]).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(header(&known, &ETAG), etag, "{path}");
        assert_eq!(
            known.bytes().await.unwrap().len(),
            0,
            "{path}: Composer takes a 304 with a body for an error"
        );
        assert_eq!(
            reader.get(path, &[(IF_NONE_MATCH, "\"other\"")]).await.status(),
            StatusCode::OK,
            "{path}"
        );

        assert_eq!(
            path.starts_with("p2/"),
            !date.is_empty(),
            "{path}: only what is the same for all has a date"
        );
        if !date.is_empty() {
            let known = reader.get(path, &[(IF_MODIFIED_SINCE, &date)]).await;
            assert_eq!(known.status(), StatusCode::NOT_MODIFIED, "{path}");
            assert_eq!(known.bytes().await.unwrap().len(), 0, "{path}");
        }
        let head = reader.ask(Method::HEAD, path, &[]).await;
        assert_eq!((head.status(), header(&head, &CONTENT_LENGTH)), (StatusCode::OK, length), "{path}");
        assert_eq!(reader.get(path, &[]).await.bytes().await.unwrap(), body, "{path}: warm as cold");
    }
}

#[tokio::test]
async fn what_lies_compressed_is_sent_like_that() {
    let (_stave, reader, zip) = with_lib().await;
    let gzip = (ACCEPT_ENCODING, "deflate, gzip, br, zstd");
    for path in ["packages.json", "p2/acme/lib.json"] {
        let answer = reader.get(path, std::slice::from_ref(&gzip)).await;
        assert_eq!(header(&answer, &CONTENT_ENCODING), "gzip", "{path}");
        let mut text = String::new();
        let bytes = answer.bytes().await.unwrap();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
        assert_eq!(reader.get(path, &[]).await.text().await.unwrap(), text, "{path}");
    }
    let answer = reader.get(&zip, &[gzip]).await;
    assert_eq!(header(&answer, &CONTENT_ENCODING), "", "a zip is small already");
}

#[tokio::test]
async fn http_2_without_tls_is_spoken_too() {
    let (_stave, mut reader, zip) = with_lib().await;
    let one = reader.get("p2/acme/lib.json", &[]).await;
    assert_eq!(one.version(), Version::HTTP_11);
    let body = one.bytes().await.unwrap();
    reader.client = Client::builder().no_gzip().http2_prior_knowledge().build().unwrap();
    let two = reader.get("p2/acme/lib.json", &[]).await;
    assert_eq!((two.version(), two.status()), (Version::HTTP_2, StatusCode::OK));
    assert_eq!(two.bytes().await.unwrap(), body);
    assert_eq!(reader.get(&zip, &[]).await.status(), StatusCode::OK);
}
