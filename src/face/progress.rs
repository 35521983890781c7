//! Progress: a bar for each citation on its way on a terminal, plain lines elsewhere, nothing where quiet was asked for.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anstyle::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::face::plain;
use crate::face::report;
use crate::resolution::ending::Ending;
use crate::work::news::{News, Stage, Watch};
use crate::world::terminal;

/// More bars than this would scroll the terminal instead of filling it.
const MOST_BARS: usize = 16;

/// Steps a citation's bar has.
const STAGES: u64 = 4;

/// The bars of this process, which log lines are written above.
pub fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// bars that move
    Bars,
    /// a line for each citation that ends; for each stage too where more was asked for
    Lines {
        /// whether stages are told
        stages: bool,
    },
    /// not at all
    Silence,
}

impl Manner {
    /// What fits the flags and what standard error is.
    pub fn fitting(quiet: bool, verbose: u8) -> Self {
        match (quiet, terminal::is_watched()) {
            (true, _) => Self::Silence,
            (false, true) => Self::Bars,
            (false, false) => Self::Lines { stages: verbose > 0 },
        }
    }
}

/// Shows news to a person.
pub struct Progress {
    manner: Manner,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    planned: usize,
    ended: usize,
    total: Option<ProgressBar>,
    bars: HashMap<usize, ProgressBar>,
}

impl Progress {
    /// Shows nothing until there is news.
    pub fn new(manner: Manner) -> Self {
        Self { manner, state: Mutex::default() }
    }
}

impl Watch for Progress {
    fn see(&self, news: News) {
        if self.manner == Manner::Silence {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.count(&news);
        match self.manner {
            Manner::Bars => state.draw(&news),
            Manner::Lines { stages } => {
                if let Some(line) = state.line(&news, stages) {
                    say(&line);
                }
            }
            Manner::Silence => {}
        }
    }
}

/// Writes a line to standard error; where that is closed nobody watches.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

impl State {
    fn count(&mut self, news: &News) {
        match news {
            News::Planned { citations } => self.planned += citations,
            News::Ended { .. } => self.ended += 1,
            _ => {}
        }
    }

    fn line(&self, news: &News, stages: bool) -> Option<String> {
        match news {
            News::Planned { citations } => {
                Some(format!("{citations} citation{} planned", if *citations == 1 { "" } else { "s" }))
            }
            News::Stage { label, stage, .. } if stages => Some(format!("{}: {}", plain::line(label), stage.as_str())),
            News::Ended { label, ending, .. } => {
                Some(format!("[{}/{}] {}", self.ended, self.planned, ended(label, *ending)))
            }
            _ => None,
        }
    }

    fn draw(&mut self, news: &News) {
        match news {
            News::Planned { .. } => {
                let planned = as_u64(self.planned);
                self.total().set_length(planned);
            }
            News::Stage { number, label, stage } => {
                if let Some(bar) = self.bar(*number, label) {
                    bar.set_position(position(*stage));
                    bar.set_message(stage.as_str());
                }
            }
            News::Hop { number, hops, .. } => {
                if let Some(bar) = self.bars.get(number) {
                    bar.set_message(format!("resolving, hop {hops}"));
                }
            }
            News::Ended { number, label, ending } => {
                if let Some(bar) = self.bars.remove(number) {
                    put_away(&bar);
                }
                bars().suspend(|| say(&ended(label, *ending)));
                let ended = as_u64(self.ended);
                self.total().set_position(ended);
            }
            News::Closed => self.clear(),
        }
    }

    fn total(&mut self) -> &ProgressBar {
        self.total.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{bar:30.green/dim} {pos}/{len} citations  {elapsed}");
            let bar = bars().add(ProgressBar::new(0));
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        })
    }

    /// The bar of a citation; none where there are too many already.
    fn bar(&mut self, number: usize, label: &str) -> Option<&ProgressBar> {
        if !self.bars.contains_key(&number) {
            if self.bars.len() >= MOST_BARS {
                return None;
            }
            let total = self.total().clone();
            let bar = bars().insert_before(&total, ProgressBar::new(STAGES));
            if let Ok(style) = ProgressStyle::with_template("{bar:12.cyan/dim} {prefix}  {msg:.dim}") {
                bar.set_style(style);
            }
            bar.set_prefix(shortened(label, 60));
            self.bars.insert(number, bar);
        }
        self.bars.get(&number)
    }

    fn clear(&mut self) {
        for bar in self.bars.drain().map(|(_, bar)| bar).chain(self.total.take()) {
            put_away(&bar);
        }
    }
}

fn put_away(bar: &ProgressBar) {
    bar.finish_and_clear();
    bars().remove(bar);
}

fn ended(label: &str, ending: Ending) -> String {
    let style: Style = report::ending_style(ending);
    format!("{style}{}{style:#}  {}", ending.as_str(), shortened(label, 100))
}

fn position(stage: Stage) -> u64 {
    match stage {
        Stage::Resolving => 1,
        Stage::Capturing => 2,
        Stage::Checking => 3,
        Stage::Recording => STAGES,
    }
}

/// The beginning of a citation that may be a whole paragraph.
fn shortened(label: &str, longest: usize) -> String {
    let label = plain::line(label);
    match label.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", label.get(..at).unwrap_or_default()),
        None => label.into_owned(),
    }
}

fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(stages: bool, news: &[News]) -> Vec<String> {
        let mut state = State::default();
        let told = news.iter().filter_map(|news| {
            state.count(news);
            state.line(news, stages)
        });
        told.map(|line| anstream::adapter::strip_str(&line).to_string()).collect()
    }

    fn some_news() -> Vec<News> {
        let label = "https://t.co/AEoFZOhI3p".to_owned();
        vec![
            News::Planned { citations: 2 },
            News::Stage { number: 0, label: label.clone(), stage: Stage::Resolving },
            News::Hop { number: 0, hops: 1, url: label.clone() },
            News::Ended { number: 0, label, ending: Ending::Captured },
            News::Ended { number: 1, label: "x\u{1b}[2J".into(), ending: Ending::Gone },
            News::Closed,
        ]
    }

    #[test]
    fn plain_lines_count_and_name_each_ending() {
        let told = ["2 citations planned", "[1/2] captured  https://t.co/AEoFZOhI3p", "[2/2] gone  x\\u{1b}[2J"];
        assert_eq!(lines(false, &some_news()), told);
        assert_eq!(lines(true, &some_news()).len(), 4);
    }

    #[test]
    fn bars_come_and_go() {
        bars().set_draw_target(ProgressDrawTarget::hidden());
        let mut state = State::default();
        for news in some_news() {
            state.count(&news);
            state.draw(&news);
        }
        assert!(state.bars.is_empty() && state.total.is_none());
        for number in 0..MOST_BARS + 5 {
            state.draw(&News::Stage { number, label: "a".into(), stage: Stage::Capturing });
        }
        assert_eq!(state.bars.len(), MOST_BARS);
    }

    #[test]
    fn a_long_label_is_cut_between_characters() {
        assert_eq!(shortened("ččč", 2), "čč…");
        assert_eq!(shortened("čč", 2), "čč");
    }
}
