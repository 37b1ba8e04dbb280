//! What changed from one revision of a login setting to the next, in short.

use stave_domain::{
    integration::Platform,
    website::{Look, Provider, Setting, Source},
};

/// What changed, a few words each, in the words of the form. Nothing if both are the same; of the first, what visitors can do.
#[must_use]
pub fn setting_changes(before: Option<&Setting>, after: &Setting) -> Vec<String> {
    let nothing = Setting::default();
    let before = before.unwrap_or(&nothing);
    let mut all: Vec<String> = after
        .providers
        .iter()
        .flat_map(|provider| of_button(before.provider(&provider.key), provider))
        .collect();
    let gone = before.providers.iter().filter(|provider| after.provider(&provider.key).is_none());
    all.extend(gone.map(|provider| format!("{} taken away", name(provider))));
    all.extend(of_rest(before, after).into_iter().map(str::to_owned));
    all
}

fn of_button(before: Option<&Provider>, after: &Provider) -> Vec<String> {
    let name = name(after);
    let Some(before) = before else {
        return vec![format!("{name} switched {}", if after.is_on { "on" } else { "off" })];
    };
    let switched = if after.is_on { "switched on" } else { "switched off" };
    let differences = [
        (before.is_on != after.is_on, switched),
        (before.source != after.source, "keys changed"),
        (before.label != after.label, "button text changed"),
        (before.only != after.only, "who may come in changed"),
        (before.email != after.email, "verified addresses changed"),
    ];
    told(&differences).map(|what| format!("{name} {what}")).collect()
}

fn of_rest(before: &Setting, after: &Setting) -> Vec<&'static str> {
    let words = |look: &Look| [look.title.clone(), look.message.clone(), look.footer.clone()];
    let colours = |look: &Look| (look.accent.to_string(), look.background.to_string(), look.logo.clone());
    let allowed = |setting: &Setting| (setting.allowed.clone(), setting.email_required);
    let hours = |setting: &Setting| (setting.idle_hours, setting.longest_hours);
    let differences = [
        (order(before, after) != order(after, before), "order of the buttons changed"),
        (allowed(before) != allowed(after), "which addresses come in changed"),
        (before.sign_up != after.sign_up, "who becomes a member changed"),
        (before.default_roles != after.default_roles, "roles of new members changed"),
        (hours(before) != hours(after), "hours until the next log-in changed"),
        (words(&before.look) != words(&after.look), "words of the form changed"),
        (colours(&before.look) != colours(&after.look), "look changed"),
    ];
    told(&differences).collect()
}

fn told<'a>(differences: &[(bool, &'a str)]) -> impl Iterator<Item = &'a str> {
    differences.iter().filter(|(is_there, _)| *is_there).map(|(_, what)| *what)
}

/// The buttons of one setting that another has too, in their order.
fn order<'a>(of: &'a Setting, other: &Setting) -> Vec<&'a str> {
    let keys = of.providers.iter().map(|provider| &provider.key);
    keys.filter(|key| other.provider(key).is_some()).map(stave_domain::website::ProviderKey::as_str).collect()
}

/// Its tab, or the words on the button of an integration.
fn name(provider: &Provider) -> String {
    match &provider.source {
        Source::Own { platform: Platform::BitbucketCloud, .. } => "Bitbucket".into(),
        Source::Own { platform: Platform::BitbucketDataCenter, .. } => "Bitbucket Data Center".into(),
        Source::Integration(_) => format!("“{}”", provider.label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stave_domain::website::{EmailTrust, ProviderKey};

    fn button(key: &str, is_on: bool) -> Provider {
        Provider {
            key: key.parse::<ProviderKey>().unwrap(),
            is_on,
            label: format!("With {key}"),
            source: Source::Integration(crate::entropy::id()),
            email: EmailTrust::Never,
            only: Vec::new(),
        }
    }

    #[test]
    fn neighbours_are_compared() {
        let (one, two) = (button("one", true), button("two", true));
        let start = Setting { providers: vec![one.clone(), two.clone()], ..Setting::default() };
        assert_eq!(setting_changes(None, &start), ["“With one” switched on", "“With two” switched on"]);
        assert!(setting_changes(Some(&start), &start).is_empty());
        let look = Look { title: "Hello".into(), logo: Some("0".repeat(64)), ..Look::default() };
        let off = Provider { is_on: false, ..one.clone() };
        for (after, changes) in [
            (
                Setting { providers: vec![off, two.clone()], ..start.clone() },
                &["“With one” switched off"][..],
            ),
            (Setting { providers: vec![two.clone()], ..start.clone() }, &["“With one” taken away"]),
            (Setting { providers: vec![two, one], ..start.clone() }, &["order of the buttons changed"]),
            (Setting { look, ..start.clone() }, &["words of the form changed", "look changed"]),
            (Setting { idle_hours: 1, ..start.clone() }, &["hours until the next log-in changed"]),
            (Setting { email_required: true, ..start.clone() }, &["which addresses come in changed"]),
        ] {
            assert_eq!(setting_changes(Some(&start), &after), changes);
        }
    }
}
