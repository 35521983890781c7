//! Lists of tags (RFC 6376 §3.2): `v=1; a=rsa-sha256; …`, folded as header fields are.

/// A list of tags, in order.
pub(super) struct Tags(Vec<(String, String)>);

impl Tags {
    /// Reads a list; what is no tag is left out.
    pub(super) fn of(list: &[u8]) -> Self {
        let list = String::from_utf8_lossy(list);
        let tags = list.split(';').filter_map(|tag| tag.split_once('='));
        Self(tags.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect())
    }

    /// A tag's value, folding undone.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        Some(value.split(['\r', '\n']).map(|line| line.trim_matches([' ', '\t'])).collect())
    }

    /// Whether a name stands twice, which makes the list void.
    pub(super) fn repeats(&self) -> bool {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }
}

/// A signature's list with the value of `b=` taken out and every other byte as it was.
pub(super) fn without_signature(list: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(list.len());
    for (n, tag) in list.split(|b| *b == b';').enumerate() {
        if n > 0 {
            out.push(b';');
        }
        let equals = tag.iter().position(|b| *b == b'=');
        let (name, rest) = tag.split_at(equals.unwrap_or(0));
        if name.trim_ascii() == b"b" && !rest.is_empty() {
            out.extend_from_slice(name);
            out.push(b'=');
        } else {
            out.extend_from_slice(tag);
        }
    }
    out
}
