//! What the rest of the form "Login setting" means, besides its buttons: who comes in, for how long, and how it looks.

use super::{form::SettingForm, read::each_line};
use crate::Problems;
use stave_domain::{
    Invalid,
    website::{Allowed, Colour, Look, MOST_HOURS, MOST_IDLE_HOURS, Setting},
};

/// The setting without its buttons and its picture, if all of it can be used.
pub(super) fn rest_read(form: &SettingForm, problems: &mut Problems) -> Option<Setting> {
    let sign_up = problems.parse("sign_up", &form.sign_up);
    let default_roles =
        problems.check("default_roles", named("Roles of new members", form.default_roles.parse()));
    let allowed = each_line(&form.allowed, str::parse::<Allowed>);
    let allowed = problems.check("allowed", named("Only these addresses or domains", allowed));
    let idle_hours = named("Hours without a visit", hours(&form.idle_hours, MOST_IDLE_HOURS));
    let idle_hours = problems.check("idle_hours", idle_hours);
    let longest_hours = named("Hours in any case", hours(&form.longest_hours, MOST_HOURS));
    let longest_hours = problems.check("longest_hours", longest_hours);
    let title = shown(problems, ("title", "The title"), &form.title, 100);
    let message = message(problems, &form.message);
    let footer = shown(problems, ("footer", "The line at the foot"), &form.footer, 300);
    let accent = problems.check("accent", named("Colour of the buttons", colour(&form.accent)));
    let background = problems.check("background", named("Colour behind the form", colour(&form.background)));
    Some(Setting {
        providers: Vec::new(),
        sign_up: sign_up?,
        default_roles: default_roles?,
        allowed: allowed?,
        email_required: form.email_required,
        idle_hours: idle_hours?,
        longest_hours: longest_hours?,
        look: Look {
            title: title?,
            message: message?,
            footer: footer?,
            accent: accent?,
            background: background?,
            logo: None,
        },
    })
}

/// What is wrong, with the name of its field before it: above the form the sentence stands by itself.
pub(super) fn named<T>(field: &str, read: Result<T, Invalid>) -> Result<T, Invalid> {
    read.map_err(|Invalid(problem)| Invalid::because(format!("{field}: {problem}")))
}

/// A text for visitors; it may be empty.
fn shown(
    problems: &mut Problems,
    (field, label): (&'static str, &str),
    typed: &str,
    longest: usize,
) -> Option<String> {
    if typed.trim().is_empty() { Some(String::new()) } else { problems.text(field, label, typed, longest) }
}

/// A text of several lines for visitors.
fn message(problems: &mut Problems, typed: &str) -> Option<String> {
    let lines = typed.trim().replace("\r\n", "\n");
    let is_good = shown(problems, ("message", "The message"), &lines.replace('\n', " "), 500).is_some();
    is_good.then_some(lines)
}

fn colour(typed: &str) -> Result<Colour, Invalid> {
    let colour: Colour = typed.parse()?;
    colour.ink().map(|_| colour)
}

fn hours(typed: &str, most: u32) -> Result<u32, Invalid> {
    let hours = typed.trim().parse().ok().filter(|hours| (1..=most).contains(hours));
    hours.ok_or_else(|| Invalid::because(format!("Type a whole number from 1 to {most}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_whole_and_within_bounds() {
        assert_eq!(hours(" 8 ", 720), Ok(8));
        for bad in ["", "0", "721", "-1", "1.5", "eight", "99999999999"] {
            assert!(hours(bad, 720).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_message_has_lines_and_nothing_hidden() {
        let mut problems = Problems::default();
        assert_eq!(message(&mut problems, "One.\r\nTwo.\n"), Some("One.\nTwo.".into()));
        assert_eq!(message(&mut problems, ""), Some(String::new()));
        assert!(problems.is_empty());
        assert_eq!(message(&mut problems, "a\u{0}b"), None);
        assert!(problems.of("message").is_some());
    }
}
