//! Rows of exports: a record that names author, day and words is a post that is told of.

use std::ops::Range;

use super::{Told, quoted};
use crate::format::day;
use crate::format::reading::{Reading, Row};
use crate::platform::permalink::{self, Named};
use crate::platform::post::Platform;

/// Every row that tells of a post. Sure where its address names the post, else a candidate: a column's name is no proof.
pub(in crate::citation) fn find(reading: &Reading, language: Option<&str>) -> Vec<Told> {
    reading.rows.iter().filter_map(|row| read(&reading.text, row, language)).collect()
}

fn read(text: &str, row: &Row, language: Option<&str>) -> Option<Told> {
    let cell = |range: &Range<usize>| text.get(range.clone()).map(str::trim).filter(|cell| !cell.is_empty());
    let url = row.url.as_ref().and_then(cell);
    let named = url.and_then(permalink::read).filter(|named| named.post.is_some());
    let (author, handle) = who(row.author.as_ref().and_then(cell), row.handle.as_ref().and_then(cell), named.as_ref());
    if author.is_none() && handle.is_none() {
        return None;
    }
    let readings = day_of(cell(&row.date)?, language)?;
    let words = quoted::trimmed(text, row.text.clone());
    let cells = [Some(&row.text), row.handle.as_ref(), row.author.as_ref(), Some(&row.date), row.url.as_ref()];
    let start = cells.into_iter().flatten().map(|range| range.start).min()?;
    let end = cells.into_iter().flatten().map(|range| range.end).max()?;
    Some(Told {
        span: start..end,
        platform: named.as_ref().map_or_else(|| platform_of(handle.as_deref()), |named| named.platform),
        author,
        handle,
        readings,
        date: Some(quoted::trimmed(text, row.date.clone())),
        quoted: words,
        candidate: named.is_none(),
        permalink: url.filter(|_| named.is_some()).map(str::to_owned),
    })
    .filter(|told| !told.quoted.is_empty())
}

/// Display name and account. A column of authors may hold either.
fn who(author: Option<&str>, handle: Option<&str>, named: Option<&Named>) -> (Option<String>, Option<String>) {
    let account = |cell: &str| {
        let bare = cell.strip_prefix('@').unwrap_or(cell);
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '@');
        (!bare.is_empty() && bare.len() <= 253 && bare.chars().all(fits)).then(|| bare.to_owned())
    };
    let addressed = author.filter(|a| a.starts_with('@')).and_then(account);
    let handle = handle.and_then(account).or_else(|| addressed.clone());
    let handle = handle.or_else(|| named.and_then(|named| named.handle.clone()));
    (author.filter(|_| addressed.is_none()).map(str::to_owned), handle)
}

/// Where an account of that form lives when nothing else says.
fn platform_of(handle: Option<&str>) -> Platform {
    match handle {
        Some(handle) if handle.contains('@') => Platform::Mastodon,
        Some(handle) if handle.contains('.') => Platform::Bluesky,
        _ => Platform::X,
    }
}

/// The day in a cell: as people write it, or in a timestamp.
fn day_of(cell: &str, language: Option<&str>) -> Option<Vec<jiff::civil::Date>> {
    // a timestamp's letter between day and hour would glue them into one word
    let plain = cell.split_once(['T', 't']).map_or(cell, |(date, rest)| {
        let stamp = date.len() == 10 && rest.starts_with(|c: char| c.is_ascii_digit());
        if stamp { date } else { cell }
    });
    day::first(plain, 0..plain.len(), language).map(|day| day.readings)
}

#[cfg(test)]
mod tests {
    use crate::citation::{Kind, find};
    use crate::statement::{self, Hint};

    fn posts(name: &str, text: &str) -> Result<Vec<String>, statement::Error> {
        let hint = Hint { source: name.to_owned(), content_type: None };
        let statement = statement::read(text.as_bytes().to_vec(), &hint)?;
        let told = find(&statement).into_iter().filter_map(|c| match c.kind {
            Kind::Post { platform, author, handle, date, quoted, .. } => Some(format!(
                "{} {} @{} {} {quoted}{}",
                platform.as_str(),
                author.unwrap_or_default(),
                handle.unwrap_or_default(),
                date.unwrap_or_default(),
                if c.candidate { " ?" } else { "" }
            )),
            _ => None,
        });
        Ok(told.collect())
    }

    #[test]
    fn rows_tell_of_posts_and_are_sure_with_an_address() -> Result<(), statement::Error> {
        let csv = "handle,date,text,url\na@b.example,2020-05-01,one,\nana.example.org,\"May 2, 2020\",two,\nAna_1,2020-05-03 10:00,three,https://bsky.app/profile/ana.example.org/post/3kabc\nx,no day,four,\n";
        assert_eq!(
            posts("a.csv", csv)?,
            [
                "mastodon  @a@b.example 2020-05-01 one ?",
                "bluesky  @ana.example.org 2020-05-02 two ?",
                "bluesky  @Ana_1 2020-05-03 three"
            ]
        );
        let json = r#"[{"author":"@ana_1","date":"Sat May 02 06:01:00 +0000 2020","text":"five"},{"author":"Ana","timestamp":"2020-05-02T06:01:00.000Z","body":"six"}]"#;
        assert_eq!(posts("a.json", json)?, ["x  @ana_1 2020-05-02 five ?", "x Ana @ 2020-05-02 six ?"]);
        Ok(())
    }

    #[test]
    fn a_row_whose_words_quote_a_post_is_no_post() -> Result<(), statement::Error> {
        let csv = "author,date,text\nDesk,2020-05-09,\"Pier open https://t.co/AEoFZOhI3p — Ana Ruiz (@ana_ruiz9) May 2, 2020\"\n";
        assert_eq!(posts("a.csv", csv)?, ["x Ana Ruiz @ana_ruiz9 2020-05-02 Pier open https://t.co/AEoFZOhI3p"]);
        Ok(())
    }
}
