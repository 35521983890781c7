//! Settings: a flag beats the environment, which beats `onrecord.toml`, which beats the default. They stop here: whoever
//! calls a room makes that room's own limits from these fields.

mod file;
pub mod flags;
pub mod section;
pub mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::face::config::flags::NetworkArgs;
use crate::format::cron::Cron;
use crate::snapshot::change::What;
use crate::world::input;

use self::section::{Anchor, Archives, Capture, Ledger, Network, Notify, Platforms, Schedule, Section, Serve, Source};
use self::value::Raw;

/// The settings file's name inside an archive.
pub const FILE: &str = "onrecord.toml";

/// Longer than any settings file a person writes; a bound on what is read.
const LONGEST_FILE: u64 = 4 << 20;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Origin {
    /// nobody said anything
    #[default]
    Default,
    /// a line of the settings file
    File(usize),
    /// an environment variable
    Environment(String),
    /// a flag on the command line
    Flag(&'static str),
}

impl Origin {
    /// The layer's name.
    pub fn layer(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(_) => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(line) => write!(f, "{FILE}:{line}"),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// Which layer an error is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// the settings file
    File,
    /// the environment
    Environment,
}

/// A setting that cannot be taken as it was given. `place` is the file with its line, or the environment.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// the file is there and cannot be read
    #[error("read {path}")]
    Unreadable {
        /// the file
        path: String,
        /// why
        source: input::InputError,
    },
    /// the file is no TOML
    #[error("{place}: not TOML: {what}")]
    Syntax {
        /// file and line
        place: String,
        /// what the parser says
        what: String,
    },
    /// a key, section or variable that does not exist
    #[error("{place}: unknown {what} {name:?}{}", did_you_mean(nearest.as_deref()))]
    Unknown {
        /// where
        place: String,
        /// `key`, `section` or `variable`
        what: &'static str,
        /// as written
        name: String,
        /// the nearest that exists
        nearest: Option<String>,
    },
    /// a value of the wrong type, form or range
    #[error("{place}: {key} is {found}, expected {expected}")]
    BadValue {
        /// where
        place: String,
        /// the setting
        key: String,
        /// what stands there
        found: String,
        /// what could
        expected: &'static str,
    },
    /// a value that says nothing by its own rules: a cron line, a time zone, a kind of change
    #[error("{place}: {key}: {what}")]
    Wrong {
        /// where
        place: String,
        /// the setting
        key: String,
        /// what is wrong with it, and where in it
        what: String,
    },
    /// a source or a notice that lacks what its kind needs
    #[error("{place}: this [[{section}]] needs {lacks:?}")]
    Lacks {
        /// file and line
        place: String,
        /// which
        section: &'static str,
        /// the missing key
        lacks: &'static str,
    },
}

/// How messages name the environment.
const ENVIRONMENT: &str = "environment";

impl ConfigError {
    /// The layer it is in.
    pub fn place(&self) -> Place {
        match self {
            Self::Unknown { place, .. } | Self::BadValue { place, .. } | Self::Wrong { place, .. }
                if place == ENVIRONMENT =>
            {
                Place::Environment
            }
            _ => Place::File,
        }
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(", did you mean {name:?}?")).unwrap_or_default()
}

/// Every setting, with where each came from.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `[network]`
    pub network: Network,
    /// `[capture]`
    pub capture: Capture,
    /// `[archives]`
    pub archives: Archives,
    /// `[platforms]`
    pub platforms: Platforms,
    /// `[anchor]`
    pub anchor: Anchor,
    /// `[ledger]`
    pub ledger: Ledger,
    /// `[schedule]`
    pub schedule: Schedule,
    /// `[serve]`
    pub serve: Serve,
    /// every `[[source]]`
    pub sources: Vec<Source>,
    /// every `[[notify]]`
    pub notify: Vec<Notify>,
    origins: BTreeMap<String, Origin>,
    archive: PathBuf,
}

/// One line of `onrecord config`.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `section.key`; `source[0].key` for the first source
    pub key: String,
    /// for a program: numbers are bytes and seconds
    pub value: Value,
    /// for a person
    #[serde(skip)]
    pub text: String,
    /// the layer: `flag`, `environment`, `file`, `default`
    pub from: &'static str,
    /// the flag, variable, or file and line
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Settings {
    /// The settings that hold in `archive`, with `environment` and `flags` laid over its file.
    ///
    /// # Errors
    /// The first setting that cannot be taken, named with its place. No file at all is no error.
    pub fn load(
        archive: &Path,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &NetworkArgs,
    ) -> Result<Self, ConfigError> {
        let path = archive.join(FILE);
        let text = match input::text_if_there(&path, LONGEST_FILE) {
            Ok(text) => text.unwrap_or_default(),
            Err(source) => return Err(ConfigError::Unreadable { path: path.display().to_string(), source }),
        };
        Self::layered(archive, &text, environment, flags)
    }

    fn layered(
        archive: &Path,
        text: &str,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &NetworkArgs,
    ) -> Result<Self, ConfigError> {
        let mut settings = Self { archive: archive.to_owned(), ..Self::default() };
        settings.ledger.key = archive.join(&settings.ledger.key);
        settings.read_file(archive, text)?;
        settings.read_environment(environment)?;
        flags.lay_over(&mut settings);
        settings.check()?;
        Ok(settings)
    }

    /// A relative path of the settings file, taken from the archive.
    pub fn based(&self, path: &Path) -> PathBuf {
        self.archive.join(path)
    }

    /// Reads what has a grammar of its own, so that a mistake in it is named before anything begins.
    fn check(&self) -> Result<(), ConfigError> {
        let line = |key: String, line: &str| Cron::read(line).map(drop).map_err(|e| self.wrong(key, e.to_string()));
        let zone = |key: String, name: &str| {
            jiff::tz::TimeZone::get(name)
                .map(drop)
                .map_err(|_| self.wrong(key, format!("{name:?} is no time zone, expected one such as Europe/Brussels")))
        };
        line("schedule.runs".to_owned(), &self.schedule.runs)?;
        zone("schedule.zone".to_owned(), &self.schedule.zone)?;
        for (n, source) in self.sources.iter().enumerate() {
            source.runs.as_ref().map_or(Ok(()), |runs| line(format!("source[{n}].runs"), runs))?;
            source.zone.as_ref().map_or(Ok(()), |name| zone(format!("source[{n}].zone"), name))?;
        }
        for (n, notify) in self.notify.iter().enumerate() {
            if let Some(kind) = notify.only.iter().find(|kind| What::of(kind).is_none()) {
                let nearest = nearest(kind, What::ALL.iter().map(|what| what.as_str()));
                let what = format!("{kind:?} is no kind of change{}", did_you_mean(nearest.as_deref()));
                return Err(self.wrong(format!("notify[{n}].only"), what));
            }
        }
        Ok(())
    }

    fn wrong(&self, key: String, what: String) -> ConfigError {
        let place = match self.origins.get(&key) {
            Some(Origin::File(line)) => format!("{FILE} line {line}"),
            Some(Origin::Environment(_)) => ENVIRONMENT.to_owned(),
            _ => "settings".to_owned(),
        };
        ConfigError::Wrong { place, key, what }
    }

    /// Every setting, its value and where it came from.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        self.show("network", &self.network, &mut rows);
        self.show("capture", &self.capture, &mut rows);
        self.show("archives", &self.archives, &mut rows);
        self.show("platforms", &self.platforms, &mut rows);
        self.show("anchor", &self.anchor, &mut rows);
        self.show("ledger", &self.ledger, &mut rows);
        self.show("schedule", &self.schedule, &mut rows);
        self.show("serve", &self.serve, &mut rows);
        for (n, source) in self.sources.iter().enumerate() {
            self.show(&format!("source[{n}]"), source, &mut rows);
        }
        for (n, notify) in self.notify.iter().enumerate() {
            self.show(&format!("notify[{n}]"), notify, &mut rows);
        }
        rows
    }

    fn show<S: Section>(&self, name: &str, section: &S, rows: &mut Vec<Row>) {
        rows.extend(section.show().into_iter().map(|(key, value, text)| {
            let key = format!("{name}.{key}");
            let origin = self.origins.get(&key).cloned().unwrap_or_default();
            let place = (origin != Origin::Default).then(|| origin.to_string());
            Row { key, value, text, from: origin.layer(), place }
        }));
    }

    /// Sets one key of one section.
    fn set(&mut self, section: &str, key: &str, raw: &Raw, base: &Path, origin: Origin) -> Result<(), &'static str> {
        match section {
            "network" => self.network.set(key, raw, base),
            "capture" => self.capture.set(key, raw, base),
            "archives" => self.archives.set(key, raw, base),
            "platforms" => self.platforms.set(key, raw, base),
            "anchor" => self.anchor.set(key, raw, base),
            "ledger" => self.ledger.set(key, raw, base),
            "schedule" => self.schedule.set(key, raw, base),
            "serve" => self.serve.set(key, raw, base),
            _ => Err("a known section"),
        }?;
        self.origins.insert(format!("{section}.{key}"), origin);
        Ok(())
    }

    fn read_environment(
        &mut self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        let known = variables();
        // Sorted, so that the same environment always names the same variable first.
        let ours: BTreeMap<_, _> = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok().filter(|n| is_setting(n))?, value)))
            .collect();
        for (name, value) in ours {
            let Some((section, key)) = known.get(&name) else {
                let nearest = nearest(&name, known.keys().map(String::as_str));
                return Err(ConfigError::Unknown { place: ENVIRONMENT.into(), what: "variable", name, nearest });
            };
            let raw = Raw::Loose(value.to_string_lossy().into_owned());
            let set = self.set(section, key, &raw, Path::new(""), Origin::Environment(name.clone()));
            set.map_err(|expected| ConfigError::BadValue {
                place: ENVIRONMENT.into(),
                key: name,
                found: raw.to_string(),
                expected,
            })?;
        }
        Ok(())
    }
}

/// The sections with one table each, and their keys.
const SECTIONS: [(&str, &[&str]); 8] = [
    ("network", Network::KEYS),
    ("capture", Capture::KEYS),
    ("archives", Archives::KEYS),
    ("platforms", Platforms::KEYS),
    ("anchor", Anchor::KEYS),
    ("ledger", Ledger::KEYS),
    ("schedule", Schedule::KEYS),
    ("serve", Serve::KEYS),
];

/// `ONRECORD_<SECTION>_<KEY>` of every setting outside the lists.
fn variables() -> BTreeMap<String, (&'static str, &'static str)> {
    let pairs = SECTIONS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| (*section, *key)));
    pairs.map(|(section, key)| (variable(section, key), (section, key))).collect()
}

/// The environment variable of a setting.
pub fn variable(section: &str, key: &str) -> String {
    format!("ONRECORD_{section}_{key}").replace('-', "_").to_uppercase()
}

/// Whether a variable claims to be a setting. Others that begin with `ONRECORD_` have other readers.
fn is_setting(name: &str) -> bool {
    SECTIONS.iter().any(|(section, _)| {
        let rest = name.strip_prefix("ONRECORD_").and_then(|rest| rest.strip_prefix(&section.to_uppercase()));
        rest.is_some_and(|rest| rest.starts_with('_'))
    })
}

/// The nearest of `known`, where one is near enough to be what was meant.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let spelled = name.to_lowercase().replace('_', "-");
    let scored = known.map(|k| (strsim::jaro_winkler(&spelled, &k.to_lowercase().replace('_', "-")), k));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > 0.7).map(|(_, k)| k.to_owned())
}

/// Where `archive` keeps its settings.
pub fn file_of(archive: &Path) -> PathBuf {
    archive.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)], flags: &NetworkArgs) -> Result<Settings, ConfigError> {
        let pairs = environment.iter().map(|(name, value)| (name.into(), value.into()));
        Settings::layered(Path::new("/a"), text, pairs, flags)
    }

    fn file(text: &str) -> Result<Settings, String> {
        load(text, &[], &NetworkArgs::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn every_layer_beats_the_one_below_and_says_so() -> Result<(), ConfigError> {
        let text = "[network]\ntimeout = 5\nmax-hops = 3\nper-host = 7\n";
        let environment = [("ONRECORD_NETWORK_TIMEOUT", "6"), ("ONRECORD_NETWORK_MAX_HOPS", "4")];
        let timeout = Some(value::Period(std::time::Duration::from_secs(7)));
        let flags = NetworkArgs { timeout, ..NetworkArgs::default() };
        let settings = load(text, &environment, &flags)?;
        assert_eq!(settings.network.timeout.to_string(), "7s");
        assert_eq!((settings.network.max_hops.get(), settings.network.per_host.get()), (4, 7));
        let from = |key: &str| settings.rows().into_iter().find(|row| row.key == key).map(|row| (row.from, row.place));
        assert_eq!(from("network.timeout"), Some(("flag", Some("--timeout".into()))));
        assert_eq!(from("network.max-hops"), Some(("environment", Some("ONRECORD_NETWORK_MAX_HOPS".into()))));
        assert_eq!(from("network.per-host"), Some(("file", Some("onrecord.toml:4".into()))));
        assert_eq!(from("network.max-body"), Some(("default", None)));
        Ok(())
    }

    #[test]
    fn an_empty_file_gives_the_defaults() -> Result<(), String> {
        let settings = file("")?;
        assert_eq!(settings.network.max_body, value::Size(512 << 20));
        assert_eq!(settings.schedule.revisit.len(), 5);
        assert_eq!(settings.ledger.key, Path::new("/a/keys/ledger.pem"));
        assert!(settings.rows().iter().all(|row| row.from == "default"));
        Ok(())
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("[network]\nmax_hop = 3", r#"onrecord.toml line 2: unknown key "max_hop", did you mean "max-hops"?"#),
            ("[netwrok]\n", r#"onrecord.toml line 1: unknown section "netwrok", did you mean "network"?"#),
            ("[network]\nzzzz = 3", r#"onrecord.toml line 2: unknown key "zzzz""#),
            (
                "\n[network]\n\ntimeout = \"soon\"",
                "onrecord.toml line 4: network.timeout is \"soon\", expected a length of time",
            ),
            ("[network]\nmax-body = 0", "line 2: network.max-body is 0, expected a number of bytes"),
            (
                "[network]\nallow-net = [\"10.0.0.0/99\"]",
                "line 2: network.allow-net is a list, expected an address range",
            ),
            ("[network]\noffline = \"yes\"", "line 2: network.offline is \"yes\", expected true or false"),
            ("network = 3", "line 1: network is 3, expected a table"),
            ("[anchor]\ntsa = [\"ftp://x\"]", "expected an http or https URL"),
            ("[network\n", "line 1: not TOML: "),
            ("[network]\ntimeout = 1\ntimeout = 2", "line 3: not TOML: duplicate key"),
            ("[[source]]\nkind = \"feed\"", "this [[source]] needs \"url\""),
            ("[[source]]\nkind = \"fed\"", "line 2: source.kind is \"fed\", expected \"folder\" or \"feed\""),
            ("[[notify]]\nkind = \"email\"", "this [[notify]] needs \"smtp\""),
            (
                "[schedule]\n\nruns = \"*/15 25 * * *\"",
                "onrecord.toml line 3: schedule.runs: \"25\" at column 6 is no hour",
            ),
            ("[schedule]\nruns = \"hourly\"", "line 2: schedule.runs: 1 fields where a cron line has five"),
            ("[schedule]\nzone = \"Mars\"", "line 2: schedule.zone: \"Mars\" is no time zone"),
            (
                "[[source]]\nkind = \"feed\"\nurl = \"https://a.example\"\nruns = \"0 0 30 2 *\"",
                "line 4: source[0].runs: it never comes round",
            ),
            (
                "[[notify]]\nkind = \"command\"\ncommand = [\"x\"]\nonly = [\"deletd\"]",
                "line 4: notify[0].only: \"deletd\" is no kind of change, did you mean \"deleted\"?",
            ),
            ("[source]\nkind = \"feed\"", "line 1: source is a table, expected tables, each under [[…]]"),
        ] {
            let message = file(text).err().unwrap_or_else(|| "accepted".into());
            assert!(message.contains(said), "{text:?} said {message:?}");
            assert!(!message.contains('\n'), "{message:?}");
        }
    }

    #[test]
    fn a_misspelt_variable_is_an_error_and_a_foreign_one_is_not() {
        let flags = NetworkArgs::default();
        assert!(load("", &[("ONRECORD_ARCHIVE", "x"), ("ONRECORD_LOG", "debug"), ("PATH", "y")], &flags).is_ok());
        let misspelt = load("", &[("ONRECORD_NETWORK_MAXHOPS", "3")], &flags).err().map(|e| e.to_string());
        assert!(misspelt.is_some_and(|m| m.contains("did you mean \"ONRECORD_NETWORK_MAX_HOPS\"")));
        let bad = load("", &[("ONRECORD_NETWORK_MAX_HOPS", "many")], &flags).err().map(|e| e.to_string());
        assert!(bad.is_some_and(|m| m.contains("ONRECORD_NETWORK_MAX_HOPS is \"many\", expected a whole number")));
    }

    #[test]
    fn every_key_has_its_own_variable() {
        let keys: usize = SECTIONS.iter().map(|(_, keys)| keys.len()).sum();
        assert_eq!(variables().len(), keys);
    }

    #[test]
    fn relative_paths_in_the_file_start_at_the_archive() -> Result<(), ConfigError> {
        let text = "[network]\nca-cert = [\"more.pem\", \"/etc/ca.pem\"]\n[[source]]\npath = \"drop\"\n";
        let settings = load(text, &[("ONRECORD_LEDGER_KEY", "here.pem")], &NetworkArgs::default())?;
        assert_eq!(settings.network.ca_cert, [Path::new("/a/more.pem"), Path::new("/etc/ca.pem")]);
        assert_eq!(settings.ledger.key, Path::new("here.pem"));
        assert_eq!(settings.sources.first().and_then(|s| s.path.as_deref()), Some(Path::new("/a/drop")));
        let row = settings.rows().into_iter().find(|row| row.key == "source[0].path");
        assert_eq!(row.and_then(|row| row.place).as_deref(), Some("onrecord.toml:4"));
        Ok(())
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_too_odd_to_be_refused_in_one_line(text in "(\\[|\\]|network|source|timeout|=|\"|'|\n|3|\\{|.){0,40}") {
            if let Err(message) = file(&text) {
                proptest::prop_assert!(message.contains("line "), "{}", message);
                proptest::prop_assert!(!message.contains('\n'), "{}", message);
            }
        }
    }
}
