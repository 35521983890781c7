//! Redirects in scripts, found without running them: `location = "…"` and its kin, with a literal or a constant as target.

/// Objects that have a `location`.
const OWNERS: [&str; 7] = ["window", "document", "self", "top", "parent", "globalThis", "frames"];

/// What is read of one script; a redirect page's is small.
const BOUND: usize = 64 << 10;

/// The target of the first statement that sets the location, as the string's value.
pub fn redirect(script: &str) -> Option<String> {
    let script = head(script);
    let tokens = tokens(script);
    (0..tokens.len()).find_map(|at| sets_location(&tokens, at)).filter(|to| !to.trim().is_empty())
}

fn head(script: &str) -> &str {
    let mut end = BOUND.min(script.len());
    while !script.is_char_boundary(end) {
        end -= 1;
    }
    script.get(..end).unwrap_or_default()
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Text(String),
    Mark(u8),
}

/// Names, strings and punctuation; comments and white space are gone.
fn tokens(script: &str) -> Vec<Token<'_>> {
    let bytes = script.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = bytes.get(at) {
        let rest = script.get(at..).unwrap_or_default();
        at += match c {
            _ if c.is_ascii_whitespace() => 1,
            b'/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'"' | b'\'' | b'`' => {
                let (value, length) = literal(rest, char::from(c));
                out.push(Token::Text(value));
                length
            }
            _ if is_name(c) => {
                let length = rest.bytes().position(|c| !is_name(c)).unwrap_or(rest.len());
                out.push(Token::Name(rest.get(..length).unwrap_or_default()));
                length
            }
            _ => {
                out.push(Token::Mark(c));
                rest.chars().next().map_or(1, char::len_utf8)
            }
        };
    }
    out
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'_' | b'$')
}

/// A string literal's value and its length with both quotes (ECMA-262 §12.9.4).
fn literal(rest: &str, quote: char) -> (String, usize) {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return (value, at + c.len_utf8()),
            '\n' if quote != '`' => return (String::new(), at), // no string after all: a quote in a regex, say
            '\\' => escape(&mut chars, &mut value),
            _ => value.push(c),
        }
    }
    (String::new(), rest.len())
}

fn escape(chars: &mut impl Iterator<Item = (usize, char)>, value: &mut String) {
    let code = |chars: &mut dyn Iterator<Item = (usize, char)>, digits: usize| {
        let hex: String = chars.take(digits).map(|(_, c)| c).collect();
        u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)
    };
    match chars.next().map(|(_, c)| c) {
        Some('x') => value.extend(code(chars, 2)),
        Some('u') => value.extend(code(chars, 4)),
        Some('n' | 'r' | 't') | None => {}
        Some(c) => value.push(c),
    }
}

fn name<'a>(tokens: &[Token<'a>], at: usize) -> Option<&'a str> {
    match tokens.get(at) {
        Some(Token::Name(name)) => Some(name),
        _ => None,
    }
}

fn mark(tokens: &[Token<'_>], at: usize, c: u8) -> bool {
    tokens.get(at) == Some(&Token::Mark(c))
}

/// A statement at `tokens[at]` that sets the location.
fn sets_location(tokens: &[Token<'_>], at: usize) -> Option<String> {
    match name(tokens, at)? {
        "location" if is_the_location(tokens, at) => {}
        "navigate" | "open" if mark(tokens, at + 1, b'(') && of_window(tokens, at) => {
            // window.open goes elsewhere unless it names this very window
            let own = name(tokens, at) == Some("navigate")
                || tokens.get(at + 4).is_some_and(|t| matches!(t, Token::Text(t) if t == "_self" || t == "_top"));
            return own.then(|| value(tokens, at + 2)).flatten();
        }
        _ => return None,
    }
    if mark(tokens, at + 1, b'=') && !mark(tokens, at + 2, b'=') {
        return value(tokens, at + 2);
    }
    if !mark(tokens, at + 1, b'.') {
        return None;
    }
    match name(tokens, at + 2)? {
        "href" if mark(tokens, at + 3, b'=') && !mark(tokens, at + 4, b'=') => value(tokens, at + 4),
        "replace" | "assign" if mark(tokens, at + 3, b'(') => value(tokens, at + 4),
        _ => None,
    }
}

fn of_window(tokens: &[Token<'_>], at: usize) -> bool {
    at >= 2 && mark(tokens, at - 1, b'.') && name(tokens, at - 2) == Some("window")
}

/// `location` alone or behind an object that has the real one; `map.location = …` is something else.
fn is_the_location(tokens: &[Token<'_>], at: usize) -> bool {
    if at == 0 || !mark(tokens, at - 1, b'.') {
        // `var location =` and `{location: …}` set no location
        let declared = at > 0 && matches!(name(tokens, at - 1), Some("var" | "let" | "const" | "function"));
        return !declared;
    }
    at >= 2 && name(tokens, at - 2).is_some_and(|owner| OWNERS.contains(&owner))
}

/// The string that stands at `at`: a literal, a constant set earlier, or either inside `decodeURIComponent(…)`. A string
/// that is added to is none.
fn value(tokens: &[Token<'_>], at: usize) -> Option<String> {
    match tokens.get(at)? {
        Token::Text(text) if !mark(tokens, at + 1, b'+') && !mark(tokens, at + 1, b'.') => Some(text.clone()),
        Token::Name("decodeURIComponent" | "unescape" | "decodeURI") if mark(tokens, at + 1, b'(') => {
            let inner = value(tokens, at + 2)?;
            Some(crate::format::query::decode(&inner))
        }
        Token::Name(variable)
            if !mark(tokens, at + 1, b'+') && !mark(tokens, at + 1, b'(') && !mark(tokens, at + 1, b'.') =>
        {
            tokens.windows(3).find_map(|three| match three {
                [Token::Name(name), Token::Mark(b'='), Token::Text(text)] if name == variable => Some(text.clone()),
                _ => None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for script in [
            "location='http://a/';",
            "location.href = \"http://a/\"",
            "window.location=`http://a/`",
            "document.location = \"http:\\/\\/a\\/\"",
            "top.location.href='http://a/'",
            "location.replace('http:\\x2f\\u002fa/')",
            "/* location='http://b/' */ self.location.assign( \"http://a/\" )",
            "// location='http://b/'\nsetTimeout(function(){ window.location.href = 'http://a/' }, 10)",
            "var to = 'http://a/'; location.replace(to)",
            "location.href = decodeURIComponent('http%3A%2F%2Fa%2F')",
            "window.open('http://a/', '_self')",
            "var location; location = 'http://a/'",
        ] {
            assert_eq!(redirect(script).as_deref(), Some("http://a/"), "{script}");
        }
    }

    #[test]
    fn things_that_only_look_like_it() {
        for script in [
            "var location = 'http://a/'",
            "map.location = 'http://a/'",
            "if (location.href == 'http://a/') x()",
            "if (location == 'http://a/') x()",
            "location.href = 'http://a/?x=' + y",
            "x = \"location = 'http://a/'\"",
            "window.open('http://a/')",
            "location.reload()",
            "location.href = make('http://a/')",
            "location = ''",
        ] {
            assert_eq!(redirect(script), None, "{script}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_ends(script in "[\\PC\n]{0,300}") {
            let _ = redirect(&script);
        }
    }
}
