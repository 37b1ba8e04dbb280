//! How a token is given to Composer: the command, the environment variable, the file.

use serde_json::{Value, json};
use stave_domain::Secret;
use url::{Position, Url};

/// What stands where a token would, when its text cannot be shown.
const PLACEHOLDER: &str = "YOUR_TOKEN";

/// A user name and a token for one host. Composer knows one pair per `host[:port]`
/// (Composer `Util/AuthHelper.php`, `Util/Url::getOrigin`).
pub(crate) struct ComposerAuth {
    origin: String,
    username: String,
    token: Secret,
}

impl ComposerAuth {
    /// `url` is the public address of this server.
    pub(crate) fn of(url: &Url, username: &str, token: Secret) -> Self {
        Self { origin: origin(url), username: username.to_owned(), token }
    }

    /// The same with a placeholder, for a token that is known to somebody else.
    pub(crate) fn unknown(url: &Url, username: &str) -> Self {
        Self::of(url, username, Secret::new(PLACEHOLDER))
    }

    /// The host as Composer asks for it.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The user name that goes with the token.
    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    /// The command that tells Composer on this machine.
    pub(crate) fn command(&self) -> String {
        format!(
            "composer config --global --auth http-basic.{} {} {}",
            self.origin,
            self.username,
            self.token.expose()
        )
    }

    /// The content of the environment variable `COMPOSER_AUTH`.
    pub(crate) fn environment(&self) -> String {
        self.json().to_string()
    }

    /// The content of a file `auth.json`.
    pub(crate) fn file(&self) -> String {
        format!("{:#}", self.json())
    }

    fn json(&self) -> Value {
        json!({ "http-basic": { &self.origin: { "username": self.username, "password": self.token.expose() } } })
    }
}

/// `host[:port]`, as Composer names it.
pub(crate) fn origin(url: &Url) -> String {
    url[Position::BeforeHost..Position::AfterPort].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_part_of_the_name() {
        for (address, expected) in [
            ("https://stave.example/", "stave.example"),
            ("https://stave.example:443/below/", "stave.example"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(origin(&Url::parse(address).unwrap()), expected);
        }
    }

    #[test]
    fn three_ways_to_say_the_same() {
        let auth = ComposerAuth::unknown(&Url::parse("http://127.0.0.1:8080").unwrap(), "ada");
        assert_eq!(
            auth.command(),
            "composer config --global --auth http-basic.127.0.0.1:8080 ada YOUR_TOKEN"
        );
        assert_eq!(
            auth.environment(),
            r#"{"http-basic":{"127.0.0.1:8080":{"username":"ada","password":"YOUR_TOKEN"}}}"#
        );
        assert_eq!(serde_json::from_str::<Value>(&auth.file()).unwrap(), auth.json());
    }
}
