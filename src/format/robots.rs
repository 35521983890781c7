//! robots.txt (RFC 9309): who may fetch what, read from its bytes.

use std::borrow::Cow;

use memchr::memmem;

/// Bytes that are looked at; the RFC asks for at least 500 KiB.
const MOST: usize = 512 << 10;

/// The rules of one site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots {
    groups: Vec<Group>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Group {
    /// product tokens in lower case
    agents: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    allow: bool,
    /// normalised, with its `*` and `$`
    pattern: Vec<u8>,
}

impl Robots {
    /// Reads a robots.txt. What is no rule is passed over, as the RFC asks.
    pub fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..bytes.len().min(MOST)).unwrap_or_default();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut groups: Vec<Group> = Vec::new();
        let mut naming = false;
        for line in bytes.split(|b| matches!(b, b'\n' | b'\r')) {
            let Some((key, value)) = key_and_value(line) else { continue };
            match key.as_slice() {
                b"user-agent" => {
                    if !naming {
                        groups.push(Group::default());
                    }
                    naming = true;
                    if let Some(group) = groups.last_mut() {
                        group.agents.push(product_token(value));
                    }
                }
                b"allow" | b"disallow" => {
                    naming = false;
                    if let (Some(group), false) = (groups.last_mut(), value.is_empty()) {
                        group.rules.push(Rule { allow: key == b"allow", pattern: normal(value).into_owned() });
                    }
                }
                _ => (),
            }
        }
        Self { groups }
    }

    /// Whether the crawler with this product token (`onrecord`) may fetch `target`: a path with its query.
    pub fn allows(&self, agent: &str, target: &str) -> bool {
        let agent = agent.to_ascii_lowercase();
        let named = self.groups.iter().any(|group| group.agents.contains(&agent));
        let who = if named { agent.as_str() } else { "*" };
        let target = normal(target.as_bytes());
        if target.as_ref() == b"/robots.txt" {
            return true;
        }
        let rules = self.groups.iter().filter(|group| group.agents.iter().any(|a| a == who)).flat_map(|g| &g.rules);
        // The longest pattern decides; of two as long, the one that allows.
        let best = rules.filter(|rule| rule.matches(&target)).max_by_key(|rule| (rule.pattern.len(), rule.allow));
        best.is_none_or(|rule| rule.allow)
    }
}

impl Rule {
    /// Whether the pattern fits the beginning of `target`, or all of it where it ends in `$`.
    fn matches(&self, target: &[u8]) -> bool {
        let (pattern, to_end) = match self.pattern.strip_suffix(b"$") {
            Some(pattern) => (pattern, true),
            None => (self.pattern.as_slice(), false),
        };
        let mut parts = pattern.split(|&b| b == b'*');
        let Some(mut rest) = parts.next().and_then(|first| target.strip_prefix(first)) else { return false };
        let mut last: Option<&[u8]> = None;
        for part in parts {
            // Every part but the last goes to the first place that fits: what fits later fits then too.
            if let Some(part) = last.replace(part) {
                match memmem::find(rest, part) {
                    Some(found) => rest = rest.get(found + part.len()..).unwrap_or_default(),
                    None => return false,
                }
            }
        }
        match last {
            None => !to_end || rest.is_empty(),
            Some(part) if to_end => rest.ends_with(part),
            Some(part) => memmem::find(rest, part).is_some(),
        }
    }
}

fn key_and_value(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let line = line.split(|&b| b == b'#').next().unwrap_or_default();
    let colon = memchr::memchr(b':', line)?;
    let key = line.get(..colon)?.trim_ascii().to_ascii_lowercase();
    Some((key, line.get(colon + 1..)?.trim_ascii()))
}

/// `Googlebot/2.1 (…)` names itself by its letters, `-` and `_`; `*` is everybody.
fn product_token(value: &[u8]) -> String {
    if value.starts_with(b"*") {
        return "*".to_owned();
    }
    let token = value.iter().take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'));
    token.map(|&b| char::from(b.to_ascii_lowercase())).collect()
}

/// One spelling for octets that may be written in several: outside ASCII always escaped, unreserved never, hex digits large.
fn normal(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().all(|&b| b.is_ascii() && b != b'%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, escaped(after)) {
            (b'%', Some(octet)) => {
                rest = after.get(2..).unwrap_or_default();
                push(&mut out, octet, is_unreserved(octet));
            }
            _ => push(&mut out, byte, byte.is_ascii()),
        }
    }
    Cow::Owned(out)
}

fn push(out: &mut Vec<u8>, octet: u8, plain: bool) {
    if plain {
        out.push(octet);
    } else {
        out.extend_from_slice(format!("%{octet:02X}").as_bytes());
    }
}

fn escaped(after: &[u8]) -> Option<u8> {
    let digit = |at: usize| after.get(at).and_then(|&b| char::from(b).to_digit(16));
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(robots: &str, agent: &str, target: &str) -> bool {
        Robots::parse(robots.as_bytes()).allows(agent, target)
    }

    #[test]
    fn groups_are_found_by_name_joined_and_fall_back_to_everybody() {
        let robots = "User-agent: *\nDisallow: /\n\nuser-agent: ONRECORD/1.0 (x)\nUser-Agent: other\nAllow: /a\nDisallow: /\n\
                      # again\nUser-agent: onrecord\nAllow: /b\n";
        for (agent, target, may) in [
            ("onrecord", "/a/x", true),
            ("OnRecord", "/b", true),
            ("onrecord", "/c", false),
            ("other", "/b", false),
            ("nobody", "/a", false),
            ("nobody", "/robots.txt", true),
        ] {
            assert_eq!(allows(robots, agent, target), may, "{agent} {target}");
        }
        assert!(allows("", "onrecord", "/"));
        assert!(allows("Disallow: /\n", "onrecord", "/"), "a rule without a group is none");
        assert!(allows("User-agent: *\nDisallow:\n", "onrecord", "/"), "an empty rule forbids nothing");
        assert!(!allows("\u{feff}User-agent: *\rSitemap: x\rDisallow: /\r", "onrecord", "/"));
    }

    #[test]
    fn the_longest_pattern_decides_and_allow_wins_a_tie() {
        let robots = "User-agent: *\nDisallow: /page\nAllow: /page\nDisallow: /folder/\nAllow: /folder/page\n\
                      Disallow: /*.php$\nAllow: /ok.php$\nDisallow: /q?*x=1*y\n";
        for (target, may) in [
            ("/page", true),
            ("/folder/other", false),
            ("/folder/page2", true),
            ("/a/b.php", false),
            ("/a/b.php?c", true),
            ("/b.php5", true),
            ("/q?a&x=1&y", false),
            ("/q?y&x=1", true),
            ("/", true),
        ] {
            assert_eq!(allows(robots, "onrecord", target), may, "{target}");
        }
    }

    #[test]
    fn spellings_of_one_octet_are_one() {
        let robots = "User-agent: *\nDisallow: /caf\u{e9}\nDisallow: /%7Ejoe\nDisallow: /a%2fb\nDisallow: /%\n";
        for (target, may) in [
            ("/caf%C3%A9", false),
            ("/caf%c3%a9/x", false),
            ("/~joe", false),
            ("/a%2Fb", false),
            ("/a/b", true),
            ("/%", false),
        ] {
            assert_eq!(allows(robots, "onrecord", target), may, "{target}");
        }
    }

    #[test]
    fn patterns_made_to_be_slow_are_not() {
        let pattern = "*a".repeat(20_000);
        let robots = format!("User-agent: *\nDisallow: /{pattern}b\nDisallow: /{pattern}$\n");
        assert!(allows(&robots, "onrecord", &format!("/{}", "a".repeat(19_999))));
        assert!(!allows(&robots, "onrecord", &format!("/{}", "a".repeat(20_000))));
    }
}
