//! What a style sheet refers to (CSS Syntax 3): `url(…)` and `@import "…"`, comments and strings told apart. Linear.

/// References at most; a hostile sheet may hold millions.
const MOST: usize = 4096;

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// as written, escapes undone
    pub url: String,
    /// another sheet
    pub import: bool,
}

/// Every reference of a sheet, or of a `style` attribute, in order.
pub fn references(css: &str) -> Vec<Reference> {
    let mut out: Vec<Reference> = Vec::new();
    let mut import = false;
    let mut at = 0;
    while out.len() < MOST {
        let Some(rest) = css.get(at..) else { break };
        let Some(c) = rest.chars().next() else { break };
        at += match c {
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' | '\'' => {
                let (text, length) = string(rest, c);
                if import {
                    push(&mut out, text, true);
                    import = false;
                }
                length
            }
            '@' => {
                import = keyword(rest, "@import");
                1
            }
            ';' | '{' => {
                import = false;
                1
            }
            'u' | 'U' if keyword(rest, "url(") => {
                let (text, length) = url(rest);
                push(&mut out, text, import);
                import = false;
                length
            }
            c => c.len_utf8(),
        };
    }
    out
}

fn push(out: &mut Vec<Reference>, url: String, import: bool) {
    if !url.trim().is_empty() {
        out.push(Reference { url: url.trim().to_owned(), import });
    }
}

fn keyword(rest: &str, word: &str) -> bool {
    rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn url(rest: &str) -> (String, usize) {
    let inside = rest.get(4..).unwrap_or_default();
    let space = inside.len() - inside.trim_start().len();
    let body = inside.trim_start();
    if let Some(quote @ ('"' | '\'')) = body.chars().next() {
        let (text, length) = string(body, quote);
        return (text, 4 + space + length);
    }
    let end = body.find(')').unwrap_or(body.len());
    (unescape(body.get(..end).unwrap_or_default()), 4 + space + end)
}

/// A string with its quotes; a line's end ends a bad one.
fn string(rest: &str, quote: char) -> (String, usize) {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '\n' => return (String::new(), at),
            c if c == quote => return (unescape(rest.get(1..at).unwrap_or_default()), at + 1),
            _ => {}
        }
    }
    (String::new(), rest.len())
}

fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut hex = String::new();
        while hex.len() < 6 && chars.peek().is_some_and(char::is_ascii_hexdigit) {
            hex.extend(chars.next());
        }
        if hex.is_empty() {
            out.extend(chars.next().filter(|c| *c != '\n'));
        } else {
            chars.next_if(|c| c.is_ascii_whitespace());
            out.extend(u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling() {
        let css = "@import 'a.css'; @IMPORT url(b.css) screen; /* url(no) */ x{background:URL( \"c d.png\" ),url(e\\29 f.png);content:'url(no)'}\
                   @font-face{src:url(f.woff2)format('woff2')} y{mask:url()}";
        let found: Vec<_> = references(css).into_iter().map(|r| (r.url, r.import)).collect();
        let expected = [("a.css", true), ("b.css", true), ("c d.png", false), ("e)f.png", false), ("f.woff2", false)];
        assert_eq!(found, expected.map(|(u, i)| (u.to_owned(), i)));
    }

    proptest::proptest! {
        #[test]
        fn anything_ends(css in "[\\PC\n]{0,300}") {
            let _ = references(&css);
        }
    }
}
