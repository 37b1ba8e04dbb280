//! Whether a base URL leads to Bitbucket Data Center, which version it is, and how applications and people get in.

use super::wire::{LoginOptions, Properties};
use crate::{
    answer::{Answer, below},
    probe::{Found, Look, ProbeProblem, Sight},
};
use reqwest::StatusCode;
use stave_domain::integration::{OAuthVersion, Platform, ServerVersion};

/// Whether the server speaks OAuth 2; tried, since the number of the version does not decide it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OAuth2 {
    Yes,
    No,
    /// The question was not answered.
    Unknown,
}

/// Asks for the version, then how applications and people get in, all without credentials.
pub(crate) async fn probe(look: &Look<'_>) -> Result<Found, ProbeProblem> {
    let base_url = look.base_url.url();
    let api_url = below(base_url, "/rest/api/1.0");
    let answer = look.get(&below(&api_url, "/application-properties")).await?;
    let clock_ahead = look.clock_ahead(&answer);
    let Some(properties) = properties_in(&answer) else {
        return Err(ProbeProblem::of(&answer, look.base_url));
    };
    let version = properties.version.and_then(|version| version.parse().ok());
    let (oauth2, log_in_ways) = tokio::join!(oauth2_ask(look), log_in_ways_ask(look));
    Ok(Found::Surely(Sight {
        platform: Platform::BitbucketDataCenter,
        api_url,
        oauth: oauth_versions(oauth2, version.as_ref()),
        clock_ahead,
        log_in_ways,
        remarks: remarks(oauth2, version.as_ref(), base_url.scheme()),
        version,
    }))
}

/// The display name can be changed, and a version alone has many a product.
fn properties_in(answer: &Answer) -> Option<Properties> {
    let properties: Properties = answer.json().ok().filter(|_| answer.status.is_success())?;
    let has =
        [properties.version.is_some(), properties.build_number.is_some(), properties.display_name.is_some()];
    (has.into_iter().filter(|has| *has).count() >= 2).then_some(properties)
}

/// The list of clients is for admins: whoever refuses it has it.
async fn oauth2_ask(look: &Look<'_>) -> OAuth2 {
    let answer = look.get(&below(look.base_url.url(), "/rest/oauth2/1.0/client")).await;
    match answer.map(|answer| (answer.status, answer.is_web_page())) {
        Ok((StatusCode::NOT_FOUND, _)) => OAuth2::No,
        Ok((StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED, _)) => {
            OAuth2::Yes
        }
        Ok((status, false)) if status.is_success() => OAuth2::Yes,
        Ok(_) | Err(_) => OAuth2::Unknown,
    }
}

/// In a few words each; none if the server is too old to say.
async fn log_in_ways_ask(look: &Look<'_>) -> Vec<String> {
    let url = below(look.base_url.url(), "/rest/authconfig/1.0/login-options");
    let options = look.get(&url).await.ok().filter(|answer| answer.status.is_success());
    let options: Option<LoginOptions> = options.and_then(|answer| answer.json().ok());
    let mut ways = Vec::new();
    for option in options.map(|options| options.results).unwrap_or_default().into_iter().take(10) {
        let button: String =
            option.button.unwrap_or_default().chars().filter(|c| !c.is_control()).take(60).collect();
        let way = match option.kind.as_deref() {
            Some("LOGIN_FORM" | "LEGACY_LOGIN_FORM") => "log-in form".to_owned(),
            Some("IDP") if button.is_empty() => "single sign-on".to_owned(),
            Some("IDP") => format!("single sign-on: {button}"),
            _ => continue,
        };
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

fn oauth_versions(oauth2: OAuth2, version: Option<&ServerVersion>) -> Vec<OAuthVersion> {
    let takes_oauth1 = version.is_none_or(ServerVersion::takes_oauth1);
    let has_oauth2 = version.is_some_and(ServerVersion::has_oauth2);
    match oauth2 {
        OAuth2::Yes if takes_oauth1 => vec![OAuthVersion::Two, OAuthVersion::One],
        OAuth2::Yes => vec![OAuthVersion::Two],
        OAuth2::Unknown if version.is_none() || has_oauth2 => Vec::new(),
        OAuth2::No | OAuth2::Unknown => vec![OAuthVersion::One],
    }
}

fn remarks(oauth2: OAuth2, version: Option<&ServerVersion>, scheme: &str) -> Vec<String> {
    let mut remarks = Vec::new();
    if version.is_none() {
        remarks.push("It does not say which version it is.".to_owned());
    }
    match (oauth2, version.filter(|version| version.has_oauth2())) {
        (OAuth2::No, Some(version)) => remarks.push(format!(
            "Bitbucket {version} could speak OAuth 2 but does not: its own base URL has to start with https://. An admin corrects it \
             there in Administration > Server settings > Base URL."
        )),
        (OAuth2::Unknown, _) => remarks.push(
            "Whether it speaks OAuth 2 could not be found out. Check that what stands in front of it lets /rest/* through."
                .to_owned(),
        ),
        _ => {}
    }
    if scheme == "http" {
        remarks.push(
            "The base URL starts with http://, so whoever is on the way between Stave and Bitbucket can read along. Bitbucket itself \
             speaks OAuth 2 only by https, unless its operator has allowed otherwise."
                .to_owned(),
        );
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_oauth() {
        use OAuthVersion::{One, Two};
        for (oauth2, version, expected, remarked) in [
            (OAuth2::Yes, Some("7.21.0"), vec![Two, One], 0),
            (OAuth2::Yes, Some("8.19.3"), vec![Two], 0),
            (OAuth2::Yes, None, vec![Two, One], 1),
            (OAuth2::No, Some("5.16.11"), vec![One], 0),
            (OAuth2::No, Some("7.21.0"), vec![One], 1),
            (OAuth2::No, Some("9.4.2"), vec![One], 1),
            (OAuth2::Unknown, Some("7.20.0"), vec![One], 1),
            (OAuth2::Unknown, Some("9.4.2"), vec![], 1),
            (OAuth2::Unknown, None, vec![], 2),
        ] {
            let version: Option<ServerVersion> = version.map(|version| version.parse().unwrap());
            assert_eq!(oauth_versions(oauth2, version.as_ref()), expected, "{version:?}");
            assert_eq!(remarks(oauth2, version.as_ref(), "https").len(), remarked, "{version:?}");
            assert_eq!(remarks(oauth2, version.as_ref(), "http").len(), remarked + 1, "{version:?}");
        }
    }
}
