//! "Test it": Stave looks at a website from outside, as a stranger does, and says what it found.

mod judge;

use crate::{Actor, App, Failure};
use judge::{
    comes_back, discovers, has_keys, has_tag, is_closed, is_hidden, is_script, starts, stays_closed,
};
use stave_domain::{
    check::Outcome,
    website::{Client, ClientKind, Origin, Website},
};
use stave_upstream::{Obstacle, SiteAnswer, UpstreamError, site_look};
use url::{Position, Url};

/// So many redirect addresses are looked at: a form is not a way to send requests about.
const MOST_ADDRESSES: usize = 8;

/// What a browser says when somebody opens a page.
const OPENING: [(&str, &str); 2] = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];

/// What a visitor could send who wants to be somebody else: every name that the check of a proxy answers with, and the spellings
/// that some programs take for the same.
const FORGED: [(&str, &str); 12] = [
    ("accept", "text/html"),
    ("sec-fetch-mode", "navigate"),
    ("remote-user", "forged"),
    ("remote-groups", "admin"),
    ("remote_user", "forged"),
    ("x-auth-request-user", "forged"),
    ("x-auth-request-email", "forged@example.com"),
    ("x-forwarded-user", "forged"),
    ("x-forwarded-email", "forged@example.com"),
    ("x-original-url", "/.stave/start"),
    ("x-stave-jwt", "forged"),
    ("x-stave-proxy-key", "forged"),
];

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What.
    pub what: String,
    /// What came of it; if it is not as it should be, what to do.
    pub outcome: Outcome,
}

impl App {
    /// Whether applications find what they need at the public address of the issuer, and their redirect addresses answer.
    pub async fn website_wiring_openid(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<Vec<Finding>, Failure> {
        let clients = self.website_client_list(actor, organization, slug).await?;
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let issuer = self.issuer_address(&website);
        let discovery = format!("{issuer}/.well-known/openid-configuration");
        let jwks = format!("{issuer}/jwks");
        let kids: Vec<_> =
            self.storage.website_key_list(website.id).await?.into_iter().map(|key| key.id).collect();
        let (discovery_answer, jwks_answer) =
            futures::join!(self.look(&discovery, &[]), self.look(&jwks, &[]));
        let mut findings = vec![
            finding("Discovery document", (&discovery, discovery_answer), |answer| {
                discovers(answer, &issuer)
            }),
            finding("Signing keys", (&jwks, jwks_answer), |answer| has_keys(answer, &kids)),
        ];
        let addresses = addresses(&clients);
        let looks = addresses.iter().map(|(_, address)| self.look(address, &OPENING));
        let answers = futures::future::join_all(looks).await;
        for ((name, address), answer) in addresses.iter().zip(answers) {
            findings.push(finding(&format!("Redirect address of {name}"), (address, answer), |answer| {
                comes_back(answer, address)
            }));
        }
        Ok(findings)
    }

    /// Whether a page behind a proxy is closed to strangers, and the way to the log-in is open. `path` is a page that is protected.
    pub async fn website_wiring_proxy(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        origin: &str,
        path: &str,
    ) -> Result<Vec<Finding>, Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let origin = origin_of(&website, origin)?;
        if !path.trim().starts_with('/') {
            return Err(Failure::invalid("path", "A page begins with a slash, such as /members/."));
        }
        let page: Url = origin.at(path.trim()).parse().map_err(Failure::internal)?;
        let (path, page) = (&page[Position::BeforePath..Position::AfterQuery], page.as_str());
        let start = origin.at("/.stave/start?rd=/");
        let check = origin.at("/.stave/check");
        let authorize = format!("{}/authorize", self.issuer_address(&website));
        let looks = futures::join!(
            self.look(page, &OPENING),
            self.look(&start, &OPENING),
            self.look(&check, &OPENING),
            self.look(page, &FORGED)
        );
        Ok(vec![
            finding(&format!("A stranger opens {path}"), (page, looks.0), |answer| {
                is_closed(answer, origin, path)
            }),
            finding("The way to the login form", (&start, looks.1), |answer| {
                starts(answer, &authorize, origin)
            }),
            finding("The check itself", (&check, looks.2), is_hidden),
            finding("A stranger says who they are", (page, looks.3), stays_closed),
        ])
    }

    /// Whether the front page has the script tag.
    pub async fn website_wiring_script(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<Vec<Finding>, Failure> {
        let clients = self.website_client_list(actor, organization, slug).await?;
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let script = format!("{}/site.js", self.issuer_address(&website));
        let ids: Vec<_> = clients
            .iter()
            .filter(|client| client.kind == ClientKind::Browser)
            .map(|client| client.public_id.as_str())
            .collect();
        let pages: Vec<_> = website.origins.iter().map(|origin| origin.at("/")).collect();
        let (own, answers) = futures::join!(
            self.look(&script, &[]),
            futures::future::join_all(pages.iter().map(|page| self.look(page, &OPENING)))
        );
        let mut findings = vec![finding("The script", (&script, own), is_script)];
        for (page, answer) in pages.iter().zip(answers) {
            findings.push(finding(&format!("The tag on {page}"), (page, answer), |answer| {
                has_tag(answer, &script, &ids)
            }));
        }
        Ok(findings)
    }

    async fn look(&self, address: &str, headers: &[(&str, &str)]) -> Result<SiteAnswer, UpstreamError> {
        let url: Url = address.parse().expect("addresses are built of origins and paths");
        site_look(&self.http, &url, headers).await
    }
}

/// The address of the website that was chosen.
fn origin_of<'a>(website: &'a Website, typed: &str) -> Result<&'a Origin, Failure> {
    let chosen = website.origins.iter().find(|origin| origin.as_str() == typed);
    chosen.ok_or_else(|| Failure::invalid("origin", "Choose one of the addresses of the website."))
}

/// What came of a look. An address that Stave may not reach says nothing against it.
fn finding(
    what: &str,
    (address, answer): (&str, Result<SiteAnswer, UpstreamError>),
    judge: impl FnOnce(&SiteAnswer) -> Outcome,
) -> Finding {
    let outcome = match answer {
        Ok(answer) => judge(&answer),
        Err(error @ UpstreamError::SiteUnreachable { obstacle: Obstacle::AddressRefused(_), .. }) => {
            Outcome::Noted(format!(
                "{error} Until then, open {address} in a private window of your browser and look yourself."
            ))
        }
        Err(error) => Outcome::Failed(error.to_string()),
    };
    Finding { what: what.to_owned(), outcome }
}

/// The redirect addresses to look at, with the names of their applications; every site's own script comes back to its front page.
fn addresses(clients: &[Client]) -> Vec<(String, String)> {
    let all = clients
        .iter()
        .flat_map(|client| client.redirect_uris.iter().map(|uri| (client.name.clone(), uri.to_string())));
    all.take(MOST_ADDRESSES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_may_not_be_reached_is_no_fault_of_the_site() {
        let refused = UpstreamError::SiteUnreachable {
            host: "shop.example".into(),
            obstacle: Obstacle::AddressRefused("10.0.0.1".parse().unwrap()),
            source: None,
        };
        let found = finding("x", ("https://shop.example/", Err(refused)), |_| unreachable!());
        let Outcome::Noted(sentence) = found.outcome else { panic!("{found:?}") };
        assert!(
            sentence.contains("--outbound-allow") && sentence.contains("open https://shop.example/"),
            "{sentence}"
        );
    }
}
