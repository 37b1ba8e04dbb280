//! Understanding the values: each refusal is a sentence that says what is wrong and what to do.

use ipnet::IpNet;
use stave_domain::{Invalid, Secret};
use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    str::FromStr,
};
use tracing::level_filters::LevelFilter;
use url::Url;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    /// The word in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, Invalid> {
    text.parse().map_err(|_| {
        Invalid::because(format!(
            "{text:?} is no address with a port. Write it like 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080."
        ))
    })
}

/// A public address ends without a slash in every text that is made from it, so it may have no path.
pub(super) fn public_url(text: &str) -> Result<Url, Invalid> {
    let refuse = |problem: &str| {
        Invalid::because(format!("{text:?} {problem}. Write it like https://packages.example.com."))
    };
    let url = Url::parse(text).map_err(|error| refuse(&format!("is no URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid::because("A public address has no user name and no password. Remove them."));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("does not begin with https:// or http://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has more than a host and a port"));
    }
    if url.path() != "/" {
        return Err(refuse("has a path, but Stave needs a host name of its own"));
    }
    Ok(url)
}

/// A Composer repository, or `none`.
pub(super) fn mirror_url(text: &str) -> Result<Option<Url>, Invalid> {
    if text == "none" {
        return Ok(None);
    }
    stave_domain::mirror::url_parse(text).map(Some).map_err(|invalid| {
        Invalid::because(format!("{invalid} Write “none” if new organizations shall have no mirror."))
    })
}

/// An address below which files lie: their names are put after it. It is shown to everybody.
pub(super) fn docs_edit_url(text: &str) -> Result<Url, Invalid> {
    let refuse = |problem: &str| {
        Invalid::because(format!(
            "{text:?} {problem}. Write it like https://git.example.com/stave/docs/guides."
        ))
    };
    let url = Url::parse(text).map_err(|error| refuse(&format!("is no URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid::because("Everybody sees this address. Remove the user name and the password."));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("does not begin with https:// or http://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("goes on after its path, and the name of a file is put at its end"));
    }
    Ok(url)
}

pub(super) fn database_url(text: &str) -> Result<Secret, Invalid> {
    let known = ["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| text.starts_with(scheme));
    if known {
        Ok(Secret::new(text))
    } else {
        Err(Invalid::because(
            "A database address begins with postgres:// or sqlite://. Write it like postgres://stave@127.0.0.1/stave.",
        ))
    }
}

pub(super) fn storage_url(text: &str) -> Result<String, Invalid> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(text.to_owned());
    };
    if scheme != "s3" || rest.is_empty() || rest.starts_with('/') {
        return Err(Invalid::because(
            "Zips are kept in a folder or in S3. Write a path, or s3://bucket/prefix.",
        ));
    }
    if rest.contains(['@', '?', '#']) {
        return Err(Invalid::because(
            "An S3 address is a bucket and a prefix only: s3://bucket/prefix. The credentials belong in AWS_ACCESS_KEY_ID \
             and AWS_SECRET_ACCESS_KEY.",
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn ranges(text: &str) -> Result<Vec<IpNet>, Invalid> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(range).collect()
}

fn range(text: &str) -> Result<IpNet, Invalid> {
    IpNet::from_str(text).or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        Invalid::because(format!(
            "{text:?} is no address range. Write it like 10.1.0.0/16, 192.168.1.5 or fd00::/8."
        ))
    })
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, Invalid> {
    let formats = [LogFormat::Human, LogFormat::Json];
    let found = formats.into_iter().find(|format| format.name() == text);
    found.ok_or_else(|| Invalid::because(format!("{text:?} is no log format. Write human or json.")))
}

pub(super) fn log_level(text: &str) -> Result<LevelFilter, Invalid> {
    let levels =
        [LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::TRACE];
    let found = levels.into_iter().find(|level| level.to_string() == text);
    found.ok_or_else(|| {
        Invalid::because(format!("{text:?} is no log level. Write error, warn, info, debug or trace."))
    })
}

/// The text of a file that holds one secret; line ends around it do not count.
pub(super) fn secret_in_file(path: &str) -> Result<Secret, Invalid> {
    let text = std::fs::read_to_string(Path::new(path))
        .map(Secret::new)
        .map_err(|error| Invalid::because(format!("The file {path} cannot be read: {error}.")))?;
    match text.expose().trim() {
        "" => Err(Invalid::because(format!("The file {path} is empty."))),
        trimmed => Ok(Secret::new(trimmed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_scheme_host_and_port() {
        for good in ["https://packages.example.com", "http://127.0.0.1:8080/", "http://[::1]:8080"] {
            assert!(public_url(good).is_ok(), "{good}");
        }
        let bad = [
            "",
            "packages.example.com",
            "ftp://x",
            "https://x/stave",
            "https://x/?a",
            "https://a:b@x",
            "https://",
        ];
        for bad in bad {
            assert!(public_url(bad).is_err(), "{bad}");
        }
        let refusal = public_url("https://ada:hunter2@example.com").unwrap_err().to_string();
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }

    #[test]
    fn a_place_to_edit_the_guides_is_an_address_with_a_path() {
        for good in ["https://git.example.com/stave/edit/main/docs/guides/", "http://127.0.0.1/x"] {
            assert!(docs_edit_url(good).is_ok(), "{good}");
        }
        for bad in ["", "docs/guides", "javascript:alert(1)", "https://x/?file=", "https://x/#y"] {
            assert!(docs_edit_url(bad).is_err(), "{bad}");
        }
        let refusal = docs_edit_url("https://ada:hunter2@example.com/docs").unwrap_err().to_string();
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }

    #[test]
    fn addresses_to_listen_on() {
        for good in ["127.0.0.1:8080", "0.0.0.0:0", "[::]:8080"] {
            assert!(listen(good).is_ok(), "{good}");
        }
        for bad in ["", "8080", ":8080", "localhost", "127.0.0.1", "127.0.0.1:70000"] {
            assert!(listen(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn databases_and_stores() {
        for good in ["postgres://a:b@c/d", "postgresql://c/d", "sqlite:///tmp/x.sqlite"] {
            assert!(database_url(good).is_ok(), "{good}");
        }
        let refusal = database_url("mysql://ada:hunter2@db/stave").unwrap_err().to_string();
        assert!(!refusal.contains("hunter2"), "{refusal}");
        for good in ["s3://bucket", "s3://bucket/prefix", "/var/lib/zips", "zips"] {
            assert!(storage_url(good).is_ok(), "{good}");
        }
        for bad in ["s3://", "s3:///prefix", "gs://bucket", "s3://id:secret@bucket/x", "s3://bucket?region=x"]
        {
            assert!(storage_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_are_a_list() {
        let list = ranges("10.1.0.0/16, 192.168.1.5 ,::1").unwrap();
        let shown: Vec<_> = list.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.1.0.0/16", "192.168.1.5/32", "::1/128"]);
        assert!(ranges("").unwrap().is_empty());
        for bad in ["10.0.0.0/33", "localhost", "10.0.0.0-10.0.0.9"] {
            assert!(ranges(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn log_words() {
        assert_eq!(log_format("json").unwrap(), LogFormat::Json);
        assert!(log_format("JSON").is_err());
        assert_eq!(log_level("debug").unwrap(), LevelFilter::DEBUG);
        assert!(log_level("loud").is_err());
    }
}
