//! Signed requests before judges: a published example, and two servers that were written by others (`oauth1_judge.py`).
//!
//! The judges need a Python with oauthlib and Authlib at `STAVE_TEST_PYTHON`, which `scripts/test` installs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use serde::{Deserialize, Serialize};
use stave_domain::{Secret, Timestamp};
use stave_upstream::oauth1::{Endpoints, Request, Returned, Signer, Stamp};
use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};
use url::{Url, form_urlencoded};

const FORM: &str = "application/x-www-form-urlencoded";
const JUDGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oauth1_judge.py");

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn stamp(second: i64, nonce: &str) -> Stamp {
    Stamp { sent_at: Timestamp::from_second(second).unwrap(), nonce: nonce.to_owned() }
}

#[test]
fn the_example_of_the_oauth_wiki() {
    // "RSA-SHA1" of the test cases of OAuth Core 1.0, with the key that is published there.
    let key = Secret::new(
        "-----BEGIN PRIVATE KEY-----
        MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALRiMLAh9iimur8V
        A7qVvdqxevEuUkW4K+2KdMXmnQbG9Aa7k7eBjK1S+0LYmVjPKlJGNXHDGuy5Fw/d
        7rjVJ0BLB+ubPK8iA/Tw3hLQgXMRRGRXXCn8ikfuQfjUS1uZSatdLB81mydBETlJ
        hI6GH4twrbDJCR2Bwy/XWXgqgGRzAgMBAAECgYBYWVtleUzavkbrPjy0T5FMou8H
        X9u2AC2ry8vD/l7cqedtwMPp9k7TubgNFo+NGvKsl2ynyprOZR1xjQ7WgrgVB+mm
        uScOM/5HVceFuGRDhYTCObE+y1kxRloNYXnx3ei1zbeYLPCHdhxRYW7T0qcynNmw
        rn05/KO2RLjgQNalsQJBANeA3Q4Nugqy4QBUCEC09SqylT2K9FrrItqL2QKc9v0Z
        zO2uwllCbg0dwpVuYPYXYvikNHHg+aCWF+VXsb9rpPsCQQDWR9TT4ORdzoj+Nccn
        qkMsDmzt0EfNaAOwHOmVJ2RVBspPcxt5iN4HI7HNeG6U5YsFBb+/GZbgfBT3kpNG
        WPTpAkBI+gFhjfJvRw38n3g/+UeAkwMI2TJQS4n8+hid0uus3/zOjDySH3XHCUno
        cn1xOJAyZODBo47E+67R4jV1/gzbAkEAklJaspRPXP877NssM5nAZMU0/O/NGCZ+
        3jPgDUno6WbJn5cqm8MqWhW1xGkImgRk+fkDBquiq4gPiT898jusgQJAd5Zrr6Q8
        AO/0isr/3aa6O6NLQxISLKcPDk2NOccAfS/xOtfOz4sJYM3+Bs4Io9+dZGSDCA54
        Lw03eHTNQghS0A==
        -----END PRIVATE KEY-----",
    );
    let signer = Signer::new("dpf43f3p2l4k3l03", &key).unwrap();
    let at = url("http://photos.example.net/photos?file=vacaction.jpg&size=original");
    let authorization =
        signer.sign(&Request::new("GET", &at), &stamp(1_196_666_512, "13917289812797014437")).unwrap();
    assert_eq!(
        authorization.expose(),
        "OAuth oauth_consumer_key=\"dpf43f3p2l4k3l03\", oauth_nonce=\"13917289812797014437\", \
         oauth_signature_method=\"RSA-SHA1\", oauth_timestamp=\"1196666512\", oauth_version=\"1.0\", \
         oauth_signature=\"jvTp%2FwX1TYtByB1m%2BPbyo0lnCOLIsyGCH7wke8AUs3BpnwZJtAuEJkvQL2%2F9n4s5wUmUl4aCI4BwpraNx4RtEXMe5\
         qg5T1LVTGliMRpKasKsW%2F%2Fe%2BRinhejgCuzoH26dyF8iY2ZZ%2F5D1ilgeijhV%2FvBka5twt399mXwaYdCwFYE%3D\""
    );
}

#[test]
fn the_first_step_of_a_log_in() {
    let signer = Keys::make().signer("stave");
    let endpoints = Endpoints::below(&"https://bitbucket.example.com".parse().unwrap());
    let callback = url("https://stave.example.com/oauth/bitbucket/callback");
    assert_eq!(
        signer.base_string(&endpoints.request_token(&callback), &stamp(1_760_000_000, "n1")),
        "POST&https%3A%2F%2Fbitbucket.example.com%2Fplugins%2Fservlet%2Foauth%2Frequest-token&oauth_callback%3Dhttps%253A%252F\
         %252Fstave.example.com%252Foauth%252Fbitbucket%252Fcallback%26oauth_consumer_key%3Dstave%26oauth_nonce%3Dn1%26\
         oauth_signature_method%3DRSA-SHA1%26oauth_timestamp%3D1760000000%26oauth_version%3D1.0"
    );
}

/// An RSA key pair of 2048 bits that was not made by the library that signs.
struct Keys(KeyPair);

impl Keys {
    fn make() -> Self {
        Self(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap())
    }

    fn signer(&self, consumer_key: &str) -> Signer {
        Signer::new(consumer_key, &Secret::new(STANDARD.encode(self.0.serialize_der()))).unwrap()
    }

    fn public_pem(&self) -> String {
        let base64 = STANDARD.encode(self.0.subject_public_key_info());
        format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
    }
}

/// A request on its way to the judges.
#[derive(Clone, Serialize)]
struct Sent {
    #[serde(skip)]
    story: String,
    method: String,
    url: String,
    headers: BTreeMap<&'static str, String>,
    body: Option<String>,
    public_key: String,
    #[serde(skip)]
    expected: Expected,
}

/// What the judges must say.
#[derive(Clone)]
enum Expected {
    /// Valid, and this is what was signed.
    Valid(String),
    Invalid,
}

/// What the judges say, each with their name.
type Opinions = BTreeMap<String, Opinion>;

#[derive(Debug, Deserialize)]
struct Opinion {
    valid: bool,
    base_string: Option<String>,
}

/// Makes requests, and counts them so that every nonce is another.
struct Desk {
    keys: Keys,
    signer: Signer,
    sent: Vec<Sent>,
}

impl Desk {
    fn new() -> Self {
        let keys = Keys::make();
        Self { signer: keys.signer("stave 1&=%/ü"), keys, sent: Vec::new() }
    }

    /// Signs a request and puts it on the pile.
    fn send(&mut self, story: &str, request: &Request<'_>, form: &[(&str, &str)]) -> Sent {
        let stamp = stamp(1_760_000_000, &format!("nonce {}+~", self.sent.len()));
        let authorization = self.signer.sign(request, &stamp).unwrap();
        let mut headers = BTreeMap::from([("Authorization", authorization.expose().to_owned())]);
        let body = (!form.is_empty()).then(|| {
            headers.insert("Content-Type", FORM.to_owned());
            form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
        });
        let sent = Sent {
            story: story.to_owned(),
            method: request.method().to_owned(),
            url: request.url().to_string(),
            headers,
            body,
            public_key: self.keys.public_pem(),
            expected: Expected::Valid(self.signer.base_string(request, &stamp)),
        };
        self.sent.push(sent.clone());
        sent
    }

    /// A request as nobody signed it.
    fn tamper(&mut self, what: &str, sent: &Sent, change: impl FnOnce(&mut Sent)) {
        let mut changed =
            Sent { story: format!("{}, {what}", sent.story), expected: Expected::Invalid, ..sent.clone() };
        change(&mut changed);
        self.sent.push(changed);
    }

    /// A request that looks different and means the same.
    fn reshape(&mut self, what: &str, sent: &Sent, change: impl FnOnce(&mut Sent)) {
        let mut changed = Sent { story: format!("{}, {what}", sent.story), ..sent.clone() };
        change(&mut changed);
        self.sent.push(changed);
    }

    /// What the judges say to every request, in order; `None` if there are none on this machine.
    fn judged(&self) -> Option<Vec<Opinions>> {
        let python = std::env::var_os("STAVE_TEST_PYTHON")?;
        let mut judge = Command::new(python)
            .arg(JUDGE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("STAVE_TEST_PYTHON is a Python");
        let mut stdin = judge.stdin.take().unwrap();
        let lines: String =
            self.sent.iter().map(|sent| serde_json::to_string(sent).unwrap() + "\n").collect();
        let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
        let output = judge.wait_with_output().unwrap();
        assert!(output.status.success(), "the judges have fallen ill; see above");
        writer.join().unwrap().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

impl Sent {
    /// Changes the address; the change must change something.
    fn readdress(&mut self, from: &str, to: &str) {
        self.url = replaced(&self.url, from, to);
    }

    fn reauthorize(&mut self, from: &str, to: &str) {
        let header = self.headers.get_mut("Authorization").unwrap();
        *header = replaced(header, from, to);
    }

    fn rewrite(&mut self, from: &str, to: &str) {
        self.body = Some(replaced(self.body.as_ref().unwrap(), from, to));
    }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

/// The three requests of a log-in and its renewal, on a server with a context path.
fn steps(desk: &mut Desk) {
    let endpoints = Endpoints::below(&"http://git.example.com:7990/bitbucket".parse().unwrap());
    let callback = url("https://stave.example.com/oauth/callback/git?state=a-b_c~d");
    let (token, handle) = (Secret::new("tOkEn+/="), Secret::new("hAnDlE"));
    let returned = Returned { token: token.clone(), verifier: Secret::new("qTK3fZ") };

    let sent = desk.send("asking for a request token", &endpoints.request_token(&callback), &[]);
    desk.tamper("with another callback", &sent, |sent| {
        sent.reauthorize("stave.example.com", "evil.example.com");
    });
    desk.tamper("without callback", &sent, |sent| {
        sent.reauthorize("oauth_callback", "xoauth_callback");
    });
    let sent = desk.send("asking for an access token", &endpoints.access_token(&returned), &[]);
    desk.tamper("with another verifier", &sent, |sent| sent.reauthorize("qTK3fZ", "qTK3fz"));
    let sent = desk.send("renewing an access token", &endpoints.renewal(&token, &handle), &[]);
    desk.tamper("with another handle", &sent, |sent| sent.reauthorize("hAnDlE", "hAnDlF"));
}

/// Addresses, queries and forms as they come.
fn shapes(desk: &mut Desk) {
    let token = Secret::new("tOkEn+/=");
    let addresses = [
        ("GET", "https://git.example.com"),
        ("GET", "https://git.example.com:443/rest/api/1.0/projects"),
        ("GET", "http://git.example.com:80/bitbucket/rest/api/1.0/projects?limit=100&start=0"),
        ("GET", "https://git.example.com:80/rest?b=2&a=10&a=2&a=&a"),
        ("GET", "https://GIT.Example.com:8443/a/~ada/r%20v/X%2Fy?at=refs%2Fheads%2Fa%26b"),
        ("GET", "https://git.example.com/a?text=b+c&plus=%2B&tilde=~%7E&odd=!*%27()&percent=%2525"),
        ("GET", "https://git.example.com/a?n%C3%A4me=%E2%98%83&b%5B%5D=1&B=2&=empty"),
        ("DELETE", "https://git.example.com/rest/api/1.0/hooks/7?"),
        ("PUT", "http://127.0.0.1:7990/rest/api/1.0/x#fragment"),
    ];
    for (method, at) in addresses {
        let at = url(at);
        desk.send(&format!("{method} {at}"), &Request::new(method, &at).token(&token), &[]);
    }
    let at = url("https://git.example.com/form?b=1&aa=2");
    let forms: [&[(&str, &str)]; 3] = [
        &[("b", "x y"), ("a", ""), ("c", "+~%20"), ("b", "ä&=")],
        &[("äöü", "☃"), ("", "nameless")],
        &[("line", "one\r\ntwo"), ("b", "1")],
    ];
    for form in forms {
        desk.send(&format!("form {form:?}"), &Request::new("POST", &at).form(form).token(&token), form);
    }
    let mut json = desk.send("a body that is no form", &Request::new("POST", &at), &[]);
    json.headers.insert("Content-Type", "application/json".to_owned());
    json.body = Some("{\"a\": [1, 2]}".to_owned());
    desk.sent.push(json);
}

/// What must not go unnoticed, and what must not matter.
fn changes(desk: &mut Desk) {
    let token = Secret::new("tOkEn+/=");
    let (at, form) = (url("https://git.example.com/rest/x?a=1&b=2&b=3"), [("c", "x y"), ("d", "")]);
    let request = Request::new("POST", &at).form(&form).token(&token);
    let sent = desk.send("a form", &request, &form);
    let other_key = Keys::make().public_pem();

    desk.tamper("with another method", &sent, |sent| sent.method = "PUT".to_owned());
    desk.tamper("to another host", &sent, |sent| sent.readdress("git.", "evil."));
    desk.tamper("to another port", &sent, |sent| sent.readdress(".com/", ".com:8443/"));
    desk.tamper("by another scheme", &sent, |sent| sent.readdress("https:", "http:"));
    desk.tamper("to another path", &sent, |sent| sent.readdress("/rest/x", "/rest/X"));
    desk.tamper("with another parameter", &sent, |sent| sent.readdress("a=1", "a=2"));
    desk.tamper("with one parameter more", &sent, |sent| sent.readdress("a=1", "a=1&e=5"));
    desk.tamper("with one parameter less", &sent, |sent| sent.readdress("&b=3", ""));
    desk.tamper("with another body", &sent, |sent| sent.rewrite("c=x", "c=y"));
    desk.tamper("with a longer body", &sent, |sent| sent.rewrite("c=x", "e=1&c=x"));
    desk.tamper("without body", &sent, |sent| sent.body = None);
    desk.tamper("with another nonce", &sent, |sent| sent.reauthorize("nonce%20", "nonce%21"));
    desk.tamper("at another time", &sent, |sent| sent.reauthorize("1760000000", "1760000001"));
    desk.tamper("with another token", &sent, |sent| sent.reauthorize("tOkEn", "token"));
    desk.tamper("as another consumer", &sent, |sent| sent.reauthorize("stave%201", "stave%202"));
    desk.tamper("without version", &sent, |sent| sent.reauthorize(", oauth_version=\"1.0\"", ""));
    desk.tamper("by another method of signing", &sent, |sent| sent.reauthorize("RSA-SHA1", "HMAC-SHA1"));
    desk.tamper("without signature", &sent, |sent| sent.reauthorize("oauth_signature=", "x="));
    desk.tamper("against another key", &sent, |sent| sent.public_key = other_key);
    let other = desk.send("another form", &request, &form);
    desk.tamper("with the signature of another", &sent, |sent| {
        let signature =
            |sent: &Sent| sent.headers["Authorization"].split("oauth_signature=").nth(1).unwrap().to_owned();
        sent.reauthorize(&signature(&sent.clone()), &signature(&other));
    });

    desk.reshape("with its usual port", &sent, |sent| sent.readdress(".com/", ".com:443/"));
    desk.reshape("with capital letters", &sent, |sent| sent.readdress("git.example", "GIT.Example"));
    desk.reshape("with its parameters in another order", &sent, |sent| {
        sent.readdress("a=1&b=2&b=3", "b=3&a=1&b=2");
    });
    desk.reshape("with a parameter moved into the body", &sent, |sent| {
        sent.readdress("a=1&", "");
        sent.rewrite("c=x", "a=1&c=x");
    });
    desk.reshape("with needless escapes", &sent, |sent| sent.rewrite("c=x+y", "%63=%78%20%79"));
    desk.reshape("with a realm", &sent, |sent| sent.reauthorize("OAuth ", "OAuth realm=\"x\", "));
}

#[test]
fn two_judges_agree() {
    let mut desk = Desk::new();
    steps(&mut desk);
    shapes(&mut desk);
    changes(&mut desk);
    let Some(judged) = desk.judged() else {
        eprintln!(
            "There is no STAVE_TEST_PYTHON, so nobody has judged the signatures. scripts/test has one."
        );
        return;
    };
    assert_eq!(judged.len(), desk.sent.len());
    for (sent, opinions) in desk.sent.iter().zip(judged) {
        let names: Vec<_> = opinions.keys().map(String::as_str).collect();
        assert_eq!(names, ["authlib", "oauthlib"]);
        for (judge, opinion) in opinions {
            match &sent.expected {
                Expected::Valid(base_string) => {
                    assert_eq!(opinion.base_string.as_ref(), Some(base_string), "{judge}: {}", sent.story);
                    assert!(opinion.valid, "{judge} refuses {}", sent.story);
                }
                Expected::Invalid => assert!(!opinion.valid, "{judge} accepts {}", sent.story),
            }
        }
    }
}
