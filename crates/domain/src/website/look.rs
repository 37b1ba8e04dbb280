//! How the login form looks: colours, a picture, texts. No markup, no style sheets: what an owner types is shown as text.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The least contrast of text that can be read (WCAG 2.2, success criterion 1.4.3).
const READABLE: f64 = 4.5;

/// How the login form looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The heading; empty is "Log in to" and the website's name.
    pub title: String,
    /// A sentence below it; may be empty.
    pub message: String,
    /// A line at the foot, such as whom to ask; may be empty.
    pub footer: String,
    /// The buttons.
    pub accent: Colour,
    /// What is behind the form.
    pub background: Colour,
    /// SHA-256 of the picture, in hex; `None` if there is none.
    pub logo: Option<String>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            title: String::new(),
            message: String::new(),
            footer: String::new(),
            accent: Colour([0x0b, 0x57, 0x47]),
            background: Colour([0xf4, 0xf6, 0xf5]),
            logo: None,
        }
    }
}

/// A colour of the sRGB space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// The black of texts.
    pub const BLACK: Self = Self([0x16, 0x1a, 0x19]);

    /// White or black, whichever is easier to read on it, if either can be read.
    pub fn ink(self) -> Result<Self, Invalid> {
        let best =
            if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK };
        let contrast = self.contrast(best);
        if contrast >= READABLE {
            Ok(best)
        } else {
            Err(Invalid::because(format!(
                "Text on {self} is hard to read: the contrast is {contrast:.1} to 1, and 4.5 to 1 is needed. Choose a darker or a lighter colour."
            )))
        }
    }

    /// From 1 (the same) to 21 (black and white): WCAG 2.2, "contrast ratio".
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl FromStr for Colour {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.trim().strip_prefix('#').unwrap_or(text.trim());
        let mut channels = [0; 3];
        match hex::decode_to_slice(digits, &mut channels) {
            Ok(()) => Ok(Self(channels)),
            Err(_) => Err(Invalid::because(
                "A colour is a # and six digits or letters from a to f, such as #0b5747.",
            )),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        let colour = |text: &str| text.parse::<Colour>().unwrap();
        assert!((colour("#000000").contrast(Colour::WHITE) - 21.0).abs() < 0.001);
        assert!((colour("#777777").contrast(Colour::WHITE) - 4.478).abs() < 0.001);
        assert_eq!(colour("#0b5747").ink(), Ok(Colour::WHITE));
        assert_eq!(colour("#ffd500").ink(), Ok(Colour::BLACK));
    }

    #[test]
    fn colours_are_six_digits() {
        assert_eq!("0B5747".parse::<Colour>().unwrap().to_string(), "#0b5747");
        for bad in ["", "#fff", "red", "#0b5747;}", "url(x)", "#gggggg"] {
            assert!(bad.parse::<Colour>().is_err(), "{bad}");
        }
    }
}
