//! What is linear stays so, in every kind of statement: twice the text is twice the work, shown by counting what is looked at.

use super::{count, each};
use crate::format::effort::counted;
use crate::statement::{self, Hint};

/// Bytes looked at for each byte of the text, at most: every handle may look at a window of prose on either side.
const PER_BYTE: usize = 1600;

/// What reading a statement and finding what it cites looks at.
fn effort(name: &str, text: String) -> usize {
    let hint = Hint { source: name.to_owned(), content_type: None };
    counted(|| {
        if let Ok(statement) = statement::read(text.into_bytes(), &hint) {
            let _ = each(&statement, |_| Ok::<_, ()>(()));
        }
    })
}

/// The units that cost more than they may when a statement is made of them: `before`, as many as fit, `behind`.
fn worse(name: &str, (before, behind): (&str, &str), units: &[&str], len: usize) -> Vec<String> {
    let made = |unit: &str, len: usize| format!("{before}{}{behind}", unit.repeat(len / unit.len()));
    let mut worse = Vec::new();
    for unit in units {
        let (once, twice) = (effort(name, made(unit, len)), effort(name, made(unit, 2 * len)));
        if twice > once * 23 / 10 + 20_000 || twice > PER_BYTE * 2 * len {
            let start: String = unit.chars().take(20).collect();
            worse.push(format!("{name} {start:?}: {once} then {twice}"));
        }
    }
    worse
}

#[test]
fn twice_the_text_is_twice_the_work() {
    let line = "x".repeat(4000);
    let units = [
        "@",
        "(",
        "—",
        ".",
        "#",
        ":",
        "[",
        "{",
        "…",
        "\"",
        "“",
        "&",
        "\u{301}",
        "\u{200b}",
        "\u{ff1a}",
        "http://",
        "https://t.co/",
        "http://a.b",
        "a.",
        "a@",
        "(@a) ",
        "@a·",
        "@a · 3h ",
        "— (@a) ",
        "— a (@b) ",
        "— a (@b) 1 ",
        "— a (@b) May 3, 2020 ",
        "“@a ",
        "@a: “x” ",
        "\n",
        "\n \n(@a)",
        "(@a)\n\n",
        "([{",
        "[[[a](b)](c)]",
        "RT @a: ",
        "x.com/",
        "a.co/(",
        "#a\u{301}",
        "h**p",
        "at://",
        "[.]",
        "1 May ",
        "@a 1 May 2020 wrote ",
        line.as_str(),
    ];
    let worse = worse("a.txt", ("", ""), &units, 40_000);
    assert!(worse.is_empty(), "{worse:#?}");
}

#[test]
fn twice_the_page_is_twice_the_work() {
    let deep = format!("{}x", "<div>".repeat(600));
    let units = [
        "<",
        "<p>",
        "<b>",
        "</b>",
        "<a ",
        "<a href=",
        "<a href='x'>",
        "<a href='http://a.example/b'>a.b ",
        "&",
        "&#",
        "&amp;",
        "<!--",
        "<!",
        "<script>",
        "</script>",
        "<script>\"datePublished\"",
        "<title>",
        "<blockquote>",
        "<blockquote>— (@a) ",
        "<p>— a (@b) May 3, 2020",
        "<iframe src='https://x.com/a/status/20'>",
        "<meta property='og:title' content='a'>",
        "<pre>@a ",
        "=",
        "'",
        "<x a=\"",
        "<li>a.example ",
        deep.as_str(),
    ];
    let mut worse = worse("a.html", ("<p>", "</p>"), &units, 40_000);
    // many words inside one anchor, whose address is as long as they are
    let labels = ["a.b ", "http://a.example/ ", "@a "];
    for (once, twice) in labels.map(|label| [20_000, 40_000].map(|len| (label, len))).map(|[a, b]| (a, b)) {
        let page = |(label, len): (&str, usize)| {
            format!("<a href='http://a.example/{}'>{}</a>", "b/".repeat(len / 2), label.repeat(len / label.len()))
        };
        let (few, many) = (effort("a.html", page(once)), effort("a.html", page(twice)));
        if many > few * 23 / 10 + 20_000 {
            worse.push(format!("labels {once:?}: {few} then {many}"));
        }
    }
    assert!(worse.is_empty(), "{worse:#?}");
}

#[test]
fn twice_of_everything_else_is_twice_the_work() {
    let json = [
        "\"",
        "\"a\",",
        "\"\\\\\",",
        "\"\\u00e9\",",
        "{\"text\":\"@a\",\"date\":\"2020-01-01\",\"user\":\"@b\"},",
        "[],",
        "\"a\"      ,",
    ];
    let csv =
        [",", "\"", "\"\"", "\n", "a,b\n", "\"a\"\"b\",\n", "@a,2020-01-01,words — b (@c) May 3 2020\n", ";", "\t"];
    let markdown = [
        "*", "_", "[", "](", "[a](b) ", "`", "> ", "- ", "<b>", "# ", "\n\n", "[a]: b\n", "| a ", "**a", "![",
        "@a *b* ",
    ];
    let mail = ["--b\n", "--b\nContent-Type: text/html\n\n<p>@a\n", "=E2", "a: b\n", "@a · 3h\n", "\n"];
    let mut all = worse("a.json", ("[", "\"\"]"), &json, 40_000);
    all.extend(worse("a.csv", ("author,date,text\n", ""), &csv, 40_000));
    all.extend(worse("a.md", ("", ""), &markdown, 20_000));
    let head = "From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n";
    all.extend(worse("a.eml", (head, "\n--b--\n"), &mail, 20_000));
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn the_counter_counts() {
    let text = |len: usize| "@a b. ".repeat(len / 6);
    assert!(effort("a.txt", text(6000)) >= 6000);
    for name in ["a.html", "a.md", "a.json", "a.csv", "a.eml"] {
        assert!(effort(name, format!("a: b\n\n[\"{}\"]", text(6000))) >= 6000, "{name}");
    }
    let statement = statement::read(text(600).into_bytes(), &Hint::default());
    assert_eq!(statement.map(|statement| count(&statement)), Ok(100));
}
