//! How many bytes are looked at, counted under test only: what is linear is shown to stay so by counting, not by the clock.

#[cfg(test)]
thread_local! {
    static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Notes that `bytes` of the text were looked at.
#[inline]
pub(super) fn looked_at(bytes: usize) {
    #[cfg(test)]
    LOOKED_AT.set(LOOKED_AT.get().saturating_add(bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

/// What was looked at on this thread while `work` was done.
#[cfg(test)]
fn counted(work: impl FnOnce()) -> usize {
    LOOKED_AT.set(0);
    work();
    LOOKED_AT.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::citation;
    use crate::statement::{self, Hint};

    /// Bytes looked at for each byte of the text, at most: every handle may look at a window of prose on either side.
    const PER_BYTE: usize = 1600;

    fn effort(unit: &str, len: usize) -> usize {
        let text = unit.repeat(len / unit.len());
        let hint = Hint { source: "a.txt".into(), content_type: Some("text/plain".into()) };
        statement::read(text.into_bytes(), &hint).map_or(0, |statement| {
            counted(|| {
                let _ = citation::each(&statement, |_| Ok::<_, ()>(()));
            })
        })
    }

    #[test]
    fn twice_the_text_is_twice_the_work() {
        let line = "x".repeat(4000);
        let mut worse = Vec::new();
        for unit in [
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
        ] {
            let (once, twice) = (effort(unit, 40_000), effort(unit, 80_000));
            let start: String = unit.chars().take(20).collect();
            if twice > once * 23 / 10 + 20_000 || twice > PER_BYTE * 80_000 {
                worse.push(format!("{start:?}: {once} then {twice}"));
            }
        }
        assert!(worse.is_empty(), "{worse:#?}");
    }
}
