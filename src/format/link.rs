//! The `Link` header and link-format documents (RFC 8288 §3, RFC 6690, RFC 7089 §5): targets with their relations.

/// One link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// the target, as written between `<` and `>`
    pub target: String,
    /// parameters in order, names in lower case
    pub parameters: Vec<(String, String)>,
}

impl Link {
    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether `rel` holds this relation.
    pub fn has_rel(&self, relation: &str) -> bool {
        self.get("rel").is_some_and(|all| all.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(relation)))
    }
}

/// Every link of a header's value or of a link-format document; what cannot be read is passed over. Archives do not
/// encode `,` and `;` inside `<…>`, so the brackets alone bound a target.
pub fn links(value: &str) -> Vec<Link> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.find('<') {
        let after = rest.get(start + 1..).unwrap_or_default();
        let Some(end) = after.find('>') else { break };
        let mut link = Link { target: after.get(..end).unwrap_or_default().trim().to_owned(), ..Link::default() };
        rest = after.get(end + 1..).unwrap_or_default();
        while let Some(parameter) = rest.trim_start().strip_prefix(';') {
            let (name, value, left) = parameter_of(parameter);
            if !name.is_empty() {
                link.parameters.push((name.to_ascii_lowercase(), value));
            }
            rest = left;
        }
        out.push(link);
    }
    out
}

fn parameter_of(text: &str) -> (&str, String, &str) {
    let text = text.trim_start();
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default().trim();
    let rest = text.get(end..).unwrap_or_default();
    let Some(value) = rest.strip_prefix('=') else {
        return (name, String::new(), rest);
    };
    let value = value.trim_start();
    match value.strip_prefix('"') {
        Some(quoted) => {
            let (value, used) = quoted_value(quoted);
            (name, value, quoted.get(used..).unwrap_or_default())
        }
        None => {
            let end = value.find([';', ',']).unwrap_or(value.len());
            (name, value.get(..end).unwrap_or_default().trim().to_owned(), value.get(end..).unwrap_or_default())
        }
    }
}

fn quoted_value(text: &str) -> (String, usize) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (out, at + 1),
            '\\' => out.extend(chars.next().map(|(_, c)| c)),
            _ => out.push(c),
        }
    }
    (out, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_map() {
        let map = "<http://a/?x=1,2;3>; rel=\"original\",\n<http://b/>; rel=\"first memento\"; datetime=\"Mon, 10 Jun 2019 05:00:01 GMT\",\n<c>;rel=next";
        let links = links(map);
        assert_eq!(links.len(), 3);
        assert!(links.first().is_some_and(|l| l.target == "http://a/?x=1,2;3" && l.has_rel("original")));
        let second = links.get(1);
        assert!(
            second.is_some_and(|l| l.has_rel("memento") && l.get("datetime") == Some("Mon, 10 Jun 2019 05:00:01 GMT"))
        );
        assert!(links.get(2).is_some_and(|l| l.target == "c" && l.has_rel("NEXT")));
    }

    #[test]
    fn rubbish_ends() {
        for rubbish in ["<", "<a", "<a>;", "<a>;=;;", "<a>; rel=\"x", "a, b", "<a>; x; y=\"\\\"\"; z"] {
            let _ = links(rubbish);
        }
        assert_eq!(
            links("<a>; x=\"\\\"b\"").first().and_then(|l| l.get("x").map(str::to_owned)),
            Some("\"b".to_owned())
        );
    }
}
