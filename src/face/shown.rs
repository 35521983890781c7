//! What `show` lays before a person: first what it is, then what it says, then where its bytes lie and how to get at them.

use std::io::{self, Write};

use anstyle::Style;
use serde_json::Value;

use crate::face::plain;
use crate::face::report::{ended, style_of};
use crate::face::table::{Cell, Column, Table};

/// Draws one thing as `work::show` gives it.
///
/// # Errors
/// What the writer says.
pub fn draw(out: &mut dyn Write, value: &Value, width: Option<usize>) -> io::Result<()> {
    let mut sheet = Sheet { out, width };
    match value {
        Value::Object(map) if map.contains_key("held_as") => sheet.held(value),
        Value::Object(map) if map.contains_key("followed") => sheet.citation(value),
        Value::Object(map) if map.contains_key("manifest") => sheet.snapshot(value),
        Value::Object(map) if map.contains_key("snapshots") => sheet.post(value),
        Value::Object(map) if map.contains_key("leaf") => sheet.record(value),
        Value::Object(map) if map.contains_key("warc_record") => sheet.warc(value),
        Value::Object(map) if map.contains_key("run") => sheet.run(value),
        Value::Object(map) if map.contains_key("citations") => sheet.statement(value),
        other => sheet.plain(other, 0),
    }
}

struct Sheet<'a> {
    out: &'a mut dyn Write,
    width: Option<usize>,
}

/// A value as one line of text; nothing where it is nothing.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl Sheet<'_> {
    fn title(&mut self, what: &str, id: &Value) -> io::Result<()> {
        let bold = Style::new().bold();
        writeln!(self.out, "{bold}{what}{bold:#} {}", plain::line(&text(id)))
    }

    fn heading(&mut self, what: &str) -> io::Result<()> {
        let bold = Style::new().bold();
        writeln!(self.out, "\n{bold}{}{bold:#}", plain::line(what))
    }

    /// A name and what stands for it; left out where nothing does.
    fn line(&mut self, name: &str, value: &str) -> io::Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "  {name:<12} {}", plain::line(value))
    }

    fn of(&mut self, value: &Value, names: &[(&str, &str)]) -> io::Result<()> {
        names
            .iter()
            .try_for_each(|(name, pointer)| self.line(name, &value.pointer(pointer).map(text).unwrap_or_default()))
    }

    /// Where bytes lie and how to get at them with tools that every system has.
    fn place(&mut self, name: &str, at: Option<&Value>) -> io::Result<()> {
        let Some(at) = at.filter(|at| at.is_object()) else { return Ok(()) };
        let of = |key: &str| at.get(key).map(text).unwrap_or_default();
        self.line(name, &format!("{}, {} bytes from byte {}", of("file"), of("length"), of("offset")))?;
        self.line("", &of("extract"))
    }

    fn table(&mut self, table: &Table) -> io::Result<()> {
        table.write(self.out, self.width)
    }

    fn statement(&mut self, value: &Value) -> io::Result<()> {
        self.title("statement", value.get("statement").unwrap_or(&Value::Null))?;
        self.of(
            value,
            &[
                ("from", "/sources"),
                ("title", "/title"),
                ("date", "/date"),
                ("by", "/author"),
                ("published by", "/publisher"),
                ("language", "/language"),
                ("type", "/media_type"),
                ("bytes", "/bytes"),
                ("ledger", "/ledger_index"),
            ],
        )?;
        self.place("kept in", value.get("kept_at"))?;
        self.anchors(value)?;
        let citations = list(value, "citations");
        self.heading(&format!("{} citations", citations.len()))?;
        let mut table = Table::new(vec![
            Column::new("KIND").whole(),
            Column::new("CITATION"),
            Column::new("ENDING").whole(),
            Column::new("LED TO"),
            Column::new("WHEN").whole(),
            Column::new("VERDICT").whole(),
            Column::new("ID").whole(),
        ]);
        for line in citations {
            let of = |pointer: &str| line.pointer(pointer).map(text).unwrap_or_default();
            let (ending, post) = (of("/ending"), of("/post"));
            let led = if post.is_empty() { of("/urls/final") } else { post };
            table.push(vec![
                Cell::new(of("/citation/kind")),
                Cell::new(of("/citation/raw")),
                Cell::new(match ending.as_str() {
                    "" => "-".to_owned(),
                    ending => ended(ending, &of("/truncated"), !of("/unread").is_empty()),
                })
                .styled(style_of(&ending)),
                Cell::new(led),
                Cell::new(of("/at").get(..10).unwrap_or_default()),
                Cell::new(of("/verdict")),
                Cell::new(short(&of("/citation/id"))),
            ]);
        }
        self.table(&table)
    }

    fn citation(&mut self, value: &Value) -> io::Result<()> {
        self.title("citation", value.pointer("/citation/id").unwrap_or(&Value::Null))?;
        self.of(
            value,
            &[
                ("in", "/statement"),
                ("kind", "/citation/kind"),
                ("form", "/citation/form"),
                ("as it stands", "/citation/raw"),
                ("URL", "/citation/url"),
                ("platform", "/citation/platform"),
                ("author", "/citation/author"),
                ("handle", "/citation/handle"),
                ("date", "/citation/date"),
                ("quoted", "/citation/quoted"),
                ("bytes", "/citation/span"),
            ],
        )?;
        let times = list(value, "followed");
        if times.is_empty() {
            return self.line("followed", "never");
        }
        times.iter().try_for_each(|time| self.time(time))
    }

    /// One time that a citation was followed.
    fn time(&mut self, time: &Value) -> io::Result<()> {
        let of = |pointer: &str| time.pointer(pointer).map(text).unwrap_or_default();
        self.heading(&format!("{}  {}", of("/at"), of("/ending")))?;
        self.of(
            time,
            &[
                ("because", "/why"),
                ("truncated", "/truncated"),
                ("unread", "/unread"),
                ("from", "/urls/start"),
                ("led to", "/urls/final"),
                ("post", "/post"),
                ("posted", "/posted"),
                ("snapshot", "/snapshot"),
                ("verdict", "/verdict"),
                ("ledger", "/ledger/index"),
            ],
        )?;
        self.line(
            "anchored",
            if of("/anchored") == "true" { "yes" } else { "no outside authority vouches for it yet" },
        )?;
        self.not_before(time)?;
        let hops = time.pointer("/way/hops").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        self.hops(hops)
    }

    fn hops(&mut self, hops: &[Value]) -> io::Result<()> {
        if hops.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(vec![
            Column::new("  HOP").whole().right(),
            Column::new("STATUS").whole(),
            Column::new("VIA").whole(),
            Column::new("URL"),
            Column::new("ADDRESS").whole(),
        ]);
        for hop in hops {
            let of = |key: &str| hop.get(key).map(text).unwrap_or_default();
            let (status, error) = (of("status"), of("error"));
            table.push(vec![
                Cell::new(of("n")),
                Cell::new(if status.is_empty() { error } else { status }),
                Cell::new(of("via")),
                Cell::new(of("url")),
                Cell::new(of("ip")),
            ]);
        }
        self.table(&table)
    }

    fn snapshot(&mut self, value: &Value) -> io::Result<()> {
        self.title("snapshot", value.get("snapshot").unwrap_or(&Value::Null))?;
        self.of(
            value,
            &[
                ("taken", "/manifest/at"),
                ("ending", "/manifest/ending"),
                ("because", "/manifest/why"),
                ("cited as", "/manifest/target"),
                ("stood at", "/manifest/final_url"),
                ("title", "/manifest/page/title"),
                ("by", "/manifest/page/author"),
                ("published", "/manifest/page/published"),
                ("copy of", "/manifest/from_archive/url"),
                ("content", "/manifest/content_digest"),
                ("ledger", "/ledger_index"),
            ],
        )?;
        self.not_before(value)?;
        self.place("manifest in", value.get("manifest_at"))?;
        if let Some(post) = value.pointer("/manifest/post") {
            self.post_text(post)?;
        }
        let hops = value.pointer("/manifest/hops").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if !hops.is_empty() {
            self.heading("the way")?;
            self.hops(hops)?;
        }
        self.parts(list(value, "parts_at"))?;
        let leads = list(value, "led_to_by");
        if !leads.is_empty() {
            self.heading("led to by")?;
            for lead in leads {
                let of = |key: &str| lead.get(key).map(text).unwrap_or_default();
                writeln!(self.out, "  {}  record {}", of("citation"), of("ledger_index"))?;
            }
        }
        for note in value.pointer("/manifest/notes").and_then(Value::as_array).into_iter().flatten() {
            self.line("note", &text(note))?;
        }
        self.anchors(value)
    }

    fn parts(&mut self, parts: &[Value]) -> io::Result<()> {
        if parts.is_empty() {
            return Ok(());
        }
        self.heading(&format!("{} exchanges", parts.len()))?;
        let mut table = Table::new(vec![
            Column::new("ROLE").whole(),
            Column::new("URL"),
            Column::new("FILE"),
            Column::new("OFFSET").whole().right(),
            Column::new("LENGTH").whole().right(),
        ]);
        for part in parts {
            let of = |key: &str| part.get(key).map(text).unwrap_or_default();
            let cells = [of("role"), of("url"), of("file"), of("offset"), of("length")];
            table.push(cells.iter().map(Cell::new).collect());
        }
        self.table(&table)?;
        let first = parts.first().and_then(|part| part.get("extract")).map(text).unwrap_or_default();
        self.line("extract", &first)
    }

    fn post_text(&mut self, post: &Value) -> io::Result<()> {
        let of = |pointer: &str| post.pointer(pointer).map(text).unwrap_or_default();
        let name = format!("{}:{}", of("/name/platform"), of("/name/id"));
        self.heading(&format!("post {name}"))?;
        self.post_words(post)
    }

    /// A post without its name.
    fn post_words(&mut self, post: &Value) -> io::Result<()> {
        let of = |pointer: &str| post.pointer(pointer).map(text).unwrap_or_default();
        self.line("by", &format!("{} @{}", of("/author/name"), of("/author/handle")))?;
        self.of(
            post,
            &[
                ("posted", "/posted"),
                ("id's time", "/id_time"),
                ("at", "/permalink"),
                ("language", "/language"),
                ("edited", "/edited"),
            ],
        )?;
        for line in plain::lines(&of("/text")).lines() {
            writeln!(self.out, "  │ {line}")?;
        }
        for link in list(post, "links") {
            let of = |key: &str| link.get(key).map(text).unwrap_or_default();
            self.line("link", &format!("{} → {}", of("raw"), of("expanded")))?;
        }
        for media in list(post, "media") {
            let of = |key: &str| media.get(key).map(text).unwrap_or_default();
            self.line(&of("kind"), &format!("{}  {}", of("url"), of("alt")))?;
        }
        Ok(())
    }

    fn post(&mut self, value: &Value) -> io::Result<()> {
        self.title("post", value.get("post").unwrap_or(&Value::Null))?;
        let snapshots = list(value, "snapshots");
        if let Some(last) = snapshots.last().and_then(|last| last.get("post")) {
            self.post_words(last)?;
        }
        self.heading(&format!("{} snapshots", snapshots.len()))?;
        for one in snapshots {
            let of = |key: &str| one.get(key).map(text).unwrap_or_default();
            writeln!(self.out, "  {}  {}", plain::line(&of("at")), plain::line(&of("snapshot")))?;
        }
        Ok(())
    }

    fn record(&mut self, value: &Value) -> io::Result<()> {
        self.title("record", value.get("ledger_index").unwrap_or(&Value::Null))?;
        self.of(value, &[("kind", "/record/kind"), ("made", "/record/at"), ("leaf", "/leaf")])?;
        self.not_before(value)?;
        self.place("kept in", value.get("warc"))?;
        self.of(value, &[("check", "/check")])?;
        self.anchors(value)?;
        let Some(Value::Object(record)) = value.get("record") else { return Ok(()) };
        self.heading("what it says")?;
        let said = record.iter().filter(|(name, _)| !matches!(name.as_str(), "kind" | "at" | "v"));
        let said: serde_json::Map<String, Value> = said.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.plain(&Value::Object(said), 1)
    }

    fn warc(&mut self, value: &Value) -> io::Result<()> {
        self.title("WARC record", value.get("warc_record").unwrap_or(&Value::Null))?;
        self.of(
            value,
            &[("type", "/type"), ("date", "/date"), ("block", "/block_bytes"), ("digest", "/at/record_digest")],
        )?;
        self.place("lies in", value.get("at"))?;
        self.heading("its head")?;
        list(value, "fields").iter().try_for_each(|field| writeln!(self.out, "  {}", plain::line(&text(field))))
    }

    fn run(&mut self, value: &Value) -> io::Result<()> {
        self.title("run", value.get("run").unwrap_or(&Value::Null))?;
        self.of(value, &[("opened", "/opened"), ("closed", "/closed"), ("planned", "/planned"), ("ended", "/ended")])?;
        self.not_before(value)?;
        if value.get("closed").is_none_or(Value::is_null) {
            self.line("closed", "never: it was cut off, or is still going on")?;
        }
        let mut table = Table::new(vec![
            Column::new("CITATION"),
            Column::new("ENDING").whole(),
            Column::new("RECORD").whole().right(),
            Column::new("ID").whole(),
        ]);
        for line in list(value, "citations") {
            let of = |key: &str| line.get(key).map(text).unwrap_or_default();
            let ending = of("ending");
            table.push(vec![
                Cell::new(of("raw")),
                Cell::new(&ending).styled(style_of(&ending)),
                Cell::new(of("ledger_index")),
                Cell::new(short(&of("citation"))),
            ]);
        }
        writeln!(self.out)?;
        self.table(&table)
    }

    fn held(&mut self, value: &Value) -> io::Result<()> {
        self.title("digest", value.get("digest").unwrap_or(&Value::Null))?;
        for one in list(value, "held_as") {
            writeln!(self.out)?;
            match one.get("leaf") {
                Some(_) => self.record(one)?,
                None => self.warc(one)?,
            }
        }
        Ok(())
    }

    /// The beacon's round before which it was not written.
    fn not_before(&mut self, value: &Value) -> io::Result<()> {
        let Some(bound) = value.get("not_before").filter(|bound| bound.is_object()) else { return Ok(()) };
        let of = |key: &str| bound.get(key).map(text).unwrap_or_default();
        self.line("not before", &format!("{}, round {} of the beacon {}", of("at"), of("round"), of("beacon")))?;
        self.line("", &of("check"))
    }

    /// Who outside vouches, and how to check it by hand.
    fn anchors(&mut self, value: &Value) -> io::Result<()> {
        let anchors = list(value, "anchors");
        if anchors.is_empty() {
            return Ok(());
        }
        self.heading("anchors")?;
        self.plain(&Value::Array(anchors.to_vec()), 1)
    }

    /// Names and values, one a line, what belongs together indented; empty things are left out.
    fn plain(&mut self, value: &Value, depth: usize) -> io::Result<()> {
        let indent = "  ".repeat(depth);
        match value {
            Value::Object(map) => {
                map.iter().filter(|(_, inner)| !is_empty(inner)).try_for_each(|(name, inner)| match inner {
                    Value::Object(_) | Value::Array(_) => {
                        writeln!(self.out, "{indent}{}", plain::line(name))?;
                        self.plain(inner, depth + 1)
                    }
                    inner => writeln!(self.out, "{indent}{}: {}", plain::line(name), plain::line(&text(inner))),
                })
            }
            Value::Array(list) => list.iter().enumerate().try_for_each(|(n, inner)| match inner {
                Value::Object(_) | Value::Array(_) => {
                    writeln!(self.out, "{indent}{}.", n + 1)?;
                    self.plain(inner, depth + 1)
                }
                inner => writeln!(self.out, "{indent}- {}", plain::line(&text(inner))),
            }),
            inner => writeln!(self.out, "{indent}{}", plain::line(&text(inner))),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// So much of a digest as a person copies and `show` takes.
fn short(id: &str) -> &str {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    hex.get(..12).unwrap_or(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_steers_nothing() {
        let post = serde_json::json!({ "post": "x:1", "snapshots": [{ "at": "2019", "snapshot": "sha256:00", "post": {
            "name": { "platform": "x", "id": "1" }, "author": { "name": "A\u{1b}[2J", "handle": "a" }, "text": "one\n\u{1b}]0;x\u{7}two" } }] });
        let mut out = Vec::new();
        draw(&mut out, &post, None).unwrap();
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
        assert!(text.contains("│ \\u{1b}]0;x\\u{7}two") && text.contains("A\\u{1b}[2J"), "{text}");
    }
}
