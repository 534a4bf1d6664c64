//! The database of a new workspace: made natively where no server has it open, else with SQL through the server. One that is
//! there is taken as it is, and an empty one is filled.

use std::path::Path;
use std::time::Duration;

use super::Plan;
use crate::cli::bd::answer::{Answer, Refusal};
use crate::cli::out;
use crate::doltserver::record::AskedBy;
use crate::doltserver::{Context, endpoint, find};
use crate::rig;
use crate::sql::{self, Client, Endpoint};
use crate::store::native::{Attempt, Native};
use crate::store::reader::Reader;
use crate::store::schema::{self, Fresh, SchemaError};
use crate::store::{StoreError, load};
use crate::sys::clock::Deadline;
use crate::sys::lock;
use crate::town::Town;
use crate::town::settings::Settings;
use crate::town::workspace::{Address, Local, Place, Rule, Workspace};

/// How long one statement may take, and how long a held database is waited for.
const LIMIT: Duration = Duration::from_secs(30);

/// The database that the workspace has now.
pub(super) struct Found {
    /// Its project.
    pub(super) project_id: String,
    /// What its ids begin with.
    pub(super) prefix: String,
    /// Whether it was there with issues' tables.
    pub(super) is_adopted: bool,
    /// The server, as `user@host:port`.
    pub(super) server: Option<String>,
    /// Whether it is one of the town around.
    pub(super) is_in_town: bool,
}

impl Found {
    fn new(fresh: &Fresh) -> Self {
        let (project_id, prefix) = (fresh.project_id.clone(), fresh.prefix.clone());
        Self { project_id, prefix, is_adopted: false, server: None, is_in_town: false }
    }
}

/// Makes the database of the workspace that `dir` is to be, or finds it.
pub(super) async fn make(plan: &Plan, dir: &Path, fresh: &Fresh) -> Answer<Found> {
    let place = Workspace::at(&plan.env, &plan.cwd, dir).place();
    match place.map_err(|error| Refusal::plain(error.to_string()))? {
        Place::Remote(address) => with_address(&address, fresh).await,
        Place::Directory(local) => match (&local.server, &local.town) {
            (None, _) => embedded(&local, fresh),
            (Some(address), Some(town)) if local.rule == Rule::Town => {
                let mut found = in_town(plan, town, &local, address, fresh).await?;
                found.server = Some(shown(address));
                found.is_in_town = true;
                Ok(found)
            }
            (Some(address), _) => {
                let mut found = beside_server(&local, address, fresh).await?;
                found.server = Some(shown(address));
                Ok(found)
            }
        },
    }
}

fn shown(address: &Address) -> String {
    let port = address.port.as_ref().map_or_else(|| "?".to_owned(), |port| port.value.to_string());
    format!("{}@{}:{port}", address.user.value, address.host.value)
}

// Two that make the same workspace take turns at bd's own lock file.
fn embedded(local: &Local, fresh: &Fresh) -> Answer<Found> {
    use std::os::unix::fs::DirBuilderExt;
    let parent = local.path.parent().unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| Refusal::plain(format!("{}: {error}", parent.display()));
    let made = std::fs::DirBuilder::new().mode(0o700).recursive(true).create(parent);
    made.map_err(failed)?;
    let file = parent.join(".lock");
    let turn = lock::try_lock(&file, lock::Mode::Exclusive).map_err(failed)?;
    let Some(_turn) = turn else {
        return Err(Refusal::plain(format!(
            "embeddeddolt: another process holds the exclusive lock on {}",
            parent.display()
        )));
    };
    natively(&local.path, fresh)?.ok_or_else(|| held(&local.path))
}

fn held(path: &Path) -> Refusal {
    let holder = crate::sys::process::describe_all(&lock::holders(&path.join(".dolt/noms/LOCK")));
    Refusal::plain(format!("{} is held by {holder}", path.display()))
}

// `None`: somebody holds it. On a thread of its own: the native engine waits for locks in its own way, which does not go
// together with waiting for a server.
fn natively(path: &Path, fresh: &Fresh) -> Answer<Option<Found>> {
    let done = std::thread::scope(|scope| scope.spawn(|| natively_here(path, fresh)).join());
    done.unwrap_or_else(|_| Err(Refusal::plain("making the database has panicked")))
}

fn natively_here(path: &Path, fresh: &Fresh) -> Answer<Option<Found>> {
    match schema::create(path, fresh) {
        Ok(_) => return Ok(Some(Found::new(fresh))),
        Err(SchemaError::Exists { .. }) => {}
        Err(error) => return Err(with_causes(&error)),
    }
    if !path.join(".dolt").is_dir() {
        return Err(Refusal::plain(format!("{} holds files that are no database", path.display())));
    }
    let native = Native::at(path, None);
    match native.fill(fresh, Deadline::after(LIMIT))? {
        Attempt::Held => Ok(None),
        Attempt::Done(Some(())) => Ok(Some(Found::new(fresh))),
        Attempt::Done(None) => adopt(&native.reader()?, path, fresh).map(Some),
    }
}

fn adopt(reader: &dyn Reader, path: &Path, fresh: &Fresh) -> Answer<Found> {
    let read = |table: &'static str, key: &str| load::keyed(reader, table, key);
    let project = read("metadata", "_project_id").map_err(|error| match error {
        StoreError::Store(dolt_store::Error::NoTable { .. }) => foreign(&path.display().to_string()),
        error => error.into(),
    })?;
    let prefix = read("config", "issue_prefix")?;
    let mut found = Found::new(fresh);
    found.is_adopted = true;
    found.project_id = project.unwrap_or(found.project_id);
    found.prefix = prefix.unwrap_or(found.prefix);
    Ok(found)
}

fn foreign(named: &str) -> Refusal {
    Refusal::plain(format!("database {named} has tables, and they are not those of issues"))
        .hint("name another one with --database")
}

async fn in_town(plan: &Plan, town: &Town, local: &Local, address: &Address, fresh: &Fresh) -> Answer<Found> {
    let settings = Settings::load(town, &plan.env);
    let asked = AskedBy::this_process(&plan.env, "bd init");
    let context = Context { town, env: &plan.env, settings: &settings, asked: &asked, notify: &out::notice };
    if !local.exists() {
        // Under the town's own rules for names and for who makes it.
        rig::create::database(&context, &address.database.value)
            .await
            .map_err(|error| with_causes(&error))?;
    }
    if let Some(found) = natively(&local.path, fresh)? {
        return Ok(found);
    }
    let search = find::find(town).map_err(|error| with_causes(&error))?;
    let port = search.server.and_then(|server| server.port).ok_or_else(|| held(&local.path))?;
    by_sql(&endpoint(&settings, port), &address.database.value, fresh).await
}

// A server of the user's own: it is asked if it answers, and its files are made if it does not.
async fn beside_server(local: &Local, address: &Address, fresh: &Fresh) -> Answer<Found> {
    if let Some(endpoint) = endpoint_of(address) {
        match Client::connect(&endpoint, None, LIMIT).await {
            Ok(client) => {
                client.close().await;
                return by_sql(&endpoint, &address.database.value, fresh).await;
            }
            Err(error) if error.is_connection_refused() => {}
            Err(error) => return Err(with_causes(&error)),
        }
    }
    natively(&local.path, fresh)?.ok_or_else(|| held(&local.path))
}

async fn with_address(address: &Address, fresh: &Fresh) -> Answer<Found> {
    let missing = || {
        Refusal::plain(format!("nobody says at which port {} serves", address.host.value))
            .hint("--server-port")
    };
    let endpoint = endpoint_of(address).ok_or_else(missing)?;
    let mut found = by_sql(&endpoint, &address.database.value, fresh).await?;
    found.server = Some(shown(address));
    Ok(found)
}

fn endpoint_of(address: &Address) -> Option<Endpoint> {
    Some(Endpoint {
        host: address.host.value.clone(),
        port: address.port.as_ref()?.value,
        user: address.user.value.clone(),
        password: address.password.as_ref().map(|password| password.value.0.clone()),
        tls: address.tls.value,
    })
}

async fn by_sql(endpoint: &Endpoint, database: &str, fresh: &Fresh) -> Answer<Found> {
    let failed = |error: sql::SqlError| with_causes(&error);
    let mut client = Client::connect(endpoint, None, LIMIT).await.map_err(failed)?;
    let is_new = !client.databases().await.map_err(failed)?.iter().any(|known| known == database);
    let name = sql::identifier(database);
    if is_new {
        client.query(&format!("CREATE DATABASE {name}")).await.map_err(failed)?;
    }
    client.query(&format!("USE {name}")).await.map_err(failed)?;
    let tables = column(&mut client, "SHOW TABLES").await.map_err(failed)?;
    if tables.is_empty() {
        if let Err(error) = fill(&mut client, fresh).await {
            if is_new {
                // What it was is back: nothing.
                client.query(&format!("DROP DATABASE {name}")).await.map_err(failed)?;
            }
            return Err(failed(error));
        }
        client.close().await;
        return Ok(Found::new(fresh));
    }
    if !(tables.iter().any(|t| t == "metadata") && tables.iter().any(|t| t == "schema_migrations")) {
        return Err(foreign(database));
    }
    let project = column(&mut client, "SELECT value FROM metadata WHERE `key` = '_project_id'")
        .await
        .map_err(failed)?;
    let prefix =
        column(&mut client, "SELECT value FROM config WHERE `key` = 'issue_prefix'").await.map_err(failed)?;
    client.close().await;
    let mut found = Found::new(fresh);
    found.is_adopted = true;
    found.project_id = project.into_iter().next().unwrap_or(found.project_id);
    found.prefix = prefix.into_iter().next().unwrap_or(found.prefix);
    Ok(found)
}

async fn fill(client: &mut Client, fresh: &Fresh) -> Result<(), sql::SqlError> {
    for statement in schema::statements(fresh) {
        client.query(&statement).await?;
    }
    Ok(())
}

async fn column(client: &mut Client, question: &str) -> Result<Vec<String>, sql::SqlError> {
    let results = client.query(question).await?;
    let rows = results.into_iter().flat_map(|result| result.rows);
    Ok(rows.filter_map(|row| row.first().and_then(sql::Cell::to_text)).collect())
}

/// Whether there is a database with tables of bd at this place. What cannot be opened counts as one: nobody shall take it for
/// nothing.
pub(super) async fn is_there(place: &Place) -> bool {
    let by_address = async |address: &Address| {
        let Some(endpoint) = endpoint_of(address) else { return false };
        let Ok(mut client) = Client::connect(&endpoint, None, Duration::from_secs(5)).await else {
            return false;
        };
        let question = format!("SHOW TABLES FROM {}", sql::identifier(&address.database.value));
        let tables = column(&mut client, &question).await.unwrap_or_default();
        client.close().await;
        tables.iter().any(|table| table == "schema_migrations")
    };
    match place {
        Place::Remote(address) => by_address(address).await,
        Place::Directory(local) if local.exists() => {
            let found = Native::at(&local.path, None).session().map(|session| schema::inspect(&session));
            !matches!(found, Ok(Ok(found)) if found.main == 0)
        }
        Place::Directory(local) => match &local.server {
            Some(address) if local.rule != Rule::Town => by_address(address).await,
            _ => false,
        },
    }
}

/// How many issues there are, as far as the files tell.
pub(super) fn count(place: &Place) -> Option<usize> {
    let Place::Directory(local) = place else { return None };
    let reader = Native::at(&local.path, None).reader().ok()?;
    Some(load::ids(&reader).ok()?.len())
}

fn with_causes(error: &(dyn std::error::Error + 'static)) -> Refusal {
    Refusal::plain(crate::doltserver::with_causes(error))
}
