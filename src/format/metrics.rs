//! The text-based exposition format of Prometheus, version 0.0.4, written:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// only ever grows
    Counter,
    /// goes up and down
    Gauge,
}

/// A text of metrics in the making.
#[derive(Clone, Debug, Default)]
pub struct Text(String);

impl Text {
    /// A metric with one value for each set of labels. `name` and label names are ours and need no escaping.
    pub fn metric<'a>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        samples: impl IntoIterator<Item = (Vec<(&'a str, String)>, f64)>,
    ) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let _ = writeln!(self.0, "# HELP {name} {}", help.replace('\\', "\\\\").replace('\n', "\\n"));
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }

    /// The same with one value and no labels.
    pub fn one(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.metric(name, kind, help, [(Vec::new(), value)]);
    }

    /// The text.
    pub fn finish(self) -> String {
        self.0
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_help_type_and_samples() {
        let mut text = Text::default();
        text.one("onrecord_up", Kind::Gauge, "1 while it runs", 1.0);
        let odd = vec![("why", "a \"b\"\\\nc".to_owned())];
        text.metric("onrecord_x_total", Kind::Counter, "two\nlines", [(odd, 3.0)]);
        assert_eq!(
            text.finish(),
            "# HELP onrecord_up 1 while it runs\n# TYPE onrecord_up gauge\nonrecord_up 1\n\
             # HELP onrecord_x_total two\\nlines\n# TYPE onrecord_x_total counter\n\
             onrecord_x_total{why=\"a \\\"b\\\"\\\\\\nc\"} 3\n"
        );
    }
}
