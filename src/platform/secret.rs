//! A secret that a user hands us: it goes into the request it is for, and nowhere else that anybody reads.

/// A token or a pair of keys. It does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text of a file that holds one, without the white space around it; none where nothing else is in it, or where it
    /// could not stand in a header.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// Its text, for a header.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let secret = Secret::read(" AAAA%2Bbbb\n").unwrap();
        assert_eq!(secret.reveal(), "AAAA%2Bbbb");
        assert_eq!(format!("{secret:?}"), "Secret");
        for bad in ["", " \n", "two words", "a\nb", "é"] {
            assert_eq!(Secret::read(bad), None, "{bad:?}");
        }
    }
}
