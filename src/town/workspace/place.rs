//! Where the database of a workspace is: a directory on this machine, with the server that may serve it, or an address.
//!
//! Nothing is opened here, and nothing proves that the server at the address serves the directory; whoever mixes the two has
//! to show that the listener holds the database's lock.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::config::{Config, ConfigSource};
use super::metadata::{Metadata, Mode};
use super::{Workspace, WorkspaceError};
use crate::sys::net::Port;
use crate::town::Town;
use crate::town::env::{self, Env};
use crate::town::json::Object;
use crate::town::settings::{self, Settings};

/// The database of a workspace that names none.
pub(super) const DATABASE: &str = "beads";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An argument of the command line.
    Flag,
    /// This environment variable, also from `.beads/.env`.
    Env(String),
    /// This file of the workspace or of the user.
    File(PathBuf),
    /// The settings, see [`Config`].
    Config(ConfigSource),
    /// The configuration of git, key.
    Git(&'static str),
    /// The town's own settings.
    Town(settings::Source),
    /// The `.beads` whose redirect led here.
    Redirect(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("command line"),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) | Self::Config(ConfigSource::File(path)) => write!(f, "{}", path.display()),
            Self::Config(source) => write!(f, "{source}"),
            Self::Git(key) => write!(f, "git's {key}"),
            Self::Town(source) => write!(f, "{source}"),
            Self::Redirect(path) => write!(f, "{} (it redirects here)", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Given<T> {
    pub(super) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// A password. Not shown by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// A server and a database on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host name or address.
    pub host: Given<String>,
    /// Port. None: nobody says one (bd would start a server of its own on a free port).
    pub port: Option<Given<Port>>,
    /// A Unix socket; it goes before host and port.
    pub socket: Option<Given<PathBuf>>,
    /// Login name.
    pub user: Given<String>,
    /// Password, if there is one.
    pub password: Option<Given<Secret>>,
    /// Database.
    pub database: Given<String>,
    /// Whether the connection has to be encrypted.
    pub tls: Given<bool>,
}

/// By which rule a directory was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `.beads/embeddeddolt/<db>`.
    Embedded,
    /// `.beads/dolt/<db>` of a workspace without a server: an older layout.
    OldEmbedded,
    /// `dolt_data_dir` or `BEADS_DOLT_DATA_DIR`.
    DataDir,
    /// bd's shared server.
    Shared,
    /// `.dolt-data/<db>` of the town around the workspace.
    Town,
    /// `.beads/dolt/<db>`: the server of this workspace alone.
    Own,
}

/// A database on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// The database's directory, the one with `.dolt` in it. It need not exist yet.
    pub path: PathBuf,
    /// By which rule it is this one.
    pub rule: Rule,
    /// The server that is said to serve it. None in embedded mode.
    pub server: Option<Address>,
    /// The town around the workspace, if it lies in one.
    pub town: Option<Town>,
}

impl Local {
    /// Whether there is a database.
    pub fn exists(&self) -> bool {
        self.path.join(".dolt").is_dir()
    }
}

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a directory of this machine.
    Directory(Box<Local>),
    /// On another machine, or behind TLS: nothing but SQL will do.
    Remote(Box<Address>),
}

const MODE_VARIABLE: &str = "BEADS_DOLT_SERVER_MODE";
const SHARED_VARIABLE: &str = "BEADS_DOLT_SHARED_SERVER";
const SHARED_PORT: Port = Port::new(3308).expect("3308 is not zero");

impl Workspace {
    /// How the database is reached, and who says so.
    pub fn mode(&self) -> Given<Mode> {
        if self.env().text(MODE_VARIABLE).as_deref() == Some("1") {
            return Given::new(Mode::Server, Origin::Env(MODE_VARIABLE.to_owned()));
        }
        let written = self.metadata().and_then(Metadata::mode);
        if written == Some(Mode::Proxied) {
            return Given::new(Mode::Proxied, self.metadata_origin());
        }
        if let Some(origin) = self.shared_by() {
            return Given::new(Mode::Server, origin);
        }
        if let Some(mode) = written {
            return Given::new(mode, self.metadata_origin());
        }
        if let Some((path, central)) = self.central()
            && let Some(word) = central.get::<String>("dolt_mode").filter(|w| !w.is_empty())
        {
            return Given::new(Mode::of(&word), Origin::File(path));
        }
        match self.config().said("dolt.mode") {
            Some((word, source)) => Given::new(Mode::of(&word), Origin::Config(source)),
            None => Given::new(Mode::Embedded, Origin::Default),
        }
    }

    /// The database's name: the variable, the directory that redirected here, `metadata.json`, or `beads`.
    pub fn database(&self) -> Given<String> {
        let name = "BEADS_DOLT_SERVER_DATABASE";
        if let Some(value) = self.env().text(name) {
            return Given::new(value, Origin::Env(name.to_owned()));
        }
        if let Some(redirect) = self.redirect()
            && let Some(value) = redirect.database.clone()
        {
            return Given::new(value, Origin::Redirect(redirect.from.clone()));
        }
        match self.metadata().and_then(Metadata::database) {
            Some(value) => Given::new(value, self.metadata_origin()),
            None => Given::new(DATABASE.to_owned(), Origin::Default),
        }
    }

    /// Where the database is.
    pub fn place(&self) -> Result<Place, WorkspaceError> {
        self.readable_metadata()?;
        let database = self.database();
        let mode = self.mode();
        let town = crate::town::town_above(self.dir());
        match mode.value {
            Mode::Proxied => Err(WorkspaceError::Proxied { dir: self.dir().to_owned() }),
            Mode::Embedded => {
                let new = self.dir().join("embeddeddolt").join(&database.value);
                let old = self.dir().join("dolt").join(&database.value);
                let is_old = !new.join(".dolt").is_dir() && old.join(".dolt").is_dir();
                let (path, rule) = if is_old { (old, Rule::OldEmbedded) } else { (new, Rule::Embedded) };
                Ok(Place::Directory(Box::new(Local { path, rule, server: None, town })))
            }
            Mode::Server => {
                let (data_dir, rule) = self.data_dir(&database.value, town.as_ref());
                let serving_town = town.as_ref().filter(|_| rule == Rule::Town);
                let address = self.address(database.clone(), serving_town)?;
                if address.tls.value
                    || (address.socket.is_none() && settings::is_elsewhere(&address.host.value))
                {
                    return Ok(Place::Remote(Box::new(address)));
                }
                let path = data_dir.join(&database.value);
                Ok(Place::Directory(Box::new(Local { path, rule, server: Some(address), town })))
            }
        }
    }

    /// The data directory of a server on this machine.
    fn data_dir(&self, database: &str, town: Option<&Town>) -> (PathBuf, Rule) {
        let named = self.env().path("BEADS_DOLT_DATA_DIR");
        if let Some(named) = named.or_else(|| self.metadata().and_then(Metadata::data_dir)) {
            return (self.dir().join(named), Rule::DataDir);
        }
        if let Some(shared) = self.shared_by().and_then(|_| shared_dir(self.env())) {
            return (shared.join("dolt"), Rule::Shared);
        }
        let own = self.dir().join("dolt");
        let holds = |dir: &Path| dir.join(database).join(".dolt").is_dir();
        match town.map(Town::data_dir) {
            Some(data) if holds(&data) || !holds(&own) => (data, Rule::Town),
            _ => (own, Rule::Own),
        }
    }

    fn address(&self, database: Given<String>, town: Option<&Town>) -> Result<Address, WorkspaceError> {
        let env = self.env();
        let central = self.central();
        let text_of = |variable: &'static str, towns: &'static str, key: &'static str| {
            let of_variable =
                |name: &'static str| Some(Given::new(env.text(name)?, Origin::Env(name.to_owned())));
            let of_central = || {
                let (path, object) = central.as_ref()?;
                let value = object.get::<String>(key).filter(|v| !v.is_empty())?;
                Some(Given::new(value, Origin::File(path.clone())))
            };
            of_variable(variable)
                .or_else(|| town.and_then(|_| of_variable(towns)))
                .or_else(|| Some(Given::new(self.metadata()?.text(key)?, self.metadata_origin())))
                .or_else(of_central)
        };
        let host = text_of("BEADS_DOLT_SERVER_HOST", env::GT_DOLT_HOST, "dolt_server_host");
        let of_yaml = || {
            let (value, source) = self.config().said("dolt.host")?;
            Some(Given::new(value, Origin::Config(source)))
        };
        let host = host.or_else(of_yaml);
        let host = host.unwrap_or_else(|| Given::new(settings::LOCAL_HOST.to_owned(), Origin::Default));
        let user = text_of("BEADS_DOLT_SERVER_USER", env::GT_DOLT_USER, "dolt_server_user");
        let user = user.unwrap_or_else(|| Given::new("root".to_owned(), Origin::Default));
        let port = self.port(town, central.as_ref())?;
        let socket = env
            .path("BEADS_DOLT_SERVER_SOCKET")
            .map(|path| Given::new(path, Origin::Env("BEADS_DOLT_SERVER_SOCKET".to_owned())))
            .or_else(|| {
                let path = self.metadata()?.text("dolt_server_socket")?;
                Some(Given::new(PathBuf::from(path), self.metadata_origin()))
            });
        let password = password(env, &host.value, port.as_ref().map(|p| p.value), town.is_some());
        let tls = self.tls(central.as_ref());
        Ok(Address { host, port, socket, user, password, database, tls })
    }

    fn tls(&self, central: Option<&(PathBuf, Object)>) -> Given<bool> {
        let name = "BEADS_DOLT_SERVER_TLS";
        if let Some(word) = self.env().text(name) {
            return Given::new(
                word == "1" || word.eq_ignore_ascii_case("true"),
                Origin::Env(name.to_owned()),
            );
        }
        if self.metadata().is_some_and(|m| m.switch("dolt_server_tls")) {
            return Given::new(true, self.metadata_origin());
        }
        match central.filter(|(_, c)| c.get::<bool>("dolt_server_tls") == Some(true)) {
            Some((path, _)) => Given::new(true, Origin::File(path.clone())),
            None => Given::new(false, Origin::Default),
        }
    }

    /// bd's order, then the town's own rule for a town's server, then the shared server's fixed port.
    fn port(
        &self,
        town: Option<&Town>,
        central: Option<&(PathBuf, Object)>,
    ) -> Result<Option<Given<Port>>, WorkspaceError> {
        let checked = |text: &str, origin: Origin| match settings::parse_port(text) {
            Ok(port) => Ok(Some(Given::new(port, origin))),
            Err(problem) => Err(WorkspaceError::Invalid {
                name: "port",
                value: text.to_owned(),
                origin: origin.to_string(),
                problem,
            }),
        };
        let name = "BEADS_DOLT_SERVER_PORT";
        if let Some(text) = self.env().text(name) {
            return checked(&text, Origin::Env(name.to_owned()));
        }
        let shared = self.shared_by().and_then(|_| shared_dir(self.env()));
        let file = shared.as_deref().unwrap_or(self.dir()).join("dolt-server.port");
        // bd passes over a file without a number in it, and so do we: it is left by whoever was killed while writing.
        if let Some(port) = fs::read_to_string(&file).ok().and_then(|t| settings::parse_port(&t).ok()) {
            return Ok(Some(Given::new(port, Origin::File(file))));
        }
        if let Some((text, source)) = self.config().said("dolt.port") {
            return checked(&text, Origin::Config(source));
        }
        if let Some(number) = self.metadata().and_then(|m| m.number("dolt_server_port")) {
            return checked(&number.to_string(), self.metadata_origin());
        }
        if let Some((path, object)) = central
            && let Some(number) = object.get::<i64>("dolt_server_port").filter(|n| *n != 0)
        {
            return checked(&number.to_string(), Origin::File(path.clone()));
        }
        if let Some(town) = town {
            let found = Settings::load(town, self.env()).port?;
            return Ok(Some(Given::new(found.value, Origin::Town(found.source))));
        }
        Ok(shared.map(|_| Given::new(SHARED_PORT, Origin::Default)))
    }

    /// Who switched bd's shared server on, if anybody.
    fn shared_by(&self) -> Option<Origin> {
        let on = |word: &str| word == "1" || word.eq_ignore_ascii_case("true");
        if self.env().text(SHARED_VARIABLE).is_some_and(|word| on(&word)) {
            return Some(Origin::Env(SHARED_VARIABLE.to_owned()));
        }
        let key = "dolt.shared-server";
        self.config().bool(key).then(|| self.config().get(key).map(|(_, source)| Origin::Config(source)))?
    }

    /// `~/.config/beads/server.json`: what all projects of a user have in common.
    fn central(&self) -> Option<(PathBuf, Object)> {
        let named = self.env().path("BEADS_CENTRAL_CONFIG");
        let path = named.or_else(|| Some(self.env().home()?.join(".config/beads/server.json")))?;
        let object = Object::load(&path).ok().flatten()?;
        Some((path, object))
    }

    pub(super) fn metadata_origin(&self) -> Origin {
        Origin::File(self.dir().join("metadata.json"))
    }
}

/// What is to be said when the settings of this machine override a mode that the project pins.
pub(super) fn shared_mismatch(config: &Config, env: &Env, metadata: Option<&Metadata>) -> Option<String> {
    let by_variable = env.text(SHARED_VARIABLE).is_some_and(|v| v == "1" || v.eq_ignore_ascii_case("true"));
    let is_shared = by_variable || config.bool("dolt.shared-server");
    (is_shared && metadata.and_then(Metadata::mode) == Some(Mode::Embedded)).then(|| {
        "shared-server mode is enabled (BEADS_DOLT_SHARED_SERVER or dolt.shared-server in config.yaml) but \
         .beads/metadata.json pins dolt_mode=\"embedded\"; the shared server is used for this run"
            .to_owned()
    })
}

fn shared_dir(env: &Env) -> Option<PathBuf> {
    env.path("BEADS_SHARED_SERVER_DIR").or_else(|| Some(env.home()?.join(".beads/shared-server")))
}

/// `BEADS_DOLT_PASSWORD`, the credentials file by host and port, a town's own variable.
fn password(env: &Env, host: &str, port: Option<Port>, in_town: bool) -> Option<Given<Secret>> {
    let variable = |name: &str| Some(Given::new(Secret(env.text(name)?), Origin::Env(name.to_owned())));
    let file = || {
        let named = env.path("BEADS_CREDENTIALS_FILE");
        let path = named.or_else(|| Some(env.home()?.join(".config/beads/credentials")))?;
        let text = fs::read_to_string(&path).ok()?;
        let found = credential(&text, &format!("{host}:{}", port?))?;
        Some(Given::new(Secret(found), Origin::File(path)))
    };
    variable("BEADS_DOLT_PASSWORD")
        .or_else(file)
        .or_else(|| variable(env::GT_DOLT_PASSWORD).filter(|_| in_town))
}

/// `password = …` in the section `[host:port]`. `#` begins a comment, also within a line.
fn credential(text: &str, section: &str) -> Option<String> {
    let mut inside = false;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            if inside && name != section {
                return None;
            }
            inside = name == section;
        } else if inside
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == "password"
        {
            return Some(value.trim().to_owned()).filter(|v| !v.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_by_host_and_port_and_never_shown() {
        let text = "# c\n[127.0.0.1:3307]\nuser = x\npassword = a b # c\n[h:1]\npassword=z\n";
        assert_eq!(credential(text, "127.0.0.1:3307").as_deref(), Some("a b"));
        assert_eq!(credential(text, "h:1").as_deref(), Some("z"));
        assert_eq!(credential(text, "h:2"), None);
        assert_eq!(format!("{:?}", Secret("z".into())), "(hidden)");
    }
}
