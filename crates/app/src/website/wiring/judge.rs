//! What the answers of a look say: whether it is as it should be, and if not, what to do.

use serde_json::Value;
use stave_domain::{check::Outcome, website::Origin};
use stave_upstream::SiteAnswer;
use url::Url;

fn passed(sentence: &str) -> Outcome {
    Outcome::Passed(sentence.to_owned())
}

fn failed(sentence: impl Into<String>) -> Outcome {
    Outcome::Failed(sentence.into())
}

pub(super) fn discovers(answer: &SiteAnswer, issuer: &str) -> Outcome {
    let Ok(document) = serde_json::from_str::<Value>(&answer.body) else {
        return failed(format!(
            "Something else than Stave answers here (status {}). The proxy in front of Stave has to pass everything below /w/ on to it, unchanged.",
            answer.status
        ));
    };
    match document["issuer"].as_str() {
        Some(said) if said == issuer && answer.status == 200 => {
            passed("It names this issuer, letter by letter.")
        }
        Some(said) => failed(format!(
            "It names the issuer {said} instead of {issuer}. Another Stave answers at this address, or the public address of this one was changed."
        )),
        None => {
            failed("It names no issuer. The proxy in front of Stave has to pass the document on unchanged.")
        }
    }
}

pub(super) fn has_keys(answer: &SiteAnswer, kids: &[String]) -> Outcome {
    let document = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let shown = document["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_known = |key: &Value| key["kid"].as_str().is_some_and(|kid| kids.iter().any(|known| known == kid));
    match shown.len() {
        0 => failed(format!(
            "No keys are shown here (status {}). The proxy in front of Stave has to pass the document on unchanged.",
            answer.status
        )),
        _ if !shown.iter().all(is_known) => failed(
            "These are not the keys of this website. Look whether a cache or another Stave answers here.",
        ),
        1 => passed("One key is published."),
        count => passed(&format!("{count} keys are published.")),
    }
}

/// Without a code an application may well answer with an error: only nothing at all is wrong.
pub(super) fn comes_back(answer: &SiteAnswer, address: &str) -> Outcome {
    match answer.status {
        404 | 410 => failed(format!(
            "There is nothing at {address} (status {}). Compare it with what the application calls its redirect address or callback.",
            answer.status
        )),
        502..=504 => {
            failed(format!("The application behind {address} does not run (status {}).", answer.status))
        }
        status => passed(&format!("{address} answers (status {status}).")),
    }
}

/// Where an answer sends the browser, as an address.
fn target(answer: &SiteAnswer, origin: &Origin) -> Option<Url> {
    let location = answer.location.as_deref().filter(|_| (300..400).contains(&answer.status))?;
    Url::parse(&origin.at("/")).ok()?.join(location).ok()
}

pub(super) fn is_closed(answer: &SiteAnswer, origin: &Origin, path: &str) -> Outcome {
    if let Some(target) = target(answer, origin) {
        let home = Origin::of(&target);
        let is_start = target.path() == "/.stave/start";
        return match target.query().and_then(|query| query.strip_prefix("rd=")) {
            Some(back) if is_start && home == *origin && back == path => {
                passed("They are sent to the login form, and back to this page afterwards.")
            }
            Some(_) if is_start && home != *origin => failed(format!(
                "They are sent to {home} instead of {origin}. Pass on the scheme and the host as the text has it (X-Forwarded-Proto, X-Forwarded-Host)."
            )),
            Some(back) if is_start => failed(format!(
                "They come back to {back} instead of {path}. Pass on the address as it came: $request_uri in nginx."
            )),
            _ => failed(format!(
                "They are sent to {target}, which is not the login form. Look which rule of the proxy does that."
            )),
        };
    }
    match answer.status {
        200..=299 => failed(
            "The page opens without a log-in. Protect it: in nginx auth_request has to stand in the location that serves it, in Caddy forward_auth before what serves it.",
        ),
        401 if answer.www_authenticate.as_deref().is_some_and(|realm| realm.starts_with("Stave")) => failed(
            "It is closed, but visitors see an error instead of the login form. In nginx the line “error_page 401 = @stave_start;” is missing in this location.",
        ),
        403 => failed(
            "Stave refuses the proxy itself. Look at the Log of the website: the proxy key is wrong, or this address is not one of the website's.",
        ),
        500 => failed(
            "The proxy cannot read the answer of the check. Look at its error log: it does not reach Stave, or the address of the check ends with the name of another proxy.",
        ),
        502..=504 => failed(format!(
            "The proxy does not reach Stave, or what it protects (status {}). Look at its error log.",
            answer.status
        )),
        404 => failed(format!("There is no page at {path}. Name one that is there and protected.")),
        status => failed(format!(
            "The answer has status {status}, which is neither the page nor the way to the login form. Look at the proxy's error log."
        )),
    }
}

pub(super) fn starts(answer: &SiteAnswer, authorize: &str, origin: &Origin) -> Outcome {
    if let Some(target) = target(answer, origin) {
        let (before, _) = target.as_str().split_once('?').unwrap_or((target.as_str(), ""));
        return if before == authorize {
            passed("/.stave/start leads to the login form of this website.")
        } else {
            failed(format!(
                "/.stave/start leads to {before} instead of {authorize}. The text of another website is in use, or the proxy rewrites addresses."
            ))
        };
    }
    match answer.status {
        403 => failed(
            "Stave refuses /.stave/start. The proxy key in the part for /.stave/ is wrong or missing, or the host is not passed on.",
        ),
        404 => failed(
            "There is nothing at /.stave/start. Copy the part of the text that hands /.stave/ on to Stave.",
        ),
        status => failed(format!(
            "/.stave/start answers with status {status}. The proxy has to hand everything below /.stave/ on to Stave; look at its error log."
        )),
    }
}

pub(super) fn is_hidden(answer: &SiteAnswer) -> Outcome {
    if answer.status == 404 {
        passed("/.stave/check cannot be asked from outside.")
    } else {
        failed(format!(
            "/.stave/check answers strangers (status {}). In nginx “internal;” is missing in its location.",
            answer.status
        ))
    }
}

pub(super) fn stays_closed(answer: &SiteAnswer) -> Outcome {
    if (200..300).contains(&answer.status) {
        failed(
            "The page opens to somebody who only claims to be logged in, with a header of their own. It is not protected by the check.",
        )
    } else {
        passed("Headers like Remote-User that a visitor sends open nothing.")
    }
}

pub(super) fn is_script(answer: &SiteAnswer) -> Outcome {
    let is_javascript = answer.content_type.as_deref().is_some_and(|kind| kind.contains("javascript"));
    if answer.status == 200 && is_javascript {
        passed("It is where the tag says.")
    } else {
        failed(format!(
            "Something else than the script answers (status {}). The proxy in front of Stave has to pass everything below /w/ on to it.",
            answer.status
        ))
    }
}

pub(super) fn has_tag(answer: &SiteAnswer, script: &str, ids: &[&str]) -> Outcome {
    let page = &answer.body;
    if (300..400).contains(&answer.status) {
        return Outcome::Noted(format!(
            "The page leads elsewhere (status {}), so the tag cannot be seen from here. If a proxy protects the site, log in and look yourself.",
            answer.status
        ));
    }
    if answer.status != 200 {
        return failed(format!("The page does not open (status {}).", answer.status));
    }
    if !page.contains(script) {
        return failed(
            "The script tag is not on the page as it comes from the server. Put it into its head. If a program in the browser puts it there, look yourself.",
        );
    }
    if ids.iter().any(|id| page.contains(id)) {
        passed("The tag is there, with an application of this website.")
    } else {
        failed(
            "The tag is there, but its data-client is no application of this website. Copy the tag once more.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, location: Option<&str>) -> SiteAnswer {
        SiteAnswer {
            status,
            location: location.map(str::to_owned),
            www_authenticate: None,
            content_type: None,
            body: String::new(),
        }
    }

    fn says(outcome: &Outcome) -> (bool, &str) {
        match outcome {
            Outcome::Passed(sentence) => (true, sentence),
            Outcome::Failed(sentence) | Outcome::Noted(sentence) => (false, sentence),
        }
    }

    #[test]
    fn a_protected_page_leads_to_the_login_form() {
        let origin: Origin = "https://shop.example".parse().unwrap();
        for (status, location, is_good, part) in [
            (302, Some("/.stave/start?rd=/members/?a=1&b=2"), true, "sent to the login form"),
            (
                303,
                Some("https://shop.example/.stave/start?rd=/members/?a=1&b=2"),
                true,
                "sent to the login form",
            ),
            (302, Some("https://shop.example/.stave/start?rd=/"), false, "come back to / instead"),
            (
                302,
                Some("http://shop.example/.stave/start?rd=/members/?a=1&b=2"),
                false,
                "http://shop.example instead of",
            ),
            (
                302,
                Some("https://evil.example/.stave/start?rd=/members/?a=1&b=2"),
                false,
                "https://evil.example",
            ),
            (302, Some("/login"), false, "not the login form"),
            (200, Some("/.stave/start?rd=/members/?a=1&b=2"), false, "opens without a log-in"),
            (200, None, false, "opens without a log-in"),
            (403, None, false, "proxy key"),
            (500, None, false, "error log"),
            (502, None, false, "does not reach"),
            (404, None, false, "no page"),
            (418, None, false, "418"),
        ] {
            let outcome = is_closed(&answer(status, location), &origin, "/members/?a=1&b=2");
            let (is_passed, sentence) = says(&outcome);
            assert!(is_passed == is_good && sentence.contains(part), "{status} {location:?}: {sentence}");
        }
        let bare = SiteAnswer { www_authenticate: Some("Stave realm=\"Shop\"".into()), ..answer(401, None) };
        assert!(says(&is_closed(&bare, &origin, "/")).1.contains("error_page 401"));
    }

    #[test]
    fn the_way_to_the_login_form_is_this_websites() {
        let origin: Origin = "https://shop.example".parse().unwrap();
        let judge = |status, location| {
            let outcome =
                starts(&answer(status, location), "https://stave.example/w/shop/authorize", &origin);
            says(&outcome).0
        };
        assert!(judge(303, Some("https://stave.example/w/shop/authorize?client_id=x")));
        assert!(!judge(303, Some("https://stave.example/w/other/authorize?client_id=x")));
        assert!(!judge(303, Some("https://stave.example/w/shop/authorize-not?x")));
        assert!(!judge(404, None) && !judge(403, None) && !judge(200, None));
        assert!(says(&is_hidden(&answer(404, None))).0 && !says(&is_hidden(&answer(200, None))).0);
        assert!(!says(&stays_closed(&answer(200, None))).0 && says(&stays_closed(&answer(302, None))).0);
    }

    #[test]
    fn documents_are_this_websites() {
        let with = |body: &str| SiteAnswer { body: body.into(), ..answer(200, None) };
        let issuer = "https://stave.example/w/shop";
        let named = |body: &str| says(&discovers(&with(body), issuer)).0;
        assert!(named(r#"{"issuer":"https://stave.example/w/shop"}"#));
        for other in ["<html>", "{}", r#"{"issuer":"https://stave.example/w/shop/"}"#] {
            assert!(!named(other), "{other}");
        }
        let kids = ["a".to_owned()];
        let known = |body: &str| says(&has_keys(&with(body), &kids)).0;
        assert!(known(r#"{"keys":[{"kid":"a"}]}"#));
        for other in
            [r#"{"keys":[]}"#, "nonsense", r#"{"keys":[{"kid":"b"}]}"#, r#"{"keys":[{"kid":"a"},{}]}"#]
        {
            assert!(!known(other), "{other}");
        }
        let tag =
            |body: &str| says(&has_tag(&with(body), "https://stave.example/w/shop/site.js", &["abc"])).0;
        assert!(tag(r#"<script src="https://stave.example/w/shop/site.js" data-client="abc">"#));
        assert!(!tag(r#"<script src="https://stave.example/w/shop/site.js" data-client="xyz">"#));
        assert!(!tag("abc"));
    }
}
