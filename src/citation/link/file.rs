//! Names with a dot that are no domains: files, calls, units of code, sentences run together.

use crate::citation::letters::{char_at, is_spaceless};

/// Endings of files that are top-level domains too.
const FILE_ENDINGS: &[&str] = &[
    "rs", "py", "md", "sh", "pl", "zip", "mov", "ps", "cc", "so", "pm", "ml", "mm", "app", "dev.js", "cfg", "bz", "ai",
    "st", "vi", "tf", "la", "ac", "am", "in", "mo", "sc", "cab",
];

/// Of those, the ones that name files so seldom that a bare domain is likelier.
const LIKELIER_DOMAINS: &[&str] = &["so", "ai", "st", "la", "ac", "in", "sc", "am", "app", "mo", "cc"];

/// A bare name with a dot that is a file, a call, a unit of code or two sentences run together, rather than a domain.
pub(in crate::citation) fn is_no_domain(text: &str, start: usize, end: usize) -> bool {
    let Some(name) = text.get(start..end) else { return true };
    let Some((front, tld)) = name.rsplit_once('.') else { return true };
    let lower = tld.to_ascii_lowercase();
    if matches!(text.as_bytes().get(end), Some(b'(' | b'[' | b'_' | b'='))
        || char_at(text, end).is_some_and(|c| c.is_alphanumeric() && !is_spaceless(c))
    {
        return true;
    }
    if FILE_ENDINGS.contains(&lower.as_str())
        && (!LIKELIER_DOMAINS.contains(&lower.as_str()) || front.starts_with("lib"))
    {
        return true;
    }
    let first = |s: &str| s.chars().next().is_some_and(char::is_uppercase);
    let has_lower = |s: &str| s.chars().any(char::is_lowercase);
    let label = front.rsplit('.').next().unwrap_or(front);
    // `end.It began`: a sentence without its space; `ASP.NET`: a name
    let run_together = first(tld) && has_lower(tld) && (!first(label) || tld.len() == 2 || !has_lower(label));
    let shouted = !has_lower(tld) && tld.is_ascii() && (has_lower(label) || lower == "net");
    let number = label.bytes().all(|b| b.is_ascii_digit());
    run_together || shouted || number
}
