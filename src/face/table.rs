//! Tables for people: any script, any width, no escapes but our own.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::face::plain;

/// Spaces between columns.
const GAP: usize = 2;

/// Narrower than this no column becomes, however narrow the terminal.
const NARROWEST: usize = 8;

/// A column: its heading, and how it behaves where room is short.
#[derive(Clone, Debug)]
pub struct Column {
    heading: Cow<'static, str>,
    whole: bool,
    right: bool,
}

impl Column {
    /// A column that wraps.
    pub fn new(heading: impl Into<Cow<'static, str>>) -> Self {
        Self { heading: heading.into(), whole: false, right: false }
    }

    /// Never wrapped.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Aligned to the right, for numbers.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// What stands in one place of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A cell without colour. The text is made safe to print.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self { text: plain::line(text.as_ref()).trim().to_owned(), style: Style::new() }
    }

    /// The same in a colour.
    #[must_use]
    pub fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty, further ones are dropped.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        row.resize(self.columns.len(), Cell::default());
        self.rows.push(row);
    }

    /// Writes it, wrapped to `width` columns where that is known.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, out: &mut dyn Write, width: Option<usize>) -> io::Result<()> {
        let widths = self.widths(width);
        let heading = Style::new().bold();
        let headings: Vec<Cell> =
            self.columns.iter().map(|column| Cell::new(&column.heading).styled(heading)).collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            self.write_row(out, row, &widths)?;
        }
        Ok(())
    }

    fn write_row(&self, out: &mut dyn Write, row: &[Cell], widths: &[usize]) -> io::Result<()> {
        let wrapped: Vec<Vec<String>> = row.iter().zip(widths).map(|(cell, &width)| wrap(&cell.text, width)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for n in 0..height {
            let mut owed = 0;
            for (((column, cell), lines), &width) in self.columns.iter().zip(row).zip(&wrapped).zip(widths) {
                let text = lines.get(n).map_or("", String::as_str);
                let blank = width.saturating_sub(text.width());
                let (before, after) = if column.right { (blank, 0) } else { (0, blank) };
                owed += before;
                if !text.is_empty() {
                    write!(out, "{:owed$}{style}{}{style:#}", "", isolated(text), style = cell.style)?;
                    owed = 0;
                }
                owed += after + GAP;
            }
            // What is owed at the end of a line would be blanks that nobody sees and everybody copies.
            writeln!(out)?;
        }
        Ok(())
    }

    /// How wide each column is: its widest cell, or less where the table would not fit.
    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|column| column.heading.width()).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = cell.text.width().max(*widest);
            }
        }
        let gaps = GAP * self.columns.len().saturating_sub(1);
        if let Some(room) = width {
            self.narrow(&mut widths, room.saturating_sub(gaps));
        }
        widths
    }

    /// Takes from the widest column that may wrap, a column of the terminal at a time, until all fit.
    fn narrow(&self, widths: &mut [usize], room: usize) {
        while widths.iter().sum::<usize>() > room {
            let wraps =
                widths.iter_mut().zip(&self.columns).filter(|(_, column)| !column.whole).map(|(width, _)| width);
            match wraps.filter(|width| **width > NARROWEST).max() {
                Some(widest) => *widest -= 1,
                None => return,
            }
        }
    }
}

/// Breaks `text` into lines of at most `width` columns: after a space, a slash or the like where there is one in the latter half,
/// else between what a reader sees as two characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut columns = 0;
    for grapheme in text.graphemes(true) {
        let wide = grapheme.width();
        if columns + wide > width && !line.is_empty() {
            let rest = break_off(&mut line, width);
            lines.push(std::mem::replace(&mut line, rest).trim_end_matches(' ').to_owned());
            columns = line.width();
        }
        if !(line.is_empty() && !lines.is_empty() && grapheme == " ") {
            line.push_str(grapheme);
            columns += wide;
        }
    }
    lines.push(line);
    lines
}

/// Cuts what belongs to the next line from `line` and gives it.
fn break_off(line: &mut String, width: usize) -> String {
    let at = line
        .rfind([' ', '/', ',', '?', '&'])
        .map(|at| at + 1)
        .filter(|&at| at < line.len() && line.get(..at).is_some_and(|kept| kept.width() * 2 >= width));
    at.map(|at| line.split_off(at)).unwrap_or_default()
}

/// `text`, kept from reordering the rest of its row where it is written from right to left (Unicode UAX #9: FSI … PDI).
fn isolated(text: &str) -> String {
    if text.chars().any(is_right_to_left) { format!("\u{2068}{text}\u{2069}") } else { text.to_owned() }
}

/// The blocks of scripts written from right to left: Hebrew to Arabic Extended-A, presentation forms, and the right to
/// left part of the supplementary plane.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}' | '\u{200f}')
}

/// A cell of comma-separated values (RFC 4180), steering neither terminal nor spreadsheet: what one would take for a formula
/// is set off with an apostrophe.
pub fn csv(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = plain::lines(cell);
    let cell = if formula { format!("'{safe}") } else { safe };
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(table: &Table, width: Option<usize>) -> String {
        let mut out = Vec::new();
        table.write(&mut out, width).unwrap();
        anstream::adapter::strip_bytes(&out).into_vec().try_into().unwrap()
    }

    fn two_columns(rows: &[(&str, &str)]) -> Table {
        let mut table = Table::new(vec![Column::new("A").whole(), Column::new("B")]);
        for (a, b) in rows {
            table.push(vec![Cell::new(a), Cell::new(b)]);
        }
        table
    }

    #[test]
    fn columns_line_up_in_any_script() {
        let table = two_columns(&[("日本", "x"), ("🇰🇿", "y"), ("e\u{301}", "z"), ("four", "w")]);
        let expected = "A     B\n日本  x\n🇰🇿    y\ne\u{301}     z\nfour  w\n";
        assert_eq!(drawn(&table, None), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_lost() {
        let long =
            "https://example.org/a/very/long/path/to/an/article?with=a&query=string and words behind it 日本語日本語";
        let text = drawn(&two_columns(&[("k", long)]), Some(30));
        assert!(text.lines().all(|line| line.width() <= 30), "{text}");
        let squeezed = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!(squeezed(&text), squeezed(&format!("ABk{long}")));
    }

    #[test]
    fn a_space_that_does_not_break_is_kept_at_the_end_of_a_line() {
        assert_eq!(wrap("abcd\u{a0} efgh", 6), ["abcd\u{a0}", "efgh"]);
    }

    #[test]
    fn a_terminal_too_narrow_for_anything_still_ends() {
        let text = drawn(&two_columns(&[("k", "日本語日本語日本語")]), Some(1));
        assert!(text.contains('日'));
    }

    #[test]
    fn right_to_left_cells_do_not_reorder_their_neighbours() {
        let text = drawn(&two_columns(&[("a", "سلام"), ("b", "left")]), None);
        assert!(text.contains("\u{2068}سلام\u{2069}"));
        assert!(text.contains("b  left"));
    }

    #[test]
    fn strangers_cannot_colour_or_move_anything() {
        let text = drawn(&two_columns(&[("a", "x\u{1b}[31m\u{202e}y\nz")]), None);
        assert!(text.contains("x\\u{1b}[31m\\u{202e}y z"), "{text:?}");
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let mut table = Table::new(vec![Column::new("N").right(), Column::new("B")]);
        table.push(vec![Cell::new("1"), Cell::new("x")]);
        table.push(vec![Cell::new("100"), Cell::new("y")]);
        assert_eq!(drawn(&table, None), "  N  B\n  1  x\n100  y\n");
    }

    proptest::proptest! {
        #[test]
        fn wrapping_keeps_every_character_and_the_width(text in ".{0,200}", width in 8_usize..60) {
            let text = Cell::new(text).text;
            let lines = wrap(&text, width);
            for line in &lines {
                let one = line.graphemes(true).count() == 1;
                proptest::prop_assert!(one || line.width() <= width, "{:?} is {} wide", line, line.width());
            }
            let squeezed = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            let kept: String = lines.iter().map(|line| squeezed(line)).collect();
            proptest::prop_assert_eq!(kept, squeezed(&text));
        }
    }
}
