//! How the parts of a platform's interface fare, in words.

use stave_app::FailingEndpoint;
use stave_domain::endpoint::EndpointState;

/// What no longer works, in a sentence for the banner.
pub(crate) fn stopped(gone: &[EndpointState]) -> String {
    let purposes: Vec<_> = gone.iter().map(|state| state.purpose.as_str()).collect();
    format!("This stops working: {}.", purposes.join("; "))
}

/// How an endpoint fares, in a word or two, and the tone of its badge.
pub(crate) fn badge(state: &EndpointState) -> (&'static str, &'static str) {
    match (state.failing_since, &state.because) {
        (Some(_), _) if state.is_gone => ("removed", "bad"),
        (Some(_), _) => ("does not answer", "bad"),
        (None, Some(_)) => ("not clear yet", "warn"),
        (None, None) => ("answers", "good"),
    }
}

/// A sentence in three parts, so that the address in it can be a link: what is before it, the address, what is after it.
pub(crate) fn with_link(sentence: &str) -> (&str, &str, &str) {
    let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| sentence.find(scheme)).min() else {
        return (sentence, "", "");
    };
    let (before, rest) = sentence.split_at(start);
    let ends = |c: char| c.is_whitespace() || matches!(c, ')' | '”' | '"' | '<' | '>');
    let (address, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    let whole = address.trim_end_matches(['.', ',', ';', ':']);
    (before, whole, if whole.len() == address.len() { after } else { &rest[whole.len()..] })
}

/// The page of the integration that an endpoint belongs to; those of the installation's are for admins.
pub(crate) fn page_of(failing: &FailingEndpoint, is_for_admins: bool) -> Option<String> {
    let id = failing.integration.id;
    match &failing.owner {
        None => is_for_admins.then(|| format!("/admin/integrations/{id}")),
        Some(owner) => Some(format!("{}/settings/integrations/{id}", crate::frame::home(owner))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_in_a_sentence_is_found() {
        let whole = "bitbucket.org no longer offers /2.0/x (announced at https://developer.example/CHANGE-1). Update Stave.";
        let parts = with_link(whole);
        assert_eq!(parts.1, "https://developer.example/CHANGE-1");
        assert_eq!([parts.0, parts.1, parts.2].concat(), whole);
        assert_eq!(with_link("See http://a.example/b."), ("See ", "http://a.example/b", "."));
        assert_eq!(with_link("No address."), ("No address.", "", ""));
    }
}
